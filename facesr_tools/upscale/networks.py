"""What upscaling images of any size needs to know about each paper's network."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from facesr_lib.papers import HUMAN_GAN, ISR_KD, SELFSR, TEACHER_STUDENT, human_gan, isr_kd, teacher_student
from facesr_lib.papers.isr_kd.networks import WINDOWS
from facesr_lib.papers.selfsr.super_resolution import SelfSR
from facesr_lib.training import Method, SuperResolver


@dataclass(frozen=True)
class Network:
    """A paper's super-resolver. method: the class that its checkpoints name.

    rebuild: the method for a checkpoint's config, not built yet; what only its training needs may be missing or untrained.
    reach: the radius of its receptive field in LR pixels; None for the whole image.  multiple: divides height and width of LR.
    """

    method: type[Method]
    rebuild: Callable[[Any], SuperResolver]
    reach: Callable[[Any], int | None]
    multiple: int = 1


def _human_gan_reach(config: human_gan.Config) -> int:
    # Three 3x3 convolutions at half the size, one at the LR size, one at twice it; the first, 2x2, pairs pixels.
    return math.ceil(1 + 3 * 2 + 1 + 0.5)


def _rebuilt_student(config: teacher_student.Config) -> SuperResolver:
    denet, _ = teacher_student.networks(config)["denet"]
    return teacher_student.TeacherStudent(config, steps_per_epoch=1, denet=denet if config.needs_stage_1 else None)


def _student_reach(config: teacher_student.Config) -> int:
    """Canny may follow a faint edge further than that; such an edge may end at a seam."""
    # In pixels of the features, at twice the LR size. A step: the 3x3 that fuses, per group a 6x6 up and down, the 6x6 and the
    # 3x3 that make the image. Between steps: edges of that image, whose Gaussians reach 4 sigma.
    step = 1 + 3 * config.groups + 2
    between = max((math.ceil(4 * getattr(edges, "sigma2", 1.0)) / 2 + 1 for edges in config.edges), default=0)
    return math.ceil(((len(config.edges) + 1) * step + len(config.edges) * between) / 2) + 1


def _isr_kd_reach(config: isr_kd.Config) -> int:
    # The first 3x3; then at 1, 2 and 4 times the LR size two 3x3 (and two per extra block) and a 4x4 up; the edge windows.
    steps = sum((2 + 2 * config.extra_blocks + 1) / factor for factor in (1, 2, 4))
    windows = sum(window / 2 / factor for window, factor in zip(WINDOWS, (2, 4, 8), strict=True))
    return math.ceil(1 + steps + windows)


NETWORKS = {
    # The generator halves its input first: height and width must be even.
    HUMAN_GAN.key: Network(human_gan.HumanGAN, lambda config: human_gan.HumanGAN(config, 1), _human_gan_reach, multiple=2),
    # Instance normalisation takes its statistics over the whole image.
    SELFSR.key: Network(SelfSR, SelfSR, lambda config: None),
    TEACHER_STUDENT.key: Network(teacher_student.TeacherStudent, _rebuilt_student, _student_reach),
    ISR_KD.key: Network(isr_kd.ISRKD, isr_kd.ISRKD, _isr_kd_reach),
}
