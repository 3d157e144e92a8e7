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
