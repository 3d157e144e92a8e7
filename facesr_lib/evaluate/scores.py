"""Recorded scores of several training seeds, as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

BASELINE = "bicubic"  # the method that every other one is compared with
Score = dict[str, Any]


def pool_seeds(scores: Sequence[Score]) -> list[Score]:
    """Pool the scores of one method over its training seeds: every image's mean over the seeds, in the order of the first.

    `seeds` of a pooled record is their number. Seeds that were scored on another number of images than the first are left out.
    """
    found: dict[tuple[str, ...], list[Score]] = {}
    for score in scores:
        found.setdefault(tuple(score[name] for name in ("method", "dataset", "metric", "convention")), []).append(score)
    return [_pooled([s for s in members if len(s["values"]) == len(members[0]["values"])]) for members in found.values()]


def _pooled(members: list[Score]) -> Score:
    if len(members) == 1:
        return {**members[0], "seeds": 1}
    values = np.mean([score["values"] for score in members], axis=0)
    with np.errstate(invalid="ignore"):  # the spread of infinite scores is nan, which is meant
        spread = float(values.std(ddof=1)) if len(values) > 1 else None
    pooled = {"mean": float(values.mean()), "std": spread, "values": values.tolist(), "seeds": len(members)}
    return {**members[0], **pooled}
