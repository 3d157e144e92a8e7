"""A page in the browser that may load one place only, and what goes wrong on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, Route

# Every picture in an element as base64; "" for one that the browser has not drawn.
_PICTURES = """root => Promise.all([...root.querySelectorAll("img")].map(async img => {
    if (!img.complete || !img.naturalWidth) return "";
    const bytes = new Uint8Array(await (await fetch(img.src)).arrayBuffer());
    return btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(""));
}))"""

_BADGE = '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="20"><rect width="120" height="20" fill="#555"/></svg>'


@dataclass(frozen=True)
class Visit:
    """An open page."""

    page: Page
    screenshots: Path
    errors: list[str] = field(default_factory=list)  # on the browser's console, or raised by a script
    refused: list[str] = field(default_factory=list)  # addresses that it asked for and was not given

    def until(self, what: str, happened: Callable[[], bool], seconds: float = 60) -> None:
        """Wait for something; fail with a screenshot if it does not come."""
        end = time.monotonic() + seconds
        while not happened():
            if time.monotonic() > end:
                self.page.screenshot(path=self.screenshots / "failed.png")
                pytest.fail(f"waited {seconds:g} s for {what}; see {self.screenshots / 'failed.png'}")
            self.page.wait_for_timeout(100)


@contextmanager
def visit(browser: Browser, address: str, home: str, screenshots: Path, *, badges: Collection[str] = ()) -> Iterator[Visit]:
    """Open an address in a fresh browser profile, where only addresses that start with `home` can be loaded.

    badges: pictures elsewhere that the page may name; a stand-in comes for each.
    """
    context = browser.new_context(viewport={"width": 1200, "height": 1200})
    opened = Visit(context.new_page(), screenshots)

    def refuse(route: Route) -> None:
        opened.refused.append(route.request.url)
        route.abort()

    context.route(lambda url: not url.startswith(home) and url not in badges, refuse)
    badge = {"content_type": "image/svg+xml", "headers": {"Access-Control-Allow-Origin": "*"}, "body": _BADGE}
    context.route(lambda url: url in badges, lambda route: route.fulfill(**badge))
    page = opened.page
    page.set_default_timeout(60_000)
    page.on("console", lambda message: opened.errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: opened.errors.append(str(error)))
    page.goto(address)
    yield opened
    context.close()


def pictures(element: Locator) -> list[str]:
    """The files of all pictures in an element, as base64; "" for one that is not drawn."""
    found: list[str] = element.evaluate(_PICTURES)
    return found
