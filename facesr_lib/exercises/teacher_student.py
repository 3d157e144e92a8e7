"""Checks for 30_teacher_student."""

import math
from collections.abc import Callable
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facesr_lib.exercises.feedback import check, expect_close, expect_tensor
from facesr_lib.papers.teacher_student.networks import DownsamplingNet, RecurrentSR


@check("That is why the paper may subtract two blurs where others differentiate twice.")
def check_log(answer: Callable[[Tensor, float], Tensor]) -> None:
    """`answer(image, sigma)` gives the Laplacian of the image blurred with sigma, made of a difference of Gaussians."""
    u = torch.arange(64.0)
    inside = (..., slice(16, 48), slice(16, 48))  # far from the border
    bowl = (0.001 * (u[:, None] - 32) ** 2).expand(64, 64)[None, None]
    got = expect_tensor(answer(bowl, 1.5), bowl.shape)
    assert got[inside].mean() > 0, "The Laplacian of a bowl is positive; the narrow blur minus the wide one is not."
    hint = "d G / d(sigma^2) is half the Laplacian: divide the difference by half of sigma2^2 - sigma1^2."
    expect_close(got[inside], torch.full((1, 1, 32, 32), 0.002), hint, tolerance=2e-4)
    for sigma in (1.5, 2.5):
        frequency = 0.5
        wave = torch.cos(frequency * u).expand(64, 64)[None, None]
        factor = -(frequency**2) * math.exp(-(sigma**2) * frequency**2 / 2)
        hint = "Right for a bowl, not for a wave: choose sigma1 and sigma2 near sigma, on both sides of it."
        expect_close(answer(wave, sigma)[inside], factor * wave[inside], hint, tolerance=0.01 * abs(factor))


@check("Three steps, one set of weights, and the edges of its own drawing in between.")
def check_unfold(answer: Callable[[RecurrentSR, Tensor], list[Tensor]]) -> None:
    """`answer(network, lr)` gives the three SR images, by `network.shallow`, `network.step` and `network.edges`."""
    network = RecurrentSR(width=4, groups=1)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.15)
    lr = F.interpolate(torch.rand(2, 3, 4, 4), scale_factor=4)  # blocks: they have edges
    with torch.no_grad():
        expected, blind = network(lr), network(lr, [lambda sr: torch.zeros_like(sr[:, :1])] * 2)
        whole = AssertionError("By hand: network(lr) unfolds itself. Call network.shallow once and network.step three times.")
        with patch.object(network, "forward", side_effect=whole):
            outputs = answer(network, lr)
    assert isinstance(outputs, list | tuple) and len(outputs) == 3, "expected a list of three SR images, one per step"  # noqa: PT018
    hints = (
        "Step 1: zeros for state and prior; add the residual to the bilinear enlargement.",
        "Step 2: the state of step 1, and network.edges[0] of SR_1, average-pooled by 2.",
        "Step 3: the state of step 2, and network.edges[1] of SR_2, average-pooled by 2.",
    )
    for step, (output, right, hint) in enumerate(zip(outputs, expected, hints, strict=True)):
        if step and isinstance(output, Tensor) and torch.equal(output, blind[step]):
            hint = f"Step {step + 1} sees no edges. {hint}"
        expect_close(output, right, hint)


@check("One loss, two networks: SNet keeps what LR shows, DSNet learns the way back.")
def check_cycle_loss(answer: Callable[[Tensor, nn.Module, nn.Module], Tensor]) -> None:
    """`answer(lr, snet, dsnet)` gives eq. 7, of SNet's last output: summed as printed, or the mean per image or per number."""
    snet, dsnet = RecurrentSR(width=4, groups=1), DownsamplingNet(width=4, blocks=1)
    nn.init.normal_(snet.reconstruct[-1].weight, std=0.1)  # type: ignore[arg-type]
    lr = torch.rand(2, 3, 16, 16)
    loss = expect_tensor(answer(lr, snet, dsnet), ())
    total = (dsnet(snet(lr)[-1]) - lr).square().sum()
    right = min((total / lr.numel(), total / len(lr), total), key=lambda norm: (norm - loss).abs().item())
    expect_close(loss, right, "Take SNet's last output, through DSNet, against LR: mean of squares.")
    slopes = torch.autograd.grad(loss, [*snet.parameters(), *dsnet.parameters()], allow_unused=True)
    assert slopes[0] is not None, "The gradient does not reach SNet: something on the way was detached."
    assert slopes[-1] is not None, "The gradient does not reach DSNet."
