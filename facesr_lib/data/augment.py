"""Augmentation: HR faces change at random before their LR is made, so that a network cannot learn a few people by heart."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

Augment = Callable[[Tensor, torch.Generator], Tensor]

SHIFT, TURN, ZOOM, STRETCH, GAIN, GAMMA = 0.06, 8.0, 0.1, 0.06, 0.15, 0.2  # the most; TURN in degrees, SHIFT of a side


def jitter(hr: Tensor, generator: torch.Generator) -> Tensor:
    """Shift, turn, zoom and stretch each image a little, and change its brightness and contrast a little [ours].

    hr: (N, C, H, W) in [0, 1]; the result has the same shape and range, and all channels change alike. What comes in at the
    borders is mirrored. generator: where all random numbers come from.
    """

    def draw(most: float) -> Tensor:
        return most * (2 * torch.rand(len(hr), generator=generator) - 1)

    angle, zoom, stretch = draw(math.radians(TURN)), draw(math.log1p(ZOOM)).exp(), draw(math.log1p(STRETCH)).exp()
    across, down = zoom * stretch, zoom / stretch
    to_right = torch.stack([angle.cos() * across, -angle.sin() * across, draw(2 * SHIFT)], dim=1)
    to_bottom = torch.stack([angle.sin() * down, angle.cos() * down, draw(2 * SHIFT)], dim=1)
    grid = F.affine_grid(torch.stack([to_right, to_bottom], dim=1), list(hr.shape), align_corners=False)
    moved = F.grid_sample(hr, grid, mode="bicubic", padding_mode="reflection", align_corners=False).clamp(0, 1)
    gamma, gain = draw(math.log1p(GAMMA)).exp(), draw(math.log1p(GAIN)).exp()
    return (moved ** gamma[:, None, None, None] * gain[:, None, None, None]).clamp(0, 1)
