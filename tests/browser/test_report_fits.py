"""The report on a phone and on a desk, with every folded part open: nothing is wider than the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser
from visit import visit

from facesr_lib.data import ImageSet
from facesr_lib.evaluate import Run
from facesr_lib.metrics import PSNR
from facesr_tools.report import build_report

FACES = ImageSet("faces", np.zeros((2, 8, 8, 3), np.uint8), ("a", "b"), "drawn for this test")
# What sticks out of the part it stands in, unless that scrolls.
WIDER = """part => [...part.querySelectorAll("*")].filter(
    one => one.getBoundingClientRect().right > part.getBoundingClientRect().right + 1).length"""


# Room for a number of two digits, left of each line of the contents: from where the column before it ends, or the list begins.
ROOM = """list => {
    const lines = [...list.children].map(line => line.getBoundingClientRect());
    return Math.min(...lines.map(line => {
        const before = lines.map(other => other.right).filter(right => right < line.left);
        return line.left - Math.max(list.getBoundingClientRect().left, ...before);
    }));
}"""


@pytest.mark.parametrize("width", [390, 800, 1200])
def test_columns_of_the_contents_do_not_overlap(
    start: Callable[..., Run], tmp_path: Path, browser: Browser, screenshots: Path, width: int
) -> None:
    for number in range(10, 24):
        run = start(f"{number}_a", title=f"Notebook {number}: what a face super-resolution network of many long words learns")
        run.score("bicubic", FACES, PSNR, [20.0, 21.0])
        run.finish()
    report = build_report(tmp_path, "smoke")
    with visit(browser, report.as_uri(), "file://", screenshots) as opened:
        page = opened.page
        page.set_viewport_size({"width": width, "height": 900})
        contents = page.get_by_role("navigation", name="Contents")
        contents.screenshot(path=screenshots / f"contents {width}.png")
        assert contents.locator("ol").evaluate(ROOM) >= 28
        lefts = contents.locator("li").evaluate_all("lines => lines.map(line => line.getBoundingClientRect().left)")
        assert len(set(lefts)) == (1 if width == 390 else 2)
        table = page.locator(".scroll", has=page.locator("table.summary")).last
        assert table.evaluate("box => box.scrollWidth - box.clientWidth") == 0


@pytest.mark.parametrize("width", [390, 1280])
def test_departures_fit(start: Callable[..., Run], tmp_path: Path, browser: Browser, screenshots: Path, width: int) -> None:
    run = start(paper="human_gan")
    for method in ("bicubic", "GAN"):
        run.score(method, FACES, PSNR, [20.0, 21.0])
    run.finish()
    report = build_report(tmp_path, "smoke")
    with visit(browser, report.as_uri(), "file://", screenshots) as opened:
        page = opened.page
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        tables = page.locator(".departures")
        assert tables.count() == 2  # the paper's, and what papers share
        for number in range(2):
            assert tables.nth(number).evaluate(WIDER) == 0
        page.locator("details", has=page.locator(".departures")).first.screenshot(path=screenshots / f"departures {width}.png")
    assert opened.errors == []
