"""Arithmetic that a score can be quoted with: the same on a CPU and on a GPU, up to float32 rounding."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def full_precision(device: torch.device | str) -> Iterator[None]:
    """While it is open, networks run without gradient and in plain float32.

    No autocast and no TF32: CUDA convolutions use TF32 by default, whose 10-bit mantissa is good for training and changes
    the third digit of a score. cuDNN takes algorithms that repeat bit for bit.
    """
    exact = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
    with torch.no_grad(), torch.autocast(torch.device(device).type, enabled=False), exact:
        yield
