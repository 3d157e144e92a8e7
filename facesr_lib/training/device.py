"""Where and how precisely a training computes: the device, mixed precision and several processes."""

from typing import Literal, get_args

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.state import AcceleratorState

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


def make_accelerator(device: str, mixed_precision: str, *, grows: bool = False) -> Accelerator:
    """An accelerate.Accelerator for `device` (as `resolve_device` reads it) and precision ("auto", "no", "bf16", "fp16").

    grows: the method's networks have parameters that get no gradient yet, which several processes must be told.
    "auto" precision is bf16 on GPUs that compute in it, else float32. Raises ValueError as `resolve_device` does.
    """
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
    return Accelerator(cpu=on_cpu, mixed_precision=mixed_precision, kwargs_handlers=[distributed])
