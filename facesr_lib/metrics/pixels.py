"""PSNR and SSIM: SR against HR, pixel by pixel, on 8-bit images, in one choice of plane and border."""

from functools import partial
from math import exp

import torch
from torch import Tensor

from facesr_lib.image import rgb_to_y, to_float, to_uint8
from facesr_lib.image.check import check_pair
from facesr_lib.metrics.metric import Metric

_WINDOW, _SIGMA = 11, 1.5
_BELL = [exp(-((i - _WINDOW // 2) ** 2) / (2 * _SIGMA**2)) for i in range(_WINDOW)]
_WEIGHTS = [w / sum(_BELL) for w in _BELL]
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def psnr(sr: Tensor, hr: Tensor, *, y: bool = False, crop: int = 0) -> Tensor:
    """PSNR = 10 log10(255^2 / MSE) of each image in dB, higher is better: two RGB (N, 3, H, W) in [0, 1] -> (N,) float64.

    BasicSR's convention: both images are rounded to 8 bit, `crop` pixels are cut from every side (usually the scale), and
    the MSE runs over all pixels and channels left, or over the BT.601 studio-range Y (not rounded) with `y`. Identical
    images score infinity. Raises ValueError for different shapes, a crop that leaves nothing, values that are no image.
    """
    a, b = scored_planes(sr, hr, y=y, crop=crop, smallest=1)
    mse = (a - b).square().flatten(1).mean(dim=1)
    return 10 * (255**2 / mse).log10()


def ssim(sr: Tensor, hr: Tensor, *, y: bool = False, crop: int = 0) -> Tensor:
    """SSIM of each image, 1 for identical ones, higher is better: two RGB (N, 3, H, W) in [0, 1] -> (N,) float64.

    Wang et al. (IEEE Trans. Image Processing 13, 2004) in BasicSR's convention: both images are rounded to 8 bit, `crop`
    pixels are cut from every side; 11x11 Gaussian window of sigma 1.5 only where it fits (5 more pixels lost per side),
    population covariance, K1 = 0.01, K2 = 0.03, L = 255; mean over positions and channels, or over BT.601 studio-range Y (not
    rounded) with `y`. No down-sampling, float64. Raises ValueError for other shapes and values, under 11x11 after the crop.
    """
    a, b = scored_planes(sr, hr, y=y, crop=crop, smallest=_WINDOW)
    # One image at a time: a score cannot depend on its batch, and memory does not grow with it.
    scores = [_similarity(one_a, one_b) for one_a, one_b in zip(a, b, strict=True)]
    return torch.stack(scores) if scores else a.new_empty(0)


def psnr_metric(*, y: bool = False, crop: int = 0) -> Metric:
    """The record of `psnr` with these arguments."""
    key, label = ("psnr_y", "PSNR Y (dB)") if y else ("psnr", "PSNR (dB)")
    return Metric(key, label, partial(psnr, y=y, crop=crop), "PSNR", plane_convention(y=y, crop=crop), "dB")


def ssim_metric(*, y: bool = False, crop: int = 0) -> Metric:
    """The record of `ssim` with these arguments."""
    key, label = ("ssim_y", "SSIM Y") if y else ("ssim", "SSIM")
    return Metric(key, label, partial(ssim, y=y, crop=crop), "SSIM", plane_convention(y=y, crop=crop))


def scored_planes(sr: Tensor, hr: Tensor, *, y: bool, crop: int, smallest: int) -> tuple[Tensor, Tensor]:
    """Two image batches in [0, 1] as the planes that are scored: float64 (N, C, H - 2 crop, W - 2 crop), 0..255.

    Both are rounded to 8 bit. With `y`, C = 1: BT.601 studio-range luma, not rounded. `smallest` is the least height
    and width that must be left. Raises as `check_pair`, and ValueError for a bad crop.
    """
    check_pair(sr, hr)
    if not isinstance(crop, int) or crop < 0:
        raise ValueError(f"crop: expected a whole number of pixels >= 0, got {crop!r}")
    height, width = sr.shape[2:]
    if min(height, width) - 2 * crop < smallest:
        left = f"{crop} pixels off every side leave {height - 2 * crop} x {width - 2 * crop} of {height} x {width}"
        raise ValueError(f"crop: {left}, but at least {smallest} x {smallest} are needed; use a smaller crop or larger images")
    return _plane(sr, y=y, crop=crop), _plane(hr, y=y, crop=crop)


def plane_convention(*, y: bool, crop: int) -> str:
    """The convention of a score on `scored_planes` in words, such as "RGB, 8-bit, no crop"."""
    return f"{'Y of YCbCr' if y else 'RGB'}, 8-bit, {f'border of {crop} cropped' if crop else 'no crop'}"


def _plane(x: Tensor, *, y: bool, crop: int) -> Tensor:
    levels = to_uint8(x)
    levels = levels.cpu() if x.device.type == "mps" else levels  # which has no float64
    plane = rgb_to_y(to_float(levels, torch.float64)) * 255 if y else levels.double()
    return plane[:, :, crop : plane.shape[2] - crop, crop : plane.shape[3] - crop]


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


PSNR, SSIM = psnr_metric(), ssim_metric()
