"""Read from a notebook what a class needs: sections, figures, and exercises with their checks and solutions."""

import ast
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
from IPython.core.inputtransformer2 import TransformerManager

_CHECKS = "facesr_lib.exercises."
_TIMERS = ("time", "prun", "capture")  # commands that run a cell's statements in the notebook
THOUGHT = "**To think about.**"
_FOLD = re.compile(r"\A<details>\s*<summary>.*?</summary>(.*)</details>\s*\Z", flags=re.DOTALL)
_TASK = re.compile(r"^\*\*(\d+)\.\s+(.+?)\.?\*\*", flags=re.MULTILINE)  # **3. The cycle loss**


@dataclass(frozen=True)
class Exercise:
    """One exercise. text: the task in Markdown; name: the function to write; check: the check as "module:function"."""

    number: int
    title: str
    text: str
    name: str
    stub: str
    check: str
    solution: str  # without the line that calls the check


@dataclass(frozen=True)
class Thought:
    """A question to think about, and one answer, both in Markdown."""

    question: str
    answer: str


@dataclass(frozen=True)
class Lesson:
    """One notebook. minutes: by profile; study: a reader's; paper: key or ""; figures: with * for what only a run fills in."""

    path: Path
    title: str
    paper: str
    minutes: Mapping[str, float]
    study: int
    sections: tuple[str, ...]
    figures: tuple[str, ...]
    exercises: tuple[Exercise, ...]
    thoughts: tuple[Thought, ...]
    notebook: Any = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """The file's name without `.ipynb`."""
        return self.path.stem

    def has_figure(self, name: str) -> bool:
        """Whether the notebook saves a figure of this name."""
        return any(fnmatchcase(name, pattern) for pattern in self.figures)


def read_lesson(path: Path) -> Lesson:
    """Read a notebook that follows CONTRIBUTING.md, "A notebook".

    Raises ValueError that names the file and what it, or one of its exercises, lacks.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except Exception as error:  # nbformat raises a different class for each way a file can be broken
        raise ValueError(f"{path}: not a readable notebook ({type(error).__name__}: {error})") from error
    facts = notebook.metadata.get("facesr")
    if not isinstance(facts, dict) or not facts.get("title"):
        raise ValueError(f'{path}: not a notebook of this project: its metadata has no "facesr" with a "title"')
    minutes = dict(facts.get("minutes") or {})
    if not {"quick", "workshop"} <= minutes.keys():
        raise ValueError(f'{path}: the "minutes" in its metadata must name those of quick and of workshop')
    headings = [line for cell in notebook.cells if cell.cell_type == "markdown" for line in cell.source.splitlines()]
    return Lesson(
        path=path,
        title=facts["title"],
        paper=facts.get("paper") or "",
        minutes=minutes,
        study=facts.get("study") or 0,
        sections=tuple(line.lstrip("#").strip() for line in headings if re.match(r"#{2,4} ", line)),
        figures=tuple(_figures(code_sources(notebook))),
        exercises=tuple(_exercises(path, notebook)),
        thoughts=tuple(_thoughts(notebook)),
        notebook=notebook,
    )


def tags(cell: Any) -> Sequence[str]:
    """The tags of a cell."""
    return cell.metadata.get("tags", ())


def code_sources(notebook: Any, *, without: str = "") -> list[str]:
    """The sources of the code cells, in order, without the cells that have the tag `without`."""
    return [cell.source for cell in notebook.cells if cell.cell_type == "code" and without not in tags(cell)]


def parse(source: str) -> ast.Module:
    """`read_cell`; empty for a cell that is not Python."""
    try:
        return read_cell(source)
    except (SyntaxError, ValueError):
        return ast.Module([], [])


def read_cell(source: str) -> ast.Module:
    """A code cell's syntax tree as IPython reads it, with `%time`'s and `%%time`'s statements in their places.

    IPython's other commands are calls of `get_ipython()`. Raises SyntaxError, or ValueError for null bytes, where IPython does.
    """
    body: list[ast.stmt] = []
    with warnings.catch_warnings():  # of odd line ends and escapes, which are the cell's
        warnings.simplefilter("ignore")
        cell = ast.parse(TransformerManager().transform_cell(source))
    for node in cell.body:
        match node:
            case ast.Expr(
                ast.Call(ast.Attribute(attr=attr), [ast.Constant(value=str(name)), *_, ast.Constant(value=str(text))])
            ) if attr in ("run_cell_magic", "run_line_magic") and name in _TIMERS:
                body += read_cell(text).body if name != "capture" else [node, *read_cell(text).body]
            case _:
                body.append(node)
    return ast.Module(body, [])


def _exercises(path: Path, notebook: Any) -> Iterator[Exercise]:
    modules = {
        alias.name: node.module
        for source in code_sources(notebook)
        for node in parse(source).body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(_CHECKS)
        for alias in node.names
    }
    task, stub = "", ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and (found := _TASK.search(cell.source)):
            task = cell.source[found.start() :]
        elif "exercise" in tags(cell):
            stub = cell.source
        elif "solution" in tags(cell) and cell.cell_type == "code":
            head = _TASK.match(task)
            name = next((node.name for node in parse(stub).body if isinstance(node, ast.FunctionDef)), "")
            solution, check = _split(cell.source, name)
            where = f"{path}: the solution that starts with {cell.source.splitlines()[0]!r}"
            if head is None:
                raise ValueError(f'{where} has no task: before its stub, a text cell with "**1. Title.** What to do."')
            if not name:
                raise ValueError(f'{where} has no stub: a cell tagged "exercise" with one function')
            if check not in modules:
                raise ValueError(f"{where} does not end with check_something({name}), imported from {_CHECKS}*")
            yield Exercise(
                int(head[1]),
                head[2],
                task[head.end() :].lstrip(" ,.:\n"),
                name,
                stub.strip(),
                f"{modules[check]}:{check}",
                solution,
            )
            task, stub = "", ""


def _thoughts(notebook: Any) -> Iterator[Thought]:
    """Every question, with the folded text cell below it that has the tag `solution`."""
    for cell, below in pairwise(notebook.cells):
        answered = below.cell_type == "markdown" and "solution" in tags(below) and _FOLD.match(below.source)
        if answered and THOUGHT in cell.source:
            yield Thought(cell.source.split(THOUGHT)[1].strip(), answered[1].strip())


def _split(source: str, name: str) -> tuple[str, str]:
    """A solution cell's code without its last line, and the name of the check that this line calls on `name`."""
    last = source.rstrip().splitlines()[-1]
    call = re.fullmatch(rf"(check_\w+)\({name}\)", last)
    return source.rstrip().removesuffix(last).strip(), call[1] if call else ""


def _figures(sources: Sequence[str]) -> Iterator[str]:
    """The second argument of every `run.figure(...)`, with * for the parts that only a run fills in."""
    for node in (node for source in sources for node in ast.walk(parse(source))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "run.figure" and len(node.args) > 1:
            match node.args[1]:
                case ast.Constant(value=str(name)):
                    yield name
                case ast.JoinedStr(values=parts):
                    yield "".join(str(p.value) if isinstance(p, ast.Constant) else "*" for p in parts)
