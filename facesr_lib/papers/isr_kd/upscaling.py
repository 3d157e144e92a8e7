"""What upscaling a picture of any size must know of this paper's generator."""

import math

from facesr_lib.papers.isr_kd import ISRKD, Config
from facesr_lib.papers.isr_kd.networks import WINDOWS

METHOD = ISRKD
MULTIPLE = 1


def rebuild(config: Config) -> ISRKD:
    """The method of a checkpoint's config, not built yet."""
    return ISRKD(config)


def reach(config: Config) -> int:
    """The receptive field: how many LR pixels around a pixel its SR pixels depend on."""
    # The first 3x3; then at 1, 2 and 4 times the LR size two 3x3 (and two per extra block) and a 4x4 up; the edge windows.
    steps = sum((2 + 2 * config.extra_blocks + 1) / factor for factor in (1, 2, 4))
    windows = sum(window / 2 / factor for window, factor in zip(WINDOWS, (2, 4, 8), strict=True))
    return math.ceil(1 + steps + windows)
