"""SelfSR, stage 2 (section III-B): train the progressive network with pairs, pseudo pairs, or without pairs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facesr_lib.image import resize_bicubic
from facesr_lib.losses import hinge_discriminator, hinge_generator, r1_penalty
from facesr_lib.papers.selfsr.networks import Conditioning, Discriminator, Generator
from facesr_lib.training import Batch, SuperResolver, evaluating, frozen, unwrap
from facesr_lib.training.schedules import constant


@dataclass(frozen=True)
class SRConfig:
    """What stage 2 trains. The defaults are the `paper` preset's, with pairs, x8."""

    lr_size: int = 16  # side of the LR face [seed: 16 -> 128]
    levels: int = 3  # doublings: x8 [seed]
    paired: bool = True  # eq. 8 on pairs; otherwise eq. 11 on LR faces of other people
    conditioning: Conditioning = "self-conditioned"
    width: int = 256  # channels [choice: with 5 blocks a level it comes to the 17.89 M parameters of Table I]
    blocks: int = 5  # of the generator, per level [choice]
    d_blocks: int = 5  # of the discriminator: a mirror [choice]
    residual: bool = False  # add to the enlarged LR: not the paper's form [seed]; minutes-long training needs it
    adversarial: float = 1.0  # lambda_adv [choice: the weights of eq. 10 are lost]; 0 trains without a discriminator
    reconstruction: float = 10.0  # lambda_rec of eq. 8, or of eq. 11 [choice]
    r1_gamma: float = 10.0  # eq. 9 [seed]; 0 is a row of Table IV
    learning_rate: float = 0.003  # constant [seed]
    betas: tuple[float, float] = (0.0, 0.99)  # [choice]
    batch_size: int = 48  # [seed]
    steps: int = 160_000  # [seed]
    grow_at: tuple[int, ...] = (20_000, 80_000)  # steps at which a level is added [seed]
    fade: int = 10_000  # steps until a new level counts in full [choice]
    average_decay: float = 0.999  # of the generator's moving average, which is evaluated [choice]

    @property
    def scale(self) -> int:
        """The factor of the last level."""
        return 2**self.levels

    @property
    def hr_size(self) -> int:
        """Side of the HR face in pixels."""
        return self.lr_size * self.scale

    def stage(self, step: int) -> tuple[int, float]:
        """The level being trained at a step (counted from 0), and how far it is faded in, 0 to 1 (the first level always 1)."""
        grown = [start for start in self.grow_at if step >= start]
        level = self.levels - len(self.grow_at) + len(grown)
        return level, min(1.0, (step - grown[-1]) / self.fade) if grown and self.fade else 1.0

    def concatenation(self) -> SRConfig:
        """The LR image as further channels instead of as a condition (Table IV)."""
        return replace(self, conditioning="concatenation")

    def without_growing(self) -> SRConfig:
        """All levels from the first step on (Table IV)."""
        return replace(self, grow_at=())

    def without_r1(self) -> SRConfig:
        """No R1 regularisation (Table IV)."""
        return replace(self, r1_gamma=0.0)

    def psnr_oriented(self) -> SRConfig:
        """Reconstruction only, no adversarial game."""
        return replace(self, adversarial=0.0)


