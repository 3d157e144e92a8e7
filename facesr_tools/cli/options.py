"""Options that several commands share."""

from __future__ import annotations

from enum import StrEnum


class Device(StrEnum):
    """Where to compute; auto takes CUDA where there is one."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
