"""The site from a disk, on a phone and on a desk: nothing asks for the network, nothing is cut, search finds."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser
from visit import visit

SIZES = {"phone": (390, 844), "desk": (1280, 800)}
SHOWN = ("index", "seeds", "departures", "glossary", "api/facesr_lib.metrics", "notebooks/00_first")


def test_every_page_fits_and_needs_no_network(site: Path, browser: Browser, screenshots: Path) -> None:
    with visit(browser, (site / "index.html").as_uri(), site.as_uri(), screenshots) as opened:
        page = opened.page
        for path in sorted(site.rglob("*.html")):
            name = str(path.relative_to(site).with_suffix(""))
            page.goto(path.as_uri())
            page.evaluate("document.querySelectorAll('img').forEach(img => { img.loading = 'eager' })")
            opened.until("pictures", lambda: page.evaluate("[...document.images].every(img => img.naturalWidth > 0)"))
            for width, height in SIZES.values():
                page.set_viewport_size({"width": width, "height": height})
                assert page.evaluate("document.documentElement.scrollWidth") <= width, name
                if name in SHOWN:
                    page.screenshot(path=screenshots / f"site {path.stem} {width}.png", full_page=True)
            if path.parent.name != "demo":  # whose page is its own
                assert page.evaluate("getComputedStyle(document.querySelector('.bd-article-container')).maxWidth") == "928px"
    assert opened.errors == []
    assert opened.refused == []


def test_formulas_are_drawn(site: Path, browser: Browser, screenshots: Path) -> None:
    with visit(browser, (site / "notebooks/00_first.html").as_uri(), site.as_uri(), screenshots) as opened:
        fraction = opened.page.locator("article mfrac")
        above, below = (fraction.locator(":scope > *").nth(number).bounding_box() for number in (0, 1))
        assert above is not None
        assert below is not None
        assert above["y"] + above["height"] <= below["y"] + 1
        assert opened.page.get_by_text("(7)").is_visible()


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_search_by_keyboard(site: Path, browser: Browser, screenshots: Path, size: tuple[int, int]) -> None:
    with visit(browser, (site / "index.html").as_uri(), site.as_uri(), screenshots) as opened:
        page = opened.page
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.keyboard.press("Control+k")
        page.locator("dialog input[type=search]").fill("zebrafish")
        page.keyboard.press("Enter")
        found = page.locator("#search-results li a")
        found.first.wait_for()
        assert found.count() == 1
        page.screenshot(path=screenshots / f"site search {size[0]}.png")
        found.first.focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/notebooks/00_first.html**")
        assert page.get_by_role("heading", name="Pictures").is_visible()
    assert opened.errors == []
    assert opened.refused == []


def test_the_first_key_skips_to_the_content_and_a_solution_opens(site: Path, browser: Browser, screenshots: Path) -> None:
    with visit(browser, (site / "notebooks/00_first.html").as_uri(), site.as_uri(), screenshots) as opened:
        page = opened.page
        page.keyboard.press("Tab")
        assert page.locator(":focus").inner_text() == "Skip to main content"
        solution = page.get_by_text("return 42")
        assert not solution.is_visible()
        page.get_by_text("Solution").first.click()
        assert solution.is_visible()


def test_dark_and_printed(site: Path, browser: Browser, screenshots: Path) -> None:
    with visit(browser, (site / "notebooks/00_first.html").as_uri(), site.as_uri(), screenshots) as opened:
        page = opened.page
        assert page.evaluate("document.documentElement.dataset.theme") == "light"
        page.emulate_media(color_scheme="dark")
        opened.until("dark", lambda: page.evaluate("document.documentElement.dataset.theme") == "dark", 10)
        page.emulate_media(media="print", color_scheme="light")
        assert not page.locator(".buttons").is_visible()
        assert not page.locator(".bd-sidebar-primary").is_visible()


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_seeds_are_flipped_by_keyboard(site: Path, browser: Browser, screenshots: Path, size: tuple[int, int]) -> None:
    with visit(browser, (site / "seeds.html").as_uri(), site.as_uri(), screenshots) as opened:
        page = opened.page
        page.set_viewport_size({"width": size[0], "height": size[1]})
        claim = page.locator("tbody[data-claim='human_gan.effective']")
        dots, bar = claim.locator("circle"), claim.locator("line.interval")
        before = bar.get_attribute("x1")
        page.get_by_label("1", exact=True).focus()
        page.keyboard.press("Space")
        assert claim.locator(".verdict").inner_text() == "points for (1 seed)"
        assert claim.locator(".effect").first.inner_text() == "+2.0 dB [+1.0, +3.0]"
        assert bar.get_attribute("x1") != before
        assert dots.evaluate_all("dots => dots.map(dot => dot.classList.contains('off'))") == [False, True]
        assert page.get_by_role("status").inner_text() == "1 of 2 verdicts differ from those of all seeds, and are outlined."
        page.screenshot(path=screenshots / f"site seeds flipped {size[0]}.png")
        page.get_by_label("0", exact=True).focus()
        page.keyboard.press("Space")
        assert page.get_by_role("status").inner_text() == "Tick at least one seed."
        page.get_by_label("1", exact=True).check()
        assert claim.locator(".verdict").inner_text() == "points against (1 seed)"
        page.get_by_label("Only the 1").check()
        assert claim.is_visible()
        assert not page.locator("tbody[data-claim='human_gan.pixel_term']").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert opened.errors == []
    assert opened.refused == []
