"""How a loss becomes an update: device, mixed precision, gradient accumulation and the watch for NaN."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.state import AcceleratorState
from torch import Tensor

from facesr_lib.training.method import Method, unwrap

Device = Literal["auto", "cpu", "cuda"]


class NonFiniteLoss(ArithmeticError):
    """A loss term became NaN or infinite; the message names the step and every term's value."""


@dataclass
class Engine:
    """Carries out `Method.update`. Without an accelerator: plain float32 on the tensors' own device.

    With `accumulate` > 1 a step sees its batch in that many slices; every optimizer then steps once, after the last
    slice, so that all slices meet the same networks.
    """

    accelerator: Accelerator | None = None
    accumulate: int = 1
    _waiting: list[str] = field(default_factory=list)

    def update(self, method: Method, name: str, terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See `Method.update`. Raises KeyError for an unknown optimizer and ValueError for a term that is no scalar."""
        if name not in method.optimizers:
            raise KeyError(f"no optimizer is named {name!r}; there are: {', '.join(method.optimizers)}")
        for term, value in terms.items():
            if value.ndim:
                raise ValueError(f"loss term {term!r} has shape {tuple(value.shape)}; take its mean or sum first")
        loss = torch.stack(list(terms.values())).sum() / self.accumulate
        if self.accelerator is None:
            loss.backward()
        else:
            self.accelerator.backward(loss)
        if self.accumulate == 1:
            self._step(method, name)
        elif name not in self._waiting:
            self._waiting.append(name)
        return {term: value.detach() for term, value in terms.items()}

    def finish_step(self, method: Method) -> None:
        """After the last slice of a batch: the optimizer steps still waiting, then the moving averages."""
        for name in self._waiting:
            self._step(method, name)
        self._waiting.clear()
        for name, average in method.averages.items():
            average.update_parameters(unwrap(method.networks[name]))

    @staticmethod
    def _step(method: Method, name: str) -> None:
        method.optimizers[name].step()
        method.optimizers[name].zero_grad(set_to_none=True)


def resolve_device(name: str) -> torch.device:
    """Turn "auto" (CUDA if there is any, else CPU), "cpu" or "cuda" into a device.

    Raises ValueError for any other name, and for "cuda" on a machine without it.
    """
    if name not in ("auto", "cpu", "cuda"):
        raise ValueError(f"unknown device {name!r}: choose auto, cpu or cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            "device 'cuda' was asked for, but torch finds no CUDA GPU: use 'auto' or 'cpu', or check the driver"
        )
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
    return Accelerator(
        cpu=on_cpu,
        mixed_precision=mixed_precision,
        kwargs_handlers=[DistributedDataParallelKwargs(broadcast_buffers=False, find_unused_parameters=grows)],
    )
