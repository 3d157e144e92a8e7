"""The training loop that drives any Method: same result killed and resumed as unbroken, bit for bit on one CPU."""

import math
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal

import torch
from torch import Tensor
from tqdm.auto import tqdm

from facesr_lib.config import config_hash
from facesr_lib.files import make_folder
from facesr_lib.training.checkpoint import load_latest, prune, save_checkpoint
from facesr_lib.training.device import Device, make_accelerator
from facesr_lib.training.log import CsvLog, Row
from facesr_lib.training.method import Batch, unwrap
from facesr_lib.training.trained import M, Trained, save_preview

Batches = Callable[[int], Batch]


class NonFiniteLoss(ArithmeticError):
    """A loss term became NaN or infinite; the message names the step and every term's value."""


@dataclass(frozen=True)
class TrainerOptions:
    """How a run is carried out. Nothing in here changes what is learnt, beyond rounding.

    steps: optimizer steps in all. log_every, validate_every, checkpoint_every: in steps; 0 turns validation off, and
    leaves one checkpoint at the end. mixed_precision "auto": bf16 on GPUs that have it. keep: checkpoints kept.
    """

    steps: int
    log_every: int = 10
    validate_every: int = 0
    checkpoint_every: int = 200
    keep: int = 2
    device: Device = "auto"
    mixed_precision: Literal["auto", "no", "bf16", "fp16"] = "auto"

    def __post_init__(self) -> None:
        for name in ("steps", "log_every", "keep"):
            if getattr(self, name) < 1:
                raise ValueError(f"TrainerOptions.{name} must be at least 1, got {getattr(self, name)}")


