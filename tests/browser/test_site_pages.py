"""The site from a disk, on a phone and on a desk: nothing asks for the network, nothing is cut, search finds."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser
from visit import visit

SIZES = {"phone": (390, 844), "desk": (1280, 800)}


def test_every_page_fits_and_needs_no_network(site: Path, browser: Browser, screenshots: Path) -> None:
    with visit(browser, (site / "index.html").as_uri(), site.as_uri(), screenshots) as opened:
        page = opened.page
        for path in sorted(site.glob("*.html")):
            page.goto(path.as_uri())
            page.evaluate("document.querySelectorAll('img').forEach(img => { img.loading = 'eager' })")
            opened.until("pictures", lambda: page.evaluate("[...document.images].every(img => img.naturalWidth > 0)"))
            for width, height in SIZES.values():
                page.set_viewport_size({"width": width, "height": height})
                assert page.evaluate("document.documentElement.scrollWidth") <= width, path.name
                assert page.evaluate("getComputedStyle(document.querySelector('.top')).position") == "sticky"  # styled
                if path.stem in ("index", "00_first"):
                    page.screenshot(path=screenshots / f"site {path.stem} {width}.png", full_page=True)
    assert opened.errors == []
    assert opened.refused == []


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_search_by_keyboard(site: Path, browser: Browser, screenshots: Path, size: tuple[int, int]) -> None:
    with visit(browser, (site / "index.html").as_uri(), site.as_uri(), screenshots) as opened:
        page = opened.page
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.get_by_role("searchbox").fill("ZEBRA")
        found = page.locator("#results a")
        found.first.wait_for()
        assert found.count() == 1
        assert found.locator("mark").all_inner_texts() == ["zebra"]
        assert page.get_by_role("status").inner_text() == "1 section found"
        assert found.evaluate(
            "link => { const box = link.getBoundingClientRect(); return box.left >= 0 && box.right <= innerWidth }"
        )
        page.screenshot(path=screenshots / f"site search {size[0]}.png")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_url("**/00_first.html#pictures")
        assert page.get_by_role("heading", name="Pictures").is_visible()
    assert opened.errors == []
    assert opened.refused == []


def test_the_first_key_skips_to_the_content_and_focus_shows(site: Path, browser: Browser, screenshots: Path) -> None:
    with visit(browser, (site / "00_first.html").as_uri(), site.as_uri(), screenshots) as opened:
        page = opened.page
        page.keyboard.press("Tab")
        skip = page.locator(":focus")
        assert skip.inner_text() == "Skip to the content"
        assert skip.evaluate(
            "link => link.getBoundingClientRect().left >= 0 && getComputedStyle(link).outlineStyle != 'none'"
        )
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "content"


def test_dark_and_printed(site: Path, browser: Browser, screenshots: Path) -> None:
    with visit(browser, (site / "00_first.html").as_uri(), site.as_uri(), screenshots) as opened:
        page, color = opened.page, "getComputedStyle(document.body).backgroundColor"
        assert page.evaluate(color) == "rgb(255, 255, 255)"
        page.emulate_media(color_scheme="dark")
        assert page.evaluate(color) == "rgb(20, 23, 27)"
        page.emulate_media(media="print", color_scheme="dark")
        assert page.evaluate(color) == "rgb(255, 255, 255)"
        assert not page.locator(".search").is_visible()
