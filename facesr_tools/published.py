"""A published table whole, with this run's numbers beside the printed ones."""

from collections.abc import Mapping, Sequence
from typing import Any

from facesr_lib.evaluate.reference import Reference


def beside_published(
    references: Sequence[Reference], ours: Mapping[str, str], here: Sequence[Mapping[str, Any]], labels: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Rows for `run.table`: every row of a published table in its order, then those that only we have.

    references: the table's cells. ours: row of the table (or a name that it does not have) -> our method; here: rows as `Scoring`
    returns them, {"method": ..., label: mean}. labels: column of the table -> label of our metric. A column that we measure gets
    a second one, "..., here"; what one side does not have stays empty. Printed numbers are texts with their printed digits.
    """
    scores = {row["method"]: row for row in here}
    decimals: dict[str, int] = {}
    for reference in references:
        digits = len(str(reference.value).partition(".")[2])
        decimals[reference.column] = max(digits, decimals.get(reference.column, 0))
    printed: dict[str, dict[str, str]] = {}
    for reference in references:
        printed.setdefault(reference.row, {})[reference.column] = f"{reference.value:.{decimals[reference.column]}f}"
    rows = []
    for name in dict.fromkeys((*printed, *ours)):
        row: dict[str, Any] = {"method": name}
        for column in decimals:
            row[f"{column}, paper"] = printed.get(name, {}).get(column)
            if column in labels:
                row[f"{column}, here"] = scores.get(ours.get(name, ""), {}).get(labels[column])
        rows.append(row)
    return rows
