"""A real browser, a real JupyterLab, and a folder where the screenshots stay."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import Lab, serve
from lacking import lacking
from playwright.sync_api import Browser, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SCREENSHOTS = pytest.StashKey[Path]()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for one module only: while Playwright's event loop runs, no other test could start one of its own."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        lacking("FACESR_TEST_BROWSER", "no Chromium found; on Debian: sudo apt-get install chromium")
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=program) as chromium:
        yield chromium


@pytest.fixture(scope="module")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab to open in the browser; without a browser none starts."""
    with serve(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="module")
def screenshots(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that keeps the pictures; the end of the test run names it. FACESR_SCREENSHOTS chooses another one."""
    stash = request.config.stash
    if SCREENSHOTS not in stash:
        chosen = os.environ.get("FACESR_SCREENSHOTS")
        stash[SCREENSHOTS] = Path(chosen).resolve() if chosen else tmp_path_factory.mktemp("screenshots")
        stash[SCREENSHOTS].mkdir(parents=True, exist_ok=True)
    return stash[SCREENSHOTS]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if SCREENSHOTS in config.stash:
        terminalreporter.write_line(f"screenshots of the browser tests: {config.stash[SCREENSHOTS]}")
