"""Small methods of all papers, built and saved as notebooks do it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from facesr_lib.papers import human_gan, isr_kd, selfsr, teacher_student
from facesr_lib.training import Method, SuperResolver, save_checkpoint

CONFIGS: dict[str, Any] = {
    "human_gan": replace(human_gan.Config.preset("smoke"), flip=True),
    "selfsr": replace(selfsr.Config.preset("smoke").paired, conditioning="concatenation"),
    "teacher_student": replace(teacher_student.Config.preset("smoke"), cycle=0.0),
    "isr_kd": replace(isr_kd.Config.preset("smoke"), extra_blocks=1),
}
SCALES = {"human_gan": 2, "selfsr": 8, "teacher_student": 4, "isr_kd": 8}


def fresh(paper: str) -> SuperResolver:
    """An untrained method of the paper, as a notebook makes it; not of its default config."""
    config = CONFIGS[paper]
    if paper == "teacher_student":
        denet, _ = teacher_student.networks(config)["denet"]
        return teacher_student.TeacherStudent(config, 3, denet)
    makers: dict[str, Any] = {
        "human_gan": lambda: human_gan.HumanGAN(config, 3),
        "selfsr": lambda: selfsr.SelfSR(config),
        "isr_kd": lambda: isr_kd.ISRKD(config),
    }
    return makers[paper]()


def shake(method: Method) -> None:
    """Move every weight, so that no output layer is zero and an average differs from its network."""
    torch.manual_seed(3)
    for network in (*method.networks.values(), *method.averages.values()):
        for value in network.parameters():
            value.data += 0.05 * torch.randn_like(value)


def save_stage(stages: Path, name: str, method: Method, step: int = 100) -> Path:
    """A stage folder with one checkpoint of a built method, as the Trainer leaves it."""
    return save_checkpoint(stages / name / "checkpoints", method, step, "identity")
