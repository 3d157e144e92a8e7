"""Gaussian blur, unsharp masking, which reverses a little of it, and motion blur."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from facesr_lib.image.check import check_images, check_number, check_some, widest


def gaussian_blur(x: Tensor, kernel_size: int, sigma: float) -> Tensor:
    """Gaussian blur, border reflected without repeating the edge pixel, as torchvision's: (N, C, H, W) -> same shape.

    `kernel_size` (odd) and `sigma` (0.001 or more): pixels. A kernel that is short relative to sigma is nearly a box: with 7 and
    sigma 5, the blur of the human-face GAN paper, the corner's weight is only 30 % below the centre's. Differentiable.
    Raises ValueError for an even kernel, another sigma, or an image not larger than kernel_size // 2.
    """
    # Not torchvision's own function: its import loads the torch compiler, which takes longer than torch itself.
    taps = gaussian_taps(x, kernel_size, sigma)
    return separable(x, taps, taps)


def gaussian_taps(x: Tensor, kernel_size: int, sigma: float) -> Tensor:
    """The `kernel_size` weights of a Gaussian, with sum 1, in `x`'s dtype. Raises ValueError as `gaussian_blur` does."""
    check_images(x, "x")
    check_number(sigma, "sigma", 0.001)
    if not 1 <= kernel_size < 10_000 or kernel_size % 2 == 0:
        raise ValueError(f"kernel_size: expected an odd number >= 1, got {kernel_size}")
    radius = kernel_size // 2
    offsets = torch.arange(-radius, radius + 1, dtype=widest(x), device=x.device)  # a copy would make the host wait
    weights = (-0.5 * (offsets / sigma) ** 2).exp()
    return (weights / weights.sum()).to(x.dtype)


def separable(x: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """Correlate every channel with the outer product of two odd kernels: (N, C, H, W), (k,), (k,) -> (N, C, H, W).

    The border is reflected without repeating the edge pixel. Differentiable. Raises ValueError unless H and W exceed k // 2.
    """
    channels, radius = x.shape[1], len(across) // 2
    if min(x.shape[2:]) <= radius:
        small = f"images of {x.shape[2]} x {x.shape[3]} are too small to reflect {radius} pixels at the border"
        raise ValueError(f"x: {small}; use a smaller kernel or sigma (here {len(across)} pixels) or larger images")
    with torch.autocast(x.device.type, enabled=False):  # a convolution in half precision would change the dtype
        padded = F.pad(x, (radius, radius, radius, radius), mode="reflect")
        rows = F.conv2d(padded, across.expand(channels, 1, 1, -1), groups=channels)
        return F.conv2d(rows, down[:, None].expand(channels, 1, -1, 1), groups=channels)


def unsharp(x: Tensor, kernel_size: int, sigma: float, amount: float) -> Tensor:
    """Unsharp masking x + amount * (x - blur(x)), clamped to [0, 1]: (N, C, H, W) in [0, 1] -> same shape.

    `amount` 0 changes nothing, 1 doubles the detail that the blur removes. Raises ValueError as `gaussian_blur` does.
    """
    check_number(amount, "amount", -1000, 1000)
    return (x + amount * (x - gaussian_blur(x, kernel_size, sigma))).clamp(0, 1)


def motion_blur(x: Tensor, lengths: Tensor, angles: Tensor) -> Tensor:
    """Average each image along a straight line: (N, C, H, W) -> same shape, border replicated.

    lengths (N,) in pixels, angles (N,) in radians from the x axis. A length of 0 changes nothing. The line is sampled at 16
    points per pixel, each split bilinearly between four taps, so that the result is continuous in length and angle. Raises
    ValueError for a negative length, numbers beyond 1000, NaN, no image, or not one length and angle for each.
    """
    check_images(x, "x")
    n, channels = x.shape[:2]
    for name, values in (("lengths", lengths), ("angles", angles)):
        if check_some(values, name).shape != (n,):
            raise ValueError(f"{name}: expected one for each of {n} images, got shape {tuple(values.shape)}")
        check_number(values.abs().max().item(), name, 0, 1000)
    check_number(lengths.min().item(), "lengths", 0)
    radius = math.ceil(lengths.max().item() / 2) + 1
    along = torch.linspace(-0.5, 0.5, 16 * (2 * radius + 1) + 1, dtype=torch.float64)
    steps = lengths.double()[:, None] * along
    points = torch.stack([steps * angles.double()[:, None].sin(), steps * angles.double()[:, None].cos()])  # y, x
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float64)
    shares_y, shares_x = (1 - (points[..., None] - offsets).abs()).clamp(min=0)  # (N, points, 2 radius + 1) each
    kernels = torch.einsum("npy,npx->nyx", shares_y, shares_x) / len(along)
    padded = F.pad(x, (radius, radius, radius, radius), mode="replicate").flatten(0, 1)[None]
    weights = kernels.to(x).repeat_interleave(channels, dim=0)[:, None]
    return F.conv2d(padded, weights, groups=n * channels)[0].unflatten(0, (n, channels))
