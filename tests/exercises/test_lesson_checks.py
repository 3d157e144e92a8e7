"""The checks of 01_degradation_and_upsampling and 02_edges pass a right answer, and name what is wrong with the others."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from facesr_lib.exercises import degradation, edges
from facesr_lib.image import average_pool, edge_residual, quantize


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


def wave(omega, sigma1, sigma2):
    return math.exp(-((sigma1 * omega) ** 2) / 2) - math.exp(-((sigma2 * omega) ** 2) / 2)


def grow(strength, low, high, steps=1000, diagonal=True):
    weak, found = strength > low, strength > high
    for _ in range(steps):
        near = F.max_pool2d(found.float()[None], 3, stride=1, padding=1)[0]
        if not diagonal:
            rows = F.max_pool2d(found.float()[None], (1, 3), stride=1, padding=(0, 1))[0]
            near = torch.maximum(rows, F.max_pool2d(found.float()[None], (3, 1), stride=1, padding=(1, 0))[0])
        found = weak & (near > 0)
    return found


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
    edges.check_edge_block: (
        edge_residual,
        {
            "Zeros beyond the border": lambda x, k: F.relu(x - F.avg_pool2d(x, k, stride=1, padding=k // 2)),
            "ReLU is missing": lambda x, k: edge_residual(x, k) - edge_residual(-x, k),
            "turned around": lambda x, k: edge_residual(-x, k),
            "absolute value": lambda x, k: edge_residual(x, k) + edge_residual(-x, k),
            "k x k pixels around": lambda x, k: edge_residual(x, k + 2),
        },
    ),
    edges.check_dog_of_wave: (
        wave,
        {
            "narrow blur minus wide": lambda omega, sigma1, sigma2: -wave(omega, sigma1, sigma2),
            "no 2 pi": lambda omega, sigma1, sigma2: wave(omega / (2 * math.pi), sigma1, sigma2),
            "subtract two": lambda omega, sigma1, sigma2: math.exp(-((sigma1 * omega) ** 2) / 2),
            "expected a number": lambda omega, sigma1, sigma2: None,
        },
    ),
    edges.check_hysteresis: (
        grow,
        {
            "all pixels above low": lambda strength, low, high: strength > low,
            "only the pixels above high": lambda strength, low, high: strength > high,
            "one step": lambda strength, low, high: grow(strength, low, high, steps=1),
            "diagonal": lambda strength, low, high: grow(strength, low, high, diagonal=False),
            "grow over weak": lambda strength, low, high: grow(strength, low, high, steps=3),
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
