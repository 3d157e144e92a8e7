"""The SelfSR checks pass right answers, written differently from the library, and name each typical mistake."""

from __future__ import annotations

import re

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from facesr_lib.exercises.selfsr import check_fade, check_self_conditioning, check_smoothness, check_warp, smoothness_pair
from facesr_lib.explore.flow import fit_flow, folds
from facesr_tools.classroom.lessons import code_sources


def unsolved(*arguments: object) -> None:
    raise NotImplementedError


def crashing(*arguments: object) -> None:
    raise ZeroDivisionError("by me")


def tents(image: Tensor, flow: Tensor, clamp: bool = True) -> Tensor:
    """Eq. (1) as it is written, one weight for every pixel of the image."""
    height, width = image.shape[2:]
    x, y = torch.arange(width) + flow[:, 0], torch.arange(height)[:, None] + flow[:, 1]
    if clamp:
        x, y = x.clamp(0, width - 1), y.clamp(0, height - 1)
    across = (1 - (x[..., None] - torch.arange(width)).abs()).clamp(min=0)
    down = (1 - (y[..., None] - torch.arange(height)).abs()).clamp(min=0)
    return torch.einsum("ncab,nhwa,nhwb->nchw", image, down, across)


def corners(image: Tensor, flow: Tensor) -> Tensor:
    """Four neighbours by index."""
    n, _, height, width = image.shape
    x = (torch.arange(width) + flow[:, 0]).clamp(0, width - 1)
    y = (torch.arange(height)[:, None] + flow[:, 1]).clamp(0, height - 1)
    left, top = x.floor().long().clamp(max=width - 2), y.floor().long().clamp(max=height - 2)
    batch = torch.arange(n)[:, None, None]

    def look(row: Tensor, column: Tensor) -> Tensor:
        return image[batch, :, row, column].permute(0, 3, 1, 2)

    a, b = (x - left)[:, None], (y - top)[:, None]
    upper = (1 - a) * look(top, left) + a * look(top, left + 1)
    return (1 - b) * upper + b * ((1 - a) * look(top + 1, left) + a * look(top + 1, left + 1))


def gridded(image: Tensor, flow: Tensor, matlab: bool, corners: bool, padding: str = "border") -> Tensor:
    height, width = image.shape[2:]
    x, y = torch.arange(width) + flow[:, 0], torch.arange(height)[:, None] + flow[:, 1]
    if matlab:
        grid = torch.stack([2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1], dim=-1)
    else:
        grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], dim=-1)
    return F.grid_sample(image, grid, mode="bilinear", padding_mode=padding, align_corners=corners)


@pytest.mark.parametrize(
    "answer", [tents, corners, lambda i, f: gridded(i, f, True, True), lambda i, f: gridded(i, f, False, False)]
)
def test_every_correct_warp_passes(answer) -> None:
    assert check_warp(answer).passed, check_warp(answer)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda i, f: tents(i, f.flip(1)), "swapped"),
        (lambda i, f: tents(i, -f), "sign"),
        (lambda i, f: gridded(i, f, True, False), "align_corners"),
        (lambda i, f: gridded(i, f, False, True), "align_corners"),
        (lambda i, f: tents(i, f.round()), "do not round"),
        (lambda i, f: tents(i, f.floor()), "keep the fraction"),
        (lambda i, f: i, "changes nothing"),
        (lambda i, f: tents(i, 0.5 * f), "output"),
        (lambda i, f: tents(i, f, clamp=False), "border goes on"),
        (lambda i, f: gridded(i, f, False, False, "zeros"), "border goes on"),
        (lambda i, f: tents(i, f.detach()), "No gradient reaches the flow"),
        (lambda i, f: tents(i.detach(), f), "No gradient reaches the image"),
        (lambda i, f: tents(i, f).detach(), "no gradient arrives"),
        (lambda i, f: tents(i, torch.stack([f[:, 0], f[:, 1].detach()], 1)), "gradient with respect to the flow"),
    ],
)
def test_a_wrong_warp_is_told_why(answer, message: str) -> None:
    verdict = check_warp(answer)
    assert not verdict.passed
    assert message in verdict.message


def normalise(features: Tensor, over=(2, 3), unbiased: bool = False, eps: float = 1e-5) -> Tensor:
    variance = features.var(over, unbiased=unbiased, keepdim=True)
    return (features - features.mean(over, keepdim=True)) / (variance + eps).sqrt()


