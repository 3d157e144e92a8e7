"""Identity similarity: does a face recognition network see the same person in SR as in HR?"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facesr_lib.metrics.faceapi import frozen, network_input, read_weights, run
from facesr_lib.metrics.weights import require

IDENTITY_BACKEND = "ID (face-api)"
_MODEL, _SIZE = "face_recognition_model", 150
_STAGES = ((32, 3), (64, 3), (128, 2), (256, 2))  # channels, residual blocks at one resolution


def identity_similarity(sr: Tensor, hr: Tensor, device: torch.device | str | None = None) -> Tensor:
    """Cosine similarity of the embeddings of SR and HR, 1 for identical images: two RGB (N, 3, H, W) in [0, 1] -> (N,) float64.

    Images must be face crops as training data has them: one upright face, eyes level, that fills most of the picture.
    Backend "ID (face-api)", see `embed`: not comparable with ArcFace values. All its embeddings lie close together: photos
    of one person score about 0.95, of two people 0.91, bicubic x2, x4, x8 about 0.996, 0.97, 0.93. What counts is the
    distance to 1. Computed on `device` (default: where `sr` is).
    Raises ValueError for different shapes, NaN or infinity; WeightsMissing, with the command to run, without the weights.
    """
    if sr.shape != hr.shape:
        raise ValueError(f"sr and hr must have one shape, got {tuple(sr.shape)} and {tuple(hr.shape)}")
    a, b = (embed(x, device, name=name).double() for x, name in ((sr, "sr"), (hr, "hr")))
    return F.cosine_similarity(a, b, dim=1, eps=1e-12).to(sr.device)


def embed(x: Tensor, device: torch.device | str | None = None, *, name: str = "x") -> Tensor:
    """128 numbers that are close for faces of one person: RGB face crops (N, 3, H, W) in [0, 1] -> (N, 128) float32, on `device`.

    face-api's recognition network (@vladmandic/face-api 1.7.15, MIT; dlib's ResNet layout): the 8-bit image,
    squared with black bars, resized to 150x150 (bilinear). Not normalised. No gradient; a result does not depend on its
    batch beyond rounding (1e-6). `name` is the argument's name in messages. Raises as `identity_similarity`.
    """
    faces = network_input(x, _SIZE, name).to(device or x.device)
    return run(_cached(require("face-api"), str(faces.device)), faces)


class IdentitySummary(NamedTuple):
    """How papers report identity: the mean, and the 5th percentile for the faces that came out worst."""

    mean: float
    percentile_5: float


def summarize(similarity: Tensor) -> IdentitySummary:
    """Mean and 5th percentile (linear interpolation) of per-image values (N,). Raises ValueError for N = 0."""
    if similarity.numel() == 0:
        raise ValueError("similarity: there are no values to summarize")
    values = similarity.double()
    return IdentitySummary(float(values.mean()), float(values.quantile(0.05)))


class IdentityNet(nn.Module):
    """The residual network: (N, 3, 150, 150) from `network_input` -> (N, 128).

    Every convolution is followed by a learned gain and offset per channel, which are folded into its weights here.
    """

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 32, 7, stride=2)
        self.blocks = nn.ModuleDict()
        before = 32
        for width, plain in _STAGES:
            if width != before:
                self.blocks[f"conv{width}_down"] = Residual(before, width, halve=True)
            for i in range(1, plain + 1):
                self.blocks[f"conv{width}_{i}"] = Residual(width, width)
            before = width
        self.blocks["conv256_down_out"] = Residual(256, 256, halve=True)
        self.last = nn.Linear(256, 128, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(self.first(x).relu(), 3, stride=2)
        for block in self.blocks.values():
            x = block(x)
        return self.last(x.mean(dim=(2, 3)))


class Residual(nn.Module):
    """relu(x + conv(relu(conv(x)))). With `halve`, the first convolution has stride 2 and x is averaged over 2x2 pixels."""

    def __init__(self, before: int, after: int, *, halve: bool = False) -> None:
        super().__init__()
        self.halve = halve
        self.conv1 = (
            nn.Conv2d(before, after, 3, stride=2, padding=0) if halve else nn.Conv2d(before, after, 3, padding=1)
        )
        self.conv2 = nn.Conv2d(after, after, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(self.conv1(x).relu())
        if self.halve:
            x = F.avg_pool2d(x, 2)
            # Zeros stand in where a branch lacks channels, a column at the right or a row at the bottom.
            y = F.pad(y, (0, x.shape[3] - y.shape[3], 0, x.shape[2] - y.shape[2]))
            x = F.pad(x, (0, 0, 0, 0, 0, y.shape[1] - x.shape[1]))
        return (x + y).relu()


def load_identity(folder: Path, device: torch.device | str = "cpu") -> IdentityNet:
    """The network with the weights in `folder` (face-api's `model` folder), for inference. Raises as `read_weights`."""
    weights = read_weights(folder, _MODEL)
    state = {"last.weight": weights["fc"].T} if "fc" in weights else {}
    for name in (key.removesuffix("/conv/filters") for key in weights if key.endswith("/conv/filters")):
        ours = "first" if name == "conv32_down" else f"blocks.{name.replace('/', '.')}"
        gain = weights[f"{name}/scale/weights"]
        state[f"{ours}.weight"] = weights[f"{name}/conv/filters"].permute(3, 2, 0, 1) * gain[:, None, None, None]
        state[f"{ours}.bias"] = weights[f"{name}/conv/bias"] * gain + weights[f"{name}/scale/biases"]
    return frozen(IdentityNet(), state, device)


# A network is read once per process and device; nothing ever changes it.
@lru_cache(maxsize=4)
def _cached(folder: Path, device: str) -> IdentityNet:
    return load_identity(folder, device)