class SelfSR(SuperResolver):
    """Equations 7 to 11. With pairs a batch holds `lr` and `hr`; without, `real_lr` (other people's LR faces) and `hr`."""

    grows = True

    def __init__(self, config: SRConfig) -> None:
        super().__init__()
        self.config = config
        self.level, self.alpha = config.levels, 1.0

    @property
    def steps(self) -> int:
        """Steps of the whole schedule."""
        return self.config.steps

    def build(self) -> None:
        config = self.config
        self.networks["generator"] = build_generator(config)
        if config.adversarial:
            self.networks["discriminator"] = Discriminator(config.width, config.d_blocks, config.levels)
        # All levels are there from the start. A level that is not reached yet gets no gradient, so Adam leaves it as it is and
        # keeps no state for it: growing adds state to the optimizer and touches none of what is there.
        for name, network in self.networks.items():
            rate = config.learning_rate
            self.optimizers[name] = torch.optim.Adam(network.parameters(), lr=rate, betas=config.betas)
            self.learning_rates[name] = constant(rate)
        self.average("generator", config.average_decay)

    def begin_step(self, step: int) -> None:
        self.level, self.alpha = self.config.stage(step)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        config = self.config
        lr = to_signed(batch["lr" if config.paired else "real_lr"])
        hr = self.target(to_signed(batch["hr"]))
        sr = self.networks["generator"](lr, self.level, self.alpha)

        terms = {"g_reconstruction": config.reconstruction * self.reconstruction(sr, lr, hr)}
        if not config.adversarial:
            return self.update("generator", terms)

        d_terms = self.update("discriminator", self.judge(sr.detach(), hr))
        with frozen(self.networks["discriminator"]) as discriminator:
            score = discriminator(sr, self.level, self.alpha)
            terms["g_adversarial"] = config.adversarial * hinge_generator(score)  # eq. 7
            g_terms = self.update("generator", terms)
        return {**d_terms, **g_terms}

    def judge(self, sr: Tensor, hr: Tensor) -> dict[str, Tensor]:
        """The discriminator's terms: hinge on both sides (eq. 7), R1 on the real side (eq. 9)."""
        discriminator = self.networks["discriminator"]
        score, fake = discriminator(hr, self.level, self.alpha), discriminator(sr, self.level, self.alpha)
        d_real, d_fake = hinge_discriminator(score, fake)
        terms = {"d_real": d_real, "d_fake": d_fake}
        if self.config.r1_gamma:
            inner = unwrap(discriminator)
            penalty = r1_penalty(lambda image: inner(image, self.level, self.alpha), hr)
            terms["d_r1"] = self.config.r1_gamma / 2 * penalty
        return terms

    def reconstruction(self, sr: Tensor, lr: Tensor, hr: Tensor) -> Tensor:
        """With pairs |y - G(x)|_1 (eq. 8); without, |x - bicubic_down(G(x))|_1 (eq. 11)."""
        if self.config.paired:
            return F.l1_loss(sr, hr)
        return F.l1_loss(resize_bicubic(sr, 1 / 2**self.level), lr)

    def target(self, hr: Tensor) -> Tensor:
        """HR faces at the size of the level being trained, blended with the level below as the output is (Karras et al. 2018)."""
        hr = hr if self.level == self.config.levels else resize_bicubic(hr, 2.0 ** (self.level - self.config.levels))
        if self.alpha >= 1:
            return hr
        return torch.lerp(F.interpolate(F.avg_pool2d(hr, 2), scale_factor=2, mode="nearest"), hr, self.alpha)

    def super_resolve(self, lr: Tensor, level: int | None = None) -> Tensor:
        """level: 1 for x2, 2 for x4, ...; by default the last one, during training the one being trained."""
        with evaluating(self.inference_network("generator")) as generator:
            level, alpha = (self.level, self.alpha) if level is None else (level, 1.0)
            return from_signed(generator(to_signed(lr), level, alpha)).clamp(0, 1)


def build_generator(config: SRConfig) -> Generator:
    """The generator of a configuration."""
    return Generator(config.width, config.blocks, config.levels, config.conditioning, config.residual)


def sr_networks(config: SRConfig) -> dict[str, tuple[nn.Module, tuple[int, int, int]]]:
    """Both networks of stage 2, with the shape of one input (channels, height, width)."""
    return {
        "generator": (build_generator(config), (3, config.lr_size, config.lr_size)),
        "discriminator": (
            Discriminator(config.width, config.d_blocks, config.levels),
            (3, config.hr_size, config.hr_size),
        ),
    }


def to_signed(image: Tensor) -> Tensor:
    """[0, 1] -> [-1, 1]."""
    return 2 * image - 1


def from_signed(image: Tensor) -> Tensor:
    """[-1, 1] -> [0, 1]."""
    return (image + 1) / 2
