"""Peak signal-to-noise ratio."""

from __future__ import annotations

from torch import Tensor

from facesr_lib.metrics.pairs import scored_planes


def psnr(sr: Tensor, hr: Tensor, *, y: bool = False, crop: int = 0) -> Tensor:
    """PSNR = 10 log10(255^2 / MSE) of each image in dB, higher is better: two RGB (N, 3, H, W) in [0, 1] -> (N,) float64.

    BasicSR's convention: both images are rounded to 8 bit, `crop` pixels are cut from every side (usually the scale), and
    the MSE runs over all pixels and channels left, or over the BT.601 studio-range Y (not rounded) with `y`. Identical
    images score infinity. Raises ValueError for different shapes, a crop that leaves nothing, NaN or infinity.
    """
    a, b = scored_planes(sr, hr, y=y, crop=crop, smallest=1)
    mse = (a - b).square().flatten(1).mean(dim=1)
    return 10 * (255**2 / mse).log10()
