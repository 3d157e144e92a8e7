"""Checks for 03_metrics."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from facesr_lib.exercises.verdict import Verdict, expect_close, verdict
from facesr_lib.image import quantize
from facesr_lib.metrics import kernel_distance, psnr


def check_psnr_y(answer: Callable[[Tensor, Tensor, int], Tensor]) -> Verdict:
    """`answer(sr, hr, crop)` gives the PSNR of the studio-range Y in dB per image, shape (N,)."""

    def examine() -> None:
        torch.manual_seed(0)
        hr = quantize(torch.rand(3, 3, 24, 20))
        sr = quantize(hr + 0.05 * torch.randn(3, 3, 24, 20))
        sr[..., :4, :] = hr[..., :4, :]  # so that forgetting the crop shows
        for crop in (0, 4):
            hint = "Crop first, then Y = 16 + 65.481 R + 128.553 G + 24.966 B, then 10 log10(255^2 / MSE) per image."
            expect_close(answer(sr, hr, crop), psnr(sr, hr, y=True, crop=crop).float(), hint)

    return verdict(examine, "That is the convention of most SR tables. Its offset of 16 cancels in the difference.")


def check_kernel_distance(answer: Callable[[NDArray[np.float64], NDArray[np.float64]], float]) -> Verdict:
    """`answer(a, b)` gives the unbiased KID of two feature sets."""

    def examine() -> None:
        rng = np.random.default_rng(0)
        for n, m in ((6, 6), (5, 9)):
            a, b = rng.normal(size=(n, 4)), rng.normal(0.5, 1.0, size=(m, 4))
            got = torch.as_tensor(float(answer(a, b)), dtype=torch.float64)
            hint = "Leave out the diagonal within a set: divide by n (n - 1), not by n^2. Between the sets, take the plain mean."
            expect_close(got, torch.tensor(kernel_distance(a, b), dtype=torch.float64), hint)

    return verdict(
        examine, "Unbiased: on two samples of one distribution it is zero on average, so it may well be negative."
    )
