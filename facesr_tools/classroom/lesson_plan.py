"""Lesson plans: two printed pages at most, per paper and per lesson, for the instructor.

The prose is data (lesson_plans/PAPER.toml, lesson_plans/NOTEBOOK.toml for a notebook of no paper). What can change is computed:
minutes come from metadata, exercises from their cells, minute marks from the durations of the blocks, and verdicts from a run,
or they are left out.
"""

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from facesr_tools.classroom.lessons import Lesson, code_sources
from facesr_tools.durations import duration

WHOLE, SHORT = 90, 45  # minutes of a class on a paper, and of its short version
NEAR = 10  # a class on one lesson takes the minutes that a reader takes, up to so many


@dataclass(frozen=True)
class TimetableRow:
    """One row of the timetable. minutes: in the whole class; short: in the short one, 0 if it is left out.

    at: "notebook/section"; figures and exercises: names of figures and functions in these notebooks.
    """

    title: str
    minutes: int
    short: int
    show: str
    ask: str
    watch: str
    at: tuple[str, ...]
    figures: tuple[str, ...] = ()
    exercises: tuple[str, ...] = ()

    @property
    def notebooks(self) -> tuple[str, ...]:
        """The notebooks that `at` names, each once."""
        return tuple(dict.fromkeys(place.split("/")[0] for place in self.at))


@dataclass(frozen=True)
class Look:
    """A figure to dwell on, and what to look for."""

    notebook: str
    name: str
    look: str


@dataclass(frozen=True)
class Question:
    """What students ask every time."""

    asked: str
    answer: str


@dataclass(frozen=True)
class LessonPlan:
    """The lesson plan of one paper or lesson, as its file says. title: what the class is about, a paper with its authors."""

    title: str
    aim: str
    before: tuple[str, ...]
    slow: str
    misuse: str
    home: tuple[str, ...]
    blocks: tuple[TimetableRow, ...]
    figures: tuple[Look, ...]
    questions: tuple[Question, ...]

    @property
    def whole(self) -> int:
        """The minutes of the class."""
        return sum(block.minutes for block in self.blocks)

    @property
    def short(self) -> int:
        """The minutes of its short version."""
        return sum(block.short for block in self.blocks)


def with_plans(lessons: Iterable[Lesson]) -> dict[str, list[Lesson]]:
    """The lessons of every plan, by its key: a paper's key, or the name of a notebook that belongs to no paper."""
    found: dict[str, list[Lesson]] = {}
    for lesson in lessons:
        found.setdefault(lesson.paper or lesson.name, []).append(lesson)
    return {key: of_plan for key, of_plan in found.items() if _file(key).is_file()}


def read_plan(key: str) -> LessonPlan:
    """The lesson plan with this key of `with_plans`."""
    text = _file(key).read_text(encoding="utf-8")
    found = tomllib.loads(text)
    fields: dict[str, Any] = {key: _tuples(value) for key, value in found.items() if key not in _TABLES}
    tables: dict[str, Any] = {field: tuple(kind(**_tuples(row)) for row in found[key]) for key, (field, kind) in _TABLES.items()}
    return LessonPlan(**fields, **tables)


