"""One record per metric: its key, its name in tables, how it was taken, which direction is better, and its function."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Metric:
    """A metric with its backend and convention; `metric(sr, hr)` calls its function.

    key: for programs, such as "psnr_y".  label: in tables, with unit or backend, such as "LPIPS (HED-VGG)".
    function: two RGB batches (N, 3, H, W) in [0, 1] -> N values. Of a distance between sets: two feature sets (N, D) -> float.
    family: what a claim names, such as "FID"; a named substitute has the family of the official metric. Default: the label.
    convention: colour plane, depth and border in words.  unit: "dB", or "" for a number without one.
    """

    key: str
    label: str
    function: Callable[..., Any] | None = field(default=None, compare=False, repr=False)
    family: str = ""
    convention: str = ""
    unit: str = ""
    higher_is_better: bool = True

    def __post_init__(self) -> None:
        if not self.key or not self.label:
            raise ValueError(f"a metric needs a key and a label, got {self.key!r} and {self.label!r}")
        object.__setattr__(self, "family", self.family or self.label)

    def __str__(self) -> str:
        return self.label

    def __call__(self, *pair: Any) -> Any:
        if self.function is None:
            raise TypeError(f"the metric {self.label} has no function: its values are computed elsewhere")
        return self.function(*pair)
