"""The networks of ISR-KD. Marks as in the package's docstring.

The generator is EIPNet's (Kim et al., Neurocomputing 2021): three steps that double the size, each with an edge block.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facesr_lib.image import edge_residual
from facesr_lib.nn import ResidualBlock

WINDOWS = (5, 7, 10)  # of the edge block, at 2, 4 and 8 times the LR size [code]
# With a bilinear start the generator counts brightness from here, not from black [departs]. Its biases could learn that (except
# at the padded border), so it can make the same images. But a short training does not spend itself on the mean brightness.
MID_GREY = 0.5
GREY_LEVELS = 255.0  # in the unit of the image


class Output(NamedTuple):
    """sr (N, 3, H, W), not clamped; edges at H / 4, H / 2 and H, (N, 1, ...), >= 0; bottleneck B (N, 512 width, H / 8, W / 8)."""

    sr: Tensor
    edges: tuple[Tensor, Tensor, Tensor]
    bottleneck: Tensor


class Step(nn.Module):
    """Two convolutions beside a shortcut, then twice the size, then the edge block: what is brighter than its surroundings."""

    def __init__(self, inputs: int, middle: int, outputs: int, window: int | None, extra_blocks: int) -> None:
        super().__init__()
        self.window = window  # None: no edge block, the same sizes and parameters
        self.conv1 = nn.Conv2d(inputs, inputs, 3, padding=1)
        self.conv2 = nn.Conv2d(inputs, middle, 3, padding=1)
        self.extra = nn.Sequential(*[ResidualBlock(middle) for _ in range(extra_blocks)])
        self.up = nn.ConvTranspose2d(middle, outputs, 4, stride=2, padding=1)
        self.edge = nn.Conv2d(outputs, 1, 1)

    def forward(self, x: Tensor, shortcut: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the feature, its enlargement, the enlargement's edge residual, and the edge map (1 channel)."""
        feature = F.relu(self.conv2(F.relu(self.conv1(x)))) + shortcut
        enlarged = F.relu(self.up(self.extra(feature)))
        residual = enlarged if self.window is None else edge_residual(enlarged, self.window)
        return feature, enlarged, residual, F.relu(self.edge(residual))


class Generator(nn.Module):
    """LR (N, 3, h, w) in [0, 1] -> Output at 8h x 8w. 11,912,582 parameters at width 1 [code]. Xavier weights, zero biases."""

    def __init__(self, width: float = 1.0, edge_block: bool = True, extra_blocks: int = 0, bilinear_start: bool = False) -> None:
        super().__init__()
        c = channels(512, width)
        windows = WINDOWS if edge_block else (None, None, None)
        self.first = nn.Conv2d(3, c, 3, padding=1)
        self.step1 = Step(c, c, c // 2, windows[0], extra_blocks)
        self.step2 = Step(c, c // 2, c // 4, windows[1], extra_blocks)
        self.step3 = Step(c // 2, c // 4, c // 8, windows[2], extra_blocks)
        self.last = nn.Conv2d(c // 4, 3, 1)
        self.apply(xavier)
        self.black = MID_GREY if bilinear_start else 0.0
        if bilinear_start:
            self.apply(bilinear)
        for module in self.modules():
            if isinstance(module, ResidualBlock):
                nn.init.zeros_(module.last.weight)  # the identity until it is trained [ours]

    def forward(self, lr: Tensor) -> Output:
        first = self.first(lr - self.black)
        bottleneck, enlarged, residual, edge1 = self.step1(first, first)
        _, enlarged, residual, edge2 = self.step2(torch.cat([enlarged, residual], dim=1), enlarged)
        _, enlarged, residual, edge3 = self.step3(torch.cat([enlarged, residual], dim=1), enlarged)
        sr = self.last(torch.cat([enlarged, residual], dim=1)) + self.black
        return Output(sr, (edge1, edge2, edge3), bottleneck)


class Discriminator(nn.Module):
    """Image (N, 3, size, size) in [0, 1] -> score (N, 1). 64,149,889 parameters at 128 px, most in one linear layer [code].

    Its first layer sees `levels` times the image: grey levels, not centred [code]. With the released weights, the released score.
    """

    def __init__(self, size: int, width: float = 1.0, edge_input: bool = False, levels: float = GREY_LEVELS) -> None:
        super().__init__()
        a, b, c = (channels(n, width) for n in (128, 256, 512))
        self.edge_input, self.levels = edge_input, levels
        layers: list[nn.Module] = []
        inputs = 6 if edge_input else 3
        for outputs, stride in ((a, 1), (a, 2), (b, 1), (b, 2), (b, 1), (c, 2), (c, 1)):
            layers += [nn.Conv2d(inputs, outputs, 3, stride, padding=1 if stride == 1 else 0), nn.LeakyReLU(0.2)]
            inputs = outputs
            size = size if stride == 1 else (size - 3) // 2 + 1
        self.convolutions = nn.Sequential(*layers[:-1])  # the last one has no activation [code]
        self.hidden, self.score = nn.Linear(c * size * size, c), nn.Linear(c, 1)
        self.apply(xavier)

    def features(self, image: Tensor) -> Tensor:
        """The 512 (at width 1) numbers before the score, which the identity loss compares: (N, 512)."""
        image = self.levels * image
        if self.edge_input:
            image = torch.cat([image, edge_residual(image, WINDOWS[0])], dim=1)
        return F.leaky_relu(self.hidden(self.convolutions(image).flatten(1)), 0.2)

    def forward(self, image: Tensor) -> Tensor:
        return self.score(self.features(image))


def channels(full: int, width: float) -> int:
    """`full` channels at width 1, a multiple of 8 at any width so that it can be halved three times."""
    return max(8, round(full * width / 8) * 8)


def xavier(module: nn.Module) -> None:
    """Xavier's weights and zero biases [code]; of the two forms of Xavier's, the uniform one [ours]."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        assert module.bias is not None
        nn.init.zeros_(module.bias)


def bilinear(module: nn.Module) -> None:
    """Let a transposed convolution, 4 x 4 with stride 2, begin as the bilinear enlargement of its first input channels [departs].

    Long et al. (2015) begin their enlargements so. With Xavier's weights each of the three begins as a checkerboard a third as
    strong as its input, and in a short training most of the last channels die: too few are left to learn colours from.
    """
    if isinstance(module, nn.ConvTranspose2d):
        tent = torch.tensor([0.25, 0.75, 0.75, 0.25])
        with torch.no_grad():
            module.weight.copy_(torch.eye(*module.weight.shape[:2])[:, :, None, None] * torch.outer(tent, tent))
