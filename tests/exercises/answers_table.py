"""Writes docs/exercises.md, with how many answers each check is tested: python tests/exercises/answers_table.py"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import answers_of_lessons
import answers_of_papers

from facesr_tools.classroom import Lesson, read_lesson

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "exercises.md"
INTRO = """# How well the exercises' checks are tested

Written by `python tests/exercises/answers_table.py`, for instructors. Before students meet a check, it has met answers of both kinds, written as
students write them. Right ones use loops, other formulas, another library, other number types, or work in place: all of them pass. Wrong ones
forget a mean, a square or the border, swap axes, signs or arguments, cheat, or return what was given: none passes, and each is told what is wrong.
"Hints" counts the different things that they are told. Beside these, every check is given functions that print instead of returning,
return a constant, crash, or are not written yet.

A right answer that a check refuses, or a wrong one that it accepts, is a bug: add it to `tests/exercises/answers_of_*.py`.

| exercise | check | right answers, all accepted | wrong answers, all refused | hints |
|---|---|---:|---:|---:|
"""  # noqa: E501


def page(lessons: Iterable[Lesson]) -> str:
    """The page: a row per exercise in the order of the notebooks, and the sums."""
    right = {check.__name__: some for part in (answers_of_lessons, answers_of_papers) for check, some in part.RIGHT.items()}
    wrong = {check.__name__: some for part in (answers_of_lessons, answers_of_papers) for check, some in part.WRONG.items()}
    rows, sums = [], [0, 0, 0]
    for lesson in lessons:
        for one in lesson.exercises:
            check = one.check.split(":")[1]
            counts = [len(right[check]), sum(map(len, wrong[check].values())), len(wrong[check])]
            link = f"[{lesson.name[:2]}.{one.number}](../notebooks/{lesson.name}.ipynb) {one.title}"
            rows.append(f"| {link} | `{check}` | {counts[0]} | {counts[1]} | {counts[2]} |")
            sums = [total + count for total, count in zip(sums, counts, strict=True)]
    rows.append(f"| {len(rows)} exercises | | {sums[0]} | {sums[1]} | {sums[2]} |")
    return INTRO + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(map(read_lesson, sorted(ROOT.glob("notebooks/[0-9]*.ipynb")))), encoding="utf-8")
