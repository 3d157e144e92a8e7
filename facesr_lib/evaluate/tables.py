"""Tables of results: one object that is written as CSV and Markdown and shown as HTML."""

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

Cell = str | bool | int | float | None


@dataclass(frozen=True)
class Table:
    """Columns and rows of plain cells with a caption; a notebook shows it when it is a cell's last value."""

    name: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @classmethod
    def from_records(cls, name: str, records: Sequence[Mapping[str, Any]], caption: str) -> "Table":
        """Make a table of mappings; the columns are all keys in the order of their first use, absent cells stay empty.

        Numbers may be Python's, NumPy's or one-element tensors. Raises ValueError without records or caption, TypeError for
        a cell that is not a text, number, truth value or None.
        """
        columns = tuple(dict.fromkeys(key for record in records for key in record))
        if not columns:
            raise ValueError(f"table {name!r} has no rows or no columns: give a list of mappings, one per row")
        if not caption.strip():
            raise ValueError(f"table {name!r} needs a caption that says what it shows")
        rows = tuple(tuple(_cell(record.get(column), name, column) for column in columns) for record in records)
        return cls(name, caption, columns, rows)

    def csv(self) -> str:
        """The table with every digit, as RFC 4180 asks but with plain newlines; empty cells are empty."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([self.columns, *self.rows])
        return text.getvalue()

    def markdown(self) -> str:
        """The table with rounded numbers in GitHub's Markdown, the caption in italics below it."""
        marks = ["---:" if numeric else "---" for numeric in self.numeric()]
        lines = [[_markdown_text(column) for column in self.columns], marks]
        lines += [[_markdown_text(text) for text in row] for row in self.text()]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines) + f"\n\n*{_markdown_text(self.caption)}*\n"

    def html(self) -> str:
        """The table as escaped HTML with a caption, column and row headers."""
        marks = [' class="number"' if flag else "" for flag in self.numeric()]
        heads = [f'<th scope="col"{mark}>{escape(column)}</th>' for mark, column in zip(marks, self.columns, strict=True)]
        rows = []
        for first, *others in self.text():
            cells = [f"<td{mark}>{escape(text)}</td>" for mark, text in zip(marks[1:], others, strict=True)]
            rows.append(f'<tr><th scope="row"{marks[0]}>{escape(first)}</th>{"".join(cells)}</tr>\n')
        caption = f"<caption><span>{escape(self.caption)}</span></caption>"
        return f"<table>{caption}\n<thead><tr>{''.join(heads)}</tr></thead>\n<tbody>\n{''.join(rows)}</tbody></table>"

    def text(self) -> list[list[str]]:
        """The cells rounded for reading, with one number of decimals per column."""
        columns = [format_column([row[i] for row in self.rows]) for i in range(len(self.columns))]
        return [list(row) for row in zip(*columns, strict=True)]

    def numeric(self) -> list[bool]:
        """Per column, whether it holds numbers only (and at least one)."""
        columns = [[row[i] for row in self.rows if row[i] is not None] for i in range(len(self.columns))]
        return [bool(cells) and all(isinstance(x, int | float) and not isinstance(x, bool) for x in cells) for cells in columns]

    _repr_html_, _repr_markdown_ = html, markdown


def format_number(value: Cell, decimals: int | None = None) -> str:
    """A cell as text: 25.66, 0.8124, 12,345, 1.2e-05, ∞, n/a (nan), yes/no; None is empty. Minus is a true minus sign."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return (f"{value:,}" if abs(value) >= 10_000 else str(value)).replace("-", "−")
    if math.isnan(value):
        return "n/a"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value != 0 and (abs(value) < 1e-3 or abs(value) >= 1e7):
        return f"{value:.3g}".replace("-", "−", 1) if value < 0 else f"{value:.3g}"
    return f"{value:,.{_decimals(abs(value)) if decimals is None else decimals}f}".replace("-", "−")


def format_column(cells: Sequence[Cell]) -> list[str]:
    """`format_number` for each cell, all with `column_decimals`."""
    decimals = column_decimals(cells)
    return [format_number(cell, decimals) for cell in cells]


def column_decimals(cells: Sequence[Cell]) -> int | None:
    """Decimals for a column: what its largest ordinary number needs, or fewer if its numbers have fewer; None without numbers."""
    ordinary = [cell for cell in cells if isinstance(cell, float) and math.isfinite(cell) and abs(cell) < 1e7]
    if not ordinary:
        return None
    present = max(len(f"{cell:.6f}".rstrip("0").partition(".")[2]) for cell in ordinary)
    return min(_decimals(max(map(abs, ordinary))), max(present, 1))


def _decimals(size: float) -> int:
    """Decimals that keep about four digits, the precision at which these scores are published."""
    return 1 if size >= 100 else 2 if size >= 10 else 3 if size >= 1 else 4


def _cell(value: Any, table: str, column: str) -> Cell:
    if hasattr(value, "item") and getattr(value, "size", None) != 0:
        try:
            value = value.item()
        except (ValueError, RuntimeError) as error:
            raise TypeError(f"table {table!r}, column {column!r}: a cell holds one number, not an array") from error
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise TypeError(f"table {table!r}, column {column!r}: a cell is text, a number or None, not {type(value).__name__}")


def _markdown_text(text: str) -> str:
    return re.sub(r"([\\|<*`$\[\]])", r"\\\1", " ".join(str(text).split()))
