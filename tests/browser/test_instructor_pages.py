"""A run-of-show fills two printed pages, with verdicts and without, and asks the network for nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from visit import visit

from facesr_lib.papers import PAPERS, find_paper
from facesr_tools.classroom import read_lesson
from facesr_tools.classroom.pages import page
from facesr_tools.classroom.run_of_show import read_show, render_show

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.mark.parametrize("paper", [paper.key for paper in PAPERS])
def test_two_pages(paper: str, browser: Browser, screenshots: Path, tmp_path: Path) -> None:
    lessons = [lesson for lesson in map(read_lesson, sorted(NOTEBOOKS.glob("*.ipynb"))) if lesson.paper == paper]
    claims = find_paper(paper).claims
    halves = {"reproduced": [c.text for c in claims[::2]], "inconclusive": [c.text for c in claims[1::2]]}
    for name, verdicts in ((f"{paper}_verdicts", halves), (paper, None)):
        html = tmp_path / f"{name}.html"
        html.write_text(page(paper, render_show(read_show(paper), lessons, verdicts)), encoding="utf-8")
        with visit(browser, html.as_uri(), "file://", screenshots) as opened:
            assert opened.page.get_by_role("table").count() == 1
            printed = opened.page.pdf(path=screenshots / f"{name}.pdf", prefer_css_page_size=True)
            assert not opened.errors
            assert not opened.refused
        (count,) = re.findall(rb"/Type\s*/Pages\s*/Count (\d+)", printed)
        assert int(count) == 2, f"see {screenshots / name}.pdf"
        boxes = {tuple(map(round, map(float, box.split()))) for box in re.findall(rb"/MediaBox \[([^]]+)\]", printed)}
        assert boxes == {(0, 0, 595, 842)}  # A4 in points