def render_plan(plan: LessonPlan, lessons: Sequence[Lesson], verdicts: Mapping[str, list[str]] | None) -> str:
    """The pages in Markdown. lessons: the plan's notebooks. verdicts: from `read_verdicts`, or None; for a paper only.

    Raises ValueError if the plan refers to something that the notebooks lack, which it names, or if its minutes do not add up.
    """
    _check(plan, lessons)
    exercises = {e.name: f"exercise {e.number} ({e.title})" for lesson in lessons for e in lesson.exercises}
    in_class = {name for block in plan.blocks for name in block.exercises}
    homework = [
        f"{lesson.name[:2]}: {', '.join(left)}"
        for lesson in lessons
        if (left := [f"{e.number} ({e.title})" for e in lesson.exercises if e.name not in in_class])
    ]
    environment = Environment(
        loader=PackageLoader("facesr_tools.classroom"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    names = {
        "plan": plan,
        "lessons": lessons,
        "exercises": exercises,
        "homework": "; ".join(homework),
        "rows": list(zip(plan.blocks, _marks(plan, "minutes"), _marks(plan, "short"), strict=True)),
        "mark": lambda title: next(
            mark.split("–")[0] for b, mark in zip(plan.blocks, _marks(plan, "minutes"), strict=True) if b.title == title
        ),
        "time": {profile: duration(60 * sum(lesson.minutes[profile] for lesson in lessons)) for profile in ("quick", "workshop")},
        "duration": duration,
        "trains": any(word in source for lesson in lessons for source in code_sources(lesson.notebook) for word in _TRAINS),
        "verdicts": verdicts,
    }
    environment.filters["filled"] = lambda text: environment.from_string(text).render(names)
    return environment.get_template("lesson_plan.md.j2").render(names)


def read_verdicts(runs: Path) -> dict[str, dict[str, list[str]]]:
    """{paper: {verdict: texts of the claims}} of a `quick` run, from `<runs>/quick/claims.json`.

    Raises ValueError, saying how to make the file, if it is missing or unreadable.
    """
    path = runs / "quick" / "claims.json"
    try:
        papers = json.loads(path.read_bytes())["papers"]
        found: dict[str, dict[str, list[str]]] = {}
        for paper in papers:
            claims = found.setdefault(paper["paper"], {})
            for claim in paper["claims"]:
                claims.setdefault(claim["verdict"], []).append(claim["text"])
        return found
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"--runs {runs}: no verdicts in {path} ({type(error).__name__}: {error}); "
            "first run: facesr run all, then facesr report"
        ) from error


_TRAINS = ("train_stage(", "training_ahead(")  # how a notebook trains

# [[block]] in the file is `blocks` in LessonPlan, and so on.
_TABLES: dict[str, tuple[str, Any]] = {
    "block": ("blocks", TimetableRow),
    "figure": ("figures", Look),
    "question": ("questions", Question),
}


def _file(key: str) -> Traversable:
    return files("facesr_tools.classroom") / "lesson_plans" / f"{key}.toml"


def _tuples(value: Any) -> Any:
    """Lists as tuples, also those that are values of a table."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(value) if isinstance(value, list) else value


def _check(plan: LessonPlan, lessons: Sequence[Lesson]) -> None:
    known = {lesson.name: lesson for lesson in lessons}

    def notebook(name: str) -> Lesson:
        if name not in known:
            raise ValueError(f"the lesson plan needs the notebook {name}, which is not there")
        return known[name]

    for block in plan.blocks:
        for place in block.at:
            name, section = place.split("/", 1)
            if section not in notebook(name).sections:
                raise ValueError(f"the lesson plan refers to the section {section!r}, which {name} does not have")
        for figure in block.figures:
            if not any(known[name].has_figure(figure) for name in block.notebooks):
                raise ValueError(f"the lesson plan refers to the figure {figure!r}, which {block.notebooks} do not have")
        for exercise in block.exercises:
            if not any(exercise == e.name for name in block.notebooks for e in known[name].exercises):
                raise ValueError(f"the lesson plan refers to {exercise}(), no exercise of {block.notebooks}")
    for look in plan.figures:
        if not notebook(look.notebook).has_figure(look.name):
            raise ValueError(f"the lesson plan refers to the figure {look.name!r}, which {look.notebook} does not have")
    if lessons[0].paper:
        for name, total, wanted in (("minutes", plan.whole, WHOLE), ("short", plan.short, SHORT)):
            if total != wanted:
                raise ValueError(f"the lesson plan's {name} add up to {total}, not to {wanted}")
    elif abs(plan.whole - (study := lessons[0].study)) > NEAR:
        raise ValueError(f"the lesson plan's minutes add up to {plan.whole}; a reader of {lessons[0].name} takes {study}")


def _marks(plan: LessonPlan, name: str) -> list[str]:
    """ "0–5", "5–15", ... per block; "" for one that takes no time."""
    end, marks = 0, []
    for block in plan.blocks:
        start, end = end, end + getattr(block, name)
        marks.append(f"{start}–{end}" if end > start else "")
    return marks
