"""Landmark error: are eyes, nose, mouth and jaw of SR where they are in HR?"""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facesr_lib.image.check import check_pair
from facesr_lib.metrics.faceapi import network_input, run, square_padding, trained
from facesr_lib.metrics.metric import Metric
from facesr_lib.metrics.weights import require

OUTER_EYE_CORNERS = (36, 45)  # of the 68 points of the iBUG scheme
_SIZE = 112
_STAGES = ((3, 32), (32, 64), (64, 128), (128, 256))  # channels before and after


def landmark_error(sr: Tensor, hr: Tensor, device: torch.device | str | None = None) -> Tensor:
    """Normalised mean error of the landmarks found on SR, 0 is best: two RGB (N, 3, H, W) in [0, 1] -> (N,) float64.

    Mean distance between the 68 points found on SR and those found on HR, over the distance of HR's outer eye corners
    (points 36 and 45, counted from 0). The points found on HR stand in for the truth, as super-resolution papers do.
    Images must be face crops, see `landmarks`. Backend "NME (face-api 68)": about 0.01 for bicubic x2, 0.05 for x4, and
    0.5 for x8, where faces are too blurred for the network to find any point. Computed on `device` (default: where `sr` is).
    Raises ValueError for different shapes, NaN or infinity; WeightsMissing, with the command to run, without the weights.
    """
    check_pair(sr, hr)
    found, truth = (landmarks(x, device).double() for x in (sr, hr))
    return normalised_mean_error(found, truth).to(sr.device)


def normalised_mean_error(found: Tensor, truth: Tensor) -> Tensor:
    """Mean point distance over the distance of the true outer eye corners: two (N, 68, 2), any unit -> (N,)."""
    left, right = OUTER_EYE_CORNERS
    eyes = (truth[:, left] - truth[:, right]).norm(dim=1)
    return (found - truth).norm(dim=2).mean(dim=1) / eyes


def landmarks(x: Tensor, device: torch.device | str | None = None) -> Tensor:
    """68 points (x, y) on each face crop: RGB (N, 3, H, W) in [0, 1] -> (N, 68, 2) float32, in pixels, on `device`.

    The origin is the top left corner of the image, x to the right, y down. Order of iBUG: 0-16 jaw, 17-26 brows, 27-35
    nose, 36-47 eyes, 48-67 mouth. face-api's landmark network (@vladmandic/face-api 1.7.15, MIT) on the 8-bit image,
    squared with black bars, resized to 112x112 (bilinear). It does not look for the face: one upright face must fill most
    of the picture, about from the brows to the chin. No gradient; a result does not depend on its batch beyond rounding
    (1e-6 of the image's side). Raises as `landmark_error`.
    """
    faces = network_input(x, _SIZE).to(device or x.device)
    points = run(trained(LandmarkNet, "landmarks", require("face-api"), str(faces.device)), faces).reshape(-1, 68, 2)
    left, top, side = square_padding(x.shape[2], x.shape[3])
    return points * side - points.new_tensor([left, top])


def landmark_metric(device: torch.device | str | None = None) -> Metric:
    """The record of `landmark_error`. Raises WeightsMissing without the weights."""
    require("face-api")
    convention = "68 points, RGB, 8-bit, 112 px, over the distance of HR's outer eye corners"
    function = partial(landmark_error, device=device)
    return Metric("nme_face_api", "NME (face-api 68)", function, "landmark error", convention, higher_is_better=False)


class LandmarkNet(nn.Module):
    """Four blocks of separable convolutions: (N, 3, 112, 112) from `network_input` -> (N, 136), x and y by turns in [0, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(LandmarkBlock(before, after) for before, after in _STAGES)
        self.last = nn.Linear(256, 136)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return self.last(x.mean(dim=(2, 3)))


class LandmarkBlock(nn.Module):
    """Halves the resolution, then adds up three more convolutions, each of which sees the sum so far."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        # The first convolution of all, on RGB, is an ordinary one.
        first = nn.Conv2d(3, after, 3, stride=2) if before == 3 else separable(before, after, stride=2)
        self.convs = nn.ModuleList([first, *(separable(after, after) for _ in range(3))])

    def forward(self, x: Tensor) -> Tensor:
        # TensorFlow's "same" padding of an even side under stride 2: at the right and the bottom only.
        total = self.convs[0](F.pad(x, (0, 1, 0, 1))).relu()
        seen = total
        for conv in self.convs[1:]:
            total = total + conv(seen)
            seen = total.relu()
        return seen


def separable(before: int, after: int, stride: int = 1) -> nn.Sequential:
    """3x3 per channel, then 1x1 across channels."""
    depthwise = nn.Conv2d(before, before, 3, stride, padding=1 if stride == 1 else 0, groups=before, bias=False)
    return nn.Sequential(depthwise, nn.Conv2d(before, after, 1))
