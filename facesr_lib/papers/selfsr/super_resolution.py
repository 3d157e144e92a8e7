"""SelfSR, stage 2 (section III-B): train the progressive network with pairs, with pairs made by stage 1, or without pairs."""

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facesr_lib.data.augment import Augment, jitter
from facesr_lib.image import resize_bicubic
from facesr_lib.losses import hinge_discriminator, hinge_generator, squared_slope
from facesr_lib.papers.selfsr.degradation import BETAS
from facesr_lib.papers.selfsr.names import CONCATENATION, NO_GROWING, NO_R1
from facesr_lib.papers.selfsr.networks import Conditioning, Discriminator, Generator
from facesr_lib.training import Batch, SuperResolver, evaluating, frozen, unwrap
from facesr_lib.training.schedules import constant


@dataclass(frozen=True)
class SRConfig:
    """What stage 2 trains. The defaults are the `paper` preset's, with pairs, x8."""

    lr_size: int = 16  # side of the LR face [paper: 16 to 128]
    levels: int = 3  # doublings: x8 [paper]
    paired: bool = True  # eq. 8 on pairs; otherwise eq. 11 on LR faces of other people
    conditioning: Conditioning = "self-conditioned"
    width: int = 256  # channels [ours: with 5 blocks a level it comes to the 17.89 M parameters of Table I]
    blocks: int = 5  # of the generator, per level [ours]
    d_blocks: int = 5  # of the discriminator: a mirror [ours]
    residual: bool = False  # [paper]; True adds to the enlarged LR, which minutes of training need [departs]
    adversarial: float = 1.0  # lambda_adv [ours: the weights of eq. 10 are lost]; 0: no discriminator
    reconstruction: float = 10.0  # lambda_rec of eq. 8, or of eq. 11 [ours]
    r1_gamma: float = 10.0  # eq. 9 [paper]; 0 is a row of Table IV
    learning_rate: float = 0.003  # constant [paper]
    betas: tuple[float, float] = BETAS
    batch_size: int = 48  # [paper]
    steps: int = 160_000  # [paper]
    grow_at: tuple[int, ...] = (20_000, 80_000)  # steps at which a level is added [paper]
    fade: int = 10_000  # steps over which a new level is faded in [ours]
    average_decay: float = 0.999  # of the generator's moving average, which is evaluated [ours]
    jitter: bool = False  # HR faces are mirrored [paper]; True moves and relights them, too: few are learned by heart [departs]

    @property
    def scale(self) -> int:
        """The factor of the last level."""
        return 2**self.levels

    @property
    def hr_size(self) -> int:
        """Side of the HR face in pixels."""
        return self.lr_size * self.scale

    @property
    def augment(self) -> Augment | None:
        """What changes the HR faces of a batch after mirroring."""
        return jitter if self.jitter else None

    def stage(self, step: int) -> tuple[int, float]:
        """The level trained at a step (counted from 0), and its fade-in weight alpha, 0 to 1 (always 1 for the first level)."""
        grown = [start for start in self.grow_at if step >= start]
        level = self.levels - len(self.grow_at) + len(grown)
        return level, min(1.0, (step - grown[-1]) / self.fade) if grown and self.fade else 1.0

    def ablations(self) -> dict[str, "SRConfig"]:
        """Table IV: by the name of the part that is left out, this configuration without it."""
        return {
            CONCATENATION: replace(self, conditioning="concatenation"),
            NO_GROWING: replace(self, grow_at=()),  # all levels from the first step on
            NO_R1: replace(self, r1_gamma=0.0),
        }

    def shortened(self, steps: int) -> "SRConfig":
        """The same training in `steps` steps: levels come, and are faded in, at the same shares of it."""
        share = steps / self.steps
        grow_at = tuple(round(share * start) for start in self.grow_at)
        return replace(self, steps=steps, grow_at=grow_at, fade=round(share * self.fade))

    def psnr_oriented(self) -> "SRConfig":
        """Reconstruction only, without a discriminator."""
        return replace(self, adversarial=0.0)


