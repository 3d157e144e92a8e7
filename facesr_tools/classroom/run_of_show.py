"""Run-of-show: two printed pages per paper for whoever stands in front of the class.

The prose is data (run_of_show/PAPER.toml). What can change is not in it: minutes come from the notebooks' facts, exercises from
their cells, minute marks are added up, and verdicts are read from a run or not given at all.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from facesr_tools.classroom.lessons import Lesson

WHOLE, SHORT = 90, 45  # minutes of a class, and of its short version


@dataclass(frozen=True)
class Block:
    """One line of the timetable. minutes: of the whole class; short: of the short one, 0 where it is left out.

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
class Show:
    """A paper's run-of-show as it is written down."""

    paper: str
    aim: str
    before: tuple[str, ...]
    slow: str
    misuse: str
    home: tuple[str, ...]
    blocks: tuple[Block, ...]
    figures: tuple[Look, ...]
    questions: tuple[Question, ...]


def read_show(paper: str) -> Show:
    """The run-of-show of a paper, by its key."""
    text = (files("facesr_tools.classroom") / "run_of_show" / f"{paper}.toml").read_text(encoding="utf-8")
    found = tomllib.loads(text)
    fields: dict[str, Any] = {key: _tuples(value) for key, value in found.items() if key not in _TABLES}
    tables: dict[str, Any] = {
        field: tuple(kind(**_tuples(row)) for row in found[key]) for key, (field, kind) in _TABLES.items()
    }
    return Show(**fields, **tables)


def render_show(show: Show, lessons: Sequence[Lesson], verdicts: Mapping[str, list[str]] | None) -> str:
    """The two pages, Markdown. lessons: the paper's notebooks. verdicts: from `read_verdicts`, or None.

    Raises ValueError that names what the timetable refers to and the notebooks do not have, or if its minutes do not add up.
    """
    _check(show, lessons)
    exercises = {e.name: f"exercise {e.number} ({e.title})" for lesson in lessons for e in lesson.exercises}
    in_class = {name for block in show.blocks for name in block.exercises}
    homework = [
        f"{lesson.name[:2]}: {', '.join(left)}"
        for lesson in lessons
        if (left := [f"{e.number} ({e.title})" for e in lesson.exercises if e.name not in in_class])
    ]
    environment = Environment(
        loader=PackageLoader("facesr_tools.classroom"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    names = {
        "show": show,
        "lessons": lessons,
        "exercises": exercises,
        "homework": "; ".join(homework),
        "rows": list(zip(show.blocks, _marks(show, "minutes"), _marks(show, "short"), strict=True)),
        "mark": lambda title: next(
            mark.split("–")[0] for b, mark in zip(show.blocks, _marks(show, "minutes"), strict=True) if b.title == title
        ),
        "minutes": {profile: sum(lesson.minutes[profile] for lesson in lessons) for profile in ("quick", "workshop")},
        "verdicts": verdicts,
        "whole": WHOLE,
        "short": SHORT,
    }
    environment.filters["filled"] = lambda text: environment.from_string(text).render(names)
    return environment.get_template("run_of_show.md.j2").render(names)


def read_verdicts(runs: Path) -> dict[str, dict[str, list[str]]]:
    """{paper: {verdict: texts of the claims}} of a `quick` run, from `<runs>/quick/claims.json`.

    Raises ValueError that says how to make the file if there is none that can be read.
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
            "first: facesr run all, then facesr report"
        ) from error


# [[block]] in the file is `blocks` in Show, and so on.
_TABLES: dict[str, tuple[str, Any]] = {
    "block": ("blocks", Block),
    "figure": ("figures", Look),
    "question": ("questions", Question),
}


def _tuples(value: Any) -> Any:
    """Lists as tuples, also as the values of a table."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(value) if isinstance(value, list) else value


def _check(show: Show, lessons: Sequence[Lesson]) -> None:
    known = {lesson.name: lesson for lesson in lessons}

    def notebook(name: str) -> Lesson:
        if name not in known:
            raise ValueError(f"the run-of-show needs the notebook {name}, which is not there")
        return known[name]

    for block in show.blocks:
        for place in block.at:
            name, section = place.split("/", 1)
            if section not in notebook(name).sections:
                raise ValueError(f"the run-of-show refers to the section {section!r}, which {name} does not have")
        for figure in block.figures:
            if not any(known[name].has_figure(figure) for name in block.notebooks):
                raise ValueError(
                    f"the run-of-show refers to the figure {figure!r}, which {block.notebooks} do not have"
                )
        for exercise in block.exercises:
            if not any(exercise == e.name for name in block.notebooks for e in known[name].exercises):
                raise ValueError(f"the run-of-show refers to {exercise}(), no exercise of {block.notebooks}")
    for look in show.figures:
        if not notebook(look.notebook).has_figure(look.name):
            raise ValueError(f"the run-of-show refers to the figure {look.name!r}, which {look.notebook} does not have")
    for name, wanted in (("minutes", WHOLE), ("short", SHORT)):
        if (total := sum(getattr(block, name) for block in show.blocks)) != wanted:
            raise ValueError(f"the run-of-show's {name} add up to {total}, not to {wanted}")


def _marks(show: Show, name: str) -> list[str]:
    """ "0–5", "5–15", ... per block; "" for one that takes no time."""
    end, marks = 0, []
    for block in show.blocks:
        start, end = end, end + getattr(block, name)
        marks.append(f"{start}–{end}" if end > start else "")
    return marks
