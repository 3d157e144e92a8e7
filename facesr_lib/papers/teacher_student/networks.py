"""The networks of the teacher-student paper, and the edge maps that they are fed (section 2.2). Marks as in the package."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from facesr_lib.image import average_pool, canny, dog, resize_bilinear, rgb_to_grey
from facesr_lib.nn import FeedbackBlock, PReLU, ResidualBlock
from facesr_lib.nn.feedback import enlarging

SCALE = 4  # [paper]


class Edges(Protocol):
    """A rule that draws the edges of images: (N, 3, H, W) in [0, 1] -> (N, 1, H, W), no gradient."""

    @property
    def name(self) -> str: ...

    def __call__(self, sr: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class Canny:
    """The outline of the face: OpenCV's Canny [paper], 0 or 1. Thresholds in grey levels [ours]."""

    low: float = 100.0
    high: float = 200.0

    @property
    def name(self) -> str:
        return f"Canny({self.low:g}, {self.high:g})"

    def __call__(self, sr: Tensor) -> Tensor:
        return canny(sr.detach().clamp(0, 1), self.low, self.high)


@dataclass(frozen=True)
class DoG:
    """Fine details: difference of Gaussians [paper] of the grey image. Sigmas in pixels and gain [ours].

    A face's DoG is about ten times weaker than its Canny map; the gain compensates for that.
    """

    sigma1: float = 1.0
    sigma2: float = 1.6
    gain: float = 10.0

    @property
    def name(self) -> str:
        return f"DoG({self.sigma1:g}, {self.sigma2:g})"

    def __call__(self, sr: Tensor) -> Tensor:
        return self.gain * dog(rgb_to_grey(sr.detach().clamp(0, 1)), self.sigma1, self.sigma2)


@dataclass(frozen=True)
class NoEdges:
    """A map of zeros (ablation of Table 3)."""

    @property
    def name(self) -> str:
        return "no edges"

    def __call__(self, sr: Tensor) -> Tensor:
        return torch.zeros_like(sr[:, :1])


class DownsamplingNet(nn.Module):
    """DeNet and DSNet: HR (N, 3, 4h, 4w) -> LR (N, 3, h, w) in [0, 1]. Residual blocks at HR size, then two strides of 2 [paper].

    noise: channels of Gaussian noise beside HR, drawn by torch's global generator at every call [ours]; 0: none [paper].
    No normalisation, a last sigmoid, and residual branches that start small [ours, all three after DASR, which the text follows].
    """

    def __init__(self, width: int = 64, blocks: int = 16, noise: int = 0) -> None:
        super().__init__()
        self.noise = noise
        self.layers = nn.Sequential(
            _conv(3 + noise, width),
            PReLU(),
            *(ResidualBlock(width, PReLU) for _ in range(blocks)),
            _conv(width, width, stride=2),
            PReLU(),
            _conv(width, width, stride=2),
            PReLU(),
            _conv(width, 3),
            nn.Sigmoid(),
        )
        draw_weights(self)

    def forward(self, hr: Tensor) -> Tensor:
        if self.noise:
            hr = torch.cat([hr, torch.randn_like(hr[:, :1].expand(-1, self.noise, -1, -1))], dim=1)
        return self.layers(hr)


class RecurrentSR(nn.Module):
    """TNet and SNet: LR (N, 3, h, w) -> one SR image (N, 3, 4h, 4w) per step; the last one is the result (Fig. 2).

    Every step uses the same weights, so the shallow features are computed once. A step starts from the state of the one before
    it and the edge map of its output. The first has "no prior information and hidden state" [paper]: zeros [ours].
    """

    def __init__(self, width: int = 48, groups: int = 6, edges: Sequence[Edges] = (Canny(), DoG())) -> None:
        super().__init__()
        self.edges = tuple(edges)
        self.shallow = nn.Sequential(_conv(3, 4 * width), PReLU(), nn.PixelShuffle(2))  # SFE
        self.fuse = nn.Sequential(nn.Conv2d(2 * width + 1, width, 1), PReLU(), _conv(width, width), PReLU())  # PERB
        self.feedback = FeedbackBlock(width, groups)  # PERB
        last = _conv(width, 3)
        self.reconstruct = nn.Sequential(enlarging(width), last)  # RECB
        draw_weights(self)
        nn.init.zeros_(last.weight)  # training starts from the bilinear enlargement

    def step(self, shallow: Tensor, state: Tensor, prior: Tensor) -> tuple[Tensor, Tensor]:
        """Shallow features and state (N, width, 2h, 2w), edges (N, 1, 2h, 2w) -> residual (N, 3, 4h, 4w) and the next state."""
        state = self.feedback(self.fuse(torch.cat([shallow, state, prior], dim=1)))
        return self.reconstruct(state), state

    def forward(self, lr: Tensor, edges: Sequence[Edges] | None = None) -> list[Tensor]:
        """edges: rules that replace the network's own, one for each step after the first. Not clamped to [0, 1]."""
        shallow, enlarged = self.shallow(lr), resize_bilinear(lr, SCALE)
        state, prior = torch.zeros_like(shallow), torch.zeros_like(shallow[:, :1])
        outputs: list[Tensor] = []
        for detect in (*(self.edges if edges is None else edges), None):
            residual, state = self.step(shallow, state, prior)
            outputs.append(enlarged + residual)  # eq. 1
            if detect is not None:
                prior = average_pool(detect(outputs[-1]), 2)  # from SR to feature size [ours]
        return outputs


def draw_weights(network: nn.Module) -> None:
    """He's uniform initialisation for PReLU with its slope of 1/4, biases 0 [ours].

    With torch's default the signal fades over the many layers, and nothing is learnt for the first hundred steps. The last layer
    of a residual branch gets a tenth of it: else every branch doubles the signal's power, 65,536 times over 16 of them.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            inputs = float(layer.in_channels * layer.kernel_size[0] * layer.kernel_size[1])
            if isinstance(layer, nn.ConvTranspose2d):
                inputs /= layer.stride[0] * layer.stride[1]  # the share of the kernel that reaches an output pixel
            bound = (3 * 2 / (1 + 0.25**2) / inputs) ** 0.5  # of a uniform distribution, whose variance is bound^2 / 3
            nn.init.uniform_(layer.weight, -bound, bound)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    for block in network.modules():
        if isinstance(block, ResidualBlock):
            block.last.weight.data *= 0.1


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1)
