"""The one place that checks image tensors, so that all functions raise the same errors."""

from torch import Tensor


def check_images(x: Tensor, name: str, *, channels: int | None = None) -> None:
    """Check that `x` is a floating-point image batch (N, C, H, W); `name` is the argument's name in the message.

    With `channels`, C must equal it. Values are not checked: that would cost a device synchronisation per call.
    Raises TypeError for a wrong type or dtype and ValueError for a wrong shape.
    """
    if not isinstance(x, Tensor):
        raise TypeError(f"{name}: expected a torch.Tensor (N, C, H, W), got {type(x).__name__}")
    if not x.is_floating_point():
        raise TypeError(f"{name}: expected floating-point values in [0, 1], got {x.dtype}; convert 8-bit with to_float")
    if x.ndim != 4:
        raise ValueError(f"{name}: expected 4 dimensions (N, C, H, W), got shape {tuple(x.shape)}")
    if 0 in x.shape[1:]:
        raise ValueError(f"{name}: the images are empty, got shape {tuple(x.shape)}")
    if channels is not None and x.shape[1] != channels:
        raise ValueError(f"{name}: expected {channels} channels (N, {channels}, H, W), got shape {tuple(x.shape)}")


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


def check_square(x: Tensor, name: str, *, channels: int | None = None) -> int:
    """Check that `x` is one square image (1, C, S, S) and return S. Raises as `check_images` does."""
    check_images(x, name, channels=channels)
    if len(x) != 1 or x.shape[2] != x.shape[3]:
        raise ValueError(f"{name}: expected one square image (1, C, S, S), got shape {tuple(x.shape)}")
    return x.shape[3]
