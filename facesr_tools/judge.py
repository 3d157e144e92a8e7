"""Verdicts on a paper's claims, from the scores that notebooks recorded.

Every part of a claim is a paired difference with an interval behind it (`bootstrap.py`). Its margin, plus and minus the
smallest effect that counts, divides the effects into three zones: above speaks for the claim, below against it, between is too
small to matter. A decision for a zone rejects all of the other two: by one test for an outer zone, by two one-sided ones for
the middle (an equivalence test). Only one zone is true, so three decisions need no correction (Goeman, Solari & Stijnen,
Statistics in Medicine 29, 2010). A margin that the claim names, or a published number, is a line with nothing between.

A claim that is measured in several ways (two parts, two data sets, two LPIPS backends) must hold in all of them: its p-value is
the largest of theirs (intersection-union test). One that goes the other way, or is too small, is enough to refute it: then the
smallest counts, times their number (Bonferroni). What a claim requires is tested before. Holm's correction is over one
paper's claims, each decision alike: a verdict should not change when another paper's notebook has been run too. The level is
2.5 % to each side, so that a decision always means a 95 % interval wholly in its zone.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np

from facesr_lib.evaluate.bootstrap import GROUPS, RESAMPLES, SEEDS, Estimate, bootstrap_mean, estimate, holm
from facesr_lib.evaluate.claims import Claim, Part

Verdict = Literal[
    "reproduced", "not reproduced", "inconclusive", "supported", "contradicted", "undecided", "points for", "points against",
    "too small to matter", "not applicable", "not comparable here", "not run", "needs their images", "not judged",
]  # fmt: skip
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
NOT_SCORED: tuple[Verdict, ...] = ("not run", "needs their images")
LEVEL = 0.025
# By decision: on the paper's data at its size; at another scale, from enough seeds; from fewer.
_WORDS: dict[str, tuple[Verdict, ...]] = {
    "against": ("not reproduced", "contradicted", "points against"),
    "small": ("too small to matter",) * 3,
    "for": ("reproduced", "supported", "points for"),
    "open": ("inconclusive", "undecided", "undecided"),
}


def direction(verdict: str) -> str:
    """Which way a verdict decides, however strongly: "for", "against", "small" or "open"; empty for one that is none."""
    return next((kind for kind, words in _WORDS.items() if verdict in words), "")


@dataclass(frozen=True)
class Measured:
    """One part of a claim on one data set by one metric. effect: positive speaks for the claim; effects: each seed's.

    people: None where images count as independent. own: on the paper's data at its size. comparable: no, for a published number
    of other images. smallest: effect that counts, in the metric's unit. problem: why there is no interval; empty if there is.
    """

    part: Part
    notebook: str
    dataset: str
    metric: str
    unit: str
    convention: str
    n: int
    people: int | None
    own: bool = False
    comparable: bool = True
    effect: float = math.nan
    low: float = -math.inf
    high: float = math.inf
    smallest: float = 0.0
    seeds: int = 0
    effects: tuple[float, ...] = ()
    p_for: float = 1.0
    p_against: float = 1.0
    p_small: float = 1.0
    problem: str = ""


@dataclass(frozen=True)
class Judged:
    """A claim with its verdict and its Holm-corrected p-values. p_for is None unless all its parts were measured.

    required: what it requires, measured. decision: "for", "against", "small" or "open"; empty for a verdict that is none. scale:
    what to say after the verdict, such as " at this scale" or " (1 seed)".
    """

    claim: Claim
    verdict: Verdict
    measured: tuple[Measured, ...]
    missing: tuple[Part, ...]
    required: tuple[Measured, ...] = ()
    decision: str = ""
    scale: str = ""
    p_for: float | None = None
    p_against: float | None = None
    p_small: float | None = None

    @property
    def here(self) -> tuple[Measured, ...]:
        """What decides it: all but the published numbers of other images."""
        return tuple(m for m in self.measured if m.comparable)

    @property
    def seeds(self) -> int:
        """The fewest training seeds behind a part; 0 if none has an interval."""
        return min((m.seeds for m in self.here if m.seeds), default=0)


def judge(
    claims: Sequence[Claim], results: Sequence[dict[str, Any]], *, judged: bool = True, resamples: int = RESAMPLES, seed: int = 0
) -> list[Judged]:
    """Decide every claim of a paper from the results of its notebooks (as `Run.result` gives them, of one profile).

    Pools the results of one notebook over their training seeds. On the paper's data at its size a claim is reproduced, not
    reproduced or inconclusive; elsewhere supported, contradicted or undecided, or from fewer than three seeds it has points for
    or against it; its effect may be too small to matter. It is not applicable if what it requires fails, and not comparable here
    if it is a published number of other images. It needs their images if only those of rivals could decide it.

    judged=False (smoke runs) gives "not judged" wherever there are scores, and resamples nothing.
    """
    found = []
    for claim in claims:
        places = {part: list(_settings(part, results)) for part in (*claim.parts, *claim.requires)}
        measured, required = (
            _distinct(_measure(claim, part, *where, resamples=resamples, seed=seed) for part in parts for where in places[part])
            for parts in ((claim.parts, claim.requires) if judged else ((), ()))
        )
        missing = tuple(part for part in claim.parts if not places[part])
        unseen = NOT_SCORED[bool(claim.rivals)]
        verdict: Verdict = unseen if len(missing) == len(claim.parts) else "undecided" if judged else "not judged"
        found.append(Judged(claim, verdict, measured, missing, required))
    p_values = [_p_values(item) for item in found]
    for kind in ("for", "against", "small"):
        having = [p for p in p_values if kind in p]
        for p, corrected in zip(having, holm([p[kind] for p in having]), strict=True):
            p[kind] = corrected
    return [_decide(*pair) for pair in zip(found, p_values, strict=True)]


def _distinct(found: Iterable[Measured]) -> tuple[Measured, ...]:
    """Each measurement once: an ablation notebook scores its paper's full model again, with the same result."""
    first: dict[Measured, Measured] = {}
    for item in found:
        first.setdefault(replace(item, notebook=""), item)
    return tuple(first.values())


