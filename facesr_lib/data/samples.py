"""Two pictures that need no data set: a public-domain face in colour, and a pattern of known frequencies."""

import math

import torch
from torch import Tensor

from facesr_lib.data.images import square
from facesr_lib.image import to_float

CREDIT = "Eileen Collins, photograph by NASA, public domain, from scikit-image"


def astronaut_face(size: int = 128) -> Tensor:
    """Astronaut Eileen Collins, float32 RGB (1, 3, size, size) in [0, 1]. Raises ValueError if `size` is not in 1 to 256 px."""
    if not 1 <= size <= 256:
        raise ValueError(f"size: the portrait has 256 px, so expected 1 to 256, got {size}")
    from skimage.data import astronaut  # slow to import

    pixels = square(astronaut()[None, :256, 96:352], size)
    return to_float(torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous())


def zone_plate(size: int = 128, highest: float = 0.5) -> Tensor:
    """Rings that get finer outwards, float32 grey as RGB (1, 3, size, size) in [0, 1].

    At r pixels from the centre it has `highest` * r / (size / 2) cycles per pixel: `highest` at the middle of each side. Pixels
    can show up to 0.5: a reduction by s loses the rings beyond 1 / s of the way. Raises ValueError unless 0 < highest <= 0.5.
    """
    if not 0 < highest <= 0.5:
        raise ValueError(f"highest: expected cycles per pixel above 0, up to 0.5, got {highest}")
    u = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    squared = u[:, None] ** 2 + u**2
    rings = 0.5 + 0.5 * torch.cos(2 * math.pi * highest * squared / size)  # d(phase) / dr = 2 pi * highest * 2 r / size
    return rings.float().expand(1, 3, size, size).contiguous()
