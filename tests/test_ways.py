"""The ways through the notebooks, against what the notebooks themselves say."""

from __future__ import annotations

from pathlib import Path

import pytest

from facesr_tools.runner.notebooks import find_folder, read_notebooks
from facesr_tools.ways import ORDER, WAYS, Way, needs, prerequisites, study_minutes, written

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = read_notebooks(find_folder(ROOT / "notebooks"))


def test_page_and_map_are_as_make_sync_writes_them() -> None:
    for path, text in written(ROOT).items():
        assert path.read_text(encoding="utf-8") == text, f"{path}: run make sync"


@pytest.mark.parametrize("way", [*WAYS, Way("all", "", ORDER)], ids=lambda way: way.title)
def test_what_a_notebook_needs_comes_before_it_on_every_way(way: Way) -> None:
    required = prerequisites(NOTEBOOKS)
    for position, number in enumerate(way.numbers):
        assert set(required[number]) <= set(way.numbers[:position]), number


def test_the_order_has_every_notebook_once() -> None:
    assert sorted(ORDER) == [one.number for one in sorted(NOTEBOOKS, key=lambda one: one.number)]


@pytest.mark.parametrize(
    ("opening", "found"),
    [
        ("**You need:** `00_a`, `03_b`; `05_c` helps. **Time:** a minute of `10_d`.", ["00_a", "03_b"]),
        ("**You need:** Python\n**Time:** after `00_a`", []),
        ("**You need:** `10_d` (adversarial training) and `facesr run`. **Time:** x", ["10_d"]),
        ("Nothing is said.", []),
    ],
)
def test_needs_are_what_stands_before_the_semicolon(opening: str, found: list[str]) -> None:
    assert needs(opening, ["00_a", "03_b", "05_c", "10_d"]) == found


def cell(kind: str, source: str, *tags: str) -> dict[str, object]:
    return {"cell_type": kind, "source": source, "metadata": {"tags": list(tags)}}


def test_study_minutes_count_what_a_reader_does() -> None:
    """150 words, 60 lines and a figure are 3 minutes; a prediction and an exercise 10; solutions and the first cell none."""
    cells = [cell("markdown", "word " * 3000)]
    cells += [cell("markdown", "word " * 149 + "\n*Predict the end.*")]  # 152 words
    cells += [cell("code", "x = 1\n" * 59 + 'run.figure(x, "a")')]
    cells += [cell("code", "", "exercise"), cell("code", "y = 2\n" * 6000, "solution"), cell("markdown", "w " * 900, "solution")]
    assert study_minutes(cells) == 15  # 13 and a little
    assert study_minutes(cells[:1]) == 5