@dataclass(eq=False)
class Trainer(Generic[M]):
    """Trains `method` on `batches(step)` inside `folder`, where `log.csv`, `validation.csv` and `checkpoints/` live.

    key: plain data that identifies the run beyond its seed (config, data checksum); a folder of another run is refused.
    validate: called with the method every `validate_every` steps and after the last; returns numbers for validation.csv.
    preview: called at the same steps; returns images (n, 3, H, W) in [0, 1], which are kept in `previews/`.
    tell: called after each step with the number of steps done, in place of a progress bar.
    show: called after each step with this Trainer and the number of steps done, beside the bar: `so_far` says what there is.
    """

    method: M
    batches: Batches
    folder: Path
    options: TrainerOptions
    _: KW_ONLY
    seed: int = 0
    key: dict[str, Any] = field(default_factory=dict)
    validate: Callable[[M], dict[str, float]] | None = None
    preview: Callable[[M], Tensor] | None = None
    title: str = "training"
    tell: Callable[[int], object] | None = None
    show: Callable[["Trainer[M]", int], object] | None = None

    def __post_init__(self) -> None:
        self.identity = config_hash({"key": self.key, "seed": self.seed})
        self.log, self.validation = CsvLog(self.folder / "log.csv"), CsvLog(self.folder / "validation.csv")
        self.accelerator = make_accelerator(self.options.device, self.options.mixed_precision, grows=self.method.grows)
        self._pending: list[tuple[int, dict[str, Tensor]]] = []

    def train(self) -> Trained[M]:
        """Build the method from the seed, load the newest whole checkpoint if there is one, and train to the last step.

        A finished run is only loaded. On Ctrl-C (or Jupyter's stop button) the current step is finished and saved first.
        Raises NonFiniteLoss (naming step and terms), WrongRun for a folder of another run, MemoryError with advice for a GPU.
        """
        make_folder(self.folder / "checkpoints")
        start = self.prepare()
        try:
            with (
                one_thread(self.accelerator.device),
                flushed_denormals(),
                _deferred_interrupt() as interrupted,
                self._bar(start) as bar,
            ):
                for step, batch in self._fetch(start):
                    self._pending.append((step + 1, self.train_step(step, batch)))
                    bar.update()
                    if self.tell:
                        self.tell(step + 1)
                    self._record(step + 1, bar, interrupted)
                    if self.show and self.accelerator.is_main_process:
                        self.show(self, step + 1)
        except torch.cuda.OutOfMemoryError as error:
            raise MemoryError("the GPU ran out of memory: lower the config's batch size, or choose a smaller profile") from error
        return self.so_far(reused=start >= self.options.steps)

    def so_far(self, reused: bool = False) -> Trained[M]:
        """What the training has left until now: the logs reach as far as they are written."""
        return Trained(self.method, self.folder, self.log.rows(), self.validation.rows(), reused)

    def prepare(self) -> int:
        """Build the method and bring it to the device, load the newest checkpoint; return the number of steps done."""
        torch.manual_seed(self.seed)
        method = self.method
        method.build()
        start = load_latest(self.folder / "checkpoints", method, self.identity, self._reach())
        if self.accelerator.is_main_process:
            self.log.forget_after(start)
            self.validation.forget_after(start)
            prune(self.folder / "checkpoints", start, self.options.keep)
        method.accelerator = self.accelerator
        for name, network in method.networks.items():
            # In this layout before it is wrapped: gradients keep the one they find, and a fused update takes it for granted.
            method.networks[name] = self.accelerator.prepare(network.to(memory_format=torch.channels_last)).train()
        for name, optimizer in method.optimizers.items():
            # Loaded before its parameters moved: the state follows them, in layout too, which a fused update takes for granted.
            for parameter, state in optimizer.state.items():
                state |= {k: torch.empty_like(parameter).copy_(v) for k, v in state.items() if isinstance(v, Tensor) and v.ndim}
                if optimizer.param_groups[0].get("fused") and "step" in state:
                    state["step"] = state["step"].to(parameter.device)
            method.optimizers[name] = self.accelerator.prepare(optimizer)
        for average in method.averages.values():
            average.to(self.accelerator.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return start

    def train_step(self, step: int, batch: Batch) -> dict[str, Tensor]:
        """One step, counted from 0, after `prepare`: learning rates, the method's own step, averages. Returns the loss terms."""
        method = self.method
        method.begin_step(step)
        for name, schedule in method.learning_rates.items():
            for group in method.optimizers[name].param_groups:
                group["lr"] = schedule(step)
        terms = method.step(self._share(batch))
        for name, average in method.averages.items():
            average.update_parameters(unwrap(method.networks[name]))
        return terms

    def _share(self, batch: Batch) -> Batch:
        """This process's share of the batch, on the device: the batch itself does not depend on the number of processes."""
        workers, rank = self.accelerator.num_processes, self.accelerator.process_index
        share: dict[str, Tensor] = {}
        for name, value in batch.items():
            size, rest = divmod(len(value), workers)
            if rest:
                raise ValueError(f"a batch of {len(value)} ({name}) is not a multiple of {workers} processes: change it")
            share[name] = value[rank * size : (rank + 1) * size].to(self.accelerator.device, non_blocking=True)
        return share

    def _record(self, done: int, bar: tqdm, interrupted: Callable[[], bool]) -> None:
        """Write what is due after `done` steps: log, validation, checkpoint. After an interrupt, save and stop."""
        options = self.options
        if self._due(options.log_every, done):
            self._flush(bar)
        if self._due(options.validate_every, done):
            self._validate(done)
        stop = interrupted()
        if stop or done == options.steps or self._due(options.checkpoint_every, done):
            self._checkpoint(done)
        if stop:
            raise KeyboardInterrupt(f"stopped after step {done}; run again to go on from there")

    def _due(self, every: int, done: int) -> bool:
        return every > 0 and (done == self.options.steps or done % every == 0)

    def _reach(self) -> int:
        """The last step up to which the logs are whole: a row for every step, and one for every validation that was due."""
        logged, validated = ({row["step"] for row in log.rows()} for log in (self.log, self.validation))
        every, steps = self.options.validate_every if self.validate else 0, self.options.steps
        lacking = (s for s in range(1, steps + 1) if s not in logged or (self._due(every, s) and s not in validated))
        return next(lacking, steps + 1) - 1

    def _fetch(self, start: int) -> Iterator[tuple[int, Batch]]:
        """Batches from step `start`; with a GPU the next one is made in a thread while the GPU works on this one."""
        steps = range(start, self.options.steps)
        if self.accelerator.device.type != "cuda":
            for step in steps:
                yield step, self.batches(step)
            return
        with ThreadPoolExecutor(1) as thread:
            upcoming = thread.submit(self.batches, start)
            for step in steps:
                batch = upcoming.result()
                if step + 1 < self.options.steps:
                    upcoming = thread.submit(self.batches, step + 1)
                yield step, {name: value.pin_memory() for name, value in batch.items()}

    def _flush(self, bar: tqdm) -> None:
        """Move the pending loss terms off the device in one go, stop at the first NaN, write them down."""
        if not self._pending:
            return
        names = list(self._pending[0][1])
        values = torch.stack([torch.stack([terms[name] for name in names]) for _, terms in self._pending]).float()
        values = self.accelerator.reduce(values, "mean")  # over the processes, so that a NaN in one stops them all
        rows, wrong = list[Row](), ""
        for (step, _), numbers in zip(self._pending, values.tolist(), strict=True):
            terms = dict(zip(names, numbers, strict=True))
            if not all(math.isfinite(number) for number in numbers):
                wrong = f"step {step}: a loss term is not finite ({', '.join(f'{n}={v:.4g}' for n, v in terms.items())})"
                break
            rates = {f"lr_{name}": schedule(step - 1) for name, schedule in self.method.learning_rates.items()}
            rows.append({"step": step, **terms, **rates})
        if self.accelerator.is_main_process:
            self.log.append(rows)
        if wrong:
            remedy = "lower the learning rate, or use float32 (mixed_precision='no')"
            raise NonFiniteLoss(f"{wrong}. The last whole checkpoint is kept; {remedy}")
        self._pending.clear()
        bar.set_postfix({name: f"{rows[-1][name]:.3g}" for name in names})

    def _validate(self, done: int) -> None:
        if self.accelerator.is_main_process:
            if self.preview:
                save_preview(self.folder, done, self.preview(self.method))
            if self.validate:
                self.validation.append([{"step": done, **self.validate(self.method)}])
        self.accelerator.wait_for_everyone()

    def _checkpoint(self, done: int) -> None:
        self._flush(tqdm(disable=True))
        if self.accelerator.is_main_process:
            save_checkpoint(self.folder / "checkpoints", self.method, done, self.identity, keep=self.options.keep)
        self.accelerator.wait_for_everyone()

    def _bar(self, start: int) -> tqdm:
        hidden = not self.accelerator.is_main_process or start >= self.options.steps or self.tell is not None
        return tqdm(total=self.options.steps, initial=start, desc=self.title, unit="step", disable=hidden)


@contextmanager
def one_thread(device: torch.device) -> Iterator[None]:
    """On a CPU, compute with one thread: rounding depends on their number, and a second one waits as soon as others compute."""
    before = torch.get_num_threads()
    torch.set_num_threads(1 if device.type == "cpu" else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Let the CPU round numbers below 1e-38 to zero: saturated networks make many, and each costs it a hundredfold."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


@contextmanager
def _deferred_interrupt() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C into a request that the loop answers between steps; a second one stops at once."""
    # Only the main thread may set handlers, and a background job that ignores Ctrl-C keeps ignoring it.
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        yield lambda: False
        return
    asked = False

    def ask(number: int, frame: Any) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    previous = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, previous)
