"""SelfSR: self-conditioned face super-resolution in the wild via a flow-field degradation network (Zeng et al., 2021).

Problem: real LR faces have no HR originals, and a network that learned from bicubic pairs fails on them. Methods that translate
images freely (CycleGAN) can imitate real LR, but they also change colours and faces.

Idea: stage 1 (`degradation`) learns from unpaired images how real LR differs from bicubic LR. It predicts an intermediate image
and a flow field; a flow moves pixels but cannot change their colours. Stage 2 (`networks`, `super_resolution`) trains on the
pairs that stage 1 makes. In place of landmarks or parsing maps, the LR image itself conditions every block, and the network
grows from x2 to x4 or x8. Without pairs, stage 2 compares the reduced output with its input.

Equations, with z bicubic LR, x real LR, y HR:

- (1) x^ = z~ sampled along the flow f, with (z~, f) = G(z)
- (2) to (5) adversarial loss + lambda_idt |z~ - z|_1 + lambda_sm TV(f)
- (6) h' = sigma(c) (h - mu) / std, with h the features and c the LR image
- (7) hinge losses, (8) |y - G(x)|_1, (9) R1: gamma / 2 E|grad D(y)|^2, (10) their weighted sum
- (11) without pairs, in place of (8): |x - down(G(x))|_1

No code was published, and the paper's text has lost the weights of (5), (10) and Adam's betas. Marks here and in the modules:
[paper] the paper says so, [code] its authors' code does so, [ours] neither does, and we chose, [departs] we do otherwise.

Departures: the small presets add the output to the enlarged LR image, CycleGAN's generators to their input, hold the local
brightness in stage 1, move and relight the HR faces that pairs with bicubic LR are made of, and have weights of their own.
"""

from dataclasses import dataclass, replace

from torch import nn

from facesr_lib.config import check_profile
from facesr_lib.papers.selfsr.degradation import (
    CycleAdaptation,
    DegradationConfig,
    FlowAdaptation,
    FlowGenerator,
    ImageGenerator,
    LRDiscriminator,
)
from facesr_lib.papers.selfsr.names import ALL_PARTS, NO_RESIDUAL, PAIRED, PSNR_ORIENTED, UNPAIRED, ablated
from facesr_lib.papers.selfsr.networks import Generator, SelfConditionedBlock
from facesr_lib.papers.selfsr.super_resolution import SelfSR, SRConfig, sr_networks


@dataclass(frozen=True)
class Config:
    """The paper's three settings: pairs x8, no pairs x8, real faces x4 with a learned degradation."""

    paired: SRConfig
    unpaired: SRConfig
    real: SRConfig
    degradation: DegradationConfig
    images: tuple[int | None, int | None, int | None] = (None, None, 1_000)  # to train, validate and test on [paper: 1,000]
    ablation_seeds: int = 3  # trainings of each ablation (Tables III and IV) [ours]
    ablation_steps: int | None = None  # of Table IV's trainings, the full model's among them; None: as long as Table I's [paper]

    def table_1(self) -> dict[str, SRConfig]:
        """The networks of stage 2 with bicubic LR, by name: Table I's, and one without a discriminator."""
        return {PAIRED: self.paired, UNPAIRED: self.unpaired, PSNR_ORIENTED: self.paired.psnr_oriented()}

    def table_4(self) -> dict[str, SRConfig]:
        """Table IV's networks by name, all equally long in training; of small presets also the published form."""
        found: dict[str, SRConfig] = {}
        for name, full in ((PAIRED, self.paired), (UNPAIRED, self.unpaired)):
            equal = full.shortened(self.ablation_steps or full.steps)
            parts = {ALL_PARTS: equal, **equal.ablations()}
            if equal.residual and equal.paired:
                parts[NO_RESIDUAL] = replace(equal, residual=False)
            found |= {ablated(name, part): config for part, config in parts.items()}
        return found

    def trained_as(self, name: str) -> str:
        """The training behind a row of Table IV: the full model's is Table I's where both are equally long."""
        return name if self.ablation_steps else name.removesuffix(f", {ALL_PARTS}")

    @classmethod
    def preset(cls, profile: str) -> "Config":
        """The configuration of a profile (see `PROFILES`). Sizes, widths and steps shrink; every term stays."""
        presets = {"smoke": _smoke, "quick": _quick, "evening": _evening, "workshop": _workshop, "paper": _paper}
        return presets[check_profile(profile)]()


