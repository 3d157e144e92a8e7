"""What the two face-api networks share: the picture they expect, and how they are loaded and run.

@vladmandic/face-api 1.7.15 (npm, MIT) carries networks trained for face-api.js: a face recognition network converted from
dlib's, and a landmark detector. Only their weights are used (`facesr_tools.convert`); the networks are written out in PyTorch.
"""

from functools import lru_cache
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from facesr_lib.image import to_float, to_uint8
from facesr_lib.image.check import check_values
from facesr_lib.metrics.precise import full_precision

MEAN_RGB = (122.782, 117.001, 104.298)  # subtracted from levels 0..255
_CHUNK = 64  # images in a network at a time, so that memory does not grow with the batch


def network_input(x: Tensor, size: int) -> Tensor:
    """Face crops as the networks saw them in training: RGB (N, 3, H, W) in [0, 1] -> (N, 3, size, size).

    8-bit, black bars on the shorter sides to make a centred square, bilinear resize (antialiased when it shrinks), mean
    colour subtracted. Raises ValueError for other shapes and values.
    """
    check_values(x, "x")
    levels = to_float(to_uint8(x)) * 255
    left, top, side = square_padding(x.shape[2], x.shape[3])
    square = F.pad(levels, (left, side - x.shape[3] - left, top, side - x.shape[2] - top))
    if side != size:
        square = F.interpolate(square, size=(size, size), mode="bilinear", align_corners=False, antialias=True)
    return (square - square.new_tensor(MEAN_RGB)[:, None, None]) / 255


def square_padding(height: int, width: int) -> tuple[int, int, int]:
    """Where an image lies in its padded square: columns to its left, rows above it, side of the square."""
    side = max(height, width)
    return (side - width) // 2, (side - height) // 2, side


def run(network: nn.Module, faces: Tensor) -> Tensor:
    """The network's outputs (N, K), float32, for `faces` (N, 3, size, size); no gradient, chunk by chunk."""
    with full_precision(faces.device):
        return torch.cat([network(chunk) for chunk in faces.split(_CHUNK)])


@lru_cache(maxsize=8)
def trained(kind: type[nn.Module], part: str, weights: Path, device: str = "cpu") -> nn.Module:
    """A network for inference on `device`, with the weights of its `part` of the file; loaded once, since nothing changes it.

    Raises ValueError if the weights do not fit.
    """
    network = kind()
    state = {name.removeprefix(f"{part}."): value for name, value in load_file(weights).items() if name.startswith(f"{part}.")}
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(f"{weights} does not hold the weights of {kind.__name__}: {error}") from error
    return network.eval().requires_grad_(False).to(device)
