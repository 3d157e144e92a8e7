"""Checks for 20_selfsr_degradation and 21_selfsr_super_resolution."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from facesr_lib.exercises.feedback import check, expect_close, expect_pair
from facesr_lib.explore.flow import fit_flow, folds, preset_flow
from facesr_lib.image import warp

_PAIR_SIZE = 32
_SWIRL = preset_flow("swirl", _PAIR_SIZE, 2.0)


@check("Right, with gradients to image and flow: that is all of eq. (1).")
def check_warp(answer: Callable[[Tensor, Tensor], Tensor]) -> None:
    """`answer(image, flow)` gives image (N, C, H, W) sampled at the grid plus flow (N, 2, H, W), bilinearly, border continued."""
    image = torch.rand(2, 3, 9, 12)
    drawn = 6 * torch.rand(2, 2, 9, 12) - 3
    still = torch.zeros_like(drawn)
    hint = "A zero flow must return the image. align_corners=True belongs to 2 x / (W - 1) - 1, False to (2 x + 1) / W - 1."
    expect_close(answer(image, still), image, hint)

    grid = torch.stack(torch.meshgrid(torch.arange(12.0), torch.arange(9.0), indexing="xy"))
    last = torch.tensor([11.0, 8.0]).view(2, 1, 1)
    inside = torch.minimum(grid + drawn, last).clamp(min=0) - grid  # never leaves the image
    mistakes = [
        (warp(image, inside.flip(1)), "x and y are swapped: flow[:, 0] goes to the right, flow[:, 1] down."),
        (warp(image, -inside), "The sign is wrong: output[p] = image[p + flow[p]], so add the flow to the grid."),
        (warp(image, inside.round()), "It jumps between pixels: interpolate bilinearly, do not round."),
        (warp(image, inside.floor()), "It jumps between pixels: weigh the four neighbours, keep the fraction."),
        (image, "The flow changes nothing."),
    ]
    right = "Take output[p] = image[p + flow[p]], with the weights of eq. (1)."
    expect_close(answer(image, inside), warp(image, inside), right, mistakes=mistakes)
    beyond = "Outside the image the border goes on: clamp the position to [0, W - 1] and [0, H - 1]."
    expect_close(answer(image, drawn), warp(image, drawn), beyond)

    found, expected = _slopes(answer, image, drawn), _slopes(warp, image, drawn)
    for name, slope, true in zip(("flow", "image"), found, expected, strict=True):
        assert slope is not None, f"No gradient reaches the {name}: .long(), .detach() or no_grad() in the way."
        expect_close(slope, true, f"The values are right, their gradient with respect to the {name} is not.")


@check("Every channel forgets its own strength, and the LR image says how strong it should be.")
def check_self_conditioning(answer: Callable[[Tensor, Tensor], Tensor]) -> None:
    """`answer(features, scale)` gives scale * (features - mean) / std per sample and channel, both (N, C, H, W)."""
    shape = (3, 4, 4, 5)
    spread = 0.01 + 2 * torch.rand(3, 4, 1, 1)
    features = spread * torch.randn(shape) + 3 * torch.randn(3, 4, 1, 1)
    scale = 1 + 0.5 * torch.randn(shape)
    expected = scale * _normalised(features, (2, 3))
    mistakes = [
        (scale * _normalised(features, (0, 2, 3)), "These are batch statistics: take mean and variance over H, W."),
        (scale * _normalised(features, (1, 2, 3)), "These are layer statistics: take mean and variance over H, W."),
        (scale * _normalised(features, (1,)), "These are statistics over the channels: take them over H and W."),
        (scale * _normalised(features, (2, 3), True), "The variance divides by H W - 1: use unbiased=False."),
        (_normalised(features, (2, 3)), "The scale is missing."),
        (expected + features.mean((2, 3), keepdim=True), "The mean came back as a shift: eq. (6) has none."),
        (expected + _normalised(features, (2, 3)), "You scale by 1 + scale: the paper's block by scale alone."),
        (expected + scale, "The scale is added as well: eq. (6) has no shift."),
    ]
    right = "Subtract the mean over H and W, divide by the standard deviation, multiply by scale."
    expect_close(answer(features, scale), expected, right, mistakes=mistakes)
    empty = torch.zeros(shape)
    expect_close(answer(features, empty), empty, "With scale 0 nothing may remain: there is no shift.")
    faint = 0.003 * torch.randn(shape)
    hint = "For faint features it matters where 1e-5 is added: to the variance, before the root."
    expect_close(answer(faint, scale), scale * _normalised(faint, (2, 3)), hint)
    flat = torch.full(shape, 0.5)
    expect_close(answer(flat, scale), empty, "A constant channel has no variance: add 1e-5 before the root.")


def smoothness_pair() -> tuple[Tensor, Tensor]:
    """A soft colour pattern and itself in a swirl of up to 2 pixels, (1, 3, 32, 32) in [0, 1]: no constant flow explains it."""
    cells = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(2))
    enlarged = F.interpolate(cells, size=(_PAIR_SIZE, _PAIR_SIZE), mode="bicubic", align_corners=True)
    source = 0.25 + 0.5 * enlarged.clamp(0, 1)
    return source, warp(source, _SWIRL)


@check("Between the two lies the weight that finds the true flow: the table above shows the middle.")
def check_smoothness(answer: Callable[[], tuple[float, float]]) -> None:
    """`answer()` gives two weights: flows fitted to `smoothness_pair` fold with the first and hardly move with the second."""
    folding, frozen = expect_pair(answer(), "folding", "frozen")
    for name, weight in (("folding", folding), ("frozen", frozen)):
        assert weight >= 0, f"{name}: expected a finite number of at least 0, got {weight!r}"
    assert folding < frozen, "The weight that folds must be the smaller one."
    source, target = smoothness_pair()
    share = folds(fit_flow(source, target, folding)).item()
    assert share > 0, f"With {folding:g} the flow folds nowhere: hold it less."
    moved = (fit_flow(source, target, frozen).norm(dim=1).mean() / _SWIRL.norm(dim=1).mean()).item()
    assert moved < 0.1, f"With {frozen:g} the flow still moves {moved:.0%} of the true one: hold it more."


@check("At alpha 0 the grown network answers as before: growing starts without a jump.")
def check_fade(answer: Callable[[Tensor, Tensor, float], Tensor]) -> None:
    """`answer(below, sr, alpha)` gives (1 - alpha) * below, enlarged x2 by nearest pixels, + alpha * sr."""
    below, sr = torch.rand(2, 3, 4, 5), torch.rand(2, 3, 8, 10)
    nearest = below.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    soft = [F.interpolate(below, scale_factor=2, mode=mode, align_corners=False) for mode in ("bilinear", "bicubic")]
    for alpha in (0.3, 0.0, 1.0):
        mistakes = [(alpha * nearest + (1 - alpha) * sr, "Turned around: at alpha 0 the new level does not count.")]
        mistakes += [((1 - alpha) * image + alpha * sr, "Enlarge `below` by nearest pixels.") for image in soft]
        mistakes += [(nearest + alpha * sr, "The level below has to fade out: weigh it with 1 - alpha.")]
        right = "At alpha 0 you get `below`, enlarged; at 1 you get `sr`; in between their weighted mean."
        expect_close(answer(below, sr, alpha), (1 - alpha) * nearest + alpha * sr, right, mistakes=mistakes)


def _normalised(features: Tensor, over: tuple[int, ...], unbiased: bool = False) -> Tensor:
    variance = features.var(over, unbiased=unbiased, keepdim=True)
    return (features - features.mean(over, keepdim=True)) / (variance + 1e-5).sqrt()


def _slopes(sample: Callable[[Tensor, Tensor], Tensor], image: Tensor, flow: Tensor) -> tuple[Tensor, ...]:
    """Gradients of the sum of squares of a sampler's result by flow and image, None where nothing arrives."""
    flow, image = flow.clone().requires_grad_(True), image.clone().requires_grad_(True)
    return torch.autograd.grad(sample(image, flow).square().sum(), (flow, image), allow_unused=True)
