"""Checks for 00_start_here and 03_metrics: scores."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from facesr_lib.exercises.feedback import check, expect_close, expect_numbers
from facesr_lib.image import quantize
from facesr_lib.metrics import kernel_distance, psnr


@check("That is PSNR. Note what it does not know: where in the picture the error is.")
def check_psnr(answer: Callable[[Tensor, Tensor], Tensor]) -> None:
    """`answer(sr, hr)` gives the PSNR in dB per image, shape (N,), for images in [0, 1]."""
    hr = quantize(torch.rand(3, 3, 24, 16))
    sr = quantize(hr + torch.tensor([0.01, 0.05, 0.2]).view(3, 1, 1, 1) * torch.randn(3, 3, 24, 16))
    hint = "PSNR is 10 log10(1 / MSE); take the mean over channels and pixels, but not over images."
    expect_close(answer(sr, hr), psnr(sr, hr).float(), hint)


@check("That is the convention of most SR tables. Its offset of 16 cancels in the difference.")
def check_psnr_y(answer: Callable[[Tensor, Tensor, int], Tensor]) -> None:
    """`answer(sr, hr, crop)` gives the PSNR of the studio-range Y in dB per image, shape (N,)."""
    hr = quantize(torch.rand(3, 3, 24, 20))
    sr = quantize(hr + 0.05 * torch.randn(3, 3, 24, 20))
    sr[..., :4, :] = hr[..., :4, :]  # so that forgetting the crop shows
    for crop in (0, 4):
        hint = "Crop first, then Y = 16 + 65.481 R + 128.553 G + 24.966 B, then 10 log10(255^2 / MSE) per image."
        expect_close(answer(sr, hr, crop), psnr(sr, hr, y=True, crop=crop).float(), hint)


@check("Unbiased: on two samples of one distribution it is zero on average, so it may well be negative.")
def check_kernel_distance(answer: Callable[[NDArray[np.float64], NDArray[np.float64]], float]) -> None:
    """`answer(a, b)` gives the unbiased KID of two feature sets."""
    rng = np.random.default_rng(0)
    for n, m in ((6, 6), (5, 9)):
        a, b = rng.normal(size=(n, 4)), rng.normal(0.5, 1.0, size=(m, 4))
        hint = "Leave out the diagonal within a set: divide by n (n - 1), not by n^2. Between the sets, take the plain mean."
        expect_numbers(float(answer(a, b)), kernel_distance(a, b), hint)
