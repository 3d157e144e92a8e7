"""Checks for 00_start_here and 01_degradation_and_upsampling: making LR images, enlarging them."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from facesr_lib.exercises.feedback import check, expect_close, expect_number
from facesr_lib.image import average_pool, quantize, resize_bicubic, resize_bilinear
from facesr_lib.image.resize import cubic


@check("Every LR pixel is now the mean of its square: the simplest honest degradation.")
def check_average_pool(answer: Callable[[Tensor, int], Tensor]) -> None:
    """`answer(x, factor)` gives the mean of every factor x factor square."""
    for factor, height, width in ((2, 8, 12), (4, 16, 8), (3, 9, 6)):
        x = torch.rand(2, 3, height, width)
        hint = "Reshape (N, C, H, W) to (N, C, H/f, f, W/f, f), then take the mean over the two small axes."
        expect_close(answer(x, factor), average_pool(x, factor), hint)


@check("ISR-KD's LR images, but for exact halves, which OpenCV rounds up. The rounding in between moves values by a grey level.")
def check_halvings(answer: Callable[[Tensor, int], Tensor]) -> None:
    """`answer(hr, scale)` halves 8-bit images, rounding to 8 bit each time, until they are `scale` times smaller."""
    levels = [torch.randint(64, 192, (2, 3, 4, 6)).float()]
    for _ in range(3):  # a pixel becomes four, of a mean up to 1/4 from it: never halfway, where roundings differ
        apart = torch.randint(-9, 10, (4, *levels[0].shape))
        apart[3] = torch.randint(-1, 4, apart.shape[1:]).clamp(max=1) - apart[:3].sum(dim=0)
        levels.insert(0, F.pixel_shuffle((levels[0] + apart).movedim(0, 2).flatten(1, 2), 2))
    hr = levels[0] / 255
    for scale, halved in zip((2, 4, 8), levels[1:], strict=True):
        mistakes = [
            (average_pool(hr, scale), "These are no whole grey levels: quantize after every halving."),
            (quantize(average_pool(hr, scale)), "You round once, at the end: quantize after every halving."),
            (quantize(hr[..., ::scale, ::scale]), "This skips pixels: a halving averages 2 x 2 of them."),
        ]
        hint = "average_pool(hr, 2), quantize, and again with the result until it is small enough."
        expect_close(answer(hr, scale), halved / 255, hint, mistakes=mistakes)


@check("At the sampling rate a wave becomes flat: there lie the false bull's eyes of the zone plate.")
def check_alias(answer: Callable[[float, int], float]) -> None:
    """`answer(frequency, step)`: the frequency, 0 to 0.5 cycles per LR pixel, that a wave seems to have after skipping pixels."""
    samples = 64
    for step in (1, 2, 4, 8):
        for frequency in (0.0, 3 / 64, 0.125, 13 / 64, 0.25, 21 / 64, 0.5):
            apparent = expect_number(answer(frequency, step), f"frequency {frequency:.3f}, step {step}")
            # The truth is measured: what the spectrum of the kept pixels has its peak at.
            kept = torch.cos(2 * torch.pi * frequency * step * torch.arange(samples, dtype=torch.float64))
            seen = torch.fft.rfft(kept).abs().argmax().item() / samples
            turn = frequency * step
            hint = "fold frequency * step back: take its distance from the nearest whole number."
            if math.isclose(apparent, frequency):
                hint = f"count in cycles per LR pixel, which is {step} HR pixels wide."
            elif math.isclose(apparent, turn) or math.isclose(apparent, turn % 1):
                hint = "more than half a cycle a pixel cannot be told from less: " + hint
            given = f"{frequency:.3f} cycles a pixel, every pixel number {step}"
            assert math.isclose(apparent, seen, abs_tol=1e-6), f"{given}: seen {seen:.4f}, you say {apparent:.4f}; {hint}"


@check("The lobe below zero is what sharpens, and what overshoots beside every edge.")
def check_cubic(answer: Callable[[Tensor], Tensor]) -> None:
    """`answer(t)` gives the cubic kernel with a = -1/2 at distances t (n,) in LR pixels, of either sign."""
    scale, middle = 8, 4
    impulse = torch.zeros(1, 1, 1, 2 * middle + 1, dtype=torch.float64)
    impulse[..., middle] = 1
    t = (torch.arange(scale * (2 * middle + 1), dtype=torch.float64) + 0.5) / scale - 0.5 - middle
    expected = resize_bicubic(impulse, size=(1, len(t)))[0, 0, 0]  # what one LR pixel spreads over the HR pixels
    mistakes = [
        (torch.from_numpy(cubic(t.numpy(), -0.75)), "That is a = -3/4, OpenCV's and torch's choice: here a = -1/2."),
        (torch.from_numpy(cubic(t.numpy(), -1.0)), "That is a = -1: here a = -1/2."),
        (resize_bilinear(impulse, size=(1, len(t)))[0, 0, 0], "That is the linear kernel."),
    ]
    hint = "Two cubics in |t|: one up to 1, one from 1 to 2; 0 beyond."
    expect_close(answer(t), expected, hint, 1e-6, mistakes)
