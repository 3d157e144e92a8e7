"""NIQE: how unlike natural photographs an image's local statistics are, judged without a reference image."""

from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import Literal, NamedTuple, get_args
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import correlate1d
from scipy.special import gammaln
from torch import Tensor

from facesr_lib.image import quantize, resize_bicubic, rgb_to_y, to_float, to_uint8
from facesr_lib.image.check import check_values
from facesr_lib.metrics.metric import Metric
from facesr_lib.metrics.weights import require

Array = NDArray[np.float64]
Luma = Literal["y", "gray"]

SMALLEST = 192  # px per side: two by two blocks
_BLOCK = 96
_BELL = np.exp(-(np.arange(-3, 4) ** 2) / (2 * (7 / 6) ** 2))
_WINDOW = _BELL / _BELL.sum()  # 7 taps of a Gaussian with sigma 7/6, along each axis
_RGB2GRAY = (0.298936021293775, 0.587043074451121, 0.114020904255103)  # MATLAB's; other programs round to 0.299, 0.587, 0.114
_NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))  # right, below, and the two diagonals
_SHAPES = np.arange(200, 10001) / 1000  # the shape parameters that a fit can give, as in the authors' release


def niqe(x: Tensor, *, enlarge: bool | int = False, luma: Luma = "y") -> Tensor:
    """NIQE of each image, lower is better, about 2 to 10 for photographs: RGB (N, 3, H, W) in [0, 1] -> (N,) float64.

    Mittal, Soundararajan and Bovik, "Making a completely blind image quality analyzer" (IEEE Signal Processing Letters
    20, 2013): 36 features of 96x96 blocks at two scales, a Gaussian fitted to them, and its distance to the Gaussian of the
    authors' pristine photographs. BasicSR's convention: 8-bit image, BT.601 studio-range Y rounded to whole levels, cut to
    multiples of 96 at the right and bottom. luma="gray" takes MATLAB's rgb2gray, as the authors' release; they differ by
    0.1 to 0.5. A block without texture (a blank background) has no statistics and is left out; at least two must remain. The
    four blocks of 192x192 pixels give a weak estimate: compare means over many images, all of one size. enlarge: first enlarge
    images under 192 px with MATLAB's bicubic, by the smallest whole factor that reaches 192 (True) or by this factor.

    Raises ValueError for a side under 192 px, images with fewer than two textured blocks, NaN or infinity;
    WeightsMissing, with the command to run, without the pristine parameters. Computed on the CPU, also for CUDA tensors.
    """
    check_values(x, "x")
    if luma not in get_args(Luma):
        raise ValueError(f'luma: expected "y" or "gray", got {luma!r}')
    factor = _factor(x, enlarge)

    natural = pristine(require("niqe"))
    scores = []
    levels = to_uint8(x).cpu()
    for i in range(len(x)):
        rgb = to_float(levels[i : i + 1], torch.float64)
        if factor > 1:
            rgb = quantize(resize_bicubic(rgb, factor))
        plane = rgb_to_y(rgb) if luma == "y" else (rgb * rgb.new_tensor(_RGB2GRAY).view(3, 1, 1)).sum(1, keepdim=True)
        features = block_features((plane[0, 0] * 255).round().numpy())
        if len(features) < 2:
            few = f"image {i} has {len(features)} textured blocks of {_BLOCK} x {_BLOCK} px, NIQE needs 2"
            raise ValueError(f"x: {few}: it is too flat or too regular to have natural statistics; leave it out")
        scores.append(_distance(natural, Gaussian(features.mean(axis=0), np.cov(features, rowvar=False))))
    return torch.tensor(scores, dtype=torch.float64, device=x.device)


def niqe_metric(size: int) -> Metric:
    """The record of `niqe` with `enlarge` for images of `size` px. Raises WeightsMissing without the pristine parameters."""
    require("niqe")
    factor = max(1, ceil(SMALLEST / size))
    label = f"NIQE (Y, BasicSR blocks{f', bicubic x{factor}' if factor > 1 else ''})"
    return Metric("niqe", label, lambda sr, hr=None: niqe(sr, enlarge=factor), "NIQE", label, higher_is_better=False)


def _factor(x: Tensor, enlarge: bool | int) -> int:
    """By how much the images are enlarged; ValueError when they stay too small."""
    side = min(x.shape[2:])
    factor = max(1, ceil(SMALLEST / side)) if enlarge is True else 1 if enlarge is False else enlarge
    if not isinstance(factor, int) or factor < 1:
        raise ValueError(f"enlarge: expected True, False or a whole factor >= 1, got {enlarge!r}")
    if side * factor < SMALLEST:
        small = (
            f"images of {x.shape[2]} x {x.shape[3]}{f' enlarged x{factor}' if factor > 1 else ''} are under {SMALLEST} px a side"
        )
        raise ValueError(f"x: {small}, where NIQE is not defined; enlarge=True scores them enlarged")
    return factor


