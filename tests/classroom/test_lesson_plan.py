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
from facesr_tools.classroom.lesson_plan import NEAR, read_plan, read_verdicts, render_plan, with_plans
from facesr_tools.durations import duration

# What stands in backticks and is no figure, function, notebook or file.
CODE = {"clamp", "unbiased", "new", "grid_sample", "RecurrentSR", "DATA_ROOT", "quick", "smoke", "workshop"}
OF_LESSONS = ("00_start_here", "01_degradation_and_upsampling", "02_edges", "03_metrics", "04_losses", "05_data")
PLANS = [paper.key for paper in PAPERS] + list(OF_LESSONS)


def of_plan(lessons: dict[str, Lesson], plan: str) -> list[Lesson]:
    return with_plans(lessons.values())[plan]


def test_every_paper_and_every_lesson_has_a_lesson_plan(lessons, written) -> None:
    assert {paper.key for paper in PAPERS} == {lesson.paper for lesson in lessons.values()} - {""}
    assert set(PLANS) == set(with_plans(lessons.values()))
    assert {name for name, lesson in lessons.items() if lesson.exercises and not lesson.paper} == set(OF_LESSONS)
    for plan in PLANS:
        assert f"instructor/{plan}.md" in written
        assert "<script" not in written[f"instructor/{plan}.html"]


@pytest.mark.parametrize("name", OF_LESSONS)
def test_a_lesson_takes_its_readers_minutes_and_has_no_verdicts(name: str, lessons, written) -> None:
    plan, lesson = read_plan(name), lessons[name]
    assert plan.title == lesson.title
    assert abs(plan.whole - lesson.study) <= NEAR
    assert plan.short <= 0.6 * plan.whole
    assert f"{plan.whole} minutes; the second column is the {plan.short}-minute version" in written[f"instructor/{name}.md"]
    assert "Verdicts" not in written[f"instructor/{name}.md"]
    assert ("Trainings are kept" in written[f"instructor/{name}.md"]) == (name in ("03_metrics", "04_losses"))
    with pytest.raises(ValueError, match=f"minutes add up to {plan.whole}; a reader of {name} takes 120"):
        render_plan(plan, [replace(lesson, study=120)], None)


def test_selfsr_in_the_room_is_20_and_22_and_21_is_homework(written, lessons) -> None:
    plan, text = read_plan("selfsr"), written["instructor/selfsr.md"]
    assert {name for block in plan.blocks for name in block.notebooks} == {"20_selfsr_degradation", "22_selfsr_ablations"}
    assert {look.notebook for look in plan.figures} == {"20_selfsr_degradation", "22_selfsr_ablations"}
    for figure in lessons["21_selfsr_super_resolution"].figures:  # not in the discussion either
        assert f"`{figure}`" not in text
    (homework,) = re.findall(r"^\*\*Homework\.\*\* (.+)$", text, flags=re.MULTILINE)
    of_21 = lessons["21_selfsr_super_resolution"].exercises
    assert of_21
    assert all(f"{one.number} ({one.title})" in homework for one in of_21)


@pytest.mark.parametrize("plan", PLANS)
def test_minute_marks_add_up(plan: str, written) -> None:
    rows = re.findall(r"^\| *(\d+–\d+) *\| *(\d+–\d+|–) *\|", written[f"instructor/{plan}.md"], flags=re.MULTILINE)
    of_lesson = plan in OF_LESSONS
    assert len(rows) >= (5 if of_lesson else 8)
    for column, whole in enumerate((read_plan(plan).whole, read_plan(plan).short) if of_lesson else (90, 45)):
        marks = [tuple(map(int, row[column].split("–"))) for row in rows if row[column] != "–"]
        assert marks[0][0] == 0
        assert marks[-1][1] == whole
        for (_, end), (start, _) in pairwise(marks):
            assert end == start
    starts = {row[0].split("–")[0] for row in rows}
    assert set(re.findall(r"minute (\d+)", written[f"instructor/{plan}.md"])) <= starts


@pytest.mark.parametrize("key", PLANS)
def test_every_word_in_code_font_is_there(key: str, written, lessons) -> None:
    mine = of_plan(lessons, key)
    known = CODE | set(lessons) | {exercise.name for lesson in mine for exercise in lesson.exercises}
    for word in re.findall(r"`([a-z_0-9A-Z]+)`", written[f"instructor/{key}.md"]):
        assert word in known or any(lesson.has_figure(word) for lesson in mine), f"what is `{word}`?"


@pytest.mark.parametrize("key", PLANS)
def test_facts_come_from_the_notebooks(key: str, lessons) -> None:
    mine = of_plan(lessons, key)
    slower = [replace(lesson, minutes={"quick": 11.5, "workshop": 100.0}) for lesson in mine]
    renamed = [replace(e, title=f"New title {e.number}") for e in slower[0].exercises]
    slower[0] = replace(slower[0], exercises=tuple(renamed))
    text = render_plan(read_plan(key), slower, None)
    assert f"about {duration(60 * 11.5 * len(mine))} on two cores" in text
    assert (f"`workshop` takes about {duration(6000 * len(mine))}" in text) == bool(mine[0].paper)
    assert re.search(r"\d \(New title \d\)", text)


@pytest.mark.parametrize("key", PLANS)
def test_class_and_homework_are_all_exercises(key: str, written, lessons) -> None:
    plan, text = read_plan(key), written[f"instructor/{key}.md"]
    in_class = {name for block in plan.blocks for name in block.exercises}
    (homework,) = re.findall(r"^\*\*Homework\.\*\* (.+)$", text, flags=re.MULTILINE)
    for lesson in of_plan(lessons, key):
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
        render_plan(broken, of_plan(lessons, "human_gan"), None)


def test_a_figure_to_dwell_on_must_be_there(lessons) -> None:
    plan = read_plan("human_gan")
    broken = replace(plan, figures=(replace(plan.figures[0], name="sample"),))
    with pytest.raises(ValueError, match="the figure 'sample'"):
        render_plan(broken, of_plan(lessons, "human_gan"), None)


def test_verdicts_only_from_a_run(lessons, written, tmp_path: Path) -> None:
    assert "not predicted here" in written["instructor/human_gan.md"]
    claims = [{"verdict": "reproduced", "text": "It is so."}, {"verdict": "inconclusive", "text": "It may be."}]
    claims += [{"verdict": "reproduced", "text": "And so."}]
    (tmp_path / "quick").mkdir()
    (tmp_path / "quick" / "claims.json").write_text(json.dumps({"papers": [{"paper": "human_gan", "claims": claims}]}))
    text = render_plan(read_plan("human_gan"), of_plan(lessons, "human_gan"), read_verdicts(tmp_path)["human_gan"])
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
