"""A CSV log that a resumed run continues exactly."""

import csv
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from facesr_lib.files import remove, write_atomically, writing

Row = dict[str, float]


@dataclass(frozen=True)
class CsvLog:
    """Rows of numbers with a `step` column, appended to `path`; the first row fixes the columns."""

    path: Path

    def rows(self) -> list[Row]:
        """The whole rows, up to what a kill, a second writer or a bad disk has left: numbers for every column, growing steps."""
        return [row for _, row in self._whole()[1:]]

    def append(self, rows: list[Row]) -> None:
        """Add rows. Raises ValueError if their columns differ from the file's."""
        if not rows:
            return
        columns = list(rows[0])
        with writing(self.path.parent), open(self.path, "a+", newline="") as file:
            file.seek(0)
            writer, header = csv.DictWriter(file, columns, lineterminator="\n"), next(csv.reader(file), None)
            if header is None:
                writer.writeheader()
            elif header != columns:
                raise ValueError(f"{self.path} has the columns {header}, the new rows {columns}: delete it to start again")
            writer.writerows(rows)

    def forget_after(self, step: int) -> None:
        """Drop what is not whole, and the rows of steps later than `step`, which a resumed run will write again."""
        kept = "".join(line for line, row in self._whole() if row.get("step", 0) <= step)
        if kept.count("\n") < 2:  # no rows
            remove(self.path)
        elif kept != self.path.read_text(errors="replace"):
            write_atomically(self.path, kept)

    def _whole(self) -> list[tuple[str, Row]]:
        """The header, then every whole row: the line as it is, and its numbers. Empty without a header."""
        lines = self.path.read_text(errors="replace").splitlines(keepends=True) if self.path.is_file() else []
        columns = next(csv.reader(lines), [])
        found = [(line, Row()) for line in lines[:1] if "step" in columns]
        with suppress(ValueError):  # a cell that is no number, too few of them or too many
            for line in lines[1:] if found else []:
                row = dict(zip(columns, map(float, line.split(",")), strict=True))
                if not line.endswith("\n") or row["step"] <= found[-1][1].get("step", 0):
                    break
                found.append((line, row))
        return found
