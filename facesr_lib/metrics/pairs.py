"""What every score of images does first: check them, round them to 8 bit, choose the plane, cut the border."""

import torch
from torch import Tensor

from facesr_lib.image import check_images, rgb_to_y, to_float, to_uint8


def check_finite(x: Tensor, name: str) -> None:
    """Check that `x` is a batch of RGB images without NaN or infinity; such an image has no score.

    Raises TypeError or ValueError. `name` is the argument's name in the message, which lists the first ten bad images.
    """
    check_images(x, name, channels=3)
    if not x.isfinite().all():
        bad = (~x.isfinite().flatten(1).all(dim=1)).nonzero().flatten().tolist()
        raise ValueError(f"{name}: NaN or infinity in the images at {bad[:10]}")


def check_pair(sr: Tensor, hr: Tensor) -> None:
    """Check that SR and HR are finite RGB batches of one shape. Raises TypeError or ValueError."""
    check_finite(sr, "sr")
    check_finite(hr, "hr")
    if sr.shape != hr.shape:
        raise ValueError(f"sr and hr must have one shape, got {tuple(sr.shape)} and {tuple(hr.shape)}")


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
        raise ValueError(
            f"crop: {crop} pixels off every side leave {height - 2 * crop} x {width - 2 * crop} of {height} x {width}, "
            f"but at least {smallest} x {smallest} are needed; use a smaller crop or larger images"
        )
    return _plane(sr, y=y, crop=crop), _plane(hr, y=y, crop=crop)


def plane_convention(*, y: bool, crop: int) -> str:
    """The convention of a score on `scored_planes` in words, such as "RGB, 8-bit, no crop"."""
    return f"{'Y of YCbCr' if y else 'RGB'}, 8-bit, {f'border of {crop} cropped' if crop else 'no crop'}"


def _plane(x: Tensor, *, y: bool, crop: int) -> Tensor:
    levels = to_uint8(x)
    plane = rgb_to_y(to_float(levels, torch.float64)) * 255 if y else levels.double()
    return plane[:, :, crop : plane.shape[2] - crop, crop : plane.shape[3] - crop]
