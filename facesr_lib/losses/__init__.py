"""Loss functions, one file per family."""

from facesr_lib.losses.adversarial import bce_discriminator, bce_generator

__all__ = ["bce_discriminator", "bce_generator"]
