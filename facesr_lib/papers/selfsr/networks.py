"""SelfSR, stage 2 (section III-B): the self-conditioned progressive generator and its mirrored discriminator.

Images inside are RGB in [-1, 1] [ours]. A level doubles the size: level 1 gives x2, level 2 x4, level 3 x8.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facesr_lib.image import resize_bicubic

Conditioning = Literal["self-conditioned", "concatenation"]


class EqualConv2d(nn.Module):
    """A convolution with equalized learning rate (Karras et al. 2018): weights of unit variance, scaled at run time.

    Adam's steps have the same size for every weight. With the scale outside, they are equally large relative to each layer.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, *, gain: float = 2**0.5, padding: int | None = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.scale = gain / (inputs * kernel * kernel) ** 0.5
        self.padding = kernel // 2 if padding is None else padding

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight * self.scale, self.bias, padding=self.padding)


class SelfConditionedBlock(nn.Module):
    """h' = sigma(c) * (h - mu) / std, with h a 3x3 convolution of the features and c the LR image at their size (eq. 6).

    mu and std are taken per sample and channel. sigma(c), one number per position and channel, comes from two 3x3
    convolutions on the image (3 -> width / 2 -> width [ours]) and starts around 1. No shift [paper]; then leaky ReLU [ours].
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = EqualConv2d(width, width)
        last = EqualConv2d(width // 2, width, gain=1)
        nn.init.ones_(last.bias)
        self.condition = nn.Sequential(EqualConv2d(3, width // 2), nn.LeakyReLU(0.2), last)

    def forward(self, features: Tensor, image: Tensor) -> Tensor:
        # F.instance_norm, which copies images that are channels_last three times.
        normalised = F.group_norm(self.conv(features).contiguous(), features.shape[1])
        return F.leaky_relu(self.condition(image) * normalised, 0.2)


class ConcatenationBlock(nn.Module):
    """The paper's "vanilla" variant: the image enters as three more channels, and the scale is a learned constant.

    Normalisation and activation are those of the self-conditioned block [ours]: only the conditioning differs.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = EqualConv2d(width + 3, width)
        self.scale = nn.Parameter(torch.ones(width, 1, 1))

    def forward(self, features: Tensor, image: Tensor) -> Tensor:
        normalised = F.group_norm(self.conv(torch.cat([features, image], dim=1)).contiguous(), features.shape[1])
        return F.leaky_relu(self.scale * normalised, 0.2)


class Level(nn.ModuleList):
    """The blocks of one size in a row; each gets the image at that size."""

    def forward(self, features: Tensor, image: Tensor) -> Tensor:
        for block in self:
            features = block(features, image)
        return features


BLOCKS: dict[Conditioning, type[nn.Module]] = {"self-conditioned": SelfConditionedBlock, "concatenation": ConcatenationBlock}


class Generator(nn.Module):
    """LR (N, 3, h, w) -> SR (N, 3, 2^level h, 2^level w), both in [-1, 1], output not clamped.

    Blocks at the LR size, then per level an enlargement x2 (nearest [ours]) and as many blocks again [paper: similar numbers of
    layers at each level]. A 1x1 convolution turns the features of a level into RGB. With `residual` [departs: small presets only]
    these RGB layers start at zero and add to the bicubic enlargement of the input.
    """

    def __init__(
        self,
        width: int = 256,
        blocks: int = 5,
        levels: int = 3,
        conditioning: Conditioning = "self-conditioned",
        residual: bool = False,
    ) -> None:
        super().__init__()
        self.levels, self.residual = levels, residual
        self.stem = EqualConv2d(3, width)
        block = BLOCKS[conditioning]
        self.body = nn.ModuleList(Level(block(width) for _ in range(blocks)) for _ in range(levels + 1))
        to_rgb = [EqualConv2d(width, 3, kernel=1, gain=1) for _ in range(levels)]
        if residual:
            for layer in to_rgb:
                nn.init.zeros_(layer.weight)
        self.to_rgb = nn.ModuleList(to_rgb)

    def forward(self, lr: Tensor, level: int | None = None, alpha: float = 1.0) -> Tensor:
        """level: 1 to `levels`, by default the last. alpha: its fade-in weight; 0 gives the enlarged output of the level below.

        Raises ValueError for a level outside this range.
        """
        level = self.levels if level is None else level
        if not 1 <= level <= self.levels:
            raise ValueError(f"level {level}: this network has levels 1 to {self.levels} (x2 to x{2**self.levels})")
        features = self.stem(lr)
        below = lr
        for index in range(level + 1):
            image = resized(lr, 2**index)
            if index:
                features = F.interpolate(features, scale_factor=2, mode="nearest")
            features = self.body[index](features, image)
            if index == level - 1 and index and alpha < 1:
                below = self._rgb(index, features, image)
        sr = self._rgb(level, features, image)
        if alpha >= 1:
            return sr
        below = F.interpolate(below, scale_factor=2, mode="nearest")  # float32 even under autocast, and lerp wants one dtype
        return torch.lerp(below, sr.to(below.dtype), alpha)

    def _rgb(self, level: int, features: Tensor, image: Tensor) -> Tensor:
        rgb = self.to_rgb[level - 1](features)
        return image + rgb if self.residual else rgb

    def scales(self, lr: Tensor, level: int | None = None) -> list[Tensor]:
        """sigma(c) of every self-conditioned block up to `level`, first to last (Fig. 9); each depends on the LR image only."""
        level = self.levels if level is None else level
        return [
            block.condition(resized(lr, 2**index))
            for index in range(level + 1)
            for block in self.body[index].children()
            if isinstance(block, SelfConditionedBlock)
        ]


class Discriminator(nn.Module):
    """RGB (N, 3, 2^level h, 2^level w) in [-1, 1] -> score (N, 1): the generator mirrored, without normalisation [ours].

    Per level `blocks` 3x3 convolutions with leaky ReLU, then average pooling 2x2. At the LR size the same convolutions,
    average pooling to 4x4, and one linear layer.
    """

    def __init__(self, width: int = 256, blocks: int = 5, levels: int = 3) -> None:
        super().__init__()
        self.levels = levels
        self.from_rgb = nn.ModuleList(EqualConv2d(3, width, kernel=1) for _ in range(levels))
        self.body = nn.ModuleList(
            nn.Sequential(*(layer for _ in range(blocks) for layer in (EqualConv2d(width, width), nn.LeakyReLU(0.2))))
            for _ in range(levels + 1)
        )
        self.score = EqualConv2d(width, 1, kernel=4, gain=1, padding=0)

    def forward(self, image: Tensor, level: int | None = None, alpha: float = 1.0) -> Tensor:
        level = self.levels if level is None else level
        features = F.avg_pool2d(self.body[level](self._features(level, image)), 2)
        if alpha < 1 and level > 1:
            features = torch.lerp(self._features(level - 1, F.avg_pool2d(image, 2)), features, alpha)
        for index in range(level - 1, 0, -1):
            features = F.avg_pool2d(self.body[index](features), 2)
        return self.score(F.adaptive_avg_pool2d(self.body[0](features), 4)).flatten(1)

    def _features(self, level: int, image: Tensor) -> Tensor:
        return F.leaky_relu(self.from_rgb[level - 1](image), 0.2)


def resized(lr: Tensor, factor: int) -> Tensor:
    """The LR image enlarged by `factor`, MATLAB bicubic [ours]; itself for factor 1."""
    return lr if factor == 1 else resize_bicubic(lr, factor)
