"""Identity similarity: does a face recognition network see the same person in SR as in HR?"""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facesr_lib.image.check import check_pair
from facesr_lib.metrics.faceapi import network_input, run, trained
from facesr_lib.metrics.metric import Metric
from facesr_lib.metrics.weights import require

_SIZE = 150
_STAGES = ((32, 3), (64, 3), (128, 2), (256, 2))  # channels, residual blocks at one resolution


def identity_similarity(sr: Tensor, hr: Tensor, device: torch.device | str | None = None) -> Tensor:
    """Cosine similarity of the embeddings of SR and HR, 1 for identical images: two RGB (N, 3, H, W) in [0, 1] -> (N,) float64.

    Images must be face crops as training data has them: one upright face, eyes level, that fills most of the picture.
    Backend "ID (face-api)", see `embed`: not comparable with ArcFace values. All its embeddings lie close together: photos
    of one person score about 0.95, of two people 0.91, bicubic x2, x4, x8 about 0.996, 0.97, 0.93. What counts is the
    distance to 1. Computed on `device` (default: where `sr` is).
    Raises ValueError for different shapes, NaN or infinity; WeightsMissing, with the command to run, without the weights.
    """
    check_pair(sr, hr)
    a, b = (embed(x, device).double() for x in (sr, hr))
    return F.cosine_similarity(a, b, dim=1, eps=1e-12).to(sr.device)


def embed(x: Tensor, device: torch.device | str | None = None) -> Tensor:
    """128 numbers that are close for faces of one person: RGB face crops (N, 3, H, W) in [0, 1] -> (N, 128) float32, on `device`.

    face-api's recognition network (@vladmandic/face-api 1.7.15, MIT; dlib's ResNet layout): the 8-bit image,
    squared with black bars, resized to 150x150 (bilinear). Not normalised. No gradient; a result does not depend on its
    batch beyond rounding (1e-6). Raises as `identity_similarity`.
    """
    faces = network_input(x, _SIZE).to(device or x.device)
    return run(trained(IdentityNet, "identity", require("face-api"), str(faces.device)), faces)


def identity_metric(device: torch.device | str | None = None) -> Metric:
    """The record of `identity_similarity`. Raises WeightsMissing without the weights."""
    require("face-api")
    function = partial(identity_similarity, device=device)
    return Metric("identity_face_api", "ID (face-api)", function, "identity", "cosine, RGB, 8-bit, 150 px")


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
        self.conv1 = nn.Conv2d(before, after, 3, stride=2, padding=0) if halve else nn.Conv2d(before, after, 3, padding=1)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(self.conv1(x).relu())
        if self.halve:
            x = F.avg_pool2d(x, 2)
            # Zeros stand in where a branch lacks channels, a column at the right or a row at the bottom.
            y = F.pad(y, (0, x.shape[3] - y.shape[3], 0, x.shape[2] - y.shape[2]))
            x = F.pad(x, (0, 0, 0, 0, 0, y.shape[1] - x.shape[1]))
        return (x + y).relu()
