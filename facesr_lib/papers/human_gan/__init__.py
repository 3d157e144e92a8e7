"""Image super-resolution of human faces with a plain GAN, x2 (Jiang, Xu, Sun).

Problem: restore a face of 1024 pixels from its blurred half, where many HR faces fit one LR face.
Idea: train a small generator G against a small discriminator D, with the adversarial game as the only loss.

    SR  = F(x) + clamp(s, 0.2, 0.8) up(x)      x: LR; F: convolutions; s: learned; up: bilinear (section 5.2)
    L_D = -log D(y) - log(1 - D(G(x)))         y: HR; binary cross-entropy (section 5.4)
    L_G = -log D(G(x))                         the same; no term compares G(x) with its own y

The paper trains on 250 FFHQ faces and reports 25.66 dB. Its authors published no code.
Marks: [paper] the paper says so; [ours] the paper is silent, or we add something to it; [departs] we do otherwise.

Departures: smaller presets shrink images, width and epochs; the `paper` preset has none that we know of.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facesr_lib.config import check_profile
from facesr_lib.image import BlurResize
from facesr_lib.losses import bce_discriminator, bce_generator
from facesr_lib.training import Batch, SuperResolver, evaluating, frozen
from facesr_lib.training.schedules import piecewise

# "Predetermined mean and standard deviation, close to pre-trained networks" [paper] -> ImageNet's [ours].
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Config:
    """Everything that decides what is trained. The defaults are the `paper` preset."""

    hr_size: int = 1024  # side of the square HR image in pixels, a multiple of 4 [paper]
    degradation: BlurResize = BlurResize(scale=2, kernel_size=7, sigma=5.0)  # noqa: RUF009  frozen; section 5.1 [paper]
    images: tuple[int, int, int] = (250, 100, 150)  # to train, validate and test on, drawn at random [paper], seed 0 [ours]
    width: int = 64  # channels of the generator's first layer [paper]; the others are multiples of it
    residual_scale: tuple[float, float, float] = (0.5, 0.2, 0.8)  # start [ours], least and largest value [paper]
    leaky_slope: float = 0.2  # leaky ReLU [paper], slope [ours]
    dropout: float = 0.25  # of whole feature maps [paper], share [ours]
    pixel_weight: float = 0.0  # weight of an L1 term, for an ablation [ours]
    batch_size: int = 4  # [ours]
    epochs: tuple[int, int] = (60, 20)  # at the first and at the second learning rate [paper]
    learning_rates: tuple[float, float] = (0.02, 0.005)  # plain SGD [paper], no momentum [ours]
    flip: bool = False  # the paper names no augmentation [ours]

    def __post_init__(self) -> None:
        if self.batch_size < 2:
            raise ValueError(f"batch_size {self.batch_size}: batch normalisation compares images, so choose 2 or more")

    @classmethod
    def preset(cls, profile: str) -> "Config":
        """The configuration of a profile (see `PROFILES`). Only sizes, numbers of images and epochs shrink."""
        presets = {
            "smoke": cls(hr_size=32, images=(16, 8, 8), width=8, epochs=(1, 1)),
            "quick": cls(hr_size=92, width=32, epochs=(7, 3)),
            "evening": cls(hr_size=92, width=48, epochs=(18, 6)),
            "workshop": cls(hr_size=92),
            "paper": cls(),
        }
        return presets[check_profile(profile)]


class Generator(nn.Module):
    """LR (N, 3, h, w), normalised -> SR (N, 3, 2h, 2w), normalised. Raises ValueError unless h and w are even.

    A 2x2 convolution of stride 2 halves the image, convolutions with Tanh between them keep its size, two pixel
    shuffles bring it to twice the input [paper]. The bilinear enlargement of the input, times a learned scale that is
    clamped to [0.2, 0.8], is added [paper]. Middle widths 64 -> 128 -> 64, 256 before each shuffle [ours].
    """

    def __init__(self, width: int = 64, residual_scale: tuple[float, float, float] = (0.5, 0.2, 0.8)) -> None:
        super().__init__()
        start, self.least, self.largest = residual_scale
        self.residual_scale = nn.Parameter(torch.tensor(start))
        self.main = nn.Sequential(
            nn.Conv2d(3, width, kernel_size=2, stride=2),  # 512 -> 256
            nn.Tanh(),
            nn.Conv2d(width, 2 * width, 3, padding=1),
            nn.Tanh(),
            nn.Conv2d(2 * width, width, 3, padding=1),
            nn.Tanh(),
            nn.Conv2d(width, 4 * width, 3, padding=1),
            nn.PixelShuffle(2),  # 256 -> 512
            nn.Tanh(),
            nn.Conv2d(width, 4 * width, 3, padding=1),
            nn.PixelShuffle(2),  # 512 -> 1024
            nn.Tanh(),
            nn.Conv2d(width, 3, 3, padding=1),
        )

    def forward(self, lr: Tensor) -> Tensor:
        if lr.shape[-2] % 2 or lr.shape[-1] % 2:
            raise ValueError(f"the generator halves its input first, so its height and width must be even: got {tuple(lr.shape)}")
        # The clamp passes no gradient outside its range: a scale that ever got there would stay. It starts in the middle.
        scale = self.residual_scale.clamp(self.least, self.largest)
        return self.main(lr) + scale * F.interpolate(lr, scale_factor=2, mode="bilinear", align_corners=False)


class Discriminator(nn.Module):
    """Image (N, 3, size, size), normalised -> score (N, 1); its sigmoid is the probability of being real (section 5.3).

    Six 3x3 convolutions 3 -> 12 -> 48 -> 72 -> 48 -> 12 -> 3 with leaky ReLU and dropout of whole feature maps [paper],
    stride 2 (stated for the first, used for all [ours]), batch norm on all but the first [ours], one linear layer.
    """

    CHANNELS = (3, 12, 48, 72, 48, 12, 3)

    def __init__(self, size: int, leaky_slope: float = 0.2, dropout: float = 0.25) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        for index, (inputs, outputs) in enumerate(itertools.pairwise(self.CHANNELS)):
            blocks += [nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), nn.LeakyReLU(leaky_slope), nn.Dropout2d(dropout)]
            if index > 0:
                blocks.append(nn.BatchNorm2d(outputs))
            size = (size + 1) // 2
        self.features = nn.Sequential(*blocks)
        self.score = nn.Linear(self.CHANNELS[-1] * size * size, 1)

    def forward(self, image: Tensor) -> Tensor:
        return self.score(self.features(image).flatten(1))


class HumanGAN(SuperResolver):
    """The paper's training (section 5.4): one discriminator and one generator update per batch."""

    def __init__(self, config: Config, steps_per_epoch: int) -> None:
        super().__init__()
        self.config = config
        self.steps_per_epoch = steps_per_epoch

    @property
    def steps(self) -> int:
        """Steps of the whole schedule."""
        return sum(self.config.epochs) * self.steps_per_epoch

    def build(self) -> None:
        config = self.config
        self.networks = {name: network for name, (network, _) in networks(config).items()}
        schedule = piecewise(config.learning_rates, [config.epochs[0] * self.steps_per_epoch])
        for name, network in self.networks.items():
            self.optimizers[name] = torch.optim.SGD(network.parameters(), lr=config.learning_rates[0], fused=True)
            self.learning_rates[name] = schedule

    def step(self, batch: Batch) -> dict[str, Tensor]:
        lr, hr = normalise(batch["lr"]), normalise(batch["hr"])
        generator, discriminator = self.networks["generator"], self.networks["discriminator"]
        sr = generator(lr)

        real, fake = bce_discriminator(discriminator(hr), discriminator(sr.detach()))
        d_terms = self.update("discriminator", {"d_real": real, "d_fake": fake})

        with frozen(discriminator) as discriminator:
            terms = {"g_adversarial": bce_generator(discriminator(sr))}
            if self.config.pixel_weight:
                terms["g_pixel"] = self.config.pixel_weight * F.l1_loss(sr, hr)
            g_terms = self.update("generator", terms)
        return {**d_terms, **g_terms}

    def super_resolve(self, lr: Tensor) -> Tensor:
        with evaluating(self.inference_network("generator")) as generator:
            return denormalise(generator(normalise(lr))).clamp(0, 1)


def networks(config: Config) -> dict[str, tuple[nn.Module, tuple[int, int, int]]]:
    """Every network of the paper at this configuration, with the shape of one input (channels, height, width)."""
    hr, lr = config.hr_size, config.hr_size // config.degradation.scale
    return {
        "generator": (Generator(config.width, config.residual_scale), (3, lr, lr)),
        "discriminator": (Discriminator(config.hr_size, config.leaky_slope, config.dropout), (3, hr, hr)),
    }


def normalise(image: Tensor) -> Tensor:
    """RGB in [0, 1] -> zero mean and unit variance by ImageNet's statistics."""
    return _by_channel(lambda channel, mean, std: (channel - mean) / std, image)


def denormalise(image: Tensor) -> Tensor:
    """The inverse of `normalise`, not clamped."""
    return _by_channel(lambda channel, mean, std: channel * std + mean, image)


def _by_channel(change: Callable[[Tensor, float, float], Tensor], image: Tensor) -> Tensor:
    """Numbers, not tensors of numbers: to bring those to a GPU, the host would have to wait for it."""
    return torch.stack([change(*each) for each in zip(image.unbind(1), MEAN, STD, strict=True)], dim=1)
