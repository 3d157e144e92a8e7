"""Every figure and table of a paper has a cell in a notebook, or a reason; and nothing names one that its paper does not have."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import facesr_lib.papers
from facesr_lib.papers import PAPERS, Paper
from facesr_tools.report.exhibits import Exhibit, exhibits

NOTEBOOKS = Path(__file__).parents[2] / "notebooks" / "py"
NAMED = re.compile(r"\b(Fig|Table)s?\.?\s+([0-9]+|[IVX]+)\b")


def names_in(source: str) -> list[str]:
    """The names that a notebook gives to its figures and tables, as patterns: a name may have parts that a loop fills in."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "run":
            place = {"figure": 1, "table": 0}.get(node.func.attr)
            name = node.args[place] if place is not None and len(node.args) > place else None
            parts = name.values if isinstance(name, ast.JoinedStr) else [name]
            if all(isinstance(part, ast.Constant | ast.FormattedValue) for part in parts):
                found.append("".join(re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"\w+" for part in parts))
    return found


def named_in(text: str) -> Iterator[str]:
    """Figures and tables that a text speaks of, as "Fig. 3" and "Table IV"."""
    for kind, number in NAMED.findall(text):
        yield f"{'Fig.' if kind == 'Fig' else 'Table'} {number}"


def problems(listed: tuple[Exhibit, ...], mentioned: set[str], notebooks: Path = NOTEBOOKS) -> list[str]:
    found = [f"{one.id}: twice" for one in listed if [other.id for other in listed].count(one.id) > 1]
    for one in listed:
        if not one.what.strip() or not one.id.strip():
            found.append(f"{one.id}: no name, or no description")
        if bool(one.cell) == bool(one.why) or bool(one.cell) != bool(one.notebook):
            found.append(f"{one.id}: give either notebook and cell, or why")
        source = notebooks / f"{one.notebook}.py"
        made = names_in(source.read_text(encoding="utf-8")) if source.is_file() else []
        if one.cell and not any(re.fullmatch(name, one.cell) for name in made):
            found.append(f"{one.id}: {one.notebook} has no {one.cell}")
    return found + [f"{name}: not in the list" for name in sorted(mentioned - {one.id for one in listed})]


def mentioned_by(paper: Paper) -> set[str]:
    folder = Path(facesr_lib.papers.__file__).parent / paper.key
    files = [*folder.glob("*.py"), folder / "claims.toml", folder / "published.csv"]
    return {name for path in files for name in named_in(path.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.key)
def test_every_exhibit_has_its_cell_or_its_reason(paper: Paper) -> None:
    assert problems(exhibits(paper), mentioned_by(paper)) == []


def test_the_list_is_read_in_its_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "human_gan").mkdir()
    (tmp_path / "human_gan" / "exhibits.toml").write_text(
        '[[exhibit]]\nid = "Fig. 1"\nwhat = "It."\nnotebook = "10_a"\ncell = "c"\n\n'
        '[[exhibit]]\nid = "Table I"\nwhat = "So."\nwhy = "No."\n'
    )
    monkeypatch.setattr("facesr_tools.report.exhibits.files", lambda _package: tmp_path)
    assert exhibits(PAPERS[0]) == (Exhibit("Fig. 1", "It.", "10_a", "c"), Exhibit("Table I", "So.", why="No."))


def test_the_checks_see_what_is_wrong(tmp_path: Path) -> None:
    cells = ('run.figure(draw(), "samples", "c", "a")', 'run.table("scores", rows, "c")', 'run.figure(x, name, "", "")')
    (tmp_path / "10_a.py").write_text("\n".join([*cells, 'run.figure(x, f"each_{one}", "", "")']))
    assert names_in((tmp_path / "10_a.py").read_text()) == ["samples", "scores", r"each_\w+"]
    assert set(named_in("Figs. 3, Table IV and Table 2; Fig. 10; tables of I")) == {"Fig. 3", "Table IV", "Table 2", "Fig. 10"}
    good = (
        Exhibit("Fig. 1", "It.", "10_a", "samples"),
        Exhibit("Table I", "It.", "10_a", "scores"),
        Exhibit("Fig. 2", "It.", why="No."),
    )
    assert problems(good, {"Fig. 2"}, tmp_path) == []
    wrong = (
        Exhibit("Fig. 1", "It.", "10_a", "gone"),
        Exhibit("Fig. 1", "It.", "11_b", "samples"),
        Exhibit("Fig. 2", "It.", "10_a", "samples", "Both."),
        Exhibit("Fig. 3", "It."),
        Exhibit("Fig. 5", " ", why="No."),
    )
    assert len(problems(wrong, {"Fig. 9"}, tmp_path)) == 8
