"""Face to cartoon incremental super-resolution using knowledge distillation, x8 (Devkatte, Dubey, Singh, Hadid).

A generator that super-resolves faces learns cartoons too. A frozen copy of it, the teacher, judges replayed faces: the student
may not change what it makes of them (distillation); the cartoons feed every other term. Marks: [S] the paper's text says it,
[R] the authors' released code does it, [C] both are silent and we chose.

Units. The released code works on [0, 255], this library on [0, 1]. Every squared error (of features too, which grow with the
image) is therefore multiplied by 255^2 and keeps its released weight: the objective and its gradients have the released values,
so the adversarial weight 5e-3 and Adam's epsilon mean what they meant there. Only biases, in units of the image, move faster.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facesr_lib.image import average_pool, canny, edge_residual, quantize, rgb_to_yuv
from facesr_lib.nn import ResidualBlock
from facesr_lib.training import Batch, Method, check_profile, evaluating, frozen
from facesr_lib.training.schedules import constant

SQUARED_GREY_LEVELS = 255.0**2
CANNY = (50, 255)  # thresholds in grey levels [R]
WINDOWS = (5, 7, 10)  # of the edge block, at 2, 4 and 8 times the LR size [R]


@dataclass(frozen=True)
class Halvings:
    """Bilinear halvings, each rounded to 8 bit, until the image is `scale` (a power of two) times smaller [R]."""

    scale: int = 8

    def __post_init__(self) -> None:
        if self.scale < 2 or self.scale & (self.scale - 1):
            raise ValueError(f"scale: expected 2, 4, 8, ..., got {self.scale}")

    @property
    def name(self) -> str:
        return f"{self.scale.bit_length() - 1} bilinear halvings in 8 bit"

    def __call__(self, hr: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """(N, C, H, W) in [0, 1] -> (N, C, H / scale, W / scale), no gradient. Raises ValueError where scale divides not."""
        return self.pyramid(hr)[-1]

    def pyramid(self, hr: Tensor) -> list[Tensor]:
        """The image and all its halvings, largest first."""
        images = [hr]
        while hr.shape[-1] // images[-1].shape[-1] < self.scale:
            images.append(quantize(average_pool(images[-1], 2)))
        return images


@dataclass(frozen=True)
class Config:
    """Everything that decides what is trained. The defaults are the `paper` preset."""

    hr_size: int = 128  # the whole image, resized [R]
    degradation: Halvings = Halvings(8)
    width: float = 1.0  # 1: 512 channels in the generator's first step, 128 in the discriminator's [R]
    edge_block: bool = True  # False: the block passes its input on (ablation)
    extra_blocks: int = 0  # residual blocks after each step, identities at the start: the "extended network" [C]
    edge_discriminator: bool = False  # the discriminator sees the image and its edge residual (ablation)
    edge_weight: float = 0.3  # [R]
    luma_chroma_weight: float = 1.0  # [R]
    adversarial_weight: float = 5e-3  # [R]
    output_weight: float = 15.0  # distillation of the image [R]
    bottleneck_weight: float = 0.08  # distillation of the feature B [R]
    identity_weight: float = 0.0  # named in the abstract [S], absent from the released code [R]
    discriminator_weight: float = 1000.0  # [R]: to Adam it only matters against epsilon
    learning_rate: float = 1e-4  # Adam [R]
    betas: tuple[float, float] = (0.9, 0.999)  # [R]
    batch_size: int = 16  # 1 by default in the released code, unknown in the paper [C]
    epochs: tuple[int, int] = (200, 200)  # of the teacher and of a student [R], over all images of a split
    faces: int = 10_000_000  # most faces to train the teacher on
    tested: int = 5_000  # most images of each domain to score [C]
    unit: int = 10_000  # images: a split "a:b" has a * unit cartoons and b * unit replayed faces [R]

    @classmethod
    def preset(cls, profile: str) -> Config:
        """The configuration of a profile: smoke, quick, workshop or paper. Short schedules take larger steps."""
        presets = {
            "smoke": cls(
                hr_size=32, width=1 / 64, learning_rate=1e-3, batch_size=8, epochs=(2, 1), faces=16, tested=8, unit=8
            ),
            "quick": cls(
                hr_size=48, width=1 / 8, learning_rate=2e-3, batch_size=8, epochs=(10, 3), tested=100, unit=125
            ),
            "workshop": cls(hr_size=88, width=1 / 4, learning_rate=5e-4, epochs=(100, 30), tested=100, unit=125),
            "paper": cls(),
        }
        return presets[check_profile(profile)]


# The generator is EIPNet's (Kim et al., Neurocomputing 2021): three steps that double the size, each with an edge block.


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
    """LR (N, 3, h, w) in [0, 1] -> Output at 8h x 8w. 11,912,582 parameters at width 1 [R]. Xavier weights, zero biases."""

    def __init__(self, width: float = 1.0, edge_block: bool = True, extra_blocks: int = 0) -> None:
        super().__init__()
        c = channels(512, width)
        windows = WINDOWS if edge_block else (None, None, None)
        self.first = nn.Conv2d(3, c, 3, padding=1)
        self.step1 = Step(c, c, c // 2, windows[0], extra_blocks)
        self.step2 = Step(c, c // 2, c // 4, windows[1], extra_blocks)
        self.step3 = Step(c // 2, c // 4, c // 8, windows[2], extra_blocks)
        self.last = nn.Conv2d(c // 4, 3, 1)
        self.apply(xavier)
        for module in self.modules():
            if isinstance(module, ResidualBlock):
                nn.init.zeros_(module.last.weight)  # the identity until it is trained [C]

    def forward(self, lr: Tensor) -> Output:
        first = self.first(lr)
        bottleneck, enlarged, residual, edge1 = self.step1(first, first)
        _, enlarged, residual, edge2 = self.step2(torch.cat([enlarged, residual], dim=1), enlarged)
        _, enlarged, residual, edge3 = self.step3(torch.cat([enlarged, residual], dim=1), enlarged)
        return Output(self.last(torch.cat([enlarged, residual], dim=1)), (edge1, edge2, edge3), bottleneck)


class Discriminator(nn.Module):
    """Image (N, 3, size, size) in [0, 1] -> score (N, 1). 64,149,889 parameters at 128 px, most in one linear layer [R]."""

    def __init__(self, size: int, width: float = 1.0, edge_input: bool = False) -> None:
        super().__init__()
        a, b, c = (channels(n, width) for n in (128, 256, 512))
        self.edge_input = edge_input
        layers: list[nn.Module] = []
        inputs = 6 if edge_input else 3
        for outputs, stride in ((a, 1), (a, 2), (b, 1), (b, 2), (b, 1), (c, 2), (c, 1)):
            layers += [nn.Conv2d(inputs, outputs, 3, stride, padding=1 if stride == 1 else 0), nn.LeakyReLU(0.2)]
            inputs = outputs
            size = size if stride == 1 else (size - 3) // 2 + 1
        self.convolutions = nn.Sequential(*layers[:-1])  # the last one has no activation [R]
        self.hidden, self.score = nn.Linear(c * size * size, c), nn.Linear(c, 1)
        self.apply(xavier)

    def features(self, image: Tensor) -> Tensor:
        """The 512 (at width 1) numbers before the score, which the identity loss compares: (N, 512)."""
        if self.edge_input:
            image = torch.cat([image, edge_residual(image, WINDOWS[0])], dim=1)
        return F.leaky_relu(self.hidden(self.convolutions(image).flatten(1)), 0.2)

    def forward(self, image: Tensor) -> Tensor:
        return self.score(self.features(image))


def channels(full: int, width: float) -> int:
    """`full` channels at width 1, a multiple of 8 at any width so that it can be halved three times."""
    return max(8, round(full * width / 8) * 8)


def xavier(module: nn.Module) -> None:
    """Xavier-uniform weights and zero biases [R: Xavier; C: uniform]."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        assert module.bias is not None
        nn.init.zeros_(module.bias)