def _p_values(item: Judged) -> dict[str, float]:
    """Of each decision that the measurements allow, before Holm's correction."""
    here, n = item.here, len(item.here)
    found = {"against": n * min(m.p_against for m in here), "small": n * min(m.p_small for m in here)} if here else {}
    return found | ({"for": max(m.p_for for m in here)} if here and {m.part for m in here} == set(item.claim.parts) else {})


def _decide(item: Judged, p_values: dict[str, float]) -> Judged:
    if item.verdict != "undecided":
        return item
    item = replace(item, **{f"p_{kind}": p for kind, p in p_values.items()})  # type: ignore[arg-type]
    works = {m.part for m in item.required} == set(item.claim.requires) and all(m.p_for <= LEVEL for m in item.required)
    decisions = [kind for kind in _WORDS if works and p_values.get(kind, 1.0) <= LEVEL]
    if not decisions and {m.part for m in item.measured} != {m.part for m in item.here}:
        return replace(item, verdict="not comparable here")
    if any(min(m.p_against, m.p_small) * len(item.required) <= LEVEL for m in item.required):
        return replace(item, verdict="not applicable")
    decision, few = (*decisions, "open")[0], f" ({item.seeds} seed{'s' * (item.seeds > 1)})" if item.seeds else ""
    column = 0 if all(m.own for m in item.here) else 1 if item.seeds >= SEEDS else 2
    return replace(item, verdict=_WORDS[decision][column], decision=decision, scale=("", " at this scale", few)[column])


Scores = dict[int, dict[str, Any]]  # by training seed


def _settings(part: Part, results: Sequence[dict[str, Any]]) -> Iterator[tuple[list[dict[str, Any]], list[Scores]]]:
    """Where a part can be measured: a notebook's runs, and per term the scores on one data set by one metric's convention."""
    table: dict[tuple[str, str, str, str], dict[str, Scores]] = {}
    for result in results:
        roles = {data["name"]: data["role"] for data in result["data"]}
        for score in result["scores"]:
            fits = roles.get(score["dataset"]) == part.role and part.data.lower() in score["dataset"].lower()
            if fits and score["family"] == part.metric:
                place = (result["notebook"], score["dataset"], score["metric"], score["convention"])
                table.setdefault(place, {}).setdefault(score["method"], {})[score["seed"]] = score
    for (notebook, *_), methods in table.items():
        if all(method in methods for method, _ in part.terms):
            runs = [result for result in results if result["notebook"] == notebook]
            yield runs, [methods[method] for method, _ in part.terms]


