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
    a second one, "..., here"; what one side does not have stays empty.
    """
    scores = {row["method"]: row for row in here}
    columns = dict.fromkeys(reference.column for reference in references)
    printed: dict[str, dict[str, float]] = {}
    for reference in references:
        printed.setdefault(reference.row, {})[reference.column] = reference.value
    rows = []
    for name in dict.fromkeys((*printed, *ours)):
        row: dict[str, Any] = {"method": name}
        for column in columns:
            row[f"{column}, paper"] = printed.get(name, {}).get(column)
            if column in labels:
                row[f"{column}, here"] = scores.get(ours.get(name, ""), {}).get(labels[column])
        rows.append(row)
    return rows
