"""One record per metric (key, name in tables, how it is taken, which direction is better, function), and a set's scores by it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from facesr_lib.image import quantize
from facesr_lib.image.check import check_values


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


def evaluate(
    super_resolve: Callable[[Tensor], Tensor],
    batches: Iterable[Mapping[str, Tensor]],
    metrics: Iterable[Metric],
    device: torch.device | str = "cpu",
) -> dict[Metric, Tensor]:
    """Score `super_resolve(lr)` against HR on every batch; returns per metric a float64 tensor (N,) in the set's order.

    batches: {"lr": (n, 3, h, w), "hr": (n, 3, H, W)} in [0, 1], as `facesr_lib.data.eval_batches` yields them; one at a time
    is held. Without "hr", metrics get None for it. SR is rounded to 8 bit before any metric sees it, as in a PNG.
    Raises ValueError for unequal sizes, no batch, and SR that is not in [0, 1] (`facesr_lib.image.check` says how strictly).
    """
    found: dict[Metric, list[Tensor]] = {metric: [] for metric in metrics}
    for batch in batches:
        hr = batch["hr"].to(device) if "hr" in batch else None
        check_values(made := super_resolve(batch["lr"].to(device)), "super_resolve(lr)")  # before rounding clamps it
        sr = quantize(made)
        if hr is not None and sr.shape != hr.shape:
            raise ValueError(f"SR has shape {tuple(sr.shape)}, HR {tuple(hr.shape)}: is the scale right?")
        if sr.device.type == "mps":  # which has no float64
            sr, hr = sr.cpu(), None if hr is None else hr.cpu()
        for metric, values in found.items():
            values.append(metric(sr, hr).double().cpu())
    if not all(found.values()):
        raise ValueError("there is nothing to score: the data set gave no batch")
    return {metric: torch.cat(values) for metric, values in found.items()}
