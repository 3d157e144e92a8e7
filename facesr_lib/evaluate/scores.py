"""Recorded scores of several training seeds, as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

BASELINE = "bicubic"  # the method that every other one is compared with
Score = dict[str, Any]


def pool_seeds(scores: Sequence[Score]) -> list[Score]:
    """Scores of one method by several training seeds as one, in the order of the first: every image's mean over the seeds.

    The pooled records say in `seeds` how many they stand for. Where seeds were scored on different numbers of images, the
    first stands alone.
    """
    found: dict[tuple[str, ...], list[Score]] = {}
    for score in scores:
        found.setdefault(tuple(score[name] for name in ("method", "dataset", "metric", "convention")), []).append(score)
    return [
        _pooled([s for s in members if len(s["values"]) == len(members[0]["values"])]) for members in found.values()
    ]


def _pooled(members: list[Score]) -> Score:
    if len(members) == 1:
        return {**members[0], "seeds": 1}
    values = np.mean([score["values"] for score in members], axis=0)
    with np.errstate(invalid="ignore"):  # the spread of infinite scores is nan, which is meant
        spread = float(values.std(ddof=1)) if len(values) > 1 else None
    pooled = {"mean": float(values.mean()), "std": spread, "values": values.tolist(), "seeds": len(members)}
    return {**members[0], **pooled}
