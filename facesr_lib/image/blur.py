"""Gaussian blur, and unsharp masking, which undoes a little of it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from facesr_lib.image.check import check_images


def gaussian_blur(x: Tensor, kernel_size: int, sigma: float) -> Tensor:
    """Gaussian blur, border reflected without repeating the edge pixel, as torchvision's: (N, C, H, W) -> same shape.

    `kernel_size` (odd) and `sigma` (> 0) are in pixels. A kernel short against sigma is nearly a box: 7 with sigma 5, the
    blur of the human-face GAN paper, weighs its corner only 30 % less than its centre. Differentiable.
    Raises ValueError for an even kernel, sigma <= 0, or an image not larger than kernel_size // 2.
    """
    check_images(x, "x")
    if kernel_size < 1 or kernel_size % 2 == 0:
        raise ValueError(f"kernel_size: expected an odd number >= 1, got {kernel_size}")
    if not sigma > 0:
        raise ValueError(f"sigma: expected a number of pixels > 0, got {sigma}")
    if min(x.shape[2:]) <= kernel_size // 2:
        raise ValueError(
            f"x: images of {x.shape[2]} x {x.shape[3]} are too small to reflect {kernel_size // 2} pixels at the border; "
            f"use a kernel_size below {kernel_size} or larger images"
        )
    # Not torchvision's own function: importing it loads the torch compiler, which takes longer than torch itself.
    radius = kernel_size // 2
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float64)
    weights = (-0.5 * (offsets / sigma) ** 2).exp()
    channels = x.shape[1]
    taps = (weights / weights.sum()).to(x).expand(channels, 1, 1, kernel_size)
    with torch.autocast(x.device.type, enabled=False):  # a convolution in half precision would change the dtype
        padded = F.pad(x, (radius, radius, radius, radius), mode="reflect")
        rows = F.conv2d(padded, taps, groups=channels)
        return F.conv2d(rows, taps.transpose(2, 3), groups=channels)


def unsharp(x: Tensor, kernel_size: int, sigma: float, amount: float) -> Tensor:
    """Unsharp masking x + amount * (x - blur(x)), clamped to [0, 1]: (N, C, H, W) in [0, 1] -> same shape.

    `amount` 0 leaves the image alone, 1 doubles what the blur would remove. Raises ValueError as `gaussian_blur` does.
    """
    return (x + amount * (x - gaussian_blur(x, kernel_size, sigma))).clamp(0, 1)
