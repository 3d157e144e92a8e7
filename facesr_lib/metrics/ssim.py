"""Structural similarity."""

from functools import partial
from math import exp

import torch
from torch import Tensor

from facesr_lib.metrics.metric import Metric
from facesr_lib.metrics.pairs import plane_convention, scored_planes

_WINDOW, _SIGMA = 11, 1.5
_BELL = [exp(-((i - _WINDOW // 2) ** 2) / (2 * _SIGMA**2)) for i in range(_WINDOW)]
_WEIGHTS = [w / sum(_BELL) for w in _BELL]
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def ssim(sr: Tensor, hr: Tensor, *, y: bool = False, crop: int = 0) -> Tensor:
    """SSIM of each image, 1 for identical ones, higher is better: two RGB (N, 3, H, W) in [0, 1] -> (N,) float64.

    Wang et al. (IEEE Trans. Image Processing 13, 2004) in BasicSR's convention: both images are rounded to 8 bit, `crop`
    pixels are cut from every side; 11x11 Gaussian window of sigma 1.5 only where it fits (5 more pixels lost per side),
    population covariance, K1 = 0.01, K2 = 0.03, L = 255; mean over positions and channels, or over BT.601 studio-range Y (not
    rounded) with `y`. No down-sampling, float64. Raises ValueError for other shapes, NaN, infinity, under 11x11 after the crop.
    """
    a, b = scored_planes(sr, hr, y=y, crop=crop, smallest=_WINDOW)
    # One image at a time: a score cannot depend on its batch, and memory does not grow with it.
    scores = [_similarity(one_a, one_b) for one_a, one_b in zip(a, b, strict=True)]
    return torch.stack(scores) if scores else a.new_empty(0)


def ssim_metric(*, y: bool = False, crop: int = 0) -> Metric:
    """The record of `ssim` with these arguments."""
    key, label = ("ssim_y", "SSIM Y") if y else ("ssim", "SSIM")
    return Metric(key, label, partial(ssim, y=y, crop=crop), "SSIM", plane_convention(y=y, crop=crop))


def _similarity(a: Tensor, b: Tensor) -> Tensor:
    """SSIM averaged over two images (C, H, W), 0..255."""
    mean_a, mean_b, mean_aa, mean_bb, mean_ab = _window_mean(torch.stack([a, b, a * a, b * b, a * b]))
    var_a, var_b, cov = mean_aa - mean_a**2, mean_bb - mean_b**2, mean_ab - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + _C1) / (mean_a**2 + mean_b**2 + _C1)
    contrast_structure = (2 * cov + _C2) / (var_a + var_b + _C2)
    return (luminance * contrast_structure).mean()


def _window_mean(x: Tensor) -> Tensor:
    """Gaussian-weighted mean around every position where the window fits: (K, C, H, W) -> (K, C, H - 10, W - 10)."""
    # A Gaussian window is separable: average along the height, then along the width. Adding up shifted copies is several
    # times faster on a CPU than torch's float64 convolution.
    for dim in (2, 3):
        fits = x.shape[dim] - _WINDOW + 1
        total = torch.zeros_like(x.narrow(dim, 0, fits))
        for shift, weight in enumerate(_WEIGHTS):
            total.add_(x.narrow(dim, shift, fits), alpha=weight)
        x = total
    return x


SSIM = ssim_metric()
