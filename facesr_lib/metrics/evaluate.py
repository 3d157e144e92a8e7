"""Scores of a super-resolver over a whole image set, one value per image."""

from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor

from facesr_lib.image import quantize
from facesr_lib.metrics.metric import Metric


def evaluate(
    super_resolve: Callable[[Tensor], Tensor],
    batches: Iterable[Mapping[str, Tensor]],
    metrics: Iterable[Metric],
    device: torch.device | str = "cpu",
) -> dict[Metric, Tensor]:
    """Score `super_resolve(lr)` against HR on every batch; returns per metric a float64 tensor (N,) in the set's order.

    batches: {"lr": (n, 3, h, w), "hr": (n, 3, H, W)} in [0, 1], as `facesr_lib.data.eval_batches` yields them; one at a time
    is held. Without "hr", metrics get None for it. SR is rounded to 8 bit before any metric sees it, as in a PNG.
    Raises ValueError for unequal sizes or no batch.
    """
    found: dict[Metric, list[Tensor]] = {metric: [] for metric in metrics}
    for batch in batches:
        hr = batch["hr"].to(device) if "hr" in batch else None
        sr = quantize(super_resolve(batch["lr"].to(device)))
        if hr is not None and sr.shape != hr.shape:
            raise ValueError(f"SR has shape {tuple(sr.shape)}, HR {tuple(hr.shape)}: is the scale right?")
        for metric, values in found.items():
            values.append(metric(sr, hr).double().cpu())
    if not all(found.values()):
        raise ValueError("there is nothing to score: the data set gave no batch")
    return {metric: torch.cat(values) for metric, values in found.items()}
