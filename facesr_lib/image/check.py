"""The one place that checks image tensors, so that all functions raise the same errors.

All check type and shape. Only who scores checks values, too: to read one makes the host wait for a GPU, which no training step
may. So what trains takes values outside [0, 1] as they come. A score takes SR that leaves [0, 1] by up to OVERSHOOT anywhere and
ON_AVERAGE over an image, clamped as in a PNG; more is another range, of which a score would look plausible and mean nothing.
"""

from math import inf

import torch
from torch import Tensor

OVERSHOOT, ON_AVERAGE = 0.5, 0.05


def widest(x: Tensor) -> torch.dtype:
    """The dtype of weights that are rounded to `x`'s at the end: float64, which MPS (the GPU of Apple's processors) lacks."""
    return torch.float32 if x.device.type == "mps" else torch.float64


def check_some(x: Tensor, name: str, least: int = 1) -> Tensor:
    """Return `x`, which must hold `least` floating-point values or more: a mean of none is NaN. Raises as `check_images`."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{name}: expected a torch.Tensor of floating-point values, got {type(x).__name__}")
    if not x.is_floating_point() or x.dtype.itemsize < 2:
        remedy = "convert 8-bit with to_float, others by their level of white (16-bit: x / 65535)"
        raise TypeError(f"{name}: expected floating-point values, in [0, 1] for images, got {x.dtype}; {remedy}")
    if x.numel() < least:
        raise ValueError(f"{name}: expected at least one value, got shape {tuple(x.shape)}")
    return x


def check_images(x: Tensor, name: str, *, channels: int | None = None) -> None:
    """Check that `x` is a floating-point image batch (N, C, H, W), N >= 0; `name` is the argument's name in the message.

    With `channels`, C must equal it. Raises TypeError for a wrong type or dtype and ValueError for a wrong shape.
    """
    check_some(x, name, 0)
    if x.ndim != 4:
        raise ValueError(f"{name}: expected 4 dimensions (N, C, H, W), got shape {tuple(x.shape)}")
    if 0 in x.shape[1:]:
        raise ValueError(f"{name}: the images are empty, got shape {tuple(x.shape)}")
    if channels is not None and x.shape[1] != channels:
        raise ValueError(f"{name}: expected {channels} channels (N, {channels}, H, W), got shape {tuple(x.shape)}")


def check_values(x: Tensor, name: str) -> None:
    """Check that `x` holds RGB images that can be scored, as the top of this file says. Raises as `check_images` does."""
    check_images(x, name, channels=3)
    beyond = (x - x.clamp(0, 1)).detach().abs().flatten(1).float()
    unfit = ~((beyond.amax(1) <= OVERSHOOT) & (beyond.mean(1) <= ON_AVERAGE))  # NaN fits nowhere
    if unfit.any():
        (low, high), where = x.detach()[unfit].aminmax(), f"in the images at {unfit.nonzero().flatten().tolist()[:10]}"
        if not (high - low).isfinite():
            raise ValueError(f"{name}: NaN or infinity {where}")
        white = "255" if high < 400 else "the level of white (16 bit: 65535)"
        remedy = f"divide by {white}" if high > 4 else "map them to [0, 1], from [-1, 1] by (x + 1) / 2,"
        raise ValueError(f"{name}: values from {low:.3g} to {high:.3g} {where}; expected [0, 1]: {remedy} first")


def check_pair(sr: Tensor, hr: Tensor, *, channels: int | None = 3, scored: bool = True) -> None:
    """Check that SR and HR are image batches of one shape; scored: RGB that can be. Raises as `check_images` does."""
    for x, name in ((sr, "sr"), (hr, "hr")):
        check_values(x, name) if scored else check_images(x, name, channels=channels)
    if sr.shape != hr.shape:
        raise ValueError(f"sr and hr must have one shape, got {tuple(sr.shape)} and {tuple(hr.shape)}")


def check_square(x: Tensor, name: str, *, channels: int | None = None) -> int:
    """Check that `x` is one square image (1, C, S, S) and return S. Raises as `check_images` does."""
    check_images(x, name, channels=channels)
    if len(x) != 1 or x.shape[2] != x.shape[3]:
        raise ValueError(f"{name}: expected one square image (1, C, S, S), got shape {tuple(x.shape)}")
    return x.shape[3]


def check_number(value: float, name: str, least: float, most: float = inf) -> None:
    """Check that `value` is finite and from `least` to `most`. Raises ValueError."""
    if not least <= value <= most or value == inf:
        raise ValueError(
            f"{name}: expected a number {f'>= {least:g}' if most == inf else f'from {least:g} to {most:g}'}, got {value}"
        )
