"""A small GAN on random images that exercises everything a checkpoint must carry; also run as a script to be killed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from facesr_lib.losses import bce_discriminator, bce_generator
from facesr_lib.training import Method, SuperResolver, Trainer, TrainerOptions, evaluating, frozen
from facesr_lib.training.schedules import linear_decay

STEPS = 40


class ToyGAN(SuperResolver):
    """Dropout (global generator), batch norm (buffers), Adam (state), a decaying rate and a moving average."""

    def build(self) -> None:
        self.networks = {
            "generator": nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.Dropout(0.3), nn.Conv2d(8, 3, 1)),
            "discriminator": nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.Dropout2d(0.2), nn.Flatten(), nn.LazyLinear(1)),
        }
        self.networks["discriminator"](torch.zeros(1, 3, 8, 8))
        for name, network in self.networks.items():
            self.optimizers[name] = torch.optim.Adam(network.parameters(), lr=1e-2)
            self.learning_rates[name] = linear_decay(1e-2, 0, STEPS)
        self.average("generator", 0.9)

    def step(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        fake = self.networks["generator"](batch["lr"])
        discriminator = self.networks["discriminator"]
        real_term, fake_term = bce_discriminator(discriminator(batch["hr"]), discriminator(fake.detach()))
        d_terms = self.update("discriminator", {"d_real": real_term, "d_fake": fake_term})
        with frozen(discriminator) as discriminator:
            terms = {"g_adversarial": bce_generator(discriminator(fake)), "g_pixel": (fake - batch["hr"]).square().mean()}
            return d_terms | self.update("generator", terms)

    def super_resolve(self, lr: Tensor) -> Tensor:
        with evaluating(self.inference_network("generator")) as generator:
            return generator(lr)


def batches(step: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1000 + step)
    hr = torch.rand(4, 3, 8, 8, generator=generator)
    return {"lr": hr + 0.1 * torch.randn(hr.shape, generator=generator), "hr": hr}


def validate(method: SuperResolver) -> dict[str, float]:
    batch = batches(-1)
    return {"mse": (method.super_resolve(batch["lr"]) - batch["hr"]).square().mean().item()}


def toy_trainer(folder: Path, *, steps: int = STEPS, method: Method | None = None, **changes: Any) -> Trainer:
    options = {"log_every": 3, "checkpoint_every": 5, "validate_every": 10, "device": "cpu", **changes}
    return Trainer(
        method or ToyGAN(), batches, folder, TrainerOptions(steps=steps, **options), seed=7, key={"toy": 1}, validate=validate
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    toy_trainer(Path(sys.argv[1])).train()
