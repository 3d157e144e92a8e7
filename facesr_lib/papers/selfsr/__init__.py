"""SelfSR: self-conditioned face super-resolution in the wild via a flow-field degradation network (Zeng et al., 2021).

Stage 1 (`degradation`) learns from unpaired pictures what separates real LR faces from bicubic ones; stage 2 (`networks`,
`super_resolution`) trains a progressive network on the pairs it makes. No code was published.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import nn

from facesr_lib.papers.selfsr.degradation import (
    Adaptation,
    CycleAdaptation,
    DegradationConfig,
    FlowAdaptation,
    FlowGenerator,
    ImageGenerator,
    LearnedDegradation,
    LRDiscriminator,
)
from facesr_lib.papers.selfsr.networks import (
    ConcatenationBlock,
    Discriminator,
    EqualConv2d,
    Generator,
    SelfConditionedBlock,
)
from facesr_lib.papers.selfsr.super_resolution import SelfSR, SRConfig, sr_networks
from facesr_lib.training import check_profile

__all__ = [
    "Adaptation",
    "ConcatenationBlock",
    "Config",
    "CycleAdaptation",
    "DegradationConfig",
    "Discriminator",
    "EqualConv2d",
    "FlowAdaptation",
    "FlowGenerator",
    "Generator",
    "ImageGenerator",
    "LRDiscriminator",
    "LearnedDegradation",
    "SRConfig",
    "SelfConditionedBlock",
    "SelfSR",
    "networks",
]


@dataclass(frozen=True)
class Config:
    """The paper's three settings: pairs x8, no pairs x8, real faces x4 with a learned degradation."""

    paired: SRConfig
    unpaired: SRConfig
    real: SRConfig
    degradation: DegradationConfig
    images: tuple[int, int, int] = (
        10_000_000,
        10_000_000,
        1_000,
    )  # most images to train, validate and test on; 1,000 to test [seed]

    @classmethod
    def preset(cls, profile: str) -> Config:
        """The configuration of a profile: smoke, quick, workshop or paper. Sizes, widths and steps shrink; every term stays."""
        return {"smoke": _smoke, "quick": _quick, "workshop": _workshop, "paper": _paper}[check_profile(profile)]()


def _paper() -> Config:
    paired = SRConfig()
    unpaired = SRConfig(paired=False, steps=280_000, grow_at=(40_000, 120_000))  # [seed]
    real = SRConfig(levels=2, grow_at=(60_000,))  # [seed]
    return Config(paired, unpaired, real, DegradationConfig())


# The weights of both objectives are lost from the paper's text. In minutes-long training those of the `paper` preset let the game
# drown the reconstruction, and the identity loss the game; the small presets' weights were chosen on validation people [choice].
_SMALL_SR = SRConfig(lr_size=8, width=16, blocks=2, d_blocks=1, residual=True, adversarial=0.1, batch_size=8)
_SMALL_STAGE1 = DegradationConfig(
    width=32, blocks=3, max_flow=2.0, identity=2.0, smoothness=0.02, cycle_residual=True, batch_size=16
)


def _workshop() -> Config:
    paired = replace(
        _SMALL_SR, width=64, blocks=3, d_blocks=2, batch_size=16, steps=3000, grow_at=(400, 1200), fade=200
    )
    real = replace(paired, lr_size=16, levels=2, grow_at=(1000,))
    stage1 = replace(_SMALL_STAGE1, width=64, blocks=4, steps=3000, learning_rate=5e-4)
    return Config(paired, replace(paired, paired=False), real, stage1)


def _quick() -> Config:
    paired = replace(_SMALL_SR, steps=220, grow_at=(40, 100), fade=20, average_decay=0.98)
    real = replace(paired, lr_size=16, levels=2, steps=110, grow_at=(40,))
    stage1 = replace(_SMALL_STAGE1, steps=150, learning_rate=1e-3)
    return Config(paired, replace(paired, paired=False), real, stage1, images=(250, 50, 50))


def _smoke() -> Config:
    quick = _quick()
    sr = replace(_SMALL_SR, width=8, blocks=1, batch_size=4, steps=6, fade=1, grow_at=(2, 4))
    real = replace(sr, lr_size=16, levels=2, grow_at=(3,))
    stage1 = replace(quick.degradation, width=8, blocks=1, steps=6, batch_size=4)
    return Config(sr, replace(sr, paired=False), real, stage1, images=(16, 6, 4))


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
