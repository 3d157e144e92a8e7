"""`facesr rehearse`: a few real steps of every training of a profile on this machine, and what the whole schedule would take.

The steps are the Trainer's, with its device and precision, on packaged faces at the profile's size (`facesr_tools.trainings`).
"""

from __future__ import annotations

import math
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import torch
from torch import Tensor

from facesr_lib.training import Trainer, TrainerOptions, resolve_device
from facesr_lib.training.device import Device
from facesr_lib.training.trainer import flushed_denormals
from facesr_tools.trainings import Training

WARM_UP = 3  # steps that are not timed, or half of them if there are fewer than six
Terms = dict[str, float]


@dataclass(frozen=True)
class Rehearsal:
    """What a few steps at one level of a training took.

    level: of a network that grows, else "".  batch: images in a step here; preset_batch: in the schedule's.
    seconds: a step, median after a warm-up, making its batch included; on a GPU the batch is made meanwhile, as in a training.
    peak_memory: bytes, of the process on a CPU, of what torch allocated on a GPU.  first, last: loss terms.
    schedule: steps at this level in the published schedule.  failure: why there are no figures, else "".
    """

    paper: str
    training: str
    level: str
    device: str
    batch: int
    preset_batch: int
    schedule: int
    steps: int = 0
    parameters: int = 0
    seconds: float = math.nan
    peak_memory: int = 0
    first: Terms = field(default_factory=dict)
    last: Terms = field(default_factory=dict)
    failure: str = ""

    @property
    def hours(self) -> float:
        """The whole schedule at this level on this device, in proportion to the preset's batch; NaN after a failure."""
        return self.schedule * self.seconds * (self.preset_batch / self.batch) / 3600

    @property
    def wrong(self) -> list[str]:
        """The loss terms that are not finite."""
        return sorted({name for terms in (self.first, self.last) for name, value in terms.items() if not math.isfinite(value)})


def rehearse(
    training: Training, steps: int, batch: int | None = None, device: Device = "auto", tell: Callable[[], object] = lambda: None
) -> Iterator[Rehearsal]:
    """Rehearse every level of `training`: `steps` steps, spread evenly over it, so that fading in a level is among them.

    batch: images in a step, at least what the training needs; None: as in the preset. tell: called after each step.
    Running out of memory ends a level, not the rehearsal. Raises ValueError for steps < 1 or batch < 1.
    """
    for name, value in (("steps", steps), ("batch", batch)):
        if value is not None and value < 1:
            raise ValueError(f"{name}: expected at least 1, got {value}")
    size = training.batch_size if batch is None else max(batch, training.least_batch)
    for level, schedule in training.levels.items():
        about = (training.paper, training.name, level, resolve_device(device).type, size, training.batch_size, len(schedule))
        try:
            yield _rehearse(training, schedule, steps, about, device, tell)
        except (MemoryError, RuntimeError) as error:
            if not _is_out_of_memory(error):
                raise
            yield Rehearsal(*about, failure=f"out of memory at a batch of {size}: lower it with --batch")


def _rehearse(
    training: Training,
    schedule: range,
    steps: int,
    about: tuple[str, str, str, str, int, int, int],
    device: Device,
    tell: Callable[[], object],
) -> Rehearsal:
    size, where = about[4], resolve_device(device)
    chosen = [schedule[index * len(schedule) // steps] for index in range(steps)]
    with TemporaryDirectory() as folder, flushed_denormals(), peak_memory(where) as peak:
        batches = training.batches(size, where)
        trainer = Trainer(training.make(), batches, Path(folder), TrainerOptions(training.steps, device=device))
        trainer.prepare()
        times, terms = [], []
        for step in chosen:
            start = time.perf_counter()
            batch = batches(step)
            ready = time.perf_counter()
            terms.append(_numbers(trainer.train_step(step, batch)))  # reading them waits for the device
            made, trained = ready - start, time.perf_counter() - ready
            times.append(max(made, trained) if where.type == "cuda" else made + trained)
            tell()
        networks = trainer.method.networks.values()
        parameters = sum(parameter.numel() for network in networks for parameter in network.parameters())
        seconds = statistics.median(times[min(WARM_UP, steps // 2) :])
        return Rehearsal(*about, steps, parameters, seconds, peak(), terms[0], terms[-1])


def _numbers(terms: dict[str, Tensor]) -> Terms:
    return dict(zip(terms, torch.stack([value.float() for value in terms.values()]).tolist(), strict=True))


@contextmanager
def peak_memory(device: torch.device) -> Iterator[Callable[[], int]]:
    """Watch the memory while the block runs: a function that gives its peak so far, in bytes."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        yield torch.cuda.max_memory_allocated
        return
    process, over = psutil.Process(), threading.Event()
    peak = process.memory_info().rss

    def watch() -> None:
        nonlocal peak
        while not over.wait(0.02):
            peak = max(peak, process.memory_info().rss)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield lambda: max(peak, process.memory_info().rss)
    finally:
        over.set()
        watcher.join()


def _is_out_of_memory(error: Exception) -> bool:
    """CUDA has an error of its own for it, torch's CPU allocator only a message."""
    return isinstance(error, MemoryError | torch.cuda.OutOfMemoryError) or "allocate memory" in str(error)
