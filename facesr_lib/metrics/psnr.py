"""Peak signal-to-noise ratio."""

from functools import partial

from torch import Tensor

from facesr_lib.metrics.metric import Metric
from facesr_lib.metrics.pairs import plane_convention, scored_planes


def psnr(sr: Tensor, hr: Tensor, *, y: bool = False, crop: int = 0) -> Tensor:
    """PSNR = 10 log10(255^2 / MSE) of each image in dB, higher is better: two RGB (N, 3, H, W) in [0, 1] -> (N,) float64.

    BasicSR's convention: both images are rounded to 8 bit, `crop` pixels are cut from every side (usually the scale), and
    the MSE runs over all pixels and channels left, or over the BT.601 studio-range Y (not rounded) with `y`. Identical
    images score infinity. Raises ValueError for different shapes, a crop that leaves nothing, NaN or infinity.
    """
    a, b = scored_planes(sr, hr, y=y, crop=crop, smallest=1)
    mse = (a - b).square().flatten(1).mean(dim=1)
    return 10 * (255**2 / mse).log10()


def psnr_metric(*, y: bool = False, crop: int = 0) -> Metric:
    """The record of `psnr` with these arguments."""
    key, label = ("psnr_y", "PSNR Y (dB)") if y else ("psnr", "PSNR (dB)")
    return Metric(key, label, partial(psnr, y=y, crop=crop), "PSNR", plane_convention(y=y, crop=crop), "dB")


PSNR = psnr_metric()
