"""The stages that notebooks need, found by name and trained one at a time."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

from facesr_lib.evaluate import Run
from facesr_lib.papers import PAPERS, find_paper
from facesr_lib.training import Setting, Stage, StageCache
from facesr_lib.training.device import Device
from facesr_lib.training.stages import slug
from facesr_tools.durations import duration
from facesr_tools.plan import estimates
from facesr_tools.runner.execute import Settings
from facesr_tools.runner.notebooks import Notebook
from facesr_tools.tensorboard import board
from facesr_tools.upscale.methods import shipped_networks


@functools.lru_cache(maxsize=5 * len(PAPERS))  # a process that makes stages of several seeds loads their images once
def experiments(paper: str, settings: Settings) -> Setting[Any]:
    """A paper's images and stages in a run's settings. Raises ValueError for an unknown paper, or data that cannot be used."""
    found = find_paper(paper)
    config, device = found.package.Config.preset(settings.profile), cast(Device, settings.device)
    return found.experiments(config, settings.data_root, stage_cache(settings), settings.seed, device)


def stage_cache(settings: Settings) -> StageCache:
    """Where a run keeps its stages: as its notebooks do. Raises as `board` does."""
    return StageCache(settings.out / "stages", settings.fresh_since, board())


def stages_of(notebook: Notebook, settings: Settings) -> Iterator[Stage[Any]]:
    """The stages that a notebook asks for and those that these need, each after what it needs itself."""
    if notebook.paper is not None:
        yield from _needed(experiments(notebook.paper, settings), notebook.number)


def _needed(setting: Setting[Any], number: str) -> Iterator[Stage[Any]]:
    listed, needed = list(setting.stages()), set[str]()
    for stage in reversed(listed):  # a stage comes after those that it needs
        if number in stage.used_by or stage.name in needed:
            needed |= {stage.name, *(need.name for need in stage.needs)}
    yield from (stage for stage in listed if stage.name in needed)


def training_ahead(setting: Setting[Any], run: Run) -> str:
    """What the notebook of `run` is about to train, how long that takes, and what it finds: a few lines for its reader.

    A notebook opened alone trains what its paper's other notebooks would have left. The time is that of the kept estimates.
    """
    stages = list(_needed(setting, run.notebook[:2]))
    missing = [stage for stage in stages if not stage.is_done(setting.cache)]
    known = [estimates(run.profile).get(target(stage)) for stage in missing]
    found = f"{len(stages) - len(missing)} of the {len(stages)} trainings that this notebook needs are in {setting.cache.root}."
    ahead = f"It trains {len(missing)} before it can show them: {', '.join(stage.name for stage in missing)}." if missing else ""
    took = f"About {duration(sum(filter(None, known)))} on one core, by the kept estimates." if missing and all(known) else ""
    shipped = ", ".join(shipped_networks(paper=stages[0].paper)) or "none"
    return "\n".join(filter(None, (found, ahead, took, f"Trained networks that come with facesr for this paper: {shipped}.")))


def target(stage: Stage[Any]) -> str:
    """What `facesr stage` calls a stage: "isr_kd/replay-2-1-no-kd"."""
    return f"{stage.paper}/{slug(stage.name)}"


def find_stage(name: str, settings: Settings) -> Stage[Any]:
    """The stage that a user calls `name`: "isr_kd/face-only" or "isr_kd/replay 2:1". Raises ValueError that lists the stages."""
    paper, _, own = name.partition("/")
    listed = list(experiments(paper, settings).stages())
    for stage in listed:
        if slug(stage.name) == slug(own):
            return stage
    raise ValueError(f"unknown stage {name!r}: choose one of {', '.join(map(target, listed))}")


def make_stage(name: str, settings: Settings, tell: Callable[[int, int], object] | None = None) -> Path:
    """Train a stage, after those that it needs, unless it is there; its folder. Raises as `find_stage` and `Stage.train` do.

    tell: called with steps done and steps of all.
    """
    stage = find_stage(name, settings)
    steps = stage.options.steps
    return stage.train(stage_cache(settings), tell and (lambda done: tell(done, steps))).folder
