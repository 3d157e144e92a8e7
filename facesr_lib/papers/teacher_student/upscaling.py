"""What upscaling images of any size needs to know about this paper's student, SNet."""

import math

from facesr_lib.papers.teacher_student import Config, TeacherStudent, networks

METHOD = TeacherStudent
MULTIPLE = 1


def rebuild(config: Config) -> TeacherStudent:
    """The method for a checkpoint's config, not built yet. Its DeNet, which only training needs, is untrained."""
    denet, _ = networks(config)["denet"]
    return TeacherStudent(config, steps_per_epoch=1, denet=denet if config.needs_stage_1 else None)


def reach(config: Config) -> int:
    """Radius of the receptive field in LR pixels.

    Canny may follow a faint edge further than that; such an edge may end at a seam.
    """
    # In pixels of the features, at twice the LR size. A step: the 3x3 that fuses, per group a 6x6 up and down, the 6x6 and the
    # 3x3 that make the image. Between steps: edges of that image, whose Gaussians reach 4 sigma.
    step = 1 + 3 * config.groups + 2
    between = max((math.ceil(4 * getattr(edges, "sigma2", 1.0)) / 2 + 1 for edges in config.edges), default=0)
    return math.ceil(((len(config.edges) + 1) * step + len(config.edges) * between) / 2) + 1
