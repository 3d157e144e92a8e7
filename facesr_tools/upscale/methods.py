"""From a checkpoint, or a network that comes with the package, to an Upscaler: rebuild its method from the saved config."""

import dataclasses
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor

import facesr_lib.image
import facesr_lib.papers
import facesr_lib.shipped
from facesr_lib.config import restore
from facesr_lib.image import resize_bicubic
from facesr_lib.papers.teacher_student import RecurrentResolver
from facesr_lib.shipped import load_shipped
from facesr_lib.training import SuperResolver, checkpoints, load_weights, read_facts, resolve_device
from facesr_tools.upscale.networks import NETWORKS
from facesr_tools.upscale.tiles import Upscaler

WEIGHTS = "weights.safetensors"
UNREADABLE = (OSError, ValueError, KeyError, RecursionError)  # what damaged facts of a checkpoint raise
LEAST = 8  # LR pixels: the side of the smallest picture that every network is given


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
            except UNREADABLE:
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
    if fitting := [one for one in there if _fits(one, wanted, paper)]:
        return fitting[0]
    asked = " of ".join(part for part in (f"checkpoint {wanted!r}" if wanted else "a checkpoint", paper) if part)
    listing = "\n".join(f"  {one.stage:<40} {one.paper}, step {one.step}" for one in there)
    none = f"There is none in {stages} yet, and none ships with this installation; a notebook trains one: facesr run 10"
    hint = f"There are:\n{listing}" if there else none
    raise ValueError(f"found no {asked.removeprefix('a ')}: give a folder, or a name from {stages}. {hint}")


def find_upscaler(wanted: str, paper: str, stages: Path, device: str = "auto", *, shipped: bool = False) -> Upscaler:
    """The network of `choose`; where nothing that fits was trained, the one that comes with the package. Raises as `choose`.

    shipped: take the one that comes with the package anyway; raises ValueError if none fits.
    """
    trained = not shipped and any(_fits(one, wanted, paper) for one in trained_checkpoints(stages))
    folder = wanted and Path(wanted).expanduser().is_dir()
    ours = [] if trained or folder else shipped_networks(wanted, paper)
    if ours:
        return from_shipped(ours[0], device)
    if shipped:
        there = ", ".join(shipped_networks()) or "none: no trained networks ship with it yet"
        raise ValueError(f"this installation comes with no {wanted or paper or 'network'}; there are: {there}")
    return from_checkpoint(choose(wanted, paper, stages), device)


def from_checkpoint(found: FoundCheckpoint, device: str = "auto") -> Upscaler:
    """Build the method from the checkpoint's config, load its weights on `device`, and wrap it as an Upscaler.

    Measures the scale on a small picture, since a network that was still growing has a smaller one.
    Raises ValueError for a config or weights of another version of the library.
    """
    return _upscaler(found.label, found.paper, rebuilt(found), device)


def rebuilt(found: FoundCheckpoint) -> SuperResolver:
    """The method of a checkpoint with its weights, as its last step left it. Raises ValueError for another version's."""
    facts = read_facts(found.path)
    try:
        method = NETWORKS[found.paper].rebuild(restore(facts["config"], _config_classes(found.paper)))
        method.build()
        load_weights(found.path, method)
    except (ValueError, TypeError, AttributeError, RuntimeError, SafetensorError) as error:
        raise ValueError(f"{found.path} is of another version of the library: train again ({error})") from error
    method.begin_step(max(0, facts["step"] - 1))
    return method


def shipped_networks(wanted: str = "", paper: str = "") -> list[str]:
    """Names of the networks that come with the package, the preferred ones first. wanted: the beginning of a name."""
    facts = [(path.parent.name, json.loads(path.read_bytes())) for path in facesr_lib.shipped.FOLDER.glob("*/config.json")]
    fitting = [(own["rank"], name) for name, own in facts if name.startswith(wanted) and paper in ("", own["paper"])]
    return [name for _, name in sorted(fitting)]


def from_shipped(name: str, device: str = "auto") -> Upscaler:
    """A network that comes with the package as an Upscaler. Raises ValueError if it is not there or damaged."""
    paper = next((key for key in NETWORKS if name.startswith(f"{key}-")), "")
    found = load_shipped(name, NETWORKS[paper].rebuild) if paper else None
    if found is None:
        raise ValueError(f"no network {name!r} comes with this installation: {', '.join(shipped_networks()) or 'there is none'}")
    method, facts = found
    return _upscaler(f"{name}, shipped: {facts['about']}", paper, method, device, facts["network"])


def enlarging(method: SuperResolver, network: str = "") -> Callable[[Tensor], Tensor]:
    """How a method enlarges LR: with the one of its networks that `network` names, where it has several, else with its own."""
    if network and isinstance(method, RecurrentResolver):
        return partial(method.super_resolve_with, network)
    return method.super_resolve


def _upscaler(name: str, paper: str, method: SuperResolver, device: str, network: str = "") -> Upscaler:
    where, facts = resolve_device(device), NETWORKS[paper]
    for module in (*method.networks.values(), *method.averages.values()):
        module.to(where)
    enlarge = enlarging(method, network)

    def apply(lr: Tensor) -> Tensor:
        return enlarge(lr.to(where))

    probe = apply(torch.full((1, 3, 16, 16), 0.5))
    return Upscaler(name, probe.shape[-1] // 16, apply, facts.reach(method.config), facts.multiple, LEAST)


def bicubic(scale: int) -> Upscaler:
    """MATLAB's bicubic, the baseline of every paper. Raises ValueError for a scale below 2."""
    if scale < 2:
        raise ValueError(f"scale: expected a whole number from 2 on, got {scale}")
    return Upscaler("bicubic", scale, lambda lr: resize_bicubic(lr, scale).clamp(0, 1), reach=3)


def _fits(found: FoundCheckpoint, wanted: str, paper: str) -> bool:
    return found.stage.startswith(wanted) and paper in ("", found.paper)


def _in_folder(folder: Path, paper: str) -> FoundCheckpoint:
    """The newest complete checkpoint: the folder itself, or one in it or in its checkpoints/."""
    single = (folder / "checkpoint.json").is_file()
    paths = [folder] if single else checkpoints(folder / "checkpoints") or checkpoints(folder)
    reasons = []
    for path in reversed(paths):
        try:
            found = _examine(path)
        except UNREADABLE as error:
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
