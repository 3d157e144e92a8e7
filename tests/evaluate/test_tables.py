from __future__ import annotations

import csv
import io
import math
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from facesr_lib.evaluate.tables import Table, format_column, format_number

HOSTILE = [
    "a|b",
    "<script>alert(1)</script>",
    "x & y",
    "two\nlines",
    '"quoted", comma',
    "*bold* `code` [l](u) $m$",
    "\\",
    "née ×",
]


def test_columns_are_all_keys_in_order_of_first_use() -> None:
    table = Table.from_records("t", [{"a": 1}, {"b": 2, "a": 3}], "c")
    assert table.columns == ("a", "b")
    assert table.rows == ((1, None), (3, 2))


def test_csv_keeps_every_digit_and_hostile_text() -> None:
    value = 0.1234567890123456
    table = Table.from_records("t", [{"text": text, "x": value} for text in HOSTILE], "c")
    rows = list(csv.DictReader(io.StringIO(table.csv(), newline="")))
    assert [row["text"] for row in rows] == HOSTILE
    assert {float(row["x"]) for row in rows} == {value}


class _Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.cells and self.tags[-1] in ("td", "th"):
            self.cells[-1] += data


def test_markdown_shows_hostile_text_as_itself() -> None:
    """An independent Markdown renderer must read back one table of two columns whose cells are the texts, without markup."""
    table = Table.from_records("t", [{"text": text, "n": 1} for text in HOSTILE], "c")
    page = MarkdownIt("commonmark").enable("table").render(table.markdown())
    parser = _Cells()
    parser.feed(page)
    expected = [" ".join(text.split()) for text in HOSTILE]
    assert [cell.strip() for cell in parser.cells] == ["text", "n", *(cell for text in expected for cell in (text, "1"))]
    assert set(parser.tags) <= {"table", "thead", "tbody", "tr", "th", "td", "p", "em"}


def test_html_escapes_and_names_its_headers() -> None:
    table = Table.from_records("t", [{"<i>": text, "x": 1.5} for text in HOSTILE], "<b>caption</b>")
    page = str(table.html())
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "&lt;b&gt;caption" in page
    assert page.count('scope="col"') == 2
    assert page.count('scope="row"') == len(HOSTILE)


def test_bad_tables_are_refused() -> None:
    with pytest.raises(ValueError, match="no rows"):
        Table.from_records("t", [], "c")
    with pytest.raises(ValueError, match="caption"):
        Table.from_records("t", [{"a": 1}], " ")
    with pytest.raises(TypeError, match="'a'"):
        Table.from_records("t", [{"a": np.zeros(3)}], "c")
    with pytest.raises(TypeError, match="dict"):
        Table.from_records("t", [{"a": {}}], "c")


def test_array_numbers_become_python_numbers() -> None:
    table = Table.from_records("t", [{"a": np.float64(1.5), "b": torch.tensor(2), "c": np.bool_(True)}], "c")
    assert table.rows == ((1.5, 2, True),)
    assert [type(cell) for cell in table.rows[0]] == [float, int, bool]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (25.66, "25.66"),
        (0.81234, "0.8123"),
        (123456, "123,456"),
        (2026, "2026"),
        (-1.5, "−1.500"),
        (0.0000123, "1.23e-05"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "n/a"),
        (None, ""),
        (True, "yes"),
        ("as is", "as is"),
    ],
)
def test_numbers_read_well(value: object, text: str) -> None:
    assert format_number(value) == text  # type: ignore[arg-type]


def test_a_column_has_one_number_of_decimals() -> None:
    assert format_column([9.987654, 25.664, math.inf, None]) == ["9.99", "25.66", "∞", ""]
    assert format_column([0.0, 0.1, 1.0]) == ["0.0", "0.1", "1.0"]


@given(st.floats(min_value=1e-3, max_value=9e6))
def test_rounding_is_never_off_by_more_than_it_shows(value: float) -> None:
    text = format_number(value)
    decimals = len(text.partition(".")[2])
    assert abs(float(text.replace(",", "")) - value) <= 0.5 * 10**-decimals * (1 + 1e-9)
