"""A critic without a generator: the shortest training that makes adversarial losses mean something."""

from __future__ import annotations

import torch
from torch import Tensor

from facesr_lib.image import resize_bicubic
from facesr_lib.losses import bce_discriminator, r1_penalty
from facesr_lib.papers.isr_kd import Discriminator
from facesr_lib.training import Batch, Method
from facesr_lib.training.schedules import constant


class Critic(Method):
    """ISR-KD's discriminator learns to tell HR faces from their bicubic SR; nobody answers, so it is half a GAN.

    size: of the square HR images in pixels; width: of the discriminator; r1_gamma: weight of the R1 penalty at HR images.
    """

    def __init__(self, size: int, width: float = 1 / 16, r1_gamma: float = 0.0, learning_rate: float = 1e-3) -> None:
        super().__init__()
        self.size, self.width, self.r1_gamma, self.learning_rate = size, width, r1_gamma, learning_rate

    def build(self) -> None:
        critic = Discriminator(self.size, self.width)
        self.networks["critic"] = critic
        self.optimizers["critic"] = torch.optim.Adam(critic.parameters(), self.learning_rate, (0.5, 0.99))
        self.learning_rates["critic"] = constant(self.learning_rate)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        critic, hr = self.networks["critic"], batch["hr"]
        real, fake = bce_discriminator(critic(hr), critic(self.super_resolve(batch["lr"])))
        terms = {"real": real, "fake": fake}
        if self.r1_gamma:
            terms["r1"] = self.r1_gamma / 2 * r1_penalty(critic, hr)
        return self.update("critic", terms)

    def super_resolve(self, lr: Tensor) -> Tensor:
        """What the critic learns to see through: the bicubic SR, in [0, 1]."""
        return resize_bicubic(lr, size=(self.size, self.size)).clamp(0, 1)
