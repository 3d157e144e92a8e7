"""The timetables add up and refer only to what the notebooks have; facts come from the notebooks, verdicts from a run."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from facesr_lib.papers import PAPERS
from facesr_tools.classroom import Lesson, classroom_files
from facesr_tools.classroom.lesson_plan import read_plan, read_verdicts, render_plan

# What stands in backticks and is no figure, function, notebook or file.
CODE = {"clamp", "unbiased", "new", "grid_sample", "RecurrentSR", "quick", "smoke", "workshop"}


def of_paper(lessons: dict[str, Lesson], paper: str) -> list[Lesson]:
    return [lesson for lesson in lessons.values() if lesson.paper == paper]


def test_every_paper_of_the_notebooks_has_a_lesson_plan(lessons, written) -> None:
    assert {paper.key for paper in PAPERS} == {lesson.paper for lesson in lessons.values()} - {""}
    for paper in (paper.key for paper in PAPERS):
        assert f"instructor/{paper}.md" in written
        assert "<script" not in written[f"instructor/{paper}.html"]


@pytest.mark.parametrize("paper", [paper.key for paper in PAPERS])
def test_minute_marks_add_up(paper: str, written) -> None:
    rows = re.findall(r"^\| *(\d+–\d+) *\| *(\d+–\d+|–) *\|", written[f"instructor/{paper}.md"], flags=re.MULTILINE)
    assert len(rows) >= 8
    for column, whole in ((0, 90), (1, 45)):
        marks = [tuple(map(int, row[column].split("–"))) for row in rows if row[column] != "–"]
        assert marks[0][0] == 0
        assert marks[-1][1] == whole
        for (_, end), (start, _) in pairwise(marks):
            assert end == start
    starts = {row[0].split("–")[0] for row in rows}
    assert set(re.findall(r"minute (\d+)", written[f"instructor/{paper}.md"])) <= starts


@pytest.mark.parametrize("paper", [paper.key for paper in PAPERS])
def test_every_word_in_code_font_is_there(paper: str, written, lessons) -> None:
    mine = of_paper(lessons, paper)
    known = CODE | set(lessons) | {exercise.name for lesson in mine for exercise in lesson.exercises}
    for word in re.findall(r"`([a-z_0-9A-Z]+)`", written[f"instructor/{paper}.md"]):
        assert word in known or any(lesson.has_figure(word) for lesson in mine), f"what is `{word}`?"


@pytest.mark.parametrize("paper", [paper.key for paper in PAPERS])
def test_facts_come_from_the_notebooks(paper: str, lessons) -> None:
    mine = of_paper(lessons, paper)
    slower = [replace(lesson, minutes={"quick": 11.5, "workshop": 100.0}) for lesson in mine]
    renamed = [replace(e, title=f"New title {e.number}") for e in slower[0].exercises]
    slower[0] = replace(slower[0], exercises=tuple(renamed))
    text = render_plan(read_plan(paper), slower, None)
    assert f"about {11.5 * len(mine):g} minutes on two cores" in text
    assert f"`workshop` takes about {100 * len(mine)} minutes" in text
    assert re.search(r"\d \(New title \d\)", text)


@pytest.mark.parametrize("paper", [paper.key for paper in PAPERS])
def test_class_and_homework_are_all_exercises(paper: str, written, lessons) -> None:
    plan, text = read_plan(paper), written[f"instructor/{paper}.md"]
    in_class = {name for block in plan.blocks for name in block.exercises}
    (homework,) = re.findall(r"^\*\*Homework\.\*\* (.+)$", text, flags=re.MULTILINE)
    for lesson in of_paper(lessons, paper):
        for exercise in lesson.exercises:
            assert (f"{exercise.number} ({exercise.title})" in homework) == (exercise.name not in in_class)
            assert (f"**exercise {exercise.number} ({exercise.title})**" in text) == (exercise.name in in_class)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"at": ("10_human_face_gan/The settings",)}, "the section 'The settings'"),
        ({"at": ("11_other/The setting",)}, "needs the notebook 11_other"),
        ({"figures": ("sample",)}, "the figure 'sample'"),
        ({"exercises": ("my_warp",)}, r"my_warp\(\)"),
        ({"minutes": 6}, "minutes add up to 91"),
        ({"short": 0}, "short add up to 42"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, object], message: str, lessons) -> None:
    plan = read_plan("human_gan")
    broken = replace(plan, blocks=(replace(plan.blocks[0], **change), *plan.blocks[1:]))
    with pytest.raises(ValueError, match=message):
        render_plan(broken, of_paper(lessons, "human_gan"), None)


def test_a_figure_to_dwell_on_must_be_there(lessons) -> None:
    plan = read_plan("human_gan")
    broken = replace(plan, figures=(replace(plan.figures[0], name="sample"),))
    with pytest.raises(ValueError, match="the figure 'sample'"):
        render_plan(broken, of_paper(lessons, "human_gan"), None)


def test_verdicts_only_from_a_run(lessons, written, tmp_path: Path) -> None:
    assert "not predicted here" in written["instructor/human_gan.md"]
    claims = [{"verdict": "reproduced", "text": "It is so."}, {"verdict": "inconclusive", "text": "It may be."}]
    claims += [{"verdict": "reproduced", "text": "And so."}]
    (tmp_path / "quick").mkdir()
    (tmp_path / "quick" / "claims.json").write_text(json.dumps({"papers": [{"paper": "human_gan", "claims": claims}]}))
    text = render_plan(read_plan("human_gan"), of_paper(lessons, "human_gan"), read_verdicts(tmp_path)["human_gan"])
    assert "- **reproduced** (2): It is so. And so.\n- **inconclusive** (1): It may be.\n" in text
    assert "not predicted here" not in text


@pytest.mark.parametrize("content", [None, "{", "[]", '{"papers": [{"paper": "selfsr"}]}'])
def test_runs_without_verdicts_are_named(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "quick").mkdir()
        (tmp_path / "quick" / "claims.json").write_text(content)
    with pytest.raises(ValueError, match=r"--runs .*claims\.json.*first run: facesr run all"):
        read_verdicts(tmp_path)


def test_notebooks_of_another_version_are_named(lessons) -> None:
    strange = replace(lessons["10_human_face_gan"], sections=(), exercises=())
    with pytest.raises(ValueError, match=r"human_gan: the lesson plan refers to the section .* belong to this version"):
        classroom_files([strange])
