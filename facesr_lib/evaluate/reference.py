"""Published numbers: what a reproduction is compared with."""

import csv
from dataclasses import dataclass

from facesr_lib.evaluate.result import Score
from facesr_lib.evaluate.tables import Table, column_decimals, format_number


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


def read_references(text: str, **wanted: str) -> list[Reference]:
    """The references in a CSV text with a column per field of Reference: all, or those with a `table`, `row` or `column`.

    Raises ValueError for a value that is no number, and for a table, row or column that is not there; it lists the others.
    """
    found = [Reference(**{**line, "value": float(line["value"])}) for line in csv.DictReader(text.splitlines())]  # type: ignore[arg-type]
    for field in sorted(wanted, key=("table", "row", "column").index):
        present = dict.fromkeys(getattr(reference, field) for reference in found)
        if wanted[field] not in present:
            raise ValueError(f"{found[0].paper} has no {field} {wanted[field]!r} there: choose one of {'; '.join(present)}")
        found = [reference for reference in found if getattr(reference, field) == wanted[field]]
    return found


def beside(reference: Reference, score: Score, source: str, differs: str) -> Table:
    """A published number and ours as a table of two rows. score: a pooled record; source: who measured it; differs: in words."""
    decimals = column_decimals([score["mean"]])
    spread = "" if score["std"] is None else f" ± {format_number(score['std'], decimals)}"
    number = f"{format_number(score['mean'], decimals)}{spread}, N = {score['n']}"
    conditions = f"{score['dataset']}; {score['convention'] or score['metric']}. Differs: {differs}"
    rows = [
        {"source": "paper", "number": f"{reference.value} {reference.unit}", "conditions": reference.conditions},
        {"source": source, "number": number, "conditions": conditions},
    ]
    return Table.from_records("published", rows, f"{reference.column} of {reference.row}: published and ours")