def test_every_correct_conditioning_passes() -> None:
    for answer in (lambda h, s: s * F.instance_norm(h), lambda h, s: normalise(h) * s):
        assert check_self_conditioning(answer).passed, check_self_conditioning(answer)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda h, s: s * normalise(h, (0, 2, 3)), "batch statistics"),
        (lambda h, s: s * F.batch_norm(h, None, None, training=True), "batch statistics"),
        (lambda h, s: s * F.layer_norm(h, h.shape[1:]), "layer statistics"),
        (lambda h, s: s * normalise(h, (1,)), "over the channels"),
        (lambda h, s: s * normalise(h, unbiased=True), "unbiased"),
        (lambda h, s: normalise(h), "scale is missing"),
        (lambda h, s: s * normalise(h) + h.mean((2, 3), keepdim=True), "shift"),
        (lambda h, s: (1 + s) * normalise(h), "1 + scale"),
        (lambda h, s: s * normalise(h) + s, "shift"),
        (lambda h, s: s * normalise(h, eps=0.0), "1e-5"),
        (lambda h, s: s * normalise(h, eps=1e-12), "1e-5"),
        (lambda h, s: s * h, "Subtract the mean"),
    ],
)
def test_a_wrong_conditioning_is_told_why(answer, message: str) -> None:
    verdict = check_self_conditioning(answer)
    assert not verdict.passed
    assert message in verdict.message


def test_the_pair_needs_a_flow_that_a_middle_weight_finds() -> None:
    source, target = smoothness_pair()
    assert source.shape == target.shape == (1, 3, 32, 32)
    assert (source - target).abs().mean() > 0.02
    fitted = fit_flow(source, target, 0.02)
    assert folds(fitted).item() == 0
    assert fitted.norm(dim=1).max().item() == pytest.approx(2.0, abs=0.1)


def test_smoothness_passes_weights_at_both_ends() -> None:
    assert check_smoothness(lambda: (1e-3, 1.0)).passed
    assert check_smoothness(lambda: (0, 100)).passed
    assert "Not solved yet" in check_smoothness(unsolved).message
    assert "two numbers" in check_smoothness(lambda: 0.1).message


def test_the_table_above_the_exercise_does_not_show_its_answer(lessons) -> None:
    source = "\n".join(code_sources(lessons["20_selfsr_degradation"].notebook))
    (shown,) = re.findall(r"^for smoothness in \((.+)\):$", source, flags=re.MULTILINE)
    weights = [float(weight) for weight in shown.split(",")]
    assert len(weights) >= 3
    assert "folds nowhere" in check_smoothness(lambda: (min(weights), 1.0)).message
    assert "still moves" in check_smoothness(lambda: (1e-3, max(weights))).message


@pytest.mark.parametrize(
    ("folding", "frozen", "message"),
    [
        (0.05, 1.0, "folds nowhere"),
        (1e-3, 0.02, "still moves 100%"),
        (1.0, 1e-3, "smaller one"),
        (-1.0, 1.0, "folding: expected a finite number"),
        (1e-3, float("nan"), "frozen: expected a finite number"),
        ("small", 1.0, "folding: expected a number"),
    ],
)
def test_wrong_weights_are_told_why(folding, frozen, message: str) -> None:
    verdict = check_smoothness(lambda: (folding, frozen))
    assert not verdict.passed
    assert message in verdict.message


def fade(below: Tensor, sr: Tensor, alpha: float, mode: str = "nearest") -> Tensor:
    return torch.lerp(F.interpolate(below, scale_factor=2, mode=mode), sr, alpha)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (fade, "without a jump"),
        (lambda below, sr, alpha: fade(below, sr, 1 - alpha), "Turned around"),
        (lambda below, sr, alpha: fade(below, sr, alpha, "bilinear"), "nearest pixels"),
        (lambda below, sr, alpha: fade(below, sr, alpha, "bicubic"), "nearest pixels"),
        (lambda below, sr, alpha: fade(below, 0 * sr, 0) + alpha * sr, "fade out"),
        (lambda below, sr, alpha: sr, "At alpha 0"),
        (lambda below, sr, alpha: below, "expected shape"),
    ],
)
def test_fade(answer, message: str) -> None:
    verdict = check_fade(answer)
    assert verdict.passed == (answer is fade)
    assert message in verdict.message


@pytest.mark.parametrize("check", [check_warp, check_self_conditioning, check_fade])
def test_empty_crashing_and_odd_answers_fail(check) -> None:
    assert "Not solved yet" in repr(check(unsolved))
    assert "ZeroDivisionError: by me" in repr(check(crashing))
    assert "expected a tensor, got float" in repr(check(lambda *arguments: 1.0))