def _paper() -> Config:
    unpaired = SRConfig(paired=False, steps=280_000, grow_at=(40_000, 120_000))  # [paper]
    return Config(SRConfig(), unpaired, SRConfig(levels=2, grow_at=(60_000,)), DegradationConfig())  # [paper]


# [ours] In minutes of training, the weights of the `paper` preset let the adversarial loss drown the reconstruction, most of all
# without pairs. These weights were chosen on validation people. So was jitter: long trainings with pairs learn 25 people by
# heart. Those for real faces are too short for it. In stage 1 the discriminators take three steps for one: with one they lag
# behind, and the generator goes round in circles, from stripes to checkerboards.
_SMALL_SR = SRConfig(
    lr_size=8, width=32, blocks=2, d_blocks=1, residual=True, adversarial=0.08, batch_size=8, average_decay=0.99, jitter=True
)
_SMALL_REAL = replace(_SMALL_SR, jitter=False, lr_size=16, levels=2, adversarial=0.1)
_SMALL_STAGE1 = DegradationConfig(
    width=32,
    blocks=3,
    max_flow=2.0,
    identity=20.0,
    smoothness=0.02,
    brightness=20.0,
    d_steps=3,
    cycle_residual=True,
    batch_size=16,
)


def _unpaired(paired: SRConfig) -> SRConfig:
    return replace(paired, paired=False, adversarial=0.01, jitter=False)


def _workshop() -> Config:
    paired = replace(_SMALL_SR, width=64, blocks=3, d_blocks=2, batch_size=16, steps=3000, grow_at=(400, 1200), fade=200)
    real = replace(paired, jitter=False, lr_size=16, levels=2, grow_at=(1000,))
    stage1 = replace(_SMALL_STAGE1, width=64, blocks=4, steps=3000, learning_rate=5e-4)
    return Config(paired, _unpaired(paired), real, stage1)


def _evening() -> Config:
    paired = replace(_SMALL_SR, lr_size=10, width=40, steps=1600, grow_at=(160, 480), fade=130)
    real = replace(_SMALL_REAL, lr_size=20, steps=400, grow_at=(100,), fade=40)
    stage1 = replace(_SMALL_STAGE1, steps=400, learning_rate=1e-3)
    return Config(paired, _unpaired(paired.shortened(700)), real, stage1, ablation_seeds=1, ablation_steps=160)


def _quick() -> Config:
    paired = replace(_SMALL_SR, steps=1000, grow_at=(100, 300), fade=80)
    real = replace(_SMALL_REAL, width=24, steps=300, grow_at=(75,), fade=30)
    stage1 = replace(_SMALL_STAGE1, steps=300, learning_rate=1e-3)
    unpaired = _unpaired(paired.shortened(400))
    return Config(paired, unpaired, real, stage1, images=(250, 50, 50), ablation_seeds=1, ablation_steps=100)


def _smoke() -> Config:
    sr = replace(_SMALL_SR, width=8, blocks=1, batch_size=4, steps=6, fade=1, grow_at=(2, 4))
    real = replace(sr, jitter=False, lr_size=16, levels=2, grow_at=(3,))
    stage1 = replace(_SMALL_STAGE1, width=8, blocks=1, steps=6, batch_size=4, learning_rate=1e-3)
    return Config(sr, _unpaired(sr), real, stage1, images=(16, 6, 4), ablation_seeds=1, ablation_steps=5)


def networks(config: Config) -> dict[str, tuple[nn.Module, tuple[int, int, int]]]:
    """Every network of the paper at this configuration, with the shape of one input (channels, height, width)."""
    lr = (3, config.real.lr_size, config.real.lr_size)
    stage1 = config.degradation
    found: dict[str, tuple[nn.Module, tuple[int, int, int]]] = {
        "flow degradation": (FlowGenerator(stage1.width, stage1.blocks, stage1.max_flow), lr),
        "CycleGAN degradation (one direction)": (ImageGenerator(stage1.width, stage1.blocks), lr),
        "LR discriminator": (LRDiscriminator(stage1.width), lr),
    }
    for setting, sr in (("pairs", config.paired), ("real faces", config.real)):
        found |= {f"{name}, {setting} x{sr.scale}": network for name, network in sr_networks(sr).items()}
    return found
