"""What axe-core, the usual checker of the WCAG, finds wrong on a page: contrast, names, roles, order of headings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from lacking import lacking
from playwright.sync_api import Page

from facesr_lib.metrics.weights import WeightFile, Weights
from facesr_tools.weights import FetchFailed, obtain

_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
AXE = Weights(
    "axe-core", "", "", "MPL-2.0 (Deque Systems)", "npm: axe-core@4.14.1",
    (WeightFile("axe.min.js", 653_780, _SHA256, "package/axe.min.js"),),
)  # fmt: skip
# The levels A and AA of the WCAG up to 2.2, and what axe-core's makers recommend beside them.
_RUN = """apart => axe.run(
    {exclude: apart.map(one => [one])},
    {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})"""


@cache
def axe() -> str:
    """The checker's script; where npm cannot bring it, the test is skipped."""
    try:
        obtain(AXE, then="pytest tests/browser")
    except FetchFailed as error:
        lacking("FACESR_TEST_WEIGHTS", str(error))
    return AXE.path.read_text(encoding="utf-8")


def faults(page: Page, apart_from: Sequence[str] = ()) -> list[str]:
    """A line per fault of the open page: the rule, the element, what is wrong with it. Empty if there is none.

    apart_from: selectors of elements that are not looked at; those that the page has not do no harm.
    """
    page.evaluate(axe())
    there = [selector for selector in apart_from if page.locator(selector).count()]
    found: dict[str, Any] = page.evaluate(_RUN, there)
    return [
        f"{rule['id']}: {node['html'][:160]}: {' '.join(node['failureSummary'].split())[:300]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
