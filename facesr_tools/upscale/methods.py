"""From a checkpoint to an Upscaler: find the method of the weights and rebuild it from the saved config."""

import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor

import facesr_lib.image
import facesr_lib.papers
from facesr_lib.config import restore
from facesr_lib.image import resize_bicubic
from facesr_lib.training import checkpoints, load_weights, read_facts, resolve_device
from facesr_tools.upscale.networks import NETWORKS
from facesr_tools.upscale.tiles import Upscaler

WEIGHTS = "weights.safetensors"


_PAPER_OF = {network.method.__name__: key for key, network in NETWORKS.items()}  # by the class that a checkpoint names


@dataclass(frozen=True)
class FoundCheckpoint:
    """A complete checkpoint of a super-resolver. stage: the name of the training; "" if it lies outside a stage folder."""

    path: Path
    stage: str
    paper: str
    step: int

    @property
    def label(self) -> str:
        """Paper, stage and step, in a few words."""
        return f"{self.paper}, {self.stage or self.path.parent.name}, step {self.step}"


def trained_checkpoints(stages: Path) -> list[FoundCheckpoint]:
    """The newest complete checkpoint of every super-resolver in the stage cache `stages`, newest training first."""
    found = []
    for folder in stages.glob("*/checkpoints"):
        for path in reversed(checkpoints(folder)):
            try:
                found.append(_examine(path))
                break
            except (OSError, ValueError, KeyError):
                continue  # damaged, or not of a super-resolver
    return sorted(found, key=lambda one: one.path.stat().st_mtime, reverse=True)


def choose(wanted: str, paper: str, stages: Path) -> FoundCheckpoint:
    """The newest checkpoint that fits what a user asks for.

    wanted: the folder of a checkpoint or stage, a stage's name or its beginning ("isr-kd"), or "" for any.
    paper: a paper's key, or "" for any.  stages: the stage cache, e.g. runs/stages.
    Raises ValueError if none fits (with a list of all), or if the checkpoint is damaged or of another paper.
    """
    if paper and paper not in NETWORKS:
        raise ValueError(f"no method is called {paper!r}: choose one of {', '.join(NETWORKS)}, bicubic")
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
    """Build the method from the checkpoint's config, load its weights on `device`, and wrap it as an Upscaler.

    Measures the scale on a small picture, since a network that was still growing has a smaller one.
    Raises ValueError for a config or weights of another version of the library.
    """
    facts = read_facts(found.path)
    network = NETWORKS[found.paper]
    where = resolve_device(device)
    try:
        config = restore(facts["config"], _config_classes(found.paper))
        method = network.rebuild(config)
        method.build()
        load_weights(found.path, method)
    except (ValueError, TypeError, RuntimeError, SafetensorError) as error:
        raise ValueError(f"{found.path} is of another version of the library: train again ({error})") from error
    method.begin_step(max(0, facts["step"] - 1))
    for module in (*method.networks.values(), *method.averages.values()):
        module.to(where)

    def apply(lr: Tensor) -> Tensor:
        return method.super_resolve(lr.to(where))

    probe = apply(torch.full((1, 3, 16, 16), 0.5))
    return Upscaler(found.label, probe.shape[-1] // 16, apply, network.reach(config), network.multiple)


def bicubic(scale: int) -> Upscaler:
    """MATLAB's bicubic, the baseline of every paper. Raises ValueError for a scale below 2."""
    if scale < 2:
        raise ValueError(f"scale: expected a whole number from 2 on, got {scale}")
    return Upscaler("bicubic", scale, lambda lr: resize_bicubic(lr, scale).clamp(0, 1), reach=3)


def _in_folder(folder: Path, paper: str) -> FoundCheckpoint:
    """The newest complete checkpoint: the folder itself, or one in it or in its checkpoints/."""
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
            raise ValueError(f"{found.path} is a checkpoint of {found.paper}, not of {paper}")
        return found
    why = "; ".join(reasons) or "it holds no folder step-00000000"
    raise ValueError(f"{folder} has no usable checkpoint ({why}): give a folder runs/stages/NAME or one of its checkpoints")


def _examine(path: Path) -> FoundCheckpoint:
    facts = read_facts(path)
    if "method" not in facts:
        raise ValueError("written by an earlier version, which did not note its method and config: train again")
    if facts["method"] not in _PAPER_OF:
        raise ValueError(f"{facts['method']} is a part of a training and makes no SR images")
    inside = path.resolve().parent
    stage = inside.parent.name if inside.name == "checkpoints" else ""
    return FoundCheckpoint(path, stage, _PAPER_OF[facts["method"]], facts["step"])


def _config_classes(paper: str) -> dict[str, type]:
    """The dataclasses in a paper's configs, by name: its own, and the degradations of `facesr_lib.image`."""
    prefix = f"facesr_lib.papers.{paper}"
    modules = [facesr_lib.image]
    modules += [module for name, module in sys.modules.items() if name == prefix or name.startswith(f"{prefix}.")]
    return {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and dataclasses.is_dataclass(value)
    }
