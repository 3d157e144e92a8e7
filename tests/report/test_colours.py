"""The report's colours can be read by day and by night (WCAG 2.2, contrast of at least 4.5)."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest


def luminance(color: str) -> float:
    """WCAG 2.2's relative luminance of "#rrggbb"."""
    parts = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_colours_can_be_read_by_day_and_by_night() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    sheet = files("facesr_tools.report").joinpath("templates", "colors.css").read_text()
    for rules in sheet.split("@media"):
        colors = dict(re.findall(r"--([\w-]+): (#\w{6})", rules))
        pairs = [("ink", "paper"), ("ink", "tint"), ("soft", "paper"), ("soft", "tint"), ("accent", "paper")]
        pairs += [("accent", "tint"), ("warn", "paper"), ("warn", "warn-tint"), ("ink", "warn-tint")]
        assert [pair for pair in pairs if contrast(*(colors[name] for name in pair)) < 4.5] == []
