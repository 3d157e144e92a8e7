"""A CSV log that a resumed run continues exactly."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from facesr_lib.files import write_atomically

Row = dict[str, float]


@dataclass(frozen=True)
class CsvLog:
    """Rows of numbers with a `step` column, appended to `path`; the first row fixes the columns."""

    path: Path

    def rows(self) -> list[Row]:
        """All complete rows; a last line that a kill cut off is left out."""
        if not self.path.exists():
            return []
        text = self.path.read_text()
        whole = text[: text.rfind("\n") + 1]
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(io.StringIO(whole))]

    def append(self, rows: list[Row]) -> None:
        """Add rows. Raises ValueError if their columns differ from the file's."""
        if not rows:
            return
        columns = list(rows[0])
        exists = self.path.exists() and self.path.stat().st_size > 0
        if exists:
            with open(self.path, newline="") as file:
                header = next(csv.reader(file))
            if header != columns:
                raise ValueError(f"{self.path} has the columns {header}, the new rows {columns}")
        with open(self.path, "a", newline="") as file:
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            if not exists:
                writer.writeheader()
            writer.writerows(rows)

    def forget_after(self, step: int) -> None:
        """Drop the rows of steps later than `step`, which a resumed run will write again."""
        if self.path.exists():
            rows = self.rows()  # complete ones only; their lines are kept as they were written
            lines = self.path.read_text().splitlines(keepends=True)[: 1 + len(rows)]
            kept = lines[:1] + [line for line, row in zip(lines[1:], rows, strict=True) if row["step"] <= step]
            write_atomically(self.path, "".join(kept).encode())
