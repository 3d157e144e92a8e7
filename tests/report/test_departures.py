"""The table of departures holds every mark of the sources, once, and the page and the exports show it."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bs4 import BeautifulSoup

import facesr_lib
from facesr_lib.data import ImageSet
from facesr_lib.evaluate import Run
from facesr_lib.metrics import PSNR
from facesr_lib.papers import PAPERS, Paper
from facesr_tools.report import build_report
from facesr_tools.report.departures import OTHERWISE, SILENT, departures, read_marks, sentences

FACES = ImageSet("faces", np.zeros((2, 8, 8, 3), np.uint8), ("a", "b"), "drawn for this test")
LIBRARY = Path(facesr_lib.__file__).parent
MARK = r"\[(?:ours|departs)\b"

SOURCE = '''"""A method.

    y = x

Marks: [paper] said, [ours] not said, [departs] said otherwise.

Departures: the size is ours. The rate falls, as in Karras et al. (2018), see eq. 3. Marks here are these.

- [ours: lost] a first. b.
"""

# Above. A constant [ours]. More words.
MEAN = (0.5, 0.5)

WIDTH, DEPTH = 3, 4  # both [ours]


class Config:
    """Plain."""

    size: int = 1_000  # noqa: RUF009  of the image [ours, after somebody]; wide
    rate: float = 0.1  # [departs]: lower. At the end
    text: str = "[ours] in a text"

    def __init__(self) -> None:
        """One thing [ours]. Another."""
        self.x = 1  # here [ours]

    @property
    def twice(self) -> int:
        return 2
'''


def test_each_mark_is_read_with_its_place_value_and_sentence() -> None:
    assert list(read_marks(SOURCE)) == [
        ("", "", "The size is ours.", OTHERWISE),
        ("", "", "The rate falls, as in Karras et al. (2018), see eq. 3.", OTHERWISE),
        ("", "", "[ours: lost] a first.", SILENT),
        ("Config", "", "One thing [ours].", SILENT),
        ("MEAN", "(0.5, 0.5)", "A constant [ours].", SILENT),
        ("WIDTH, DEPTH", "3, 4", "both [ours]", SILENT),
        ("Config.size", "1_000", "of the image [ours, after somebody]; wide", SILENT),
        ("Config.rate", "0.1", "[departs]: lower. At the end", OTHERWISE),
        ("Config", "", "here [ours]", SILENT),
    ]


def test_sentences_end_where_they_end() -> None:
    text = "By Kim et al. (2021), cf. eqs. 5 and 6. See Fig. 2. mu is `x`, e.g. 0.5. No shift."
    assert sentences(text) == ["By Kim et al. (2021), cf. eqs. 5 and 6.", "See Fig. 2.", "mu is `x`, e.g. 0.5.", "No shift."]


@pytest.mark.parametrize("paper", [*PAPERS, None], ids=lambda paper: paper.key if paper else "shared")
def test_every_mark_of_the_sources_is_in_the_table_and_none_from_elsewhere(paper: Paper | None) -> None:
    """The count by searching the files' text, without the sentences that explain the marks."""
    folder = LIBRARY / "papers" / paper.key if paper else LIBRARY
    files = [path for path in folder.rglob("*.py") if paper or LIBRARY / "papers" not in path.parents]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    legend = re.findall(r"\bMarks[^.]*?:[^.]*\[ours\][^.]*\.", text)
    searched = len(re.findall(MARK, text)) - sum(len(re.findall(MARK, sentence)) for sentence in legend)
    found = departures(paper)
    in_sources = [one for one in found if not one.where.startswith("claim ")]
    assert sum(len(re.findall(MARK, one.text)) for one in in_sources) == searched > 0
    assert {one.paper for one in found} == {paper.key if paper else ""}
    if paper:
        assert len(legend) == 1
        assert all(one.where.removeprefix("claim ").split(".")[0] == paper.key for one in found)
        claims = re.findall(r'^mark = "ours"', (folder / "claims.toml").read_text(), re.MULTILINE)
        assert len(found) - len(in_sources) == len(claims)
        assert any(one.kind == OTHERWISE for one in found)


def test_no_row_twice_and_texts_are_whole_sentences() -> None:
    found = [one for paper in (*PAPERS, None) for one in departures(paper)]
    assert [one for one, count in Counter(found).items() if count > 1] == []
    assert {one.kind for one in found} == {OTHERWISE, SILENT}
    for one in found:
        assert one.text == " ".join(one.text.split())
        assert one.text.count("[") == one.text.count("]")
        assert one.text.count("(") == one.text.count(")"), one
        assert "\n" not in one.value


def test_values_are_the_paper_presets() -> None:
    from facesr_lib.papers import human_gan, isr_kd, teacher_student

    for package in (human_gan, isr_kd, teacher_student):
        paper = next(paper for paper in PAPERS if paper.package is package)
        preset = package.Config.preset("paper")  # type: ignore[attr-defined]
        own = [one for one in departures(paper) if one.where.startswith(f"{paper.key}.Config.") and one.value]
        assert own
        for one in own:
            name = one.where.rpartition(".")[2]
            assert eval(one.value, vars(package)) == getattr(preset, name), one


def test_the_report_shows_and_exports_them(start: Callable[..., Run], tmp_path: Path) -> None:
    run, paper = start(paper="human_gan"), PAPERS[0]
    for method in ("bicubic", "GAN"):  # what decides a claim, so that the page has a part for its paper
        run.score(method, FACES, PSNR, [20.0, 21.0])
    run.finish()
    page = BeautifulSoup(build_report(tmp_path, "smoke").read_text(encoding="utf-8"), "html.parser")
    table = page.find(attrs={"aria-label": f"Departures: {paper.title}"})
    assert table is not None
    rows = [[" ".join(cell.get_text(" ").split()) for cell in row.find_all(["th", "td"])] for row in table.select("tbody tr")]
    own = departures(paper)
    assert [(row[1], row[2]) for row in rows] == [(one.text, one.kind) for one in own]
    assert all(row[0].replace(" ", "").startswith(one.where.replace(" ", "")) for row, one in zip(rows, own, strict=True))
    assert page.find(id="departures") is not None
    written = list(csv.DictReader((tmp_path / "smoke" / "tables" / "departures.csv").read_text().splitlines()))
    assert [row["text"] for row in written] == [one.text for paper in (*PAPERS, None) for one in departures(paper)]
