"""Timing: the forms of one piece of work in turns, beside the fastest dense products that this machine does meanwhile.

On a CPU with one thread the clock counts this process's own computing, so that a busy neighbour costs little. Of all turns
the quickest counts: what disturbs a turn only makes it slower.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from facesr_lib.training.trainer import flushed_denormals
from facesr_tools.rehearse import peak_memory

Call = Callable[[], object]
Clock = Literal["processor", "wall"]
LEAST, MOST = 3, 100  # turns
OWN = "facesr"  # the name of the library's own form


@dataclass(frozen=True)
class Work:
    """Something to time. name: its kind comes first, as in "step quick human_gan: GAN".

    prepare: makes its forms, by name, the library's own (`OWN`) first; called when its turn comes.  images: in a call; 0: none.
    clock: "processor" counts this process's computing, "wall" the seconds that a reader waits.
    dense: whether it is mostly convolutions and matrix products, which are then counted and compared with the ceiling.
    """

    name: str
    prepare: Callable[[], Mapping[str, Call]]
    images: int = 0
    clock: Clock = "processor"
    dense: bool = False


@dataclass(frozen=True)
class Form:
    """The times of one form: quickest and median call in milliseconds, how many there were, and its GFLOP if they are counted."""

    ms: float
    median_ms: float
    turns: int
    gflop: float | None = None


@dataclass(frozen=True)
class Result:
    """What was measured. ceiling: GFLOP/s of the fastest dense product in the same turns.  peak_memory: of the process, bytes."""

    name: str
    images: int
    clock: Clock
    device: str
    forms: dict[str, Form]
    ceiling: float | None = None
    peak_memory: int = 0
    failure: str = field(default="")

    @property
    def own(self) -> Form:
        """The library's own form."""
        return self.forms[OWN]

    @property
    def share(self) -> float | None:
        """GFLOP/s as a share of the ceiling."""
        return self.own.gflop / self.own.ms * 1000 / self.ceiling if self.own.gflop and self.ceiling else None

    @property
    def faster(self) -> dict[str, float]:
        """By the name of another form: how many times longer it takes."""
        return {name: form.ms / self.own.ms for name, form in self.forms.items() if name != OWN}


def measure(work: Work, seconds: float, device: torch.device) -> Result:
    """Time every form of `work` in turns for about `seconds`, three turns at least, after one call of each to warm up.

    Out of memory ends this work, with the reason in `failure`; every other error is passed on.
    """
    clock: Clock = "processor" if work.clock == "processor" and device.type == "cpu" and torch.get_num_threads() == 1 else "wall"
    try:
        with flushed_denormals():
            forms = dict(work.prepare())
            with peak_memory(device) as peak:
                counted = {name: _flops(call) / 1e9 if work.dense else None for name, call in list(forms.items())[:1]}
                memory = peak()
            counted |= {name: _flops(call) / 1e9 if work.dense else None for name, call in list(forms.items())[1:]}
            dense = ceilings(device) if work.dense else {}
            times = _in_turns({**forms, **{name: call for name, (call, _) in dense.items()}}, seconds, clock, device)
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError | torch.cuda.OutOfMemoryError) and "allocate memory" not in str(error):
            raise
        return Result(work.name, work.images, clock, device.type, {}, failure="out of memory")
    found = {name: Form(min(times[name]), statistics.median(times[name]), len(times[name]), counted[name]) for name in forms}
    speeds = [gflop / min(times[name]) * 1000 for name, (_, gflop) in dense.items()]
    return Result(work.name, work.images, clock, device.type, found, max(speeds, default=None), memory)


def _in_turns(calls: Mapping[str, Call], seconds: float, clock: Clock, device: torch.device) -> dict[str, list[float]]:
    """Milliseconds of each call, turn by turn."""
    now = time.process_time if clock == "processor" else time.perf_counter
    times: dict[str, list[float]] = {name: [] for name in calls}
    began = time.perf_counter()
    for call in calls.values():
        call()
    for turn in range(MOST):
        if turn >= LEAST and time.perf_counter() - began > seconds:
            break
        # There and back, so that no form always finds the cache as the same other one left it.
        for name, call in list(calls.items())[:: -1 if turn % 2 else 1]:
            _wait(device)
            start = now()
            call()
            _wait(device)
            times[name].append(1000 * (now() - start))
    return times


def ceilings(device: torch.device) -> dict[str, tuple[Call, float]]:
    """Dense products that processors do best, by name: the call, and its GFLOP. bfloat16 on a GPU, float32 on a CPU."""
    fast = device.type == "cuda"
    kind: dict[str, Any] = {"device": device, "dtype": torch.bfloat16 if fast else torch.float32}
    batch, side = (64, 8192) if fast else (4, 768)
    found: dict[str, tuple[Call, float]] = {}
    for channels, size in ((32, 64), (64, 64), (128, 32)):
        x = torch.rand(batch, channels, size, size, **kind).to(memory_format=torch.channels_last)
        weight = torch.rand(channels, channels, 3, 3, **kind).to(memory_format=torch.channels_last)
        gflop = 2 * batch * size**2 * channels**2 * 9 / 1e9
        found[f"convolution 3x3, {channels} channels"] = (lambda x=x, w=weight: torch.conv2d(x, w, padding=1), gflop)  # type: ignore[misc]
    square = torch.rand(side, side, **kind)
    found["matrix product"] = (lambda: square @ square, 2 * side**3 / 1e9)
    return found


class _FlopCounter(TorchDispatchMode):
    """Adds up torch's own formulas. Its FlopCounterMode also follows modules, and then stops at a gradient of a gradient."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            self.total += formula(*args, **(kwargs or {}), out_val=output)
        return output


def _flops(call: Call) -> int:
    with _FlopCounter() as counter:
        call()
    return counter.total


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()
