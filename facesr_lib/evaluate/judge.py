"""Verdicts on a paper's claims, from the scores that notebooks recorded.

Every part of a claim is a mean with a paired bootstrap behind it (`bootstrap.py`). A claim that is measured in several ways
(two parts, two data sets, two LPIPS backends) must hold in all of them: its p-value is the largest of theirs, which needs no
correction (intersection-union test). Any one of them can refute it: then the smallest p-value counts, times their number
(Bonferroni).

The p-values of one paper's decided claims are Holm-corrected, for and against alike. Per paper, because a reader asks about a
paper, and because a verdict should not change when another paper's notebook has been run too. The level is 2.5 % to each
side, so that a verdict for or against always means a 95 % interval wholly on that side.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np

from facesr_lib.evaluate.bootstrap import GROUPS, RESAMPLES, Estimate, bootstrap_mean, estimate, holm
from facesr_lib.evaluate.claims import Claim, Part

Verdict = Literal["reproduced", "not reproduced", "inconclusive", "not run", "needs their images", "not judged"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
NOT_SCORED: tuple[Verdict, ...] = ("not run", "needs their images")
LEVEL = 0.025


@dataclass(frozen=True)
class Measured:
    """One part of a claim on one data set by one metric. effect: positive speaks for the claim; it must exceed `part.margin`.

    people: how many were resampled, None where images count as independent. problem: why there is no interval; empty if there is.
    """

    part: Part
    notebook: str
    dataset: str
    metric: str
    unit: str
    convention: str
    effect: float
    low: float
    high: float
    n: int
    people: int | None
    seeds: int
    p_for: float
    p_against: float
    problem: str = ""


@dataclass(frozen=True)
class Judged:
    """A claim with its verdict and its Holm-corrected p-values. p_for is None unless all its parts were measured."""

    claim: Claim
    verdict: Verdict
    measured: tuple[Measured, ...]
    missing: tuple[Part, ...]
    p_for: float | None = None
    p_against: float | None = None


def judge(
    claims: Sequence[Claim], results: Sequence[dict[str, Any]], *, judged: bool = True, resamples: int = RESAMPLES, seed: int = 0
) -> list[Judged]:
    """Decide every claim of a paper from the results of its notebooks (as `Run.result` gives them, of one profile).

    - reproduced: all parts measured, and all speak for it: the corrected p-value is at most 2.5 %;
    - not reproduced: some part speaks against it, likewise;
    - inconclusive: neither, or nothing speaks against it but some parts were not measured;
    - not run: nothing was scored that the claim is about; needs their images: nor can it be, since it is about rivals whose
      methods nobody can run here.

    judged=False (smoke runs) gives "not judged" wherever there are scores, and resamples nothing.
    """
    found = []
    for claim in claims:
        settings = {part: list(_settings(part, results)) for part in claim.parts}
        missing = tuple(part for part, where in settings.items() if not where)
        places = [(part, *where) for part, found_in in settings.items() for where in found_in if judged]
        measured = _distinct(_measure(*place, resamples=resamples, seed=seed) for place in places)
        nothing = len(missing) == len(claim.parts)
        unseen = NOT_SCORED[bool(claim.rivals)]
        verdict: Verdict = unseen if nothing else "inconclusive" if judged else "not judged"
        found.append(Judged(claim, verdict, measured, missing))
    p_for = _corrected({i: max(m.p_for for m in x.measured) for i, x in enumerate(found) if x.measured and not x.missing})
    p_against = _corrected({i: min(m.p_against for m in x.measured) * len(x.measured) for i, x in enumerate(found) if x.measured})
    return [_decide(item, p_for.get(i), p_against.get(i)) for i, item in enumerate(found)]


def _distinct(found: Iterable[Measured]) -> tuple[Measured, ...]:
    """Each measurement once: an ablation notebook scores its paper's full model again, with the same result."""
    first: dict[Measured, Measured] = {}
    for item in found:
        first.setdefault(replace(item, notebook=""), item)
    return tuple(first.values())


def _corrected(p_values: dict[int, float]) -> dict[int, float]:
    return dict(zip(p_values, holm(list(p_values.values())), strict=True))


def _decide(item: Judged, p_for: float | None, p_against: float | None) -> Judged:
    verdict = item.verdict
    if p_against is not None and p_against <= LEVEL:
        verdict = "not reproduced"
    elif p_for is not None and p_for <= LEVEL:
        verdict = "reproduced"
    return Judged(item.claim, verdict, item.measured, item.missing, p_for, p_against)


Scores = dict[int, dict[str, Any]]  # by training seed


def _settings(part: Part, results: Sequence[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], list[Scores]]]:
    """Where a part can be measured: a result, and per term the scores on one data set, by one metric in one convention."""
    for result in results:
        roles = {data["name"]: data["role"] for data in result["data"]}
        table: dict[tuple[str, str, str], dict[str, Scores]] = {}
        for score in result["scores"]:
            fits = roles.get(score["dataset"]) == part.role and part.data.lower() in score["dataset"].lower()
            if fits and score["family"] == part.metric:
                methods = table.setdefault((score["dataset"], score["metric"], score["convention"]), {})
                methods.setdefault(score["method"], {})[score["seed"]] = score
        for methods in table.values():
            if all(method in methods for method, _ in part.terms):
                yield result, [methods[method] for method, _ in part.terms]


def _measure(part: Part, result: dict[str, Any], terms: list[Scores], *, resamples: int, seed: int) -> Measured:
    first = next(iter(terms[0].values()))
    weights = [weight for _, weight in part.terms]
    groups = next((data["groups"] for data in result["data"] if data["name"] == first["dataset"]), None)
    sign = 1 if first["higher_is_better"] else -1
    found = problem = None
    try:
        if groups is not None and len(groups) != first["n"]:
            raise _NotComparable("the scores and their image set differ in the number of images")
        rows = _by_seed(terms)
        means = np.array([sign * (_sum(weights, [s["mean"] for s in row]) - part.target) for row in rows])
        if first["replicates"] is None:
            values = [sign * (_sum(weights, [s["values"] for s in row]) - part.target) for row in rows]
            if not np.isfinite(values).all():
                raise _NotComparable("a score is infinite or undefined, so there is no mean difference")
            found = bootstrap_mean(values, groups, resamples=resamples, seed=seed)
        else:
            found = _of_sets(sign, weights, rows, means, len(set(groups)) if groups else first["n"])
        effect, (low, high) = found.value, found.interval()
        if found.units < 2:
            problem = "one person or image gives no interval"
    except _NotComparable as error:
        effect, low, high, problem = math.nan, -math.inf, math.inf, str(error)
    return Measured(
        part,
        notebook=result["notebook"],
        **{name: first[name] for name in ("dataset", "metric", "unit", "convention", "n")},
        effect=effect,
        low=low,
        high=high,
        people=len(set(groups)) if groups else None,
        seeds=found.seeds if found else 0,
        p_for=found.p_above(part.margin) if found else 1.0,
        p_against=found.p_below(part.margin) if found else 1.0,
        problem=problem or "",
    )


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
