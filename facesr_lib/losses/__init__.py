"""Loss functions, one file per family."""

from facesr_lib.losses.adversarial import bce_discriminator, bce_generator, hinge_discriminator, hinge_generator
from facesr_lib.losses.regularization import r1_penalty, total_variation

__all__ = [
    "bce_discriminator",
    "bce_generator",
    "hinge_discriminator",
    "hinge_generator",
    "r1_penalty",
    "total_variation",
]
