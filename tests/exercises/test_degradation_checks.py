"""The checks of 01_degradation_and_upsampling pass a right answer, and name what is wrong with the others."""

from __future__ import annotations

import pytest
import torch

from facesr_lib.exercises import degradation
from facesr_lib.image import average_pool, quantize


def unsolved(*arguments: object) -> None:
    raise NotImplementedError


def crashing(*arguments: object) -> None:
    raise ZeroDivisionError("by me")


def halvings(hr, scale):
    while scale > 1:
        hr, scale = quantize(average_pool(hr, 2)), scale // 2
    return hr


def alias(frequency, step):
    turn = frequency * step
    return abs(turn - round(turn))


def keys(t, a=-0.5):
    t = t.abs()
    inner, outer = (a + 2) * t**3 - (a + 3) * t**2 + 1, a * (t**3 - 5 * t**2 + 8 * t - 4)
    return inner * (t <= 1) + outer * ((t > 1) & (t < 2))


RIGHT_AND_WRONG = {
    degradation.check_halvings: (
        halvings,
        {
            "no whole grey levels": average_pool,
            "round once": lambda hr, scale: quantize(average_pool(hr, scale)),
            "skips pixels": lambda hr, scale: hr[..., ::scale, ::scale],
            "expected shape": lambda hr, scale: quantize(average_pool(hr, 2)),
        },
    ),
    degradation.check_alias: (
        alias,
        {
            "8 HR pixels wide|2 HR pixels wide": lambda frequency, step: frequency,
            "cannot be told from less": lambda frequency, step: frequency * step,
            "whole number": lambda frequency, step: frequency * step % 1,
            "expected a number": lambda frequency, step: None,
        },
    ),
    degradation.check_cubic: (
        keys,
        {
            "a = -3/4": lambda t: keys(t, -0.75),
            "a = -1:": lambda t: keys(t, -1.0),
            "linear kernel": lambda t: (1 - t.abs()).clamp(min=0),
            "0 beyond": lambda t: keys(t) + 0.1 * (t.abs() > 2),
        },
    ),
}


@pytest.mark.parametrize("check", RIGHT_AND_WRONG, ids=lambda check: check.__name__)
def test_check(check) -> None:
    right, wrong = RIGHT_AND_WRONG[check]
    assert check(right).passed, check(right)
    assert repr(check(right)).startswith("✓")
    for hint, answer in wrong.items():
        assert not check(answer).passed
        assert any(part in repr(check(answer)) for part in hint.split("|")), check(answer)
    assert "Not solved yet" in repr(check(unsolved))
    assert "ZeroDivisionError: by me" in repr(check(crashing))
    assert not check(lambda *arguments: torch.zeros(())).passed
