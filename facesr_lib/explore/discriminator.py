"""A discriminator without a generator: the shortest training that makes adversarial losses mean something."""

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
class DiscriminatorConfig:
    """size: of the square HR images in pixels; width: of the network; r1_gamma: weight of R1 at HR images, 0 for none.

    gamma depends on the range and the number of the pixels: SelfSR's 10, for [-1, 1], would keep this network flat.
    """

    size: int
    r1_gamma: float = 0.0
    width: float = 1 / 16
    learning_rate: float = 1e-3


class DiscriminatorTraining(Method):
    """ISR-KD's discriminator learns to tell HR faces from their bicubic SR: half a GAN, since nothing answers it."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        self.config = config

    def build(self) -> None:
        discriminator = Discriminator(self.config.size, self.config.width)
        self.networks["discriminator"] = discriminator
        adam = torch.optim.Adam(discriminator.parameters(), self.config.learning_rate, (0.5, 0.99))
        self.optimizers["discriminator"] = adam
        self.learning_rates["discriminator"] = constant(self.config.learning_rate)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        discriminator, hr = self.networks["discriminator"], batch["hr"]
        real, fake = bce_discriminator(discriminator(hr), discriminator(self.super_resolve(batch["lr"])))
        terms = {"real": real, "fake": fake}
        if self.config.r1_gamma:
            terms["r1"] = self.config.r1_gamma / 2 * r1_penalty(discriminator, hr)
        return self.update("discriminator", terms)

    def super_resolve(self, lr: Tensor) -> Tensor:
        """The fakes: bicubic SR, in [0, 1]."""
        return resize_bicubic(lr, size=(self.config.size, self.config.size)).clamp(0, 1)
