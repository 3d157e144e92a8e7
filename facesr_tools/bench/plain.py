"""The plain form of every method: the same networks and the same step, as a textbook writes them in PyTorch.

Contiguous memory, one update per parameter, one pass through a discriminator for real images and one for generated ones.
Benchmarks time it beside the library's form; tests hold that both compute the same terms and gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facesr_lib.losses import hinge_discriminator, r1_penalty
from facesr_lib.nn import MaxFeatureMap, PReLU
from facesr_lib.papers import selfsr
from facesr_lib.papers.selfsr.networks import SelfConditionedBlock
from facesr_lib.training import Method


def make_plain(method: Method) -> None:
    """Turn a built method into its plain form, in place, with the same weights; its optimizers start anew."""
    for network in (*method.networks.values(), *method.averages.values()):
        network.to(memory_format=torch.contiguous_format)
        for module in network.modules():
            if forward := FORWARDS.get(type(module)):
                module.forward = partial(forward, module)
    for name, optimizer in method.optimizers.items():
        method.optimizers[name] = _plain_optimizer(getattr(optimizer, "optimizer", optimizer))
    for kind, parts in STEPS.items():
        if isinstance(method, kind):
            for name, part in parts.items():
                setattr(method, name, partial(part, method))


def _plain_optimizer(optimizer: torch.optim.Optimizer) -> torch.optim.Optimizer:
    """A new optimizer of the same kind and settings, without foreach or fused updates."""
    kept = ("params", "lr", "betas")
    groups = [{name: value for name, value in group.items() if name in kept} for group in optimizer.param_groups]
    made: torch.optim.Optimizer = type(optimizer)(groups, foreach=False, fused=False)  # type: ignore[call-arg]
    return made


def _two_passes(method: Method, discriminator: nn.Module, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    return discriminator(real), discriminator(fake.detach())


def _three_passes(method: selfsr.SelfSR, sr: Tensor, hr: Tensor) -> dict[str, Tensor]:
    """R1 looks at the real images once more."""
    discriminator = partial(method.networks["discriminator"], level=method.level, alpha=method.alpha)
    terms = dict(zip(("d_real", "d_fake"), hinge_discriminator(discriminator(hr), discriminator(sr)), strict=True))
    if method.config.r1_gamma:
        terms["d_r1"] = method.config.r1_gamma / 2 * r1_penalty(discriminator, hr)
    return terms


def _self_conditioned(block: SelfConditionedBlock, features: Tensor, image: Tensor) -> Tensor:
    return F.leaky_relu(block.condition(image) * F.instance_norm(block.conv(features)), 0.2)


STEPS: dict[type[Method], dict[str, Callable[..., Any]]] = {
    Method: {  # type: ignore[type-abstract]
        "scores": _two_passes
    },
    selfsr.SelfSR: {"discriminator_terms": _three_passes},
}
FORWARDS: dict[type[nn.Module], Callable[..., Any]] = {
    MaxFeatureMap: lambda self, x: torch.maximum(*self.layer(x).chunk(2, dim=1)),
    SelfConditionedBlock: _self_conditioned,
    PReLU: lambda self, x: F.prelu(x, self.weight),
}