def squared_error(a: Tensor, b: Tensor) -> Tensor:
    """Mean squared difference of each image or feature in squared grey levels: (n, ...) in [0, 1] -> (n,); n may be 0."""
    return SQUARED_GREY_LEVELS * (a - b).square().flatten(1).mean(1)


def edge_error(edges: tuple[Tensor, ...], hr: Tensor) -> Tensor:
    """Edge maps against Canny's of the grey HR image at the same sizes, errors added: (n,) squared grey levels [R]."""
    targets = [canny(image, *CANNY) for image in reversed(Halvings(2 ** (len(edges) - 1)).pyramid(hr))]
    return torch.stack([squared_error(e, t) for e, t in zip(edges, targets, strict=True)]).sum(0)


def js_divergence(p_logits: Tensor, q_logits: Tensor) -> Tensor:
    """Jensen-Shannon divergence of softmax(p) and softmax(q): (n, d), (n, d) -> (n,) in [0, log 2], symmetric."""
    log_p, log_q = p_logits.log_softmax(1), q_logits.log_softmax(1)
    log_m = torch.logaddexp(log_p, log_q) - math.log(2)
    return 0.5 * ((log_p.exp() * (log_p - log_m)).sum(1) + (log_q.exp() * (log_q - log_m)).sum(1))