class Gaussian(NamedTuple):
    """Mean (36,) and covariance (36, 36) of the features."""

    mean: Array
    covariance: Array


def _distance(a: Gaussian, b: Gaussian) -> float:
    """Equation (10) of the paper; the pseudo-inverse stands in where few blocks leave a covariance of low rank."""
    gap = a.mean - b.mean
    return float(np.sqrt(gap @ np.linalg.pinv((a.covariance + b.covariance) / 2) @ gap))


def block_features(plane: Array) -> Array:
    """The 36 features of every textured 96x96 block: grey levels (H, W), 0..255 -> (number of blocks, 36).

    A block is left out when a fit has no answer: no contrast, or values on one side of zero only.
    """
    height, width = (n - n % _BLOCK for n in plane.shape)
    plane = plane[:height, :width]
    half = resize_bicubic(torch.from_numpy(plane / 255)[None, None], 0.5)[0, 0].numpy() * 255
    features = np.concatenate([_scale_features(plane, _BLOCK), _scale_features(half, _BLOCK // 2)], axis=1)
    return features[np.isfinite(features).all(axis=1)]


def _scale_features(plane: Array, block: int) -> Array:
    """18 features of every block x block square, NaN where a fit has no answer: (H, W) -> (number of squares, 18)."""
    rows, columns = plane.shape[0] // block, plane.shape[1] // block
    squares = normalised(plane).reshape(rows, block, columns, block).swapaxes(1, 2).reshape(-1, block, block)
    shape, left, right = fit_aggd(squares)
    features = [shape, (left + right) / 2]
    for shift in _NEIGHBOURS:
        shape, left, right = fit_aggd(squares * np.roll(squares, shift, axis=(1, 2)))
        mean = (right - left) * np.exp(gammaln(2 / shape) - gammaln(1 / shape))
        features += [shape, mean, left, right]
    return np.stack(features, axis=1)


def normalised(plane: Array) -> Array:
    """Mean-subtracted, contrast-normalised levels, equation (1): (H, W), 0..255 -> (H, W); border pixels repeated outward."""
    mean = _blur(plane)
    deviation = np.sqrt(np.abs(_blur(plane * plane) - mean * mean))
    difference = plane - mean
    # Rounding leaves 1e-14 instead of 0 in flat places, with a random sign that the fits below would count.
    difference[np.abs(difference) < 1e-9] = 0
    return difference / (deviation + 1)


def _blur(plane: Array) -> Array:
    return correlate1d(correlate1d(plane, _WINDOW, axis=0, mode="nearest"), _WINDOW, axis=1, mode="nearest")


def fit_aggd(values: Array) -> tuple[Array, Array, Array]:
    """Asymmetric generalised Gaussian of each set of values, by moments: (K, ...) -> shape, left and right scale, each (K,).

    Lasmar, Stitou and Berthoumieu (ICIP 2009), shapes 0.2 to 10 in steps of 0.001. NaN where one side of zero has no values.
    """
    values = values.reshape(len(values), -1)
    squares = values**2
    with np.errstate(invalid="ignore"):  # 0 / 0 is the NaN that marks a side without values
        spread_left = np.sqrt((squares * (values < 0)).sum(axis=1) / (values < 0).sum(axis=1))
        spread_right = np.sqrt((squares * (values > 0)).sum(axis=1) / (values > 0).sum(axis=1))
        moments = np.abs(values).mean(axis=1) ** 2 / squares.mean(axis=1)
    skew = spread_left / np.where(spread_right > 0, spread_right, np.nan)
    target = moments * (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2

    # The moment ratio grows with the shape, so the nearest grid point is one of the two neighbours of the target.
    ratio = np.exp(2 * gammaln(2 / _SHAPES) - gammaln(1 / _SHAPES) - gammaln(3 / _SHAPES))
    above = np.searchsorted(ratio, target).clip(1, len(ratio) - 1)
    nearest = np.where(target - ratio[above - 1] <= ratio[above] - target, above - 1, above)
    shape = np.where(np.isfinite(target), _SHAPES[nearest], np.nan)
    scale = np.exp((gammaln(1 / shape) - gammaln(3 / shape)) / 2)
    return shape, spread_left * scale, spread_right * scale


@lru_cache(maxsize=2)
def pristine(path: Path) -> Gaussian:
    """The authors' Gaussian of pristine photographs, from BasicSR's file of it. Raises ValueError for another file."""
    try:
        with np.load(path, allow_pickle=False) as file:
            found = Gaussian(file["mu_pris_param"].ravel(), file["cov_pris_param"])
    except (ValueError, KeyError, EOFError, BadZipFile) as error:
        raise ValueError(f"{path} does not hold NIQE's parameters ({error}); run: facesr weights fetch niqe") from error
    if (found.mean.shape, found.covariance.shape) != ((36,), (36, 36)):
        raise ValueError(f"{path} holds other parameters than NIQE's 36 features; run: facesr weights fetch niqe")
    return found
