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


def published(paper: str) -> list[Reference]:
    """All published numbers of a paper, in the order of its file. Raises ValueError, listing the papers, for an unknown one."""
    folder = files("facesr_lib.report").joinpath("reference")
    known = sorted(entry.name.removesuffix(".csv") for entry in folder.iterdir() if entry.name.endswith(".csv"))
    if paper not in known:
        raise ValueError(f"no published numbers for {paper!r}: there are {', '.join(known)}")
    rows = csv.DictReader(folder.joinpath(f"{paper}.csv").read_text(encoding="utf-8").splitlines())
    return [Reference(**{**row, "value": float(row["value"])}) for row in rows]  # type: ignore[arg-type]
