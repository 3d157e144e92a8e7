"""Where and how precisely a training computes: the device, mixed precision and several processes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, get_args

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.state import AcceleratorState
from accelerate.utils import is_tensorboard_available

Device = Literal["auto", "cpu", "cuda", "mps"]


def resolve_device(name: str) -> torch.device:
    """The device of "auto" (CUDA if there is any, else the CPU), "cpu", "cuda" or "mps" (the GPU of Apple's processors).

    Raises ValueError for another name, and for a GPU that is not there.
    """
    if name not in get_args(Device):
        raise ValueError(f"unknown device {name!r}: choose auto, cpu, cuda or mps")
    if name == "mps" and not torch.backends.mps.is_available():
        raise ValueError("device 'mps' was asked for, but torch finds no GPU of Apple's here: use 'auto' or 'cpu'")
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("device 'cuda' was asked for, but torch finds no CUDA GPU: use 'auto' or 'cpu', or check the driver")
    return torch.device(name if name != "auto" else "cuda" if torch.cuda.is_available() else "cpu")


def make_accelerator(device: str, mixed_precision: str, *, grows: bool = False, board: Path | None = None) -> Accelerator:
    """An accelerate.Accelerator for `device` (as `resolve_device` reads it) and precision ("auto", "no", "bf16", "fp16").

    grows: the method's networks have parameters that get no gradient yet, which several processes must be told.
    board: the folder for what accelerate's tracker writes for TensorBoard, None without.
    "auto" precision is bf16 on GPUs that compute in it, else float32. Raises ValueError as `resolve_device` does, and
    ModuleNotFoundError if TensorBoard is asked for and missing.
    """
    if board and not is_tensorboard_available():  # accelerate would go on without a word
        raise ModuleNotFoundError("TensorBoard, which FACESR_TENSORBOARD asks for, is missing: pip install 'facesr[tensorboard]'")
    where = resolve_device(device).type
    on_cpu = where == "cpu"
    if mixed_precision == "auto":
        mixed_precision = "bf16" if where == "cuda" and torch.cuda.get_device_capability() >= (8, 0) else "no"
    # accelerate keeps one state per process; a second Trainer of another precision or device needs a fresh one.
    state = AcceleratorState._shared_state
    if state and (state.get("_mixed_precision") != mixed_precision or state.get("_cpu") != on_cpu):
        AcceleratorState._reset_state(reset_partial_state=True)
    # Buffers (batch-norm statistics) are not broadcast: a discriminator runs twice before its backward pass.
    distributed = DistributedDataParallelKwargs(broadcast_buffers=False, find_unused_parameters=grows)
    tracker = {"log_with": "tensorboard", "project_dir": board} if board else {}
    return Accelerator(cpu=on_cpu, mixed_precision=mixed_precision, kwargs_handlers=[distributed], **tracker)


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
