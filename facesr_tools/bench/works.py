"""Trainings and enlargements as works: one step and one `super_resolve` of every method, and the making of its batches."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from facesr_lib.papers import PAPERS
from facesr_lib.papers.isr_kd.names import EXTENDED, REPLAY_2_0, REPLAY_2_1, REPLAY_5_1
from facesr_lib.training import Batch, Method, SuperResolver, Trainer, TrainerOptions
from facesr_tools.bench.measure import OWN, Call, Work
from facesr_tools.bench.plain import make_plain
from facesr_tools.trainings import Training, trainings

# Left out unless named: near doubles of a training beside them, and a level that takes minutes.
DOUBLES = ("without pairs", "real faces", REPLAY_2_0, REPLAY_2_1, REPLAY_5_1, EXTENDED)
SLOW = "x8 x8"  # SelfSR's last level, at the published size


def training_works(profile: str, device: torch.device) -> Iterator[Work]:
    """Works "step", "inference" and "data" of all trainings of a profile, at the preset's batch, of `paper` the smallest."""
    for training in (training for paper in PAPERS for training in trainings(paper.key, profile)):
        size = training.least_batch if profile == "paper" else training.batch_size
        for level, schedule in training.levels.items():
            name = f"{profile} {training.paper}: {training.name} {level}".rstrip()
            make = partial(_prepared, training, schedule[-1], size, device)
            yield Work(f"step {name}", partial(_steps, make, schedule[-1]), size, dense=True)
            if issubclass(_kind(training), SuperResolver):
                yield Work(f"inference {name}", partial(_enlargements, make), size, dense=True)
        yield Work(f"data {profile} {training.paper}: {training.name}", partial(_data, training, size), size)


def usual(name: str) -> bool:
    """Whether a work is measured without being named."""
    kind, _, rest = name.partition(" ")
    if kind in ("step", "inference", "data"):
        doubles = (*DOUBLES, "replay", "cycle only") if kind == "inference" else DOUBLES  # the same networks
        return not any(double in name for double in doubles) and not (rest.startswith("paper") and name.endswith(SLOW))
    return True


def _kind(training: Training) -> type[Method]:
    return type(training.make())


def _prepared(training: Training, step: int, size: int, device: torch.device) -> tuple[dict[str, Trainer[Method]], Batch]:
    """The library's training and its plain form, ready for a step, from the same weights; and the batch of the step."""
    batches = training.batches(size, device)
    forms: dict[str, Trainer[Method]] = {}
    for form in (OWN, "plain"):
        with TemporaryDirectory() as folder:
            options = TrainerOptions(training.steps, device="cuda" if device.type == "cuda" else "cpu")
            forms[form] = Trainer(training.make(), batches, Path(folder), options)
            forms[form].prepare()
            forms[form].method.begin_step(step)
    make_plain(forms["plain"].method)
    return forms, batches(step)


def _steps(make: partial[tuple[dict[str, Trainer[Method]], Batch]], step: int) -> dict[str, Call]:
    forms, batch = make()
    return {name: partial(trainer.train_step, step, batch) for name, trainer in forms.items()}


def _enlargements(make: partial[tuple[dict[str, Trainer[Method]], Batch]]) -> dict[str, Call]:
    forms, batch = make()
    calls: dict[str, Call] = {}
    for name, trainer in forms.items():
        assert isinstance(trainer.method, SuperResolver)
        lr = batch.get("real_lr", batch.get("lr"))
        assert lr is not None
        calls[name] = partial(trainer.method.super_resolve, lr.to(trainer.accelerator.device))
    return calls


def _data(training: Training, size: int) -> dict[str, Call]:
    batches, step = training.batches(size, torch.device("cpu")), itertools.count()
    return {OWN: lambda: batches(next(step) % training.steps)}
