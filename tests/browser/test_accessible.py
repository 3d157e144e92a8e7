"""Pages that everybody can read: axe-core finds no fault on them, light and dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from accessible import faults
from playwright.sync_api import Browser
from visit import visit

from facesr_lib.data import ImageSet
from facesr_lib.evaluate import Run
from facesr_lib.metrics import PSNR
from facesr_tools.report import build_report

# What others' code writes on every page of the site; each can be used, and read, by keyboard and screen reader all the same.
NOT_OURS = (
    ".search-button-field",  # the theme's: its name, "Search", is not its text, which is a shortcut
    ".sidebar-primary-item",  # the theme's: the sidebar stands in no landmark
    ".citation-list",  # docutils': roles that were deprecated since
)
THEMES = ("light", "dark")


def kinds(site: Path) -> Iterator[Path]:
    """A page of each kind: whatever lies on top, and one of each folder that is of one kind."""
    yield from site.glob("*.html")
    yield from (site / "notebooks").glob("*.html")
    yield from (next((site / folder).glob("*.html")) for folder in ("api", "docs", "models"))


def test_the_site(site: Path, browser: Browser, screenshots: Path) -> None:
    found = []
    with visit(browser, (site / "index.html").as_uri(), site.as_uri(), screenshots) as opened:
        page = opened.page
        for path in sorted(kinds(site)):
            page.goto(path.as_uri())
            for theme in THEMES:
                page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
                opened.until(theme, lambda theme=theme: page.evaluate("document.documentElement.dataset.theme") == theme, 10)
                found += [f"{path.relative_to(site)}, {theme}: {fault}" for fault in faults(page, NOT_OURS)]
    assert found == []


def test_the_report(start: Callable[..., Run], tmp_path: Path, browser: Browser, screenshots: Path) -> None:
    run = start(paper="human_gan")
    faces = ImageSet("faces", np.zeros((2, 8, 8, 3), np.uint8), ("a", "b"), "drawn for this test")
    for method in ("bicubic", "GAN"):
        run.score(method, faces, PSNR, [20.0, 21.0])
    run.table("results", [{"method": "GAN", "PSNR (dB)": 20.5}], "What came out.")
    run.finish()
    with visit(browser, build_report(tmp_path, "smoke").as_uri(), "file://", screenshots) as opened:
        opened.page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
        for theme in THEMES:
            opened.page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            assert faults(opened.page) == []
