"""Where and how precisely a training computes: the device, mixed precision and several processes."""

from typing import Literal

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.state import AcceleratorState

Device = Literal["auto", "cpu", "cuda"]


def resolve_device(name: str) -> torch.device:
    """The device of "auto" (CUDA if there is any), "cpu" or "cuda". Raises ValueError for other names, or CUDA where none is."""
    if name not in ("auto", "cpu", "cuda"):
        raise ValueError(f"unknown device {name!r}: choose auto, cpu or cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("device 'cuda' was asked for, but torch finds no CUDA GPU: use 'auto' or 'cpu', or check the driver")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def make_accelerator(device: str, mixed_precision: str, *, grows: bool = False) -> Accelerator:
    """An accelerate.Accelerator for `device` ("auto", "cpu" or "cuda") and precision ("auto", "no", "bf16", "fp16").

    grows: the method's networks have parameters that get no gradient yet, which several processes must be told.
    "auto" precision is bf16 on GPUs that compute in it, else float32. Raises ValueError as `resolve_device` does.
    """
    on_cpu = resolve_device(device).type == "cpu"
    if mixed_precision == "auto":
        mixed_precision = "bf16" if not on_cpu and torch.cuda.get_device_capability() >= (8, 0) else "no"
    # accelerate keeps one state per process; a second Trainer of another precision or device needs a fresh one.
    state = AcceleratorState._shared_state
    if state and (state.get("_mixed_precision") != mixed_precision or state.get("_cpu") != on_cpu):
        AcceleratorState._reset_state(reset_partial_state=True)
    # Buffers (batch-norm statistics) are not broadcast: a discriminator runs twice before its backward pass.
    distributed = DistributedDataParallelKwargs(broadcast_buffers=False, find_unused_parameters=grows)
    return Accelerator(cpu=on_cpu, mixed_precision=mixed_precision, kwargs_handlers=[distributed])
