"""From a checkpoint to an Upscaler: which method its weights are of, built from the config that lies with them."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor

import facesr_lib.image
from facesr_lib.config import restore
from facesr_lib.image import resize_bicubic
from facesr_lib.papers import human_gan, isr_kd, selfsr, teacher_student
from facesr_lib.papers.isr_kd.networks import WINDOWS
from facesr_lib.training import Method, checkpoints, load_weights, read_facts, resolve_device
from facesr_lib.upscale.tiles import Upscaler

WEIGHTS = "weights.safetensors"


@dataclass(frozen=True)
class Recipe:
    """How a paper's method is rebuilt. reach, multiple: as in Upscaler."""

    paper: str
    rebuild: Callable[[Any], Method]
    reach: Callable[[Any], int | None]
    multiple: int = 1


def _human_gan_reach(config: human_gan.Config) -> int:
    # Three 3x3 convolutions at half the size, one at the LR size, one at twice it; the first, 2x2, pairs pixels.
    return math.ceil(1 + 3 * 2 + 1 + 0.5)


def _teacher_student_reach(config: teacher_student.Config) -> int:
    # In pixels of the features, at twice the LR size. A step: the fusing 3x3, per group a 6x6 up and down, the 6x6 and the 3x3
    # that make the image. Between steps: edges of that image, whose Gaussians reach 4 sigma. (Canny may follow a faint edge
    # further than that; such an edge may end at a seam.)
    step = 1 + 3 * config.groups + 2
    between = max((math.ceil(4 * getattr(edges, "sigma2", 1.0)) / 2 + 1 for edges in config.edges), default=0)
    return math.ceil(((len(config.edges) + 1) * step + len(config.edges) * between) / 2) + 1


def _isr_kd_reach(config: isr_kd.Config) -> int:
    # The first 3x3; then at 1, 2 and 4 times the LR size two 3x3 (and two per extra block) and a 4x4 up; the edge windows.
    steps = sum((2 + 2 * config.extra_blocks + 1) / factor for factor in (1, 2, 4))
    windows = sum(window / 2 / factor for window, factor in zip(WINDOWS, (2, 4, 8), strict=True))
    return math.ceil(1 + steps + windows)


def _denet(config: teacher_student.Config) -> torch.nn.Module:
    """A DeNet, which TeacherStudent wants for training; here no weight of it is used."""
    network, _ = teacher_student.networks(config)["denet"]
    return network


# By the class that a checkpoint names. What is not here is a part of a training, which makes LR images.
RECIPES = MappingProxyType(
    {
        "HumanGAN": Recipe("human_gan", lambda config: human_gan.HumanGAN(config, 1), _human_gan_reach, multiple=2),
        # Instance normalisation takes the mean and variance of every feature over the whole picture.
        "SelfSR": Recipe("selfsr", selfsr.SelfSR, lambda config: None),
        "TeacherStudent": Recipe(
            "teacher_student",
            lambda config: teacher_student.TeacherStudent(config, 1, _denet(config)),
            _teacher_student_reach,
        ),
        "ISRKD": Recipe("isr_kd", isr_kd.ISRKD, _isr_kd_reach),
    }
)
PAPERS = tuple(recipe.paper for recipe in RECIPES.values())


@dataclass(frozen=True)
class FoundCheckpoint:
    """A whole checkpoint of a super-resolver. stage: the name of the training; "" when it lies outside a stage folder."""

    path: Path
    stage: str
    paper: str
    step: int

    @property
    def label(self) -> str:
        """Paper, stage and step, in a few words."""
        return f"{self.paper}, {self.stage or self.path.parent.name}, step {self.step}"


def trained_checkpoints(stages: Path) -> list[FoundCheckpoint]:
    """The newest whole checkpoint of every super-resolver trained below a stage cache's root, newest training first."""
    found = []
    for folder in stages.glob("*/checkpoints"):
        for path in reversed(checkpoints(folder)):
            try:
                found.append(_examine(path))
                break
            except (OSError, ValueError, KeyError):
                continue  # damaged, or no super-resolver
    return sorted(found, key=lambda one: one.path.stat().st_mtime, reverse=True)


