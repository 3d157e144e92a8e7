"""Verdicts as a table for spreadsheets and learning platforms."""

import csv
import io
import re
from collections.abc import Iterable
from pathlib import Path

from facesr_lib.files import write_atomically
from facesr_tools.classroom.grading import Graded

COLUMNS = ("student", "notebook", "exercise", "verdict", "reason", "file")
# What a spreadsheet takes for a formula, also behind blanks; and the fullwidth signs, which some read likewise.
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")


def write_gradebook(path: Path, rows: Iterable[tuple[str, Graded]]) -> None:
    """Write a CSV file in UTF-8: one row per student's exercise, or per file without marks.

    A cell that a spreadsheet would run as a formula begins with an apostrophe. Replaces an older gradebook; raises ValueError for
    any other file of this name.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for student, item in rows:
        for mark in item.marks:
            reason = "" if mark.passed else mark.message
            writer.writerow(
                map(_cell, (student, item.lesson, f"{mark.number}. {mark.title}", mark.verdict, reason, str(item.file)))
            )
        if not item.marks:
            writer.writerow(map(_cell, (student, item.lesson, "", "cannot be judged", item.problem, str(item.file))))
    check_gradebook(path)
    write_atomically(path, text.getvalue().encode("utf-8-sig", "replace"))


def check_gradebook(path: Path) -> None:
    """Raise ValueError if no gradebook can be written to `path`: its folder is missing, or something else has the name."""
    if not path.parent.is_dir():
        raise ValueError(f"--gradebook {path}: there is no folder {path.parent}")
    if path.is_dir():
        raise ValueError(f"--gradebook {path} is a folder: name a file in it")
    if path.exists():
        with open(path, "rb") as file:
            if not file.read(1 << 10).removeprefix(b"\xef\xbb\xbf").startswith(",".join(COLUMNS).encode()):
                raise ValueError(f"--gradebook {path} is another file, which stays as it is: choose a new name")


def _cell(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text
