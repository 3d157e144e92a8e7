"""Solution sheets: per notebook, every exercise with its solution, and what the check says to it and to typical mistakes.

No answer of a check is written down: the sheet calls the check.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files

from facesr_tools.classroom.attempts import Notebook, attempt
from facesr_tools.classroom.lessons import Exercise, Lesson, code_sources


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that students give."""

    title: str
    code: str


@dataclass(frozen=True)
class Note:
    """What an instructor should know of one exercise. why: Markdown."""

    why: str
    mistakes: tuple[Mistake, ...]


def read_notes(name: str) -> dict[str, Note]:
    """The notes on a notebook's exercises, by the function to write; {} for a notebook without a file in notes/.

    A file has, per exercise, `## function`, a paragraph, and any number of `### mistake` with one block of Python each.
    """
    file = files("facesr_tools.classroom") / "notes" / f"{name}.md"
    if not file.is_file():
        return {}
    _, *parts = re.split(r"^## (\w+)\n", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {function: _note(text) for function, text in zip(parts[::2], parts[1::2], strict=True)}


def solution_sheet(lesson: Lesson) -> str:
    """The sheet of one notebook in Markdown.

    Runs the exercises' solutions. Raises ValueError if one does not pass its own check.
    """
    notes = read_notes(lesson.name)
    rest = code_sources(lesson.notebook, without="solution")
    intro = (
        f"For instructors. Each exercise of `{lesson.name}` with one solution, what the check says to it, and typical wrong "
        "answers with the hints that the check gives."
    )
    lines = [f"# Solutions: {lesson.title}", "", intro, ""]
    for exercise in lesson.exercises:
        lines += _exercise(lesson, exercise, notes.get(exercise.name), rest)
    for thought in lesson.thoughts:
        lines += ["## To think about", "", thought.question, "", "**One answer**", "", thought.answer, ""]
    return "\n".join(lines).rstrip() + "\n"


def _exercise(lesson: Lesson, exercise: Exercise, note: Note | None, rest: Sequence[str]) -> Iterator[str]:
    verdict = attempt(exercise.name, exercise.check, Notebook([*rest, exercise.solution]))
    if not verdict.passed:
        raise ValueError(f"{lesson.path}: the solution of exercise {exercise.number} does not pass: {verdict}")
    yield from (f"## {exercise.number}. {exercise.title}", "", exercise.text, "")
    yield from ("**Solution**", "", *_code(exercise.solution), "", f"> {verdict}", "")
    if note is None:
        return
    yield from ("**Why**", "", note.why, "", "**Typical mistakes**", "")
    for mistake in note.mistakes:
        answer = repr(attempt(exercise.name, exercise.check, Notebook([*rest, mistake.code])))
        quoted = "\n".join(f"> {line}  " for line in answer.splitlines()).rstrip()
        yield from (f"*{mistake.title}*", "", *_code(mistake.code), "", quoted, "")


def _note(text: str) -> Note:
    mistakes = re.findall(r"^### ([^\n]+)\n\n```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    return Note(text.split("\n### ")[0].strip(), tuple(Mistake(title, code.strip()) for title, code in mistakes))


def _code(source: str) -> tuple[str, ...]:
    return ("```python", source, "```")
