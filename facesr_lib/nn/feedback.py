"""The feedback block of SRFBN (Li et al., CVPR 2019): up and down again, several times, densely connected."""

import torch
from torch import Tensor, nn

from facesr_lib.nn.residual import PReLU

KERNEL, STRIDE, PADDING = 6, 2, 2  # of every up- and down-projection at x2


class FeedbackBlock(nn.Module):
    """(N, width, h, w) -> (N, width, h, w), without SRFBN's first 1x1 layer, which merges the fed-back state.

    Each of `groups` pairs enlarges by 2 with a transposed convolution and reduces by 2 with a strided one. From the second pair
    on, a 1x1 layer before each of them gathers all earlier features of the same size. A last 1x1 layer gathers the results
    of the pairs. PReLU with one slope after every layer. Raises ValueError if `width` or `groups` < 1.
    """

    def __init__(self, width: int, groups: int) -> None:
        super().__init__()
        if width < 1 or groups < 1:
            raise ValueError(f"width and groups: expected at least 1, got {width} and {groups}")
        self.gather_small = nn.ModuleList(_gather(k, width) for k in range(2, groups + 1))
        self.gather_large = nn.ModuleList(_gather(k, width) for k in range(2, groups + 1))
        self.up = nn.ModuleList(enlarging(width) for _ in range(groups))
        self.down = nn.ModuleList(nn.Sequential(nn.Conv2d(width, width, KERNEL, STRIDE, PADDING), PReLU()) for _ in range(groups))
        self.out = _gather(groups, width)

    def forward(self, x: Tensor) -> Tensor:
        small, large = [x], list[Tensor]()
        for index, (up, down) in enumerate(zip(self.up, self.down, strict=True)):
            large.append(up(self.gather_small[index - 1](torch.cat(small, 1)) if index else x))
            small.append(down(self.gather_large[index - 1](torch.cat(large, 1)) if index else large[0]))
        return self.out(torch.cat(small[1:], 1))


def enlarging(width: int) -> nn.Sequential:
    """(N, width, h, w) -> (N, width, 2h, 2w): the block's up-projection, with its PReLU."""
    return nn.Sequential(nn.ConvTranspose2d(width, width, KERNEL, STRIDE, PADDING), PReLU())


def _gather(features: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(features * width, width, 1), PReLU())
