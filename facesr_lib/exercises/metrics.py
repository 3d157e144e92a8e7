"""Checks for 03_metrics."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from facesr_lib.exercises.feedback import check, expect_close, expect_numbers
from facesr_lib.image import quantize
from facesr_lib.metrics import kernel_distance, psnr


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
