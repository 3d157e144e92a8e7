"""What the two face-api networks share: weight files with 8-bit levels, the picture they expect, and how they are run.

@vladmandic/face-api 1.7.15 (npm, MIT) carries networks trained for face-api.js: a face recognition network converted from
dlib's, and a landmark detector. Only their weight files are used; the networks are written out in PyTorch.
"""

import json
from collections.abc import Callable
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facesr_lib.image import to_float, to_uint8
from facesr_lib.metrics.pairs import check_finite
from facesr_lib.metrics.precise import full_precision

Network = TypeVar("Network", bound=nn.Module)
MEAN_RGB = (122.782, 117.001, 104.298)  # subtracted from levels 0..255
_CHUNK = 64  # images in a network at a time, so that memory does not grow with the batch


def read_weights(folder: Path, model: str) -> dict[str, Tensor]:
    """The tensors of `<model>-weights_manifest.json` and the files it names, by name, as float64, in TensorFlow's layout.

    The format is TensorFlow.js's: the tensors of a group lie one after the other in the group's files. A quantised tensor
    is stored as levels 0..255 and means level * scale + min.
    Raises FileNotFoundError for a missing file and ValueError, naming the file, for contents that do not fit together.
    """
    manifest = folder / f"{model}-weights_manifest.json"
    try:
        groups = json.loads(_content(manifest))
        found: dict[str, Tensor] = {}
        for group in groups:
            if escaping := [path for path in group["paths"] if Path(path).name != path]:
                raise ValueError(f"{manifest}: {escaping[0]!r} is not the name of a file beside it")
            content, start = b"".join(_content(folder / path) for path in group["paths"]), 0
            for entry in group["weights"]:
                stored, scale, offset = _storage(entry)
                count = prod(entry["shape"])
                if start + count * stored.itemsize > len(content):
                    raise ValueError(f"{manifest}: {', '.join(group['paths'])} is too short for {entry['name']!r}")
                levels = np.frombuffer(content, stored, count, start).astype(np.float64)
                found[entry["name"]] = torch.from_numpy((levels * scale + offset).reshape(entry["shape"]))
                start += count * stored.itemsize
            if start != len(content):
                raise ValueError(f"{manifest}: {', '.join(group['paths'])} has {len(content) - start} bytes too many")
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{manifest} is not a TensorFlow.js weights manifest ({error!r})") from error
    return found


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path} is missing: facesr weights fetch face-api") from error


def _storage(entry: dict[str, Any]) -> tuple[np.dtype, float, float]:
    """How a tensor is stored: number type, scale, offset."""
    quantised = entry.get("quantization")
    if quantised is not None and quantised["dtype"] == "uint8":
        return np.dtype(np.uint8), quantised["scale"], quantised["min"]
    if quantised is None and entry["dtype"] == "float32":
        return np.dtype("<f4"), 1.0, 0.0
    raise ValueError(f"{entry['name']!r}: only float32 and 8-bit weights can be read, this one is {quantised or entry['dtype']}")


def network_input(x: Tensor, size: int, name: str) -> Tensor:
    """Face crops as the networks saw them in training: RGB (N, 3, H, W) in [0, 1] -> (N, 3, size, size).

    8-bit, black bars on the shorter sides to make a centred square, bilinear resize (antialiased when it shrinks), mean
    colour subtracted. `name` is the argument's name in messages. Raises ValueError for other shapes, NaN or infinity.
    """
    check_finite(x, name)
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
def loaded(load: Callable[[Path, str], Network], folder: Path, device: str) -> Network:
    """`load(folder, device)`, once per process; nothing ever changes the network."""
    return load(folder, device)


def frozen(network: Network, state: dict[str, Tensor], device: torch.device | str) -> Network:
    """Give `network` its weights and return it, on `device`, for inference only. Raises ValueError when they do not fit."""
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(f"these are not the weights of {type(network).__name__}: {error}") from error
    return network.eval().requires_grad_(False).to(device)
