"""Scores as the report shows them: grouped, compared with bicubic and with the paper."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from markupsafe import Markup

from facesr_lib.evaluate.result import Score, pool_seeds
from facesr_lib.evaluate.tables import column_decimals, format_column, format_number

BASELINE = "bicubic"  # the method that every other one is compared with


@dataclass(frozen=True)
class ScoreRow:
    """One method's line: texts ready to print, whether its mean is the group's best, and a drawing of its spread."""

    method: str
    mean: str
    std: str
    n: int
    seeds: int
    gain: str
    best: bool
    spread: Markup


@dataclass(frozen=True)
class ScoreGroup:
    """Methods that may be compared: one data set, one metric, one convention."""

    dataset: str
    metric: str
    convention: str
    direction: str
    rows: tuple[ScoreRow, ...]
    low: str
    high: str


@dataclass(frozen=True)
class Headline:
    """A notebook's first number beside bicubic's and the published one; empty texts where there is none."""

    method: str
    dataset: str
    metric: str
    convention: str
    n: int
    ours: str
    baseline: str
    gain: str
    reference: dict[str, Any] | None
    published: str
    differs: str


def score_groups(scores: Sequence[Score]) -> list[ScoreGroup]:
    """Group the scores of a result (as `load_result` gives them) in the order they were recorded, seeds pooled."""
    scores = pool_seeds(scores)

    def key(score: Score) -> tuple[str, str, str]:
        return score["dataset"], score["metric"], score["convention"]

    order = list(dict.fromkeys(map(key, scores)))
    grouped = groupby(sorted(scores, key=lambda score: order.index(key(score))), key=key)
    return [_group(list(members)) for _, members in grouped]


def headline(result: dict[str, Any], comparison: dict[str, Any] | None = None) -> Headline | None:
    """The number that stands for a result: the one of `comparison`, or of its first comparison with the paper, or else its first
    score that is not bicubic's. None if there is no such score.

    Of several comparisons that of a method beside bicubic is preferred: neither bicubic alone nor a count stands for a paper.
    """
    scores = pool_seeds(result["scores"])
    comparison = comparison or next((c for c in result["published"] if _beside_bicubic(_compared(c, scores), scores)), None)
    comparison = comparison or next(iter(result["published"]), None)
    ours = _compared(comparison, scores) if comparison else next((score for score in scores if not _is_baseline(score)), None)
    if ours is None:
        return None
    baseline = _baseline([score for score in scores if _comparable(score, ours)])
    baseline = None if baseline is ours else baseline
    decimals = column_decimals([ours["mean"], *([baseline["mean"]] if baseline else [])])
    spread = "" if ours["std"] is None else f" ± {format_number(ours['std'], decimals)}"
    reference = comparison["reference"] if comparison else None
    return Headline(
        method=ours["method"],
        dataset=ours["dataset"],
        metric=ours["metric"],
        convention=ours["convention"],
        n=ours["n"],
        ours=format_number(ours["mean"], decimals) + spread,
        baseline=format_number(baseline["mean"], decimals) if baseline else "",
        gain=_gain(ours, baseline, decimals),
        reference=reference,
        published=f"{reference['value']:g} {reference['unit']}" if reference else "",
        differs=comparison["differs"] if comparison else "",
    )


def _compared(comparison: dict[str, Any], scores: list[Score]) -> Score | None:
    """Our score that a comparison sets beside a published one."""
    names = ("method", "dataset", "metric")
    return next((score for score in scores if all(score[name] == comparison[name] for name in names)), None)


def _beside_bicubic(ours: Score | None, scores: list[Score]) -> bool:
    return ours is not None and _baseline([score for score in scores if _comparable(score, ours)]) not in (None, ours)


def _group(scores: list[Score]) -> ScoreGroup:
    first, baseline = scores[0], _baseline(scores)
    decimals = column_decimals([score["mean"] for score in scores])
    known = [score["mean"] for score in scores if not math.isnan(score["mean"])]
    top = (max(known) if first["higher_is_better"] else min(known)) if len(known) > 1 else None
    finite = [value for score in scores for value in score["values"] if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 0.0)
    rows = [
        ScoreRow(
            method=score["method"],
            mean=format_number(score["mean"], decimals),
            std=format_number(score["std"], decimals),
            n=score["n"],
            seeds=score["seeds"],
            gain=_gain(score, baseline, decimals) if score is not baseline else "",
            best=score["mean"] == top,
            spread=_drawing(score, low, high),
        )
        for score in scores
    ]
    direction = "higher is better" if first["higher_is_better"] else "lower is better"
    ends = format_column([low, high])
    return ScoreGroup(first["dataset"], first["metric"], first["convention"], direction, tuple(rows), ends[0], ends[1])


def _is_baseline(score: Score) -> bool:
    return bool(score["method"].strip().lower() == BASELINE)


def _baseline(scores: Sequence[Score]) -> Score | None:
    return next((score for score in scores if _is_baseline(score)), None)


def _comparable(one: Score, other: Score) -> bool:
    return all(one[name] == other[name] for name in ("dataset", "metric", "convention"))


def _gain(score: Score, baseline: Score | None, decimals: int | None) -> str:
    """The difference of the means in words and sign, never by colour alone: "+1.36, better"; empty if it is undefined."""
    if baseline is None or not math.isfinite(difference := score["mean"] - baseline["mean"]):
        return ""
    text = format_number(difference, decimals)
    if difference == 0:
        return "0, same"
    better = (difference > 0) == score["higher_is_better"]
    return f"{'+' if difference > 0 else ''}{text}, {'better' if better else 'worse'}"


def _drawing(score: Score, low: float, high: float, width: int = 170) -> Markup:
    """Every image's score as a tick on the group's common scale, a bar for mean ± std and a dot for the mean.

    It repeats the numbers beside it, so it is hidden from screen readers.
    """
    finite = [value for value in score["values"] if math.isfinite(value)]
    if not finite or high <= low:
        return Markup("")

    def x(value: float) -> float:
        return round(4 + (width - 8) * (min(max(value, low), high) - low) / (high - low), 1)

    parts = [f'<line class="axis" x1="4" x2="{width - 4}" y1="10" y2="10"/>']
    parts += [f'<line class="tick" x1="{x(v)}" x2="{x(v)}" y1="6" y2="14"/>' for v in finite[:400]]
    mean, std = score["mean"], score["std"]
    if math.isfinite(mean):
        if std is not None and math.isfinite(std):
            left, right = x(mean - std), x(mean + std)
            parts.append(f'<rect class="std" x="{left}" y="7.5" width="{round(right - left, 1)}" height="5"/>')
        parts.append(f'<circle class="mean" cx="{x(mean)}" cy="10" r="4"/>')
    head = f'<svg class="spread" width="{width}" height="20" viewBox="0 0 {width} 20" aria-hidden="true" focusable="false">'
    return Markup(head + "".join(parts) + "</svg>")
