"""Which scores of a run lie outside the range that a reference's seeds leave for one more run.

The reference has n seeds with mean m and sample standard deviation s, the run has k. If the runs are alike and a score's
spread over seeds is normal, the run's mean lies in m ± t(n - 1) s sqrt(1/k + 1/n) as often as the level of Student's t says:
the prediction interval for the mean of k new observations (Hahn and Meeker, Statistical Intervals, section 4.7).

The scores of one method come from one training and move together, so counting them one by one would find too much. A method's
p-value is the median of its scores' (the higher of two), so a method is outside where half of its scores are. This is exact for
scores that move as one and cautious for others; it errs by no more than a factor of two however they hang together (Rüger 1978).
A notebook's p-value is the median of its methods', likewise. Two rules decide:

1. Named: p-values of methods, corrected by Holm, at 5 %. About 5 of 100 sound runs, or fewer, have a method named.
2. Many: more notebooks outside their own 95 % than the binomial distribution allows in 99 of 100 cases. This finds what moves
   everything a little, such as another version of torch.

A score that no seed of the reference moves (bicubic) must be met within the tolerance: it decides alone.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from scipy import stats

from facesr_lib.evaluate.bootstrap import holm
from facesr_tools.check.read import CannotCompare, Place, Side
from facesr_tools.judge import direction

LEVEL = 0.05  # outside: beyond the 95 % range; also the share of sound runs in which a method is named
MANY = 0.01  # the share of sound runs with too many notebooks outside
FEWEST_SEEDS = 3  # two give one degree of freedom: a range of 12 standard deviations and more
TOLERANCE = 1e-3  # of a score: what rounding on another processor does to what is not trained (docs/checking.md)
ZERO = 1e-6  # below this, a score is zero

Where = Literal["inside", "outside", "unjudged"]


@dataclass(frozen=True)
class Compared:
    """One score beside the reference. seeds: of the run and of the reference. low, high: the 95 % range. p: two-sided.

    unjudged: beyond the tolerance, and the reference has too few seeds to tell its spread; then p is None.
    """

    place: Place
    label: str
    ours: float
    seeds: tuple[int, int]
    mean: float
    sd: float | None
    low: float
    high: float
    p: float | None
    where: Where

    @property
    def trained(self) -> bool:
        """Whether the reference's seeds differ in it."""
        return bool(self.sd) and self.high - self.low > 2.001 * tolerance(self.mean)

    @property
    def deviations(self) -> float | None:
        """How far from the reference's mean, in its standard deviations over seeds; None without any."""
        return (self.ours - self.mean) / self.sd if self.sd else None


@dataclass(frozen=True)
class Method:
    """A method of a notebook. p: the median of its trained scores'. corrected: by Holm, over all methods."""

    notebook: str
    method: str
    p: float
    corrected: float


@dataclass
class Check:
    """What `compare` found. notebooks: the p-value of each with a trained method. many: how many of
    them may be outside. apart: what was not compared, and why.

    configs: notebooks whose settings are not the reference's; their scores are compared all the same.
    missing: notebooks and scores that only the reference has. verdicts: (claim, ours, the reference's) where they differ.
    """

    profile: str
    scores: list[Compared]
    methods: list[Method]
    notebooks: dict[str, float]
    many: int
    apart: list[str] = field(default_factory=list)
    configs: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    verdicts: list[tuple[str, str, str]] = field(default_factory=list)
    complete: bool = False  # whether what is missing counts

    @property
    def named(self) -> list[Method]:
        """Methods that drifted, each for itself."""
        return [method for method in self.methods if method.corrected <= LEVEL]

    @property
    def outside(self) -> list[str]:
        """Notebooks outside their own 95 %: a few may be, by chance."""
        return [notebook for notebook, p in self.notebooks.items() if p <= LEVEL]

    @property
    def moved(self) -> list[Compared]:
        """Scores that no seed moves, and that are not what they were."""
        return [score for score in self.scores if score.where == "outside" and not score.trained]

    @property
    def opposed(self) -> list[tuple[str, str, str]]:
        """Verdicts that decide otherwise than the reference's; one that is open on one side opposes nothing."""
        pairs = [(direction(ours), direction(theirs)) for _, ours, theirs in self.verdicts]
        return [v for v, pair in zip(self.verdicts, pairs, strict=True) if len({*pair}) == 2 and not {*pair} & {"", "open"}]

    @property
    def exit_code(self) -> int:
        """0: inside; 1: drifted, or something missing that counts; 2: nothing could be judged."""
        if all(score.where == "unjudged" for score in self.scores):
            return 2
        return int(bool(self.named or self.moved or len(self.outside) > self.many or (self.complete and self.missing)))


def prediction_interval(means: Sequence[float], k: int, level: float = 1 - LEVEL) -> tuple[float, float]:
    """Where the mean of k more runs falls with probability `level`, given n >= 2 of the same normal distribution.

    The interval is not widened by any tolerance. Raises ValueError for fewer than two means.
    """
    mean, half = statistics.fmean(means), float(stats.t.isf((1 - level) / 2, len(means) - 1)) * _error(means, k)
    return mean - half, mean + half


def tolerance(value: float) -> float:
    """The least difference from a score that counts."""
    return max(TOLERANCE * abs(value), ZERO)


