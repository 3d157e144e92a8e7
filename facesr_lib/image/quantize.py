"""The 8-bit boundary: image files hold whole grey levels 0..255, the library computes with floats in [0, 1]."""

import torch
from torch import Tensor

from facesr_lib.image.check import check_images


def to_uint8(x: Tensor) -> Tensor:
    """Float images (N, C, H, W) -> uint8 0..255 of the same shape, clamped to [0, 1] first.

    Rounds to the nearest level (exact halves to the even one), never stretches the contrast. NaN is undefined. No gradient.
    """
    check_images(x, "x")
    # Half precision is too coarse for rounding x * 255; float32 and float64 stay as they are.
    wide = x.float() if x.dtype.itemsize < 4 else x
    return (wide.clamp(0, 1) * 255).round().to(torch.uint8)


def to_float(x: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """uint8 images (N, C, H, W) -> floats in [0, 1]. Raises TypeError if `x` is not uint8, ValueError if not 4-D."""
    if (found := x.dtype if isinstance(x, Tensor) else type(x).__name__) != torch.uint8:
        raise TypeError(f"x: expected a uint8 tensor (N, C, H, W), got {found}")
    if x.ndim != 4:
        raise ValueError(f"x: expected 4 dimensions (N, C, H, W), got shape {tuple(x.shape)}")
    return x.to(dtype) / 255


def quantize(x: Tensor) -> Tensor:
    """Float images (N, C, H, W) as if saved in 8-bit files and read back -> same shape and dtype, no gradient."""
    return to_float(to_uint8(x), x.dtype)
