"""Checks for 00_start_here."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from facesr_lib.exercises.feedback import check, expect_close
from facesr_lib.image import average_pool, quantize
from facesr_lib.metrics import psnr


@check("That is PSNR. Note what it does not know: where in the picture the error is.")
def check_psnr(answer: Callable[[Tensor, Tensor], Tensor]) -> None:
    """`answer(sr, hr)` gives the PSNR in dB per image, shape (N,), for images in [0, 1]."""
    hr = quantize(torch.rand(3, 3, 24, 16))
    sr = quantize(hr + torch.tensor([0.01, 0.05, 0.2]).view(3, 1, 1, 1) * torch.randn(3, 3, 24, 16))
    hint = "PSNR is 10 log10(1 / MSE); take the mean over channels and pixels, but not over images."
    expect_close(answer(sr, hr), psnr(sr, hr).float(), hint)


@check("Every LR pixel is now the mean of its square: the simplest honest degradation.")
def check_average_pool(answer: Callable[[Tensor, int], Tensor]) -> None:
    """`answer(x, factor)` gives the mean of every factor x factor square."""
    for factor, height, width in ((2, 8, 12), (4, 16, 8), (3, 9, 6)):
        x = torch.rand(2, 3, height, width)
        hint = "Reshape (N, C, H, W) to (N, C, H/f, f, W/f, f), then take the mean over the two small axes."
        expect_close(answer(x, factor), average_pool(x, factor), hint)