class SelfSR(SuperResolver):
    """Equations 7 to 11. With pairs a batch holds `lr` and `hr`; without, `hr` and `real_lr`, LR faces of other people."""

    grows = True

    def __init__(self, config: SRConfig) -> None:
        super().__init__()
        self.config = config
        self.level, self.alpha = config.levels, 1.0

    def build(self) -> None:
        config = self.config
        self.networks = {name: network for name, (network, _) in sr_networks(config).items()}
        # All levels exist from the start. A level that training has not reached gets no gradient, so Adam does not change it and
        # keeps no state for it: growing adds optimizer state and resets none.
        for name, network in self.networks.items():
            self.optimizers[name] = torch.optim.Adam(network.parameters(), config.learning_rate, config.betas, fused=True)
            self.learning_rates[name] = constant(config.learning_rate)
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

        d_terms = self.update("discriminator", self.discriminator_terms(sr.detach(), hr))
        with frozen(self.networks["discriminator"]) as discriminator:
            score = discriminator(sr, self.level, self.alpha)
            terms["g_adversarial"] = config.adversarial * hinge_generator(score)  # eq. 7
            g_terms = self.update("generator", terms)
        return {**d_terms, **g_terms}

    def discriminator_terms(self, sr: Tensor, hr: Tensor) -> dict[str, Tensor]:
        """What the discriminator minimises: hinge losses of real and generated images (eq. 7), R1 at real ones (eq. 9)."""
        discriminator, gamma = self.networks["discriminator"], self.config.r1_gamma
        hr = hr.detach().requires_grad_(gamma > 0)  # one pass serves both of its terms, outside a distributed wrapper for R1
        real, fake = unwrap(discriminator)(hr, self.level, self.alpha), discriminator(sr, self.level, self.alpha)
        d_real, d_fake = hinge_discriminator(real, fake)
        terms = {"d_real": d_real, "d_fake": d_fake}
        if gamma:
            terms["d_r1"] = gamma / 2 * squared_slope(real, hr)
        return terms

    def reconstruction(self, sr: Tensor, lr: Tensor, hr: Tensor) -> Tensor:
        """With pairs |y - G(x)|_1 (eq. 8); without, |x - bicubic_down(G(x))|_1 (eq. 11)."""
        if self.config.paired:
            return F.l1_loss(sr, hr)
        return F.l1_loss(resize_bicubic(sr, 1 / 2**self.level), lr)

    def target(self, hr: Tensor) -> Tensor:
        """HR images at the size of the current level, blended with the level below like the output (Karras et al. 2018)."""
        hr = hr if self.level == self.config.levels else resize_bicubic(hr, 2.0 ** (self.level - self.config.levels))
        if self.alpha >= 1:
            return hr
        return torch.lerp(F.interpolate(F.avg_pool2d(hr, 2), scale_factor=2, mode="nearest"), hr, self.alpha)

    def super_resolve(self, lr: Tensor, level: int | None = None, alpha: float = 1.0) -> Tensor:
        """As `SuperResolver.super_resolve`. level: 1 for x2, 2 for x4, ...; None: the current one. alpha: its fade-in, 0 to 1."""
        with evaluating(self.inference_network("generator")) as generator:
            level, alpha = (self.level, self.alpha) if level is None else (level, alpha)
            return from_signed(generator(to_signed(lr), level, alpha)).clamp(0, 1)


def sr_networks(config: SRConfig) -> dict[str, tuple[nn.Module, tuple[int, int, int]]]:
    """The networks of stage 2, each with the shape of one input (channels, height, width)."""
    generator = Generator(config.width, config.blocks, config.levels, config.conditioning, config.residual)
    found: dict[str, tuple[nn.Module, tuple[int, int, int]]] = {"generator": (generator, (3, config.lr_size, config.lr_size))}
    if config.adversarial:
        discriminator = Discriminator(config.width, config.d_blocks, config.levels)
        found["discriminator"] = (discriminator, (3, config.hr_size, config.hr_size))
    return found


def to_signed(image: Tensor) -> Tensor:
    """[0, 1] -> [-1, 1]."""
    return 2 * image - 1


def from_signed(image: Tensor) -> Tensor:
    """[-1, 1] -> [0, 1]."""
    return (image + 1) / 2
