"""A critic without a generator: the shortest training that makes adversarial losses mean something."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from facesr_lib.image import resize_bicubic
from facesr_lib.losses import bce_discriminator, r1_penalty
from facesr_lib.papers.isr_kd import Discriminator
from facesr_lib.training import Batch, Method
from facesr_lib.training.schedules import constant


@dataclass(frozen=True)
class CriticConfig:
    """size: of the square HR images in pixels; width: of the discriminator; r1_gamma: of the R1 penalty at HR images, 0 for none.

    gamma depends on the range of the pixels and on their number: SelfSR's 10, for [-1, 1], would forbid this critic any opinion.
    """

    size: int
    r1_gamma: float = 0.0
    width: float = 1 / 16
    learning_rate: float = 1e-3


class Critic(Method):
    """ISR-KD's discriminator learns to tell HR faces from their bicubic SR; nobody answers, so it is half a GAN."""

    def __init__(self, config: CriticConfig) -> None:
        super().__init__()
        self.config = config

    def build(self) -> None:
        critic = Discriminator(self.config.size, self.config.width)
        self.networks["critic"] = critic
        self.optimizers["critic"] = torch.optim.Adam(critic.parameters(), self.config.learning_rate, (0.5, 0.99))
        self.learning_rates["critic"] = constant(self.config.learning_rate)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        critic, hr = self.networks["critic"], batch["hr"]
        real, fake = bce_discriminator(critic(hr), critic(self.super_resolve(batch["lr"])))
        terms = {"real": real, "fake": fake}
        if self.config.r1_gamma:
            terms["r1"] = self.config.r1_gamma / 2 * r1_penalty(critic, hr)
        return self.update("critic", terms)

    def super_resolve(self, lr: Tensor) -> Tensor:
        """What the critic learns to see through: the bicubic SR, in [0, 1]."""
        return resize_bicubic(lr, size=(self.config.size, self.config.size)).clamp(0, 1)
