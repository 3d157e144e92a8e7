"""What every full-reference score does first: check the pair, take it to 8 bit, choose the plane, cut the border."""

from __future__ import annotations

import torch
from torch import Tensor

from facesr_lib.image import check_images, rgb_to_y, to_float, to_uint8


def scored_planes(sr: Tensor, hr: Tensor, *, y: bool, crop: int, smallest: int) -> tuple[Tensor, Tensor]:
    """Two image batches in [0, 1] as the planes that are scored: float64 (N, C, H - 2 crop, W - 2 crop), 0..255.

    Both are quantised to 8 bit. With `y`, C = 1: BT.601 studio-range luma, not rounded. `smallest` is the least height
    and width that must be left. Raises TypeError or ValueError for other shapes, a bad crop, and NaN or infinity: an
    image without a value has no score.
    """
    for image, name in ((sr, "sr"), (hr, "hr")):
        check_images(image, name, channels=3)
    if sr.shape != hr.shape:
        raise ValueError(f"sr and hr must have one shape, got {tuple(sr.shape)} and {tuple(hr.shape)}")
    if not isinstance(crop, int) or crop < 0:
        raise ValueError(f"crop: expected a whole number of pixels >= 0, got {crop!r}")
    height, width = sr.shape[2:]
    if min(height, width) - 2 * crop < smallest:
        raise ValueError(
            f"crop: {crop} pixels off every side leave {height - 2 * crop} x {width - 2 * crop} of {height} x {width}, "
            f"but at least {smallest} x {smallest} are needed; use a smaller crop or larger images"
        )
    return _plane(sr, "sr", y=y, crop=crop), _plane(hr, "hr", y=y, crop=crop)


def _plane(x: Tensor, name: str, *, y: bool, crop: int) -> Tensor:
    finite = x.isfinite().flatten(1).all(dim=1)
    if not finite.all():
        raise ValueError(f"{name}: NaN or infinity in the images at {(~finite).nonzero().flatten().tolist()[:10]}")
    levels = to_uint8(x)
    plane = rgb_to_y(to_float(levels, torch.float64)) * 255 if y else levels.double()
    return plane[:, :, crop : plane.shape[2] - crop, crop : plane.shape[3] - crop]
