"""Adversarial losses on raw scores (logits), one pair of functions per game.

Each discriminator loss takes the scores of real and of generated images, each generator loss those of generated ones;
all return a scalar, the mean over all scores.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def bce_discriminator(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """-log D(real) and -log(1 - D(fake)) with D = sigmoid(score) (Goodfellow et al. 2014), as two terms to be added.

    Computed from the scores without forming the sigmoid, which would round to 0 or 1 and lose the gradient.
    """
    return (
        F.binary_cross_entropy_with_logits(real, torch.ones_like(real)),
        F.binary_cross_entropy_with_logits(fake, torch.zeros_like(fake)),
    )


def bce_generator(fake: Tensor) -> Tensor:
    """-log D(fake), the non-saturating form: a generator that D sees through still gets a gradient (Goodfellow et al. 2014)."""
    return F.binary_cross_entropy_with_logits(fake, torch.ones_like(fake))


def hinge_discriminator(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """max(0, 1 - D(real)) and max(0, 1 + D(fake)), as two terms to be added (Lim and Ye 2017; SelfSR, eq. 7).

    A score beyond the margin of 1 on its right side costs nothing and has no gradient.
    """
    return F.relu(1 - real).mean(), F.relu(1 + fake).mean()


def hinge_generator(fake: Tensor) -> Tensor:
    """-D(fake), the generator's side of the hinge game (SelfSR, eq. 7)."""
    return -fake.mean()
