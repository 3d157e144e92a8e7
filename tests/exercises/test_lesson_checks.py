"""The checks of 01_degradation_and_upsampling, 02_edges and 04_losses pass a right answer and say what is wrong with others."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from facesr_lib.exercises import degradation, edges, losses
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


def pixel_gradients(sr, hr):
    return (sr - hr).sign() / sr.numel(), 2 * (sr - hr) / sr.numel()


def relativistic(real, fake):
    return F.softplus(real.mean() - fake).mean() + F.softplus(real - fake.mean()).mean()


def relativistic_by_sigmoids(real, fake):
    return -(fake - real.mean()).sigmoid().log().mean() - (1 - (real - fake.mean()).sigmoid()).log().mean()


def kl(log_p, log_q):
    return (log_p.exp() * (log_p - log_q)).sum(1)


def js(a, b):
    p, q = a.log_softmax(1), b.log_softmax(1)
    m = torch.logaddexp(p, q) - math.log(2)
    return (kl(p, m) + kl(q, m)) / 2


def js_by_probabilities(a, b):
    p, q = a.softmax(1), b.softmax(1)
    m = (p + q) / 2
    return ((p * (p / m).log()).sum(1) + (q * (q / m).log()).sum(1)) / 2


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
        lambda x, k: (x - F.avg_pool2d(x, k, 1, k // 2, count_include_pad=False)).relu(),
        {
            "Zeros beyond the border": lambda x, k: F.relu(x - F.avg_pool2d(x, k, stride=1, padding=k // 2)),
            "ReLU is missing": lambda x, k: x - F.avg_pool2d(x, k, 1, k // 2, count_include_pad=False),
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
    losses.check_pixel_gradients: (
        pixel_gradients,
        {
            "both losses are means": lambda sr, hr: ((sr - hr).sign(), 2 * (sr - hr)),
            "L1: both": lambda sr, hr: pixel_gradients(hr, sr),
            "L2: both": lambda sr, hr: (pixel_gradients(sr, hr)[0],) * 2,
            "Return two tensors": lambda sr, hr: pixel_gradients(sr, hr)[0],
        },
    ),
    losses.check_relativistic: (
        relativistic,
        {
            "two means": lambda real, fake: F.softplus(real.mean() - fake).mean(),
            "should look real": lambda real, fake: F.softplus(-fake).mean() + F.softplus(real).mean(),
            "mean of the real ones": lambda real, fake: relativistic(fake, real),
            "use softplus": relativistic_by_sigmoids,
        },
    ),
    losses.check_js: (
        js,
        {
            "both Kullback-Leibler": lambda a, b: kl(a.log_softmax(1), b.log_softmax(1)),
            "expected shape (4,)": lambda a, b: js(a, b).mean(),
            "log_softmax and logaddexp": js_by_probabilities,
        },
    ),
    losses.check_invisible_change: (
        lambda flow: flow + 1,
        {
            "looks only 0 px elsewhere": lambda flow: flow,
            "total variation changed": lambda flow: 2 * flow + 1,
            "expected shape (1, 2, 6, 7)": lambda flow: flow[:, :1],
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
