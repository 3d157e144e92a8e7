"""The graph of a run: which stages its notebooks need, in which order, what of it is done, and what the rest would take.

A stage is one training, declared in a paper's `experiments.py`. A notebook can run once its stages are there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from facesr_lib.config import code_fingerprint
from facesr_lib.files import write_atomically
from facesr_tools.runner.execute import Settings
from facesr_tools.runner.notebooks import Notebook
from facesr_tools.runner.resume import read_marker
from facesr_tools.seeds import pooled_folder, seed_folder

_MEMORY = {"smoke": 1.0, "quick": 1.5, "evening": 2.5}  # GB; more than any task took
_MEMORY_ABOVE = 8.0  # of larger profiles
Seconds = dict[str, float]  # by the target of a task


@dataclass(frozen=True)
class Task:
    """A stage to train or a notebook to run, once everything that it needs is there.

    name: unique in its plan: "isr_kd/face-only", "40_isr_kd"; followed by "@" and the seed in a plan of several seeds.
    kind, seed, out: what `facesr stage` or `facesr run` is told; `out` is the folder of all results of this seed.
    needs: names of tasks of the same plan. output: the file that is there when, and only when, the task is done.
    seconds: what it took, on one core, or an estimate if it is not done; None where nothing is known.
    memory: bytes, an estimate of the peak. gpus: GPUs that it asks for.
    """

    name: str
    kind: Literal["stage", "notebook"]
    seed: int
    out: Path
    needs: tuple[str, ...]
    output: Path
    done: bool
    seconds: float | None = None
    memory: int = 0
    gpus: int = 0

    @property
    def target(self) -> str:
        """The name without its seed: what `facesr stage` and `facesr run` call it."""
        return self.name.partition("@")[0]


@dataclass(frozen=True)
class Place:
    """Notebooks that run with the same settings, so with results in one folder.

    suffix: of their tasks' names, "@" and the seed where there are several.
    """

    settings: Settings
    notebooks: tuple[Notebook, ...]
    suffix: str = ""


def places(notebooks: Sequence[Notebook], settings: Settings, seeds: Sequence[int] = ()) -> list[Place]:
    """Which notebooks run in which folder of results, in order. Without `seeds`: all of them in OUT, with the settings' own seed.

    With seeds, be it one: each in OUT/seed-S, where more may join it later. Lessons, which are about no paper's training, run for
    the first seed alone. What collects the others' results (the report) runs once, last, in OUT/pooled, on all seeds together.
    """
    if not seeds:
        return [Place(settings, tuple(notebooks))]
    found = []
    for seed in seeds:
        chosen = [one for one in notebooks if not one.always and (one.paper or seed == seeds[0])]
        found.append(Place(replace(settings, seed=seed, out=seed_folder(settings.out, seed)), tuple(chosen), f"@{seed}"))
    last = tuple(one for one in notebooks if one.always)
    return [*found, Place(replace(settings, seed=seeds[0], out=pooled_folder(settings.out)), last)]


def plan(notebooks: Sequence[Notebook], settings: Settings, seeds: Sequence[int] = ()) -> list[Task]:
    """The stages and notebooks of a run, each after what it needs: a notebook's stages right before it, where nothing else asked.

    seeds: of several runs; `places` says what runs where. Loads the images, whose checksums decide what is done.
    Raises ValueError where data_root cannot serve the notebooks.
    """
    return plan_places(places(notebooks, settings, seeds))


def plan_places(found: Sequence[Place]) -> list[Task]:
    """The plan of what `places` found, or of a part of it. Raises as `plan` does."""
    tasks: list[Task] = []
    for place in found:
        before = tuple(task.name for task in tasks)
        for task in _plan(place.notebooks, place.settings):
            needs = tuple(name + place.suffix for name in task.needs)
            always = any(one.always and one.name == task.name for one in place.notebooks)
            tasks.append(replace(task, name=task.name + place.suffix, needs=before + needs if always else needs))
    return tasks


def _plan(notebooks: Sequence[Notebook], settings: Settings) -> Iterator[Task]:
    from facesr_tools.stages import stage_cache, stages_of, target  # brings torch

    cache = stage_cache(settings)
    expected, memory = estimates(settings.profile), int(1e9 * _MEMORY.get(settings.profile, _MEMORY_ABOVE))
    gpus = int(_uses_gpu(settings.device))
    listed: dict[str, None] = {}
    for notebook in sorted(notebooks, key=lambda one: one.always):
        asked = []
        for stage in stages_of(notebook, settings):
            name, needs = target(stage), tuple(target(need) for need in stage.needs)
            if notebook.number in stage.used_by:
                asked.append(name)
            if name not in listed:
                output, done = stage.folder(cache) / "done.json", stage.is_done(cache)
                took = json.loads(output.read_text()).get("seconds") if done else expected.get(name)
                listed[name] = None
                yield Task(name, "stage", settings.seed, settings.out, needs, output, done, took, memory, gpus)
        before = tuple(listed) if notebook.always else tuple(asked)
        marker = None if notebook.always else read_marker(notebook, settings, code_fingerprint())
        took = marker["seconds"] if marker else expected.get(notebook.name)
        output, done = settings.folder(notebook) / "done.json", marker is not None
        listed[notebook.name] = None
        yield Task(notebook.name, "notebook", settings.seed, settings.out, before, output, done, took, memory, gpus)


def estimates(profile: str) -> Seconds:
    """Seconds that the tasks of a profile took in the run that this package keeps figures of; empty where it keeps none.

    `python -m facesr_tools.plan RUNS PROFILE`, in a checkout, keeps those of a finished run in RUNS.
    """
    kept = files(__package__).joinpath("estimates", f"{profile}.json")
    return dict(json.loads(kept.read_text())["seconds"]) if kept.is_file() else {}


def keep_estimates(tasks: Sequence[Task], profile: str) -> Path:
    """Keep what the tasks of a finished run took as estimates. Raises ValueError if one of them is not done."""
    from facesr_lib.evaluate.provenance import cpu_model  # brings torch

    seconds = {task.target: task.seconds for task in tasks if task.done}
    if missing := [task.name for task in tasks if not task.done and not task.name.startswith("90_")]:
        raise ValueError(f"not done: {', '.join(missing)}; first: facesr run all --profile {profile}")
    kept = Path(__file__).parent / "estimates" / f"{profile}.json"
    kept.parent.mkdir(exist_ok=True)
    facts = {"machine": f"{cpu_model()}, one core", "seconds": {name: round(took or 0, 1) for name, took in seconds.items()}}
    write_atomically(kept, (json.dumps(facts, indent=1) + "\n").encode())
    return kept


def remaining(tasks: Sequence[Task]) -> tuple[float, float]:
    """Seconds of all that is not done, one after the other, and of the longest chain in it; unknown ones count nothing."""
    chain: dict[str, float] = {}
    for task in tasks:
        own = 0.0 if task.done else task.seconds or 0.0
        chain[task.name] = own + max((chain.get(name, 0.0) for name in task.needs), default=0.0)
    return sum(task.seconds or 0.0 for task in tasks if not task.done), max(chain.values(), default=0.0)


def as_json(tasks: Sequence[Task], profile: str) -> dict[str, Any]:
    """A plan as JSON data."""
    return {"profile": profile, "tasks": [{**asdict(task), "out": str(task.out), "output": str(task.output)} for task in tasks]}


def _uses_gpu(device: str) -> bool:
    import torch

    return device != "cpu" and torch.cuda.is_available()


if __name__ == "__main__":
    import sys

    from facesr_tools.runner.notebooks import find_folder, read_notebooks

    runs, profile = Path(sys.argv[1]).resolve(), sys.argv[2]
    print(keep_estimates(plan(read_notebooks(find_folder(None)), Settings(profile, runs)), profile))
