"""Adversarial losses on raw scores (logits), one pair of functions per game.

Each discriminator loss takes the scores of real and of generated images, each generator loss those of generated ones
(relativistic ones both); all return scalars, means over the scores, and are differentiable. All raise ValueError for none.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from facesr_lib.image.check import check_some


def bce_discriminator(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """-log D(real) and -log(1 - D(fake)) with D = sigmoid(score) (Goodfellow et al. 2014), as two terms to be added.

    Computed from the scores directly: the sigmoid would round to 0 or 1 and lose the gradient.
    """
    real_term = bce_generator(check_some(real, "real"))
    return real_term, F.binary_cross_entropy_with_logits(check_some(fake, "fake"), torch.zeros_like(fake))


def bce_generator(fake: Tensor) -> Tensor:
    """-log D(fake), the non-saturating form: fakes that D recognises still give a gradient (Goodfellow et al. 2014)."""
    return F.binary_cross_entropy_with_logits(check_some(fake, "fake"), torch.ones_like(fake))


def minimax_generator(fake: Tensor) -> Tensor:
    """log(1 - D(fake)), what the generator minimises in eq. 1 of Goodfellow et al.: no gradient from fakes that D recognises."""
    return -F.softplus(check_some(fake, "fake")).mean()


def hinge_discriminator(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """max(0, 1 - D(real)) and max(0, 1 + D(fake)), as two terms to be added (Lim and Ye 2017; SelfSR, eq. 7).

    A score beyond the margin of 1 on its right side costs nothing and has no gradient.
    """
    return F.relu(1 - check_some(real, "real")).mean(), F.relu(1 + check_some(fake, "fake")).mean()


def hinge_generator(fake: Tensor) -> Tensor:
    """-D(fake), the generator's side of the hinge game (SelfSR, eq. 7)."""
    return -check_some(fake, "fake").mean()


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """-log sigmoid(real - fake) over pairs (RSGAN, Jolicoeur-Martineau, ICLR 2019): two (N, ...) of one shape -> scalar.

    Only the difference counts: a constant added to every score changes nothing. Raises ValueError for unequal shapes.
    """
    if check_some(real, "real").shape != check_some(fake, "fake").shape:
        raise ValueError(f"fake: expected a score for each real one, shape {tuple(real.shape)}, got {tuple(fake.shape)}")
    return F.softplus(fake - real).mean()


def relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """-log sigmoid(fake - real), the generator's side of RSGAN. Raises ValueError for unequal shapes."""
    return relativistic_discriminator(fake, real)


def relativistic_average_discriminator(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """The cross-entropies of real - mean(fake) and fake - mean(real), as two terms to be added (RaGAN, Jolicoeur-Martineau,
    ICLR 2019): (N, ...) and (M, ...) scores. Raises ValueError where these differ in more than N and M.
    """
    if check_some(real, "real").shape[1:] != check_some(fake, "fake").shape[1:]:
        raise ValueError(f"fake: expected (M, *{tuple(real.shape[1:])}) scores for these real ones, got {tuple(fake.shape)}")
    return bce_discriminator(real - fake.mean(0), fake - real.mean(0))


def relativistic_average_generator(real: Tensor, fake: Tensor) -> Tensor:
    """The generator's side of RaGAN, as in ESRGAN (Wang et al., ECCVW 2018): the same with real and fake exchanged.

    Unlike in the other games, real scores have a gradient here too. It reaches only the discriminator, which is frozen.
    """
    fake_term, real_term = relativistic_average_discriminator(fake, real)
    return fake_term + real_term