class ISRKD(Method):
    """One stage. Without a teacher: the face-only generator, trained on new images only. With one: an incremental student.

    A batch has "lr", "hr" and "new" (B,) bool, as IncrementalBatches gives it. Every term adds up over the images it is for
    and is divided by the size of the whole batch: a batch of 16 is then the mean of sixteen of the released code's steps,
    which have one image, old or new; and every image weighs the same, however many of its kind are in the batch.
    """

    def __init__(self, config: Config, teacher: nn.Module | None = None) -> None:
        super().__init__()
        self.config = config
        # Outside `networks`: never trained, never in a checkpoint. A copy, since the original may go on learning.
        self.teacher = copy.deepcopy(teacher).eval().requires_grad_(False) if teacher is not None else None

    def build(self) -> None:
        self.networks = {name: network for name, (network, _) in networks(self.config).items()}
        if self.teacher is not None:
            start_from(self.networks["generator"], self.teacher)  # [S]
        for name, network in self.networks.items():
            self.optimizers[name] = torch.optim.Adam(network.parameters(), self.config.learning_rate, self.config.betas)
            self.learning_rates[name] = constant(self.config.learning_rate)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        config, new, size = self.config, batch["new"], len(batch["lr"])
        student: Output = self.networks["generator"](batch["lr"])
        sr, hr = student.sr[new], batch["hr"][new]

        discriminator = self.networks["discriminator"]
        real, fake = F.softplus(-discriminator(hr)), F.softplus(discriminator(sr.detach()))  # cross-entropies of scores
        weight = config.discriminator_weight / size
        d_terms = self.update("discriminator", {"d_real": weight * real.sum(), "d_fake": weight * fake.sum()})

        with frozen(discriminator) as judge:
            assert isinstance(judge, Discriminator)
            terms = {
                "reconstruction": squared_error(sr, hr),
                "edge": config.edge_weight * edge_error(tuple(edge[new] for edge in student.edges), hr),
                "luma_chroma": config.luma_chroma_weight * squared_error(rgb_to_yuv(sr), rgb_to_yuv(hr)),
                "adversarial": config.adversarial_weight * F.softplus(-judge(sr)),
            }
            if config.identity_weight:
                terms["identity"] = config.identity_weight * js_divergence(judge.features(sr), judge.features(hr))
            if self.teacher is not None:
                terms |= self.distillation(student, batch["lr"], ~new)
            g_terms = self.update("generator", {name: term.sum() / size for name, term in terms.items()})
        return {**d_terms, **g_terms}

    def distillation(self, student: Output, lr: Tensor, old: Tensor) -> dict[str, Tensor]:
        """What the student changed on replayed images, against the teacher, asked now: it sees the augmented image too."""
        assert self.teacher is not None
        with torch.no_grad():
            teacher: Output = self.teacher.to(lr.device)(lr[old])
        return {
            "kd_output": self.config.output_weight * squared_error(student.sr[old], teacher.sr),
            "kd_bottleneck": self.config.bottleneck_weight * squared_error(student.bottleneck[old], teacher.bottleneck),
        }

    def super_resolve(self, lr: Tensor) -> Tensor:
        return self.outputs(lr).sr.clamp(0, 1)

    def outputs(self, lr: Tensor) -> Output:
        """Image, edge maps and bottleneck, without gradients; the image not clamped."""
        with evaluating(self.inference_network("generator")) as generator:
            found: Output = generator(lr)
        return found


def start_from(student: nn.Module, teacher: nn.Module) -> None:
    """Copy the teacher's weights; only the student's extra blocks may be missing in it. Raises ValueError otherwise."""
    missing, unexpected = student.load_state_dict(teacher.state_dict(), strict=False)
    if unexpected or any(".extra." not in name for name in missing):
        raise ValueError(f"the teacher is another network: it lacks {missing} and has {unexpected} besides")


def networks(config: Config) -> dict[str, tuple[nn.Module, tuple[int, int, int]]]:
    """Every network of the paper at this configuration, with the shape of one input (channels, height, width)."""
    hr, lr = config.hr_size, config.hr_size // config.degradation.scale
    return {
        "generator": (Generator(config.width, config.edge_block, config.extra_blocks), (3, lr, lr)),
        "discriminator": (Discriminator(hr, config.width, config.edge_discriminator), (3, hr, hr)),
    }
