from __future__ import annotations

import pytest

from facesr_tools.durations import clock, duration


def test_clock():
    assert [clock(s) for s in (0, 59.4, 59.6, 3599, 3661)] == ["0:00", "0:59", "1:00", "59:59", "1:01:01"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "under 1 s"),
        (18, "18 s"),
        (60, "1 min"),
        (90, "1.5 min"),
        (131, "2.2 min"),
        (1503, "25 min"),
        (3600, "60 min"),
        (3000 * 60, "50 h"),
    ],
)
def test_durations_in_words(seconds: float, words: str):
    assert duration(seconds) == words
