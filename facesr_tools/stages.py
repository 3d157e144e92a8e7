"""The stages that notebooks need, found by name and trained one at a time."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, cast

from facesr_lib.papers import PAPERS, find_paper
from facesr_lib.training import Setting, Stage, StageCache
from facesr_lib.training.device import Device
from facesr_lib.training.stages import slug
from facesr_tools.runner.execute import Settings
from facesr_tools.runner.notebooks import Notebook


@functools.lru_cache(maxsize=len(PAPERS))  # a process that makes several stages loads their images once
def experiments(paper: str, settings: Settings) -> Setting[Any]:
    """A paper's images and stages in a run's settings. Raises ValueError for an unknown paper, or data that cannot be used."""
    found = find_paper(paper)
    cache = StageCache(settings.out / "stages", settings.fresh_since)
    config = found.package.Config.preset(settings.profile)
    return found.experiments(config, settings.data_root, cache, settings.seed, cast(Device, settings.device))


def stages_of(notebook: Notebook, settings: Settings) -> Iterator[tuple[Stage[Any], StageCache]]:
    """The stages that a notebook asks for and those that these need, each after what it needs itself."""
    if notebook.paper is None:
        return
    setting, number = experiments(notebook.paper, settings), notebook.name.partition("_")[0]
    needed: dict[str, None] = {}
    for stage in reversed(list(setting.stages())):
        if number in stage.used_by or stage.name in needed:
            needed |= dict.fromkeys((stage.name, *(need.name for need in stage.needs)))
    for stage in setting.stages():
        if stage.name in needed:
            yield stage, setting.cache


def target(stage: Stage[Any]) -> str:
    """What `facesr stage` calls a stage: "isr_kd/replay-2-1-no-kd"."""
    return f"{stage.paper}/{slug(stage.name)}"


def find_stage(name: str, settings: Settings) -> Stage[Any]:
    """The stage that a user calls `name`: "isr_kd/face-only" or "isr_kd/replay 2:1". Raises ValueError that lists the stages."""
    paper, _, own = name.partition("/")
    listed = [stage for stage in experiments(paper, settings).stages()]
    for stage in listed:
        if slug(stage.name) == slug(own):
            return stage
    raise ValueError(f"unknown stage {name!r}: choose one of {', '.join(map(target, listed))}")


def make_stage(name: str, settings: Settings, tell: Callable[[int, int], object] | None = None) -> None:
    """Train a stage, after those that it needs, unless it is there. Raises ValueError as `find_stage`, and what training raises.

    tell: called with steps done and steps of all.
    """
    stage = find_stage(name, settings)
    steps = stage.options.steps
    stage.train(StageCache(settings.out / "stages", settings.fresh_since), tell and (lambda done: tell(done, steps)))
