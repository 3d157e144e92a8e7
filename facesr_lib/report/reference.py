"""Published numbers, one CSV file per paper: what a reproduction is held against."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class Reference:
    """One number printed in a paper: where it stands (table, row, column), its value and unit, and how it was measured."""

    paper: str
    table: str
    row: str
    column: str
    value: float
    unit: str
    conditions: str


def published(
    paper: str, *, table: str | None = None, row: str | None = None, column: str | None = None
) -> list[Reference]:
    """The published numbers of a paper, in the order of its file: all, or those of one table, row or column.

    A single cell: `(reference,) = published("selfsr", table="Table I", row="DIC", column="CelebA PSNR")`.
    Raises ValueError for an unknown paper, and for a table, row or column that it does not have; the message lists what it has.
    """
    folder = files("facesr_lib.report").joinpath("reference")
    known = sorted(entry.name.removesuffix(".csv") for entry in folder.iterdir() if entry.name.endswith(".csv"))
    if paper not in known:
        raise ValueError(f"no published numbers for {paper!r}: there are {', '.join(known)}")
    lines = csv.DictReader(folder.joinpath(f"{paper}.csv").read_text(encoding="utf-8").splitlines())
    found = [Reference(**{**line, "value": float(line["value"])}) for line in lines]  # type: ignore[arg-type]
    for field, wanted in (("table", table), ("row", row), ("column", column)):
        present = dict.fromkeys(getattr(reference, field) for reference in found)
        if wanted is not None and wanted not in present:
            raise ValueError(f"{paper} has no {field} {wanted!r} there: choose one of {'; '.join(present)}")
        found = [reference for reference in found if wanted in (None, getattr(reference, field))]
    return found
