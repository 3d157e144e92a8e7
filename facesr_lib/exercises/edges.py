"""Checks for 02_edges."""

import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import label
from torch import Tensor

from facesr_lib.exercises.feedback import check, expect_close, expect_number
from facesr_lib.image import dog, edge_residual


@check("One pooling, one subtraction, one ReLU, no weights: gradients pass through it unharmed.")
def check_edge_block(answer: Callable[[Tensor, int], Tensor]) -> None:
    """`answer(x, k)` gives ReLU(x - mean over k x k), k odd, (N, C, H, W) -> same shape, pixels outside left out of the mean."""
    x = torch.rand(2, 3, 12, 15)
    for k in (3, 5, 7):
        padded = x - F.avg_pool2d(x, k, stride=1, padding=k // 2)
        inside = x - F.avg_pool2d(x, k, stride=1, padding=k // 2, count_include_pad=False)
        mistakes = [
            (F.relu(padded), "Zeros beyond the border count in your mean: a bright line appears around the picture."),
            (inside, "The ReLU is missing: what is darker than its surroundings becomes 0."),
            (F.relu(-inside), "The sign is turned around: keep what is brighter than the mean."),
            (inside.abs(), "Not the absolute value: what is darker than its surroundings becomes 0."),
        ]
        hint = "Subtract the mean of the k x k pixels around each pixel, keep what is positive."
        expect_close(answer(x, k), edge_residual(x, k), hint, mistakes=mistakes)


@check("Nothing at low frequencies, nothing at high ones: DoG is a band-pass filter.")
def check_dog_of_wave(answer: Callable[[float, float, float], float]) -> None:
    """`answer(omega, sigma1, sigma2)`: what DoG multiplies a wave of `omega` radians a pixel by."""
    u = torch.arange(160, dtype=torch.float64)
    inside = (..., slice(40, 120), slice(40, 120))  # far from the border
    for omega in (0.15, 0.5, 1.0, 1.8):
        wave = torch.cos(omega * u).expand(1, 1, 160, 160)
        for sigmas in ((1.0, 1.6), (2.0, 3.2), (0.8, 4.0)):
            there = wave[inside]
            measured = ((dog(wave, *sigmas)[inside] * there).sum() / there.square().sum()).item()
            factor = expect_number(answer(omega, *sigmas))
            narrow, wide = (math.exp(-((sigma * omega / 2 / math.pi) ** 2) / 2) for sigma in sigmas)  # of cycles
            hint = "a Gaussian blur multiplies the wave by exp(-(sigma * omega)^2 / 2): subtract two of these."
            if math.isclose(factor, -measured, abs_tol=2e-3):
                hint = "the sign is turned around: narrow blur minus wide blur."
            elif math.isclose(factor, narrow - wide):
                hint = "omega counts radians already: no 2 pi."
            truth = f"at omega {omega:g} with sigmas {sigmas}, DoG multiplies by {measured:.4f}"
            assert math.isclose(factor, measured, abs_tol=2e-3), f"{truth}, you say {factor:.4f}; {hint}"


@check("That is Canny's last step: weak edges survive where they continue strong ones.")
def check_hysteresis(answer: Callable[[Tensor, float, float], Tensor]) -> None:
    """`answer(strength, low, high)`, (H, W) -> bool or 0/1: above low, and joined by such pixels to one above high."""
    snake = torch.zeros(24, 24)
    for row in range(2, 22, 4):  # one line through the whole picture, to and fro: connected only step by step
        snake[row, 2:22] = 0.5
        snake[row : row + 5, 21 if row % 8 == 2 else 2] = 0.5
    snake[22:] = 0
    snake[2, 2] = 0.9
    diagonal = torch.zeros(24, 24)
    for shift in (0, 1):  # dashes that touch at their corners only
        diagonal[torch.arange(5, 14), torch.arange(5, 23, 2) + shift] = 0.5
    diagonal[5, 6] = 0.9
    for strength in (snake, diagonal, torch.rand(24, 24) ** 2):
        low, high = 0.3, 0.8
        weak, strong = strength > low, strength > high
        near = F.max_pool2d(strong.float()[None], 3, stride=1, padding=1)[0] * weak
        mistakes = [
            (weak.float(), "These are all pixels above low: only those connected to a strong one stay."),
            (strong.float(), "These are only the pixels above high: weak ones connected to them stay too."),
            (near, "You took one step: grow again from what was added, until nothing is added any more."),
            (_connected(weak, strong), "Neighbours on the diagonal count too."),
        ]
        found = answer(strength, low, high)
        got = torch.as_tensor(found).float() if isinstance(found, Tensor | np.ndarray) else found
        expected = _connected(weak, strong, np.ones((3, 3)))
        expect_close(got, expected, "Start at the strong pixels, grow over weak neighbours.", mistakes=mistakes)


def _connected(weak: Tensor, strong: Tensor, structure: np.ndarray | None = None) -> Tensor:
    """The components of `weak` that hold a strong pixel, counted by scipy; by default neighbours share a side."""
    numbers, _ = label(weak.numpy(), structure)
    return torch.from_numpy(np.isin(numbers, numbers[strong.numpy()]) & weak.numpy()).float()
