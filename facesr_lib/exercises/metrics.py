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
    right = psnr(sr, hr).float()
    mistakes = [(right + 20 * np.log10(255), "These images lie in [0, 1]: the peak is 1, not 255.")]
    hint = "PSNR is 10 log10(1 / MSE); take the mean over channels and pixels, but not over images."
    expect_close(answer(sr, hr), right, hint, mistakes=mistakes)


@check("That is the convention of most SR tables. Its offset of 16 cancels in the difference.")
def check_psnr_y(answer: Callable[[Tensor, Tensor, int], Tensor]) -> None:
    """`answer(sr, hr, crop)` gives the PSNR of the studio-range Y in dB per image, shape (N,)."""
    hr = quantize(torch.rand(3, 3, 24, 20))
    sr = quantize(hr + 0.05 * torch.randn(3, 3, 24, 20))
    sr[..., :4, :] = hr[..., :4, :]  # so that forgetting the crop shows
    for crop in (0, 4):
        hint = "Crop first, then Y = 16 + 65.481 R + 128.553 G + 24.966 B, then 10 log10(255^2 / MSE) per image."
        mistakes = [
            (psnr(sr, hr, y=True).float(), "The border counts in your score: cut `crop` pixels on every side first."),
            (psnr(sr, hr, crop=crop).float(), "That is the PSNR of RGB: weigh the channels to Y first."),
        ]
        expect_close(answer(sr, hr, crop), psnr(sr, hr, y=True, crop=crop).float(), hint, mistakes=mistakes)


@check("Unbiased: on two samples of one distribution it is zero on average, so it may well be negative.")
def check_kernel_distance(answer: Callable[[NDArray[np.float64], NDArray[np.float64]], float]) -> None:
    """`answer(a, b)` gives the unbiased KID of two feature sets."""
    rng = np.random.default_rng(0)
    for n, m in ((6, 6), (5, 9)):
        a, b = rng.normal(size=(n, 4)), rng.normal(0.5, 1.0, size=(m, 4))
        (kaa, kbb, kab), right = (((x @ y.T / 4 + 1) ** 3).mean() for x, y in ((a, a), (b, b), (a, b))), kernel_distance(a, b)
        mistakes = [
            (kaa + kbb - 2 * kab, "Leave out the diagonal within a set: divide by n (n - 1), not by n^2."),
            (kernel_distance(2 * a, 2 * b), "The dot product is divided by the number of features D in the kernel."),
            (right + kab, "The mean between the sets is subtracted twice."),
        ]
        hint = "k(a, b) = (a . b / D + 1)^3: its means within each set, without the diagonal, minus twice its mean between them."
        expect_numbers(float(answer(a, b)), right, hint, mistakes)
