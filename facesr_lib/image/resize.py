"""Three ways to resize an image. Scores are comparable only if their LR images were made in the same way."""

from functools import lru_cache
from math import ceil

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from facesr_lib.image.check import check_images, check_number


def resize_bicubic(x: Tensor, scale: float | None = None, *, size: tuple[int, int] | None = None) -> Tensor:
    """MATLAB's imresize(x, scale) or imresize(x, [h w]): (N, C, H, W) -> (N, C, ceil(H * scale), ceil(W * scale)).

    Cubic kernel with a = -0.5, widened when shrinking (antialiasing), symmetric border, result not clipped: it can leave
    [0, 1] by a little. OpenCV and plain torch differ in kernel, border and antialiasing, and give other LR images.
    With `size` = (height, width) the scale of each axis is new length / old length. Use it if H * scale should be whole but
    rounds up in floating point (70 * 0.1 > 7). Differentiable, any device; same dtype and device as `x`.
    Computed in float32 or better even under autocast; on CUDA, TF32 matrix products (off by default) cost accuracy.

    Raises ValueError unless exactly one of `scale` (0.001 to 1000) and `size` (whole numbers > 0) is given.
    """
    (height, width), (scale_h, scale_w) = _target(x, scale, size)
    wide = x.float() if x.dtype.itemsize < 4 else x
    # Every output row is a weighted sum of input rows, and likewise for columns: two small matrices do the resize.
    matrices = _bicubic_weights(x.shape[2], height, scale_h), _bicubic_weights(x.shape[3], width, scale_w)
    # non_blocking: the host does not wait until the device has what it is given.
    rows, columns = (torch.tensor(matrix, dtype=wide.dtype).to(x.device, non_blocking=True) for matrix in matrices)
    with torch.autocast("cpu" if x.is_meta else x.device.type, enabled=False):
        return (rows @ wide @ columns.T).to(x.dtype)


def resize_bilinear(x: Tensor, scale: float | None = None, *, size: tuple[int, int] | None = None) -> Tensor:
    """Bilinear resize with half-pixel centres and without antialiasing: torch's align_corners=False, antialias=False.

    (N, C, H, W) -> (N, C, ceil(H * scale), ceil(W * scale)), or `size`. Samples lie at the pixels' centres; replicated border. A
    halving averages 2x2 pixels; more skips pixels and aliases (use `average_pool`). Raises ValueError as `resize_bicubic` does.
    """
    size, _ = _target(x, scale, size)
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False, antialias=False)


def average_pool(x: Tensor, factor: int) -> Tensor:
    """Mean over blocks of `factor` x `factor` pixels: (N, C, H, W) -> (N, C, H / factor, W / factor).

    Equals log2(factor) bilinear halvings, without their rounding. Raises ValueError if `factor` < 1 or does not divide H and W.
    """
    check_divisible(x, factor, "x")
    return F.avg_pool2d(x, factor)


def check_divisible(x: Tensor, factor: int, name: str) -> None:
    """Raise ValueError unless `x` is an image batch and `factor` >= 1 divides its H and W; TypeError as `check_images` does."""
    check_images(x, name)
    check_number(factor, "factor", 1)
    height, width = x.shape[2:]
    if height % factor or width % factor:
        crop = f"crop to {height - height % factor} x {width - width % factor} first"
        raise ValueError(f"{name}: height {height} and width {width} must be multiples of {factor}; {crop}")


def _target(x: Tensor, scale: float | None, size: tuple[int, int] | None) -> tuple[tuple[int, int], tuple[float, float]]:
    """Output (height, width) and the scale of each axis, by MATLAB's rules."""
    check_images(x, "x")
    height, width = x.shape[2:]
    if (scale is None) == (size is None):
        raise ValueError("give either scale or size=(height, width), not both and not neither")
    if size is not None:
        if len(size) != 2 or any(n < 1 or n != int(n) for n in size):
            raise ValueError(f"size: expected (height, width) in whole pixels >= 1, got {size}")
        return (int(size[0]), int(size[1])), (size[0] / height, size[1] / width)
    assert scale is not None
    check_number(scale, "scale", 0.001, 1000)
    return (ceil(height * scale), ceil(width * scale)), (float(scale), float(scale))


# NumPy arrays, not tensors, are cached: a tensor first made in inference mode could not be used in training later.
@lru_cache(maxsize=16)
def _bicubic_weights(n_in: int, n_out: int, scale: float) -> NDArray[np.float64]:
    """The (n_out, n_in) matrix that resizes a line of n_in pixels; float64; every row sums to 1."""
    stretch = min(scale, 1.0)  # a reduction uses a kernel 1 / scale times as wide
    support = 4 / stretch
    centre = (np.arange(n_out) + 0.5) / scale - 0.5  # where each output pixel lies among the input pixels
    first = np.floor(centre - support / 2).astype(np.int64)
    taps = first[:, None] + np.arange(ceil(support) + 2)
    weights = cubic(stretch * (centre[:, None] - taps))
    weights /= weights.sum(axis=1, keepdims=True)
    mirror = np.concatenate([np.arange(n_in), np.arange(n_in)[::-1]])  # symmetric border: ... 1 0 | 0 1 2 ...
    matrix = np.zeros((n_out, n_in))
    np.add.at(matrix, (np.arange(n_out)[:, None], mirror[taps % (2 * n_in)]), weights)
    matrix.flags.writeable = False  # the cache hands out this very array
    return matrix


def cubic(t: NDArray[np.float64], a: float = -0.5) -> NDArray[np.float64]:
    """Keys' cubic convolution kernel (IEEE Trans. ASSP 29, 1981) at distances `t` in pixels, zero for |t| >= 2."""
    t = np.abs(t)
    inner = ((a + 2) * t - (a + 3)) * t**2 + 1
    outer = ((a * t - 5 * a) * t + 8 * a) * t - 4 * a
    return np.where(t <= 1, inner, np.where(t < 2, outer, 0.0))
