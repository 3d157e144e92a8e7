"""Colour transforms, written as their equations. "Luma" has several definitions; each has its own function."""

import torch
from torch import Tensor

from facesr_lib.image.check import check_images

# U = 0.492111 (B - Y), V = 0.877283 (R - Y): PAL's scales in the six digits that TensorFlow and scikit-image use.
_U_SCALE, _V_SCALE = 0.492111, 0.877283


def rgb_to_y(x: Tensor) -> Tensor:
    """BT.601 studio-range luma, the Y on which super-resolution papers score: (N, 3, H, W) in [0, 1] -> (N, 1, H, W).

    Y = (16 + 65.481 R + 128.553 G + 24.966 B) / 255, not rounded; black is 16/255 and white 235/255, as in MATLAB's
    rgb2ycbcr. PSNR on it is about 1.3 dB higher than on full-range grey (`rgb_to_grey`): never mix the two.
    """
    check_images(x, "x", channels=3)
    r, g, b = x.split(1, dim=1)
    return (16 + 65.481 * r + 128.553 * g + 24.966 * b) / 255


def rgb_to_grey(x: Tensor) -> Tensor:
    """Full-range grey 0.299 R + 0.587 G + 0.114 B, as OpenCV: (N, 3, H, W) in [0, 1] -> (N, 1, H, W) in [0, 1]."""
    check_images(x, "x", channels=3)
    r, g, b = x.split(1, dim=1)
    return 0.299 * r + 0.587 * g + 0.114 * b


def rgb_to_yuv(x: Tensor) -> Tensor:
    """Analogue YUV (not digital YCbCr): (N, 3, H, W) in [0, 1] -> (N, 3, H, W).

    Y: full-range grey in [0, 1]; U = 0.492111 (B - Y), up to about 0.436 from 0, which is grey; V = 0.877283 (R - Y), 0.615.
    """
    y = rgb_to_grey(x)
    r, _, b = x.split(1, dim=1)
    return torch.cat([y, _U_SCALE * (b - y), _V_SCALE * (r - y)], dim=1)


def yuv_to_rgb(x: Tensor) -> Tensor:
    """Inverse of `rgb_to_yuv`, not clipped: (N, 3, H, W) YUV -> (N, 3, H, W) RGB."""
    check_images(x, "x", channels=3)
    y, u, v = x.split(1, dim=1)
    r, b = y + v / _V_SCALE, y + u / _U_SCALE
    g = (y - 0.299 * r - 0.114 * b) / 0.587
    return torch.cat([r, g, b], dim=1)


def chroma(x: Tensor) -> Tensor:
    """U, V of `rgb_to_yuv`: (N, 3, H, W) -> (N, 2, H, W). The mean of `chroma(sr) - chroma(hr)` is an image's colour drift."""
    return rgb_to_yuv(x)[:, 1:]
