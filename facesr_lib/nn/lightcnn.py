"""LightCNN: convolutions whose activation is the maximum of two feature maps (Wu, He, Sun and Tan, 2018)."""

import math

import torch.nn.functional as F
from torch import Tensor, nn


class MaxFeatureMap(nn.Module):
    """A layer with twice the output channels, then the maximum of its two halves: (N, ...) -> (N, outputs, ...).

    layer: a convolution or linear layer with channels in dimension 1. Raises ValueError if their number is odd.
    """

    def __init__(self, layer: nn.Conv2d | nn.Linear) -> None:
        super().__init__()
        outputs = layer.out_channels if isinstance(layer, nn.Conv2d) else layer.out_features
        if outputs % 2:
            raise ValueError(f"layer: a max-feature-map halves its outputs, which must be even: got {outputs}")
        # The larger of two independent symmetric numbers has their mean square: with this variance signals keep their size.
        bound = (3 / layer.weight[0].numel()) ** 0.5  # of a uniform distribution, whose variance is bound^2 / 3
        nn.init.uniform_(layer.weight, -bound, bound)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        first, second = self.layer(x).chunk(2, dim=1)
        return second + F.relu(first - second)  # their maximum; torch.maximum's gradient takes five times as long


class LightCNN(nn.Module):
    """Image (N, 3, size, size) -> score (N, 1), the nine-layer LightCNN with one output in place of its identities.

    A 5x5 layer, then four groups of a 1x1 and a 3x3 layer with `width` times 2, 4, 8/3 and 8/3 channels, a halving max pool after
    the first layer and the first, second and last group; a fully connected layer of 16/3 `width`; all with max-feature-map. At
    the published width of 48 these are the layers of the authors' code [code], with its poolings that keep an odd last pixel.
    Other than there: RGB, the size of the flattened features follows `size`, one output, initial weights, and no dropout before
    it: an image's score must not depend on chance [ours]. Raises ValueError if 3 does not divide `width` or `size` < 16.
    """

    def __init__(self, size: int, width: int = 48) -> None:
        super().__init__()
        if width < 1 or width % 3:
            raise ValueError(f"width: expected a positive multiple of 3 (published: 48), got {width}")
        if size < 16:
            raise ValueError(f"size: four poolings need images of at least 16 px, got {size}")
        last = 8 * width // 3
        self.features = nn.Sequential(
            _convolution(3, width, 5),
            nn.MaxPool2d(2, ceil_mode=True),
            *_group(width, 2 * width),
            nn.MaxPool2d(2, ceil_mode=True),
            *_group(2 * width, 4 * width),
            nn.MaxPool2d(2, ceil_mode=True),
            *_group(4 * width, last),
            *_group(last, last),
            nn.MaxPool2d(2, ceil_mode=True),
        )
        hidden = 16 * width // 3
        self.hidden = MaxFeatureMap(nn.Linear(last * math.ceil(size / 16) ** 2, 2 * hidden))
        self.score = nn.Linear(hidden, 1)

    def forward(self, image: Tensor) -> Tensor:
        return self.score(self.hidden(self.features(image).flatten(1)))


def _convolution(inputs: int, outputs: int, kernel: int) -> MaxFeatureMap:
    return MaxFeatureMap(nn.Conv2d(inputs, 2 * outputs, kernel, padding=kernel // 2))


def _group(inputs: int, outputs: int) -> tuple[MaxFeatureMap, MaxFeatureMap]:
    return _convolution(inputs, inputs, 1), _convolution(inputs, outputs, 3)
