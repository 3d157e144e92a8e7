"""The table of docs/reliability.md names every bed, and its numbers come from a report of pytest."""

from __future__ import annotations

from pathlib import Path

import pytest
from table import BEDS, BEGIN, END, PAGE, measured, table

REPORT = """<testsuites><testsuite><testcase name="{name}" time="12.3">
<properties><property name="count" value="45"/></properties>{more}</testcase></testsuite></testsuites>"""


def report(path: Path, more: str = "") -> Path:
    path.write_text(REPORT.format(name=BEDS[0].test, more=more))
    return path


def test_the_page_names_every_bed_and_every_bed_is_a_test() -> None:
    code = "".join(path.read_text() for path in (PAGE.parents[1] / "tests").rglob("test_*.py"))
    page = PAGE.read_text()
    for bed in BEDS:
        assert f"def {bed.test.partition('[')[0]}(" in code
        assert f"| {bed.does} | " in page


def test_numbers_come_from_the_report_and_stay_until_the_next(tmp_path: Path) -> None:
    page = table(f"before\n{BEGIN}\n{END}\nafter\n", measured([report(tmp_path / "beds.xml")]))
    assert page.count("| 45 | 12 s |") == 1
    assert page.count("| not measured | |") == len(BEDS) - 1
    assert table(page, {}) == page
    assert page.startswith("before\n")
    assert page.endswith("\nafter\n")


def test_a_bed_that_failed_is_no_row_and_one_that_was_skipped_no_number(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mend that first"):
        measured([report(tmp_path / "beds.xml", "<failure/>")])
    assert measured([report(tmp_path / "beds.xml", "<skipped/>")]) == {}