def choose(wanted: str, paper: str, stages: Path) -> FoundCheckpoint:
    """The checkpoint that a user means.

    wanted: a checkpoint's or stage's folder, or a stage's name or its beginning ("isr-kd"), or "" for any of `paper`, the newest
    of all that fit.  paper: one of PAPERS, or "" for any.  stages: where trainings are kept, e.g. runs/stages.
    Raises ValueError that lists what there is when nothing fits, when the checkpoint is of another paper, or damaged.
    """
    if paper and paper not in PAPERS:
        raise ValueError(f"no method is called {paper!r}: choose one of {', '.join(PAPERS)}, bicubic")
    folder = Path(wanted).expanduser()
    if wanted and folder.is_dir():
        return _in_folder(folder, paper)
    there = trained_checkpoints(stages)
    fitting = [one for one in there if one.stage.startswith(wanted) and paper in ("", one.paper)]
    if fitting:
        return fitting[0]
    asked = " of ".join(part for part in (f"checkpoint {wanted!r}" if wanted else "a checkpoint", paper) if part)
    listing = "\n".join(f"  {one.stage:<40} {one.paper}, step {one.step}" for one in there)
    hint = f"There are:\n{listing}" if there else f"There is none in {stages} yet; a notebook trains one: facesr run 10"
    raise ValueError(f"found no {asked.removeprefix('a ')}: give a folder, or a name from {stages}. {hint}")


def from_checkpoint(found: FoundCheckpoint, device: str = "auto") -> Upscaler:
    """Build the method from the checkpoint's config, load its weights, and make an Upscaler of it, on `device`.

    The scale is what the network does to a small picture; a network that was still growing has a smaller one.
    Raises ValueError for a config or weights of another version of the library.
    """
    facts = read_facts(found.path)
    recipe = RECIPES[facts["method"]]
    where = resolve_device(device)
    try:
        config = restore(facts["config"], _config_classes(recipe.paper))
        method = recipe.rebuild(config)
        method.build()
        load_weights(found.path, method)
    except (ValueError, TypeError, RuntimeError, SafetensorError) as error:
        raise ValueError(f"{found.path} does not fit this version of the library, train again: {error}") from error
    method.begin_step(max(0, facts["step"] - 1))
    for network in (*method.networks.values(), *method.averages.values()):
        network.to(where)

    def apply(lr: Tensor) -> Tensor:
        return method.super_resolve(lr.to(where))

    probe = apply(torch.full((1, 3, 16, 16), 0.5))
    return Upscaler(found.label, probe.shape[-1] // 16, apply, recipe.reach(config), recipe.multiple)


def bicubic(scale: int) -> Upscaler:
    """MATLAB's bicubic, the baseline of every paper. Raises ValueError for a scale below 2."""
    if scale < 2:
        raise ValueError(f"scale: expected a whole number from 2 on, got {scale}")
    return Upscaler("bicubic", scale, lambda lr: resize_bicubic(lr, scale).clamp(0, 1), reach=3)


def _in_folder(folder: Path, paper: str) -> FoundCheckpoint:
    """The newest whole checkpoint at, in, or in the checkpoints/ of a folder."""
    single = (folder / "checkpoint.json").is_file()
    paths = [folder] if single else checkpoints(folder / "checkpoints") or checkpoints(folder)
    reasons = []
    for path in reversed(paths):
        try:
            found = _examine(path)
        except (OSError, ValueError, KeyError) as error:
            reasons.append(f"{path.name}: {error}")
            continue
        if paper and found.paper != paper:
            raise ValueError(f"{found.path} is of {found.paper}, not of {paper}")
        return found
    why = "; ".join(reasons) or "it holds no folder step-00000000"
    raise ValueError(
        f"{folder} has no usable checkpoint ({why}): give a folder runs/stages/NAME or one of its checkpoints"
    )


def _examine(path: Path) -> FoundCheckpoint:
    facts = read_facts(path)
    if "method" not in facts:
        raise ValueError("written by an earlier version, which did not note its method and config: train again")
    if facts["method"] not in RECIPES:
        raise ValueError(f"{facts['method']} is a part of a training and makes no SR images")
    inside = path.resolve().parent
    stage = inside.parent.name if inside.name == "checkpoints" else ""
    return FoundCheckpoint(path, stage, RECIPES[facts["method"]].paper, facts["step"])


def _config_classes(paper: str) -> dict[str, type]:
    """The dataclasses that a paper's configs are made of, by name: its own and the degradations of `facesr_lib.image`."""
    prefix = f"facesr_lib.papers.{paper}"
    modules = [facesr_lib.image]
    modules += [module for name, module in sys.modules.items() if name == prefix or name.startswith(f"{prefix}.")]
    return {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and dataclasses.is_dataclass(value)
    }