def _measure(claim: Claim, part: Part, runs: list[dict[str, Any]], terms: list[Scores], *, resamples: int, seed: int) -> Measured:
    first = next(iter(terms[0].values()))
    name, weights, sign = first["dataset"], [weight for _, weight in part.terms], 1 if first["higher_is_better"] else -1
    images, *others = [(data["groups"], data.get("checksum")) for run in runs for data in run["data"] if data["name"] == name]
    published = runs[0]["profile"] == "paper" and ", " not in name  # a comma: its LR images were made here
    item = Measured(
        part,
        **{key: first[key] for key in ("dataset", "metric", "unit", "convention", "n")},
        notebook=runs[0]["notebook"],
        people=len(set(images[0])) if images[0] else None,
        own=part.counted or (published and name.partition("/")[0] in claim.data_sets),
        comparable=not part.on or (published and f"{name}/".startswith(f"{part.on}/")),
    )
    try:
        if any(other != images for other in others):
            raise _NotComparable("the seeds were scored on different images")
        if images[0] is not None and len(images[0]) != first["n"]:
            raise _NotComparable("the scores and their image set differ in the number of images")
        rows = _by_seed(terms)
        scored = np.array([[score["mean"] for score in row] for row in rows])
        means = np.array([sign * (_sum(weights, row) - part.target) for row in scored])
        if first["replicates"] is None:
            values = [sign * (_sum(weights, [s["values"] for s in row]) - part.target) for row in rows]
            if not np.isfinite(values).all():
                raise _NotComparable("a score is infinite or undefined, so there is no mean difference")
            found = bootstrap_mean(values, images[0], resamples=resamples, seed=seed)
        else:
            found = _of_sets(sign, weights, rows, means, item.people or first["n"])
    except _NotComparable as error:
        return replace(item, problem=str(error))
    smallest, (low, high) = part.least(scored.mean(axis=0).tolist()), found.interval()
    below, above = part.margin - smallest, part.margin + smallest
    item = replace(item, effect=found.value, low=low, high=high, seeds=found.seeds, effects=tuple(means.tolist()))
    item = replace(item, p_for=found.p_above(above), p_against=found.p_below(below), smallest=smallest)
    item = replace(item, p_small=max(found.p_above(below), found.p_below(above)))
    return item if found.units > 1 else replace(item, problem="one person or image gives no interval")


class _NotComparable(ValueError):
    """Scores that cannot be compared; the report shows the message."""


def _by_seed(terms: list[Scores]) -> list[list[dict[str, Any]]]:
    """Rows of scores, one per training seed that the methods share. A method scored once (bicubic) serves every seed."""
    several = [set(scores) for scores in terms if len(scores) > 1]
    shared = sorted(set.intersection(*several)) if several else [-1]
    if not shared:
        raise _NotComparable("the methods were trained with different seeds")
    rows = [[scores[seed] if len(scores) > 1 else next(iter(scores.values())) for scores in terms] for seed in shared]
    if len({(score["n"], len(score["values"]), score["replicates"] is None) for row in rows for score in row}) > 1:
        raise _NotComparable("the methods were scored on different numbers of images")
    return rows


def _of_sets(sign: int, weights: list[float], rows: list[list[dict[str, Any]]], means: np.ndarray, units: int) -> Estimate:
    """As `bootstrap_mean`, from the jackknife replicates of set-level scores, each of which leaves out the same people."""
    counts = {len(score["replicates"]) for row in rows for score in row}
    if len(counts) > 1 or (units > 1 and min(counts) < min(units, GROUPS)):
        raise _NotComparable("no values without each person, equally many for each method, were recorded: run the notebook again")
    replicates = np.array([sign * _sum(weights, [score["replicates"] for score in row]) for row in rows])
    if not np.isfinite(means).all() or not np.isfinite(replicates).all():
        raise _NotComparable("a set's score, with or without some person, is infinite or undefined")
    return estimate(means, replicates, n=rows[0][0]["n"], units=units)


def _sum(weights: list[float], numbers: Sequence[Any]) -> Any:
    with np.errstate(invalid="ignore"):
        return sum(weight * np.asarray(number, np.float64) for weight, number in zip(weights, numbers, strict=True))
