"""Grade handed-in notebooks: call the project's own checks on the functions in the files, in processes with a time limit."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import nbformat

import facesr_lib
from facesr_tools.classroom.attempts import CannotJudge, Notebook, attempt
from facesr_tools.classroom.lessons import Exercise, Lesson, code_sources

_START = 120.0  # seconds that a busy machine may take to import torch
_LARGEST = 200 << 20  # bytes of a notebook
_LONGEST = 600  # characters of a message


@dataclass(frozen=True)
class Mark:
    """The verdict on one exercise of a file. judged: whether there is one; if not, `message` says why."""

    number: int
    title: str
    passed: bool
    message: str
    judged: bool = True

    @property
    def verdict(self) -> str:
        """In words."""
        return "passed" if self.passed else "not passed" if self.judged else "cannot be judged"


@dataclass(frozen=True)
class Graded:
    """The marks of a handed-in file. lesson: the notebook that it is a copy of, or ""; problem: why there are no marks."""

    file: Path
    lesson: str
    marks: tuple[Mark, ...] = ()
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether there are marks and all are passes."""
        return bool(self.marks) and all(mark.passed for mark in self.marks)


def grade(file: Path, lessons: Sequence[Lesson], limit: float) -> Graded:
    """Grade one file. limit: seconds that one exercise may take.

    The title in the file's metadata tells which notebook it is a copy of, or else a notebook's name in the file's name.
    """
    try:
        if file.stat().st_size > _LARGEST:
            return Graded(file, "", problem=f"larger than {_LARGEST >> 20} MiB: ask for it without outputs")
        notebook = nbformat.read(file, as_version=4)
        title, sources = _title(notebook), code_sources(notebook)
        if not all(isinstance(source, str) for source in sources):
            raise TypeError("a cell's source is no text")
    except Exception as error:  # nbformat raises a different class for each way a file can be broken
        return Graded(file, "", problem=f"not a readable notebook ({type(error).__name__}): save it again in Jupyter")
    lesson = next((x for x in lessons if x.title == title), None) or next((x for x in lessons if x.name in file.stem), None)
    if lesson is None:
        return Graded(file, "", problem="no copy of one of the project's notebooks, by its metadata or its name")
    if not lesson.exercises:
        return Graded(file, lesson.name, problem="its notebook has no exercises")
    return Graded(file, lesson.name, tuple(_marks(sources, lesson.exercises, limit)))


def _title(notebook: Any) -> object:
    facts = notebook.metadata.get("facesr")
    return facts.get("title") if isinstance(facts, dict) else None


def _marks(sources: list[str], exercises: Sequence[Exercise], limit: float) -> list[Mark]:
    """One worker runs check after check. If it hangs or dies, that exercise fails, and a new worker does the next ones."""
    marks: list[Mark] = []
    while len(marks) < len(exercises):
        todo = exercises[len(marks) :]
        answers, ending = _work(sources, todo, limit)
        if answers is None:
            return marks + [Mark(e.number, e.title, False, f"Cannot be judged. {ending}", judged=False) for e in todo]
        marks += [
            Mark(e.number, e.title, passed is True, text[:_LONGEST], judged=passed is not None)
            for e, (passed, text) in zip(todo, answers, strict=False)
        ]
        if len(answers) < len(todo):
            stuck = todo[len(answers)]
            marks.append(Mark(stuck.number, stuck.title, False, ending))
    return marks


def _work(sources: list[str], exercises: Sequence[Exercise], limit: float) -> tuple[list[tuple[bool | None, str]] | None, str]:
    """The answers of a worker, None if it did not get as far as the exercises; and how it ended."""
    task = {"sources": sources, "exercises": [(exercise.name, exercise.check) for exercise in exercises]}
    library = str(Path(facesr_lib.__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, [library, os.environ.get("PYTHONPATH", "")]))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "task").write_text(json.dumps(task), encoding="utf-8")
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, folder],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": path, "MPLBACKEND": "agg"},
            start_new_session=True,
        )
        try:
            ending = _wait(process, Path(folder) / "answers", limit)
        finally:
            _kill(process)
        _, *lines = _lines(Path(folder) / "answers") or [""]
    if not lines:
        return None, f"The notebook's own definitions: {ending}"
    return [(passed, str(text)) for passed, text in map(json.loads, lines[1:])], ending


def _wait(process: subprocess.Popen[bytes], answers: Path, limit: float) -> str:
    """Wait until the worker ends or takes longer than `limit` for one answer; two lines come first: started, ready."""
    lines, since = 0, time.monotonic()
    while process.poll() is None:
        if (now := len(_lines(answers))) > lines:
            lines, since = now, time.monotonic()
        if time.monotonic() - since > (limit if lines else max(limit, _START)):
            return f"Stopped after {limit:g} s: an endless loop?"
        time.sleep(0.05)
    return f"Your code ended Python (exit status {process.returncode})."


def _lines(answers: Path) -> list[str]:
    """The complete lines of the file so far."""
    return answers.read_text(encoding="utf-8").split("\n")[:-1] if answers.exists() else []


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a worker and every process that it started."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:  # Windows
            process.kill()
    except OSError:  # it has ended already
        pass
    process.wait()


def main() -> None:
    """The worker: read `task` in the command line's folder; write a line to `answers` when started, when ready, per exercise."""
    folder = Path(sys.argv[1])
    task = json.loads((folder / "task").read_text(encoding="utf-8"))
    for _, check in task["exercises"]:
        import_module(check.split(":")[0])
    with open(folder / "answers", "w", encoding="utf-8", buffering=1) as answers:
        answers.write("started\n")
        notebook = Notebook(task["sources"])
        answers.write("ready\n")
        for name, check in task["exercises"]:
            try:
                verdict = attempt(name, check, notebook)
                answers.write(json.dumps([verdict.passed, verdict.message]) + "\n")
            except CannotJudge as reason:
                answers.write(json.dumps([None, f"Cannot be judged: {reason}."]) + "\n")


if __name__ == "__main__":
    main()
