"""A lesson plan fits two printed pages and leaves room on them, with verdicts and without, whatever fonts the machine has."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import pytest
from accessible import faults
from playwright.sync_api import Browser, Page
from visit import visit

from facesr_lib.papers import PAPERS
from facesr_tools.classroom import read_lesson
from facesr_tools.classroom.lesson_plan import read_plan, render_plan, with_plans
from facesr_tools.classroom.pages import page

PLANS = with_plans(map(read_lesson, sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))))
ROOM = 0.1  # of each page stays free: neither another font nor one more sentence may push a line onto a third page
# A wide font and a narrow one: plain, bold, italic. Matplotlib ships these files, so no font of the machine decides.
FONTS = {
    "DejaVu Sans": ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique"),
    "STIX": ("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic"),
}
FACES = ("", "font-weight: bold;", "font-style: italic;")


@pytest.mark.parametrize("key", PLANS)
def test_two_pages_at_most(key: str, browser: Browser, screenshots: Path, tmp_path: Path) -> None:
    for html in write_pages(key, tmp_path):
        with visit(browser, html.as_uri(), "file://", screenshots) as opened:
            assert opened.page.get_by_role("table").count() == 1
            assert faults(opened.page) == []
            printed = opened.page.pdf(path=screenshots / f"{html.stem}.pdf", prefer_css_page_size=True)
            assert not opened.errors
            assert not opened.refused
        assert count(printed) <= 2, f"see {screenshots / html.stem}.pdf"
        boxes = {tuple(map(round, map(float, box.split()))) for box in re.findall(rb"/MediaBox \[([^]]+)\]", printed)}
        assert boxes == {(0, 0, 595, 842)}  # A4 in points


def test_a_telephone_shows_each_row_of_the_timetable_as_a_paragraph(browser: Browser, screenshots: Path, tmp_path: Path) -> None:
    with visit(browser, next(write_pages("00_start_here", tmp_path)).as_uri(), "file://", screenshots) as opened:
        opened.page.set_viewport_size({"width": 390, "height": 800})
        assert opened.page.evaluate("document.documentElement.scrollWidth") == 390
        widths = [cell.bounding_box()["width"] for cell in opened.page.locator("td:nth-child(4)").all()]
        assert widths
        assert min(widths) > 300


@pytest.mark.parametrize("font", FONTS)
@pytest.mark.parametrize("key", PLANS)
def test_room_in_any_font(key: str, font: str, browser: Browser, screenshots: Path, tmp_path: Path) -> None:
    """Still two pages when the end of each is cut off: counted as printed, so the gaps above unbroken rows count too."""
    fullest = next(write_pages(key, tmp_path))
    with visit(browser, fullest.as_uri(), "file://", screenshots) as opened:
        force(opened.page, FONTS[font])
        opened.page.add_style_tag(content=f"@page {{ margin-bottom: calc(10mm + {ROOM} * (297mm - 20mm)); }}")
        path = screenshots / f"{fullest.stem}_{font.replace(' ', '_')}.pdf"
        printed = opened.page.pdf(path=path, prefer_css_page_size=True)
    assert count(printed) <= 2, f"in {font}, with the last {ROOM:.0%} of each page kept free; see {path}"


def write_pages(key: str, folder: Path) -> Iterator[Path]:
    """A lesson plan as HTML files: without verdicts, and before that, a paper's with all claims as verdicts."""
    found: dict[str, dict[str, list[str]] | None] = {key: None}
    for claims in (paper.claims for paper in PAPERS if paper.key == key):
        halves = {"reproduced": [c.text for c in claims[::2]], "inconclusive": [c.text for c in claims[1::2]]}
        found = {f"{key}_verdicts": halves, **found}
    for name, verdicts in found.items():
        html = folder / f"{name}.html"
        html.write_text(page(key, render_plan(read_plan(key), PLANS[key], verdicts)), encoding="utf-8")
        yield html


def force(shown: Page, files: tuple[str, str, str]) -> None:
    """Set text in these fonts, and code in a wide one."""
    style = "* { font-family: Forced !important; } code, pre { font-family: Code !important; }\n"
    faces = [("Forced", file, face) for file, face in zip(files, FACES, strict=True)]
    for family, file, face in [*faces, ("Code", "DejaVuSansMono", "")]:
        data = base64.b64encode(Path(mpl.get_data_path(), "fonts", "ttf", f"{file}.ttf").read_bytes()).decode()
        style += f"@font-face {{ font-family: {family}; {face} src: url(data:font/ttf;base64,{data}); }}\n"
    shown.add_style_tag(content=style)
    # A font that the page refused would leave the machine's in its place.
    loaded = shown.evaluate("() => Promise.all([...document.fonts].map(font => font.load().then(() => font.status)))")
    assert loaded == ["loaded"] * (len(files) + 1)


def count(pdf: bytes) -> int:
    """The number of pages of a PDF file."""
    (found,) = re.findall(rb"/Type\s*/Pages\s*/Count (\d+)", pdf)
    return int(found)
