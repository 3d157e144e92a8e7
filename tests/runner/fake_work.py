"""Tasks for the scheduler's tests, which take no time: what a worker is asked to do is written into OUT/events.

OUT/plan.json holds the tasks. A stage's name says what it does. Every event is a line: begin or end, name, process, details.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import facesr_lib.files
from facesr_tools.plan import Task
from facesr_tools.runner import tasks
from facesr_tools.runner.execute import Outcome, Settings

STEPS = 3


def write_plan(out: Path, *stages: tuple[str, Sequence[str]], gpus: int = 0, **notebooks: Sequence[str]) -> None:
    """Stages, then notebooks, each with what it needs; a name may end in ":SECONDS"."""
    out.mkdir(parents=True, exist_ok=True)
    listed = [(*item, "stage") for item in stages] + [(*item, "notebook") for item in notebooks.items()]
    (out / "plan.json").write_text(json.dumps({"tasks": listed, "gpus": gpus}))


def read_tasks(out: Path) -> list[Task]:
    listed = json.loads((out / "plan.json").read_text())["tasks"]
    found = []
    for text, needs, kind in listed:
        name, _, seconds = text.partition(":")
        found.append(Task(name, kind, 0, out, tuple(needs), out / name, False, float(seconds) if seconds else None))
    return found


def make_plan(places: Sequence[Any], tell: Callable[[None], None]) -> tuple[list[Task], int]:
    tasks, gpus = list[Task](), 0
    for place in places:
        wanted, out, seed = [notebook.name for notebook in place.notebooks], place.settings.out, place.settings.seed
        plan = out / "plan.json"
        if not plan.exists():
            tasks += [Task(name + place.suffix, "notebook", seed, out, (), out / name, False) for name in wanted]
            continue
        if plan.read_text() == "fail":
            raise ValueError("the faces are gone")
        for task in read_tasks(out):
            if task.kind == "stage" or task.name in wanted:
                needs = tuple(name + place.suffix for name in task.needs)
                tasks.append(replace(task, name=task.name + place.suffix, seed=seed, needs=needs))
        gpus = json.loads(plan.read_text())["gpus"]
    return tasks, gpus


def load(tell: Callable[[None], None]) -> None:
    pass


def train(stage: str, settings: Settings, progress: Any, tell: Callable[[Any], None]) -> None:
    module = ModuleType("facesr_tools.stages")
    module.make_stage = make_stage  # type: ignore[attr-defined]
    sys.modules["facesr_tools.stages"] = module
    tasks.train(stage, settings, progress, tell)


def run_notebook(notebook: Any, settings: Settings, code: str, progress: Any, tell: Callable[[Any], None]) -> Outcome:
    event(settings.out, "begin", notebook.name)
    if "dies" in notebook.name:
        os.kill(os.getpid(), signal.SIGKILL)
    event(settings.out, "end", notebook.name)
    return Outcome("done", 1.0, 2**20)


def make_stage(name: str, settings: Settings, tell: Callable[[int, int], None]) -> None:
    event(settings.out, "begin", name, os.environ.get("OMP_NUM_THREADS", "-"), os.environ.get("CUDA_VISIBLE_DEVICES", "-"))
    print(f"this is {name}")
    print("a warning", file=sys.stderr)
    if "warns" in name:
        warnings.warn_explicit("step-10 is damaged", UserWarning, facesr_lib.files.__file__, 1)
        warnings.warn_explicit("a scheduler", UserWarning, "/site-packages/torch/optim.py", 1)
    if "fails" in name:
        raise ValueError("not a number")
    if "dies" in name:
        os.kill(os.getpid(), signal.SIGKILL)
    if "meets" in name:  # one other stage that runs at the same time
        wait_for(lambda: sum("begin" in line and "meets" in line for line in events(settings.out)) >= 2)
    if "saves" in name:  # as a Trainer: the first Ctrl-C is answered after the step
        asked: list[int] = []
        signal.signal(signal.SIGINT, lambda number, frame: asked.append(number))
        child = subprocess.Popen(["sleep", "100"], start_new_session=True)
        event(settings.out, "started", name, str(child.pid))
        wait_for(lambda: bool(asked))
        if "stubborn" in name:
            time.sleep(100)
        child.kill()
        child.wait()
        event(settings.out, "saved", name)
        raise KeyboardInterrupt
    for step in range(STEPS):
        tell(step + 1, STEPS)
    event(settings.out, "end", name)


def event(out: Path, kind: str, name: str, *details: str) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with open(out / "events", "a") as file:  # short lines are appended whole
        file.write(" ".join([kind, name, str(os.getpid()), *details]) + "\n")


def events(out: Path) -> list[str]:
    return (out / "events").read_text().splitlines() if (out / "events").exists() else []


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
