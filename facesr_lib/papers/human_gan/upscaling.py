"""What upscaling a picture of any size must know of this paper's generator."""

import math

from facesr_lib.papers.human_gan import Config, HumanGAN

METHOD = HumanGAN
MULTIPLE = 2  # the generator halves its input first: height and width must be even


def rebuild(config: Config) -> HumanGAN:
    """The method of a checkpoint's config, not built yet; its schedule does not matter any more."""
    return HumanGAN(config, steps_per_epoch=1)


def reach(config: Config) -> int:
    """The receptive field: how many LR pixels around a pixel its SR pixels depend on."""
    # Three 3x3 convolutions at half the size, one at the LR size, one at twice it; the first, 2x2, pairs pixels.
    return math.ceil(1 + 3 * 2 + 1 + 0.5)
