"""`facesr classroom` writes what a class needs; `facesr grade` checks what students hand in."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facesr_tools.cli.options import AsJson, Notebooks, clear_errors, print_json
from facesr_tools.runner.notebooks import find_folder, read_notebooks, select

if TYPE_CHECKING:  # these bring torch
    from facesr_tools.classroom import Graded, Lesson

CLASSROOM_EPILOG = (
    "Examples:\n\n"
    "facesr classroom ~/class\n\n"
    "facesr classroom ~/class 10 20 21 22\n\n"
    "facesr classroom ~/class --runs runs --overwrite\n\n"
    "facesr classroom ~/class --repository my-university/faces-2027@main"
)
GRADE_EPILOG = "Examples:\n\nfacesr grade handed-in/ --gradebook grades.csv\n\nfacesr grade alice.ipynb bob.ipynb --json"

_SIGNS = {"passed": "✓", "not passed": "✗", "cannot be judged": "?"}


def classroom(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write.")],
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Notebooks (name or number); default: all.")
    ] = None,
    runs: Annotated[
        Path | None, typer.Option(help="Results of a quick run: its verdicts go into the lesson plans, its figures onto slides.")
    ] = None,
    repository: Annotated[
        str, typer.Option(metavar="OWNER/NAME[@BRANCH]", help="GitHub repository where badges open the student notebooks.")
    ] = "",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Write even if OUT holds other files; they are kept in OUT.before.")
    ] = False,
    notebooks: Notebooks = None,
) -> None:
    """Write everything for a class: student notebooks, solutions, lesson plans.

    OUT/student: the notebooks without solutions, but with stubs and checks.
    OUT/solutions: a sheet per notebook with task, solution, reason, and what the
    check says to typical mistakes. OUT/instructor: a lesson plan per paper and
    per lesson, two printed pages at most with a timetable, and with --runs
    slides, one per row of the timetable, with the run's figures.
    OUT/README.md: how to hand out and check.

    With --repository, the student notebooks have badges for Binder and Colab, and
    OUT/student gets a README.md with all of them; you put OUT/student there.

    Writes OUT completely or not at all. Replaces a folder that this command wrote
    and nobody changed since. Runs the notebooks' solutions, but trains nothing.

    Exit code: 0, or 2 for a wrong name, option or notebook.
    """
    from facesr_tools.classroom import classroom_files, replace_folder

    out = out.expanduser()
    with clear_errors(OSError, ValueError):
        found = read_notebooks(find_folder(notebooks))
        chosen = {notebook.name for notebook in select(found, names or ["all"])}
        files = classroom_files(_lessons(notebooks), chosen, runs, repository)
        before = replace_folder(out, files, overwrite=overwrite)
    if before:
        print(f"the folder that was there is now {before}")
    print(out.resolve() / "README.md")


def grade(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Handed-in notebooks, or folders of them.")],
    limit: Annotated[float, typer.Option(help="Seconds that one exercise may take.")] = 60,
    gradebook: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Also write the verdicts as a table, for a spreadsheet.")
    ] = None,
    as_json: AsJson = False,
    notebooks: Notebooks = None,
) -> None:
    """Check handed-in notebooks: who solved which exercise.

    Reads cells as IPython does. Runs imports, functions, classes, and statements
    that only compute (numbers, arrays, partial functions; no files, figures or
    trainings) in a process of its own, which is killed if one exercise takes
    longer than --limit. Uses the project's own checks, not those in the file.
    Says "cannot be judged" (?) where an answer may depend on what is not run.

    Ignores what systems leave behind (.DS_Store, __MACOSX, checkpoints, x~), and
    names other files that are no notebooks.

    This is no sandbox: students' code can do whatever you can do. If you do
    not trust it, use a container or a throw-away account.

    Exit code: 0 if all exercises of all files pass, 1 if not, 2 for a wrong
    option or file name.
    """
    with clear_errors(OSError, ValueError):
        if not limit > 0:
            raise ValueError(f"--limit {limit:g}: give a number of seconds")
        from facesr_lib.data.images import listed
        from facesr_tools.classroom import check_gradebook, hand_ins, write_gradebook

        if gradebook:
            check_gradebook(gradebook)
        handed_in, passed_over = hand_ins(files)
        lessons = _lessons(notebooks)
    from facesr_tools.classroom import grade as grade_file

    graded = [grade_file(item.file, lessons, limit) for item in handed_in]
    if as_json:
        rows = [
            {"student": who.student(item.lesson), **asdict(item), "file": str(item.file), "passed": item.passed}
            for who, item in zip(handed_in, graded, strict=True)
        ]
        print_json(rows)
    else:
        _print(graded)
    for line in listed(passed_over):
        print(f"passed over: {line}", file=sys.stderr)
    if gradebook:
        with clear_errors(OSError, ValueError):
            write_gradebook(gradebook, [(who.student(item.lesson), item) for who, item in zip(handed_in, graded, strict=True)])
    raise typer.Exit(0 if all(item.passed for item in graded) else 1)


def _lessons(notebooks: Path | None) -> list[Lesson]:
    from facesr_tools.classroom import read_lesson

    return [read_lesson(notebook.path) for notebook in read_notebooks(find_folder(notebooks))]


def _print(graded: Sequence[Graded]) -> None:
    from rich.table import Table
    from rich.text import Text

    from facesr_tools.cli.tables import make_console

    console = make_console()
    most = max(len(item.marks) for item in graded)
    table = Table("file", "notebook", *(str(number + 1) for number in range(most)), "solved")
    for item in graded:
        marks = [_SIGNS[mark.verdict] for mark in item.marks] + [""] * (most - len(item.marks))
        solved = f"{sum(mark.passed for mark in item.marks)} of {len(item.marks)}" if item.marks else "–"
        table.add_row(Text(str(item.file)), item.lesson, *marks, solved)
    console.print(table)
    for item in graded:
        remarks = [
            (_SIGNS[mark.verdict], f"{mark.number}. {mark.title}: {mark.message}") for mark in item.marks if not mark.passed
        ]
        for sign, remark in remarks + ([("✗", item.problem)] if item.problem else []):
            console.print(Text(f"{sign} {item.file}  {remark}"), soft_wrap=True)