def compare(run: Side, reference: Side, *, complete: bool = False) -> Check:
    """Compare every score of a run with the reference's seeds. complete: missing notebooks and scores count.

    What was measured otherwise (data, convention, number of images) is named in `apart`, not compared. Raises CannotCompare for
    another profile, or if no score is left.
    """
    if run.profile != reference.profile:
        raise CannotCompare(
            f"the run is of profile {run.profile}, the reference {reference.folder} of {reference.profile}: "
            "their scores mean different things; choose another by --against"
        )
    apart: dict[str, int] = {}
    scores = []
    for place, ours in run.scores.items():
        why = _apart(place, run, reference)
        if why:
            apart[why] = apart.get(why, 0) + 1
        else:
            scores.append(_compared(place, ours.label, list(ours.means.values()), list(reference.scores[place].means.values())))
    notes = [f"{why} ({count} score{'s' if count > 1 else ''})" for why, count in apart.items()]
    if not scores:
        raise CannotCompare("no score can be compared: " + ("; ".join(notes) or "the run has none"))
    methods = _methods(scores)
    notebooks = {
        name: statistics.median_high([m.p for m in methods if m.notebook == name])
        for name in sorted({m.notebook for m in methods})
    }
    differ = [(key, ours, reference.verdicts.get(key, ours)) for key, ours in sorted(run.verdicts.items())]
    return Check(
        run.profile,
        scores,
        methods,
        notebooks,
        many=int(stats.binom.isf(MANY, len(notebooks), LEVEL)) if notebooks else 0,
        apart=notes,
        configs=[name for name, hashes in run.configs.items() if reference.configs.get(name, hashes) != hashes],
        missing=_missing(run, reference),
        verdicts=[(key, ours, theirs) for key, ours, theirs in differ if ours != theirs],
        complete=complete,
    )


def smallest_drift(check: Check) -> float | None:
    """From how many standard deviations over seeds on a method is named, if its scores move alike; None without trained ones."""
    seeds = [score.seeds for score in check.scores if score.trained]
    if not seeds:
        return None
    k, n = min(k for k, _ in seeds), min(n for _, n in seeds)
    return float(stats.t.isf(LEVEL / len(check.methods) / 2, n - 1)) * math.sqrt(1 / k + 1 / n)


def _apart(place: Place, run: Side, reference: Side) -> str:
    """Why a score of the run has no counterpart, in words; empty if it has one."""
    theirs = reference.scores.get(place)
    checksums = reference.data.get(place.dataset)
    if place.notebook not in reference.notebooks:
        return f"{place.notebook}: not in the reference"
    if checksums and not run.data[place.dataset] & checksums:
        return f"{place.notebook}: other images under the name {place.dataset!r} (their checksum differs)"
    if theirs is None:
        if any(other[:4] == place[:4] for other in reference.scores):
            return f"{place.notebook}: {place.metric} in another convention, {place.convention!r}"
        return f"{place.notebook}: {place.method!r} by {place.metric} is not in the reference"
    if theirs.n != run.scores[place].n:
        return f"{place.notebook}: {run.scores[place].n} images of {place.dataset!r}, the reference has {theirs.n}"
    return ""


def _missing(run: Side, reference: Side) -> list[str]:
    """What only the reference has: notebooks, then scores of notebooks that the run has."""
    notebooks = [f"{notebook}: not in the run" for notebook in sorted(reference.notebooks - run.notebooks)]
    scores = [place for place in reference.scores if place.notebook in run.notebooks and place not in run.scores]
    return notebooks + [
        f"{p.notebook}: {p.method!r} by {p.metric} on {p.dataset!r} ({p.convention}) is not in the run" for p in scores
    ]


def _error(means: Sequence[float], k: int) -> float:
    """The standard error of the difference between the mean of k more and the mean of these."""
    return statistics.stdev(means) * math.sqrt(1 / k + 1 / len(means))


def _compared(place: Place, label: str, ours: list[float], theirs: list[float]) -> Compared:
    found, mean = _mean(ours), _mean(theirs)
    seeds = len(ours), len(theirs)
    if not (math.isfinite(found) and math.isfinite(mean)):  # PSNR of what equals its original; undefined scores
        same = found == mean or (math.isnan(found) and math.isnan(mean))
        return Compared(place, label, found, seeds, mean, None, mean, mean, float(same), "inside" if same else "outside")
    least, away = tolerance(mean), abs(found - mean)
    if len(theirs) < FEWEST_SEEDS:
        near = away <= least
        return Compared(
            place, label, found, seeds, mean, None, mean - least, mean + least, None, "inside" if near else "unjudged"
        )
    low, high = prediction_interval(theirs, len(ours))
    low, high = min(low, mean - least), max(high, mean + least)
    error = _error(theirs, len(ours))
    p = 1.0 if away <= least else 2 * float(stats.t.sf(away / error, len(theirs) - 1)) if error else 0.0
    return Compared(
        place, label, found, seeds, mean, statistics.stdev(theirs), low, high, p, "inside" if low <= found <= high else "outside"
    )


def _mean(values: list[float]) -> float:
    return statistics.fmean(values) if all(map(math.isfinite, values)) else sum(values) / len(values)


def _methods(scores: list[Compared]) -> list[Method]:
    found: dict[tuple[str, str], list[float]] = {}
    for score in scores:
        if score.trained and score.p is not None:
            found.setdefault((score.place.notebook, score.place.method), []).append(score.p)
    p_values = [statistics.median_high(members) for members in found.values()]
    return [Method(*key, p, corrected) for key, p, corrected in zip(found, p_values, holm(p_values), strict=True)]
