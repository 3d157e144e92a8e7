"""How sure is a mean difference? Bootstrap over people, images and training seeds.

Scores of several images of one person are not independent, and neither are several scores of one trained network. So the
bootstrap draws whole people with replacement (images, where nobody knows who is on them) and, where there are several seeds,
whole seeds. Both methods of a comparison get the same draws: the bootstrap is paired.

Intervals are *expanded percentile* intervals (Hesterberg, "What Teachers Should Know About the Bootstrap", The American
Statistician 69, 2015). With n independent units the plain percentile interval is too short, whatever the shape of the data:
resampling shrinks the variance by (n - 1) / n, and a normal tail is used where Student's is due. With the ten people of a
small test set its 95 % interval covers about 90 %. BCa corrects skewness, which a mean of paired differences hardly has, but
not this. So we keep the percentiles and take them further out. p-values invert the same intervals.
"""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri, stdtr, stdtrit  # normal and Student's t: distribution functions and their inverses

Floats = npt.NDArray[np.float64]
RESAMPLES = 10_000
SET_RESAMPLES = 1_000  # for set-level metrics, whose every resample costs a matrix decomposition
_CHUNK = 2_000_000  # drawn indices held at once


@dataclass(frozen=True)
class Estimate:
    """A mean of n images with resamplings of its units (people, or images where nobody is known) and seeds (training runs)."""

    value: float
    n: int
    units: int
    seeds: int
    deviations: Floats = field(repr=False)  # sorted, around their own mean, which takes out the bias of resampled distances
    stretch: float = field(repr=False)
    freedom: float = field(repr=False)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The two-sided interval (low, high) that covers the true mean with probability `level`; infinite for one unit."""
        if self.units < 2:
            return -math.inf, math.inf
        z = self.stretch * -float(stdtrit(self.freedom, (1 - level) / 2))
        return self.value - self._reach(z, below=True), self.value + self._reach(z, below=False)

    def p_above(self, margin: float) -> float:
        """One-sided p-value of "the true mean is at most `margin`": small where the data speak for more. 1 for one unit."""
        return self._p(self.value - margin, self.deviations)

    def p_below(self, margin: float) -> float:
        """One-sided p-value of "the true mean is at least `margin`": small where the data speak for less. 1 for one unit."""
        return self._p(margin - self.value, -self.deviations[::-1])

    def _reach(self, z: float, *, below: bool) -> float:
        """How far the resampled means reach to one side, at z normal deviations."""
        share = float(ndtr(-z))
        tail = -self.deviations if below else self.deviations
        if share * len(tail) >= 1:
            return float(np.quantile(tail, 1 - share))
        # Fewer than one resample is expected so far out: the tail is taken as normal.
        return max(float(tail.max()), z * float(tail.std()))

    def _p(self, distance: float, deviations: Floats) -> float:
        """p-value for a mean that lies `distance` beyond the margin; `deviations` ascend, those against it first."""
        if self.units < 2:
            return 1.0
        against = int(np.searchsorted(deviations, -distance, side="right"))
        z = -float(ndtri((against + 1) / (len(deviations) + 1)))
        if against == 0:
            spread = float(deviations.std())
            z = max(z, distance / spread if spread else math.inf)
        return float(stdtr(self.freedom, -z / self.stretch))


def bootstrap_mean(
    values: npt.ArrayLike, groups: Sequence[Hashable] | None = None, *, resamples: int = RESAMPLES, seed: int = 0
) -> Estimate:
    """Estimate the mean of per-image numbers (say, differences between two methods).

    values: (N,) or (seeds, N), the same images in every row. groups: N person ids, or None for independent images; a person with
    more images weighs more, as in the mean itself. The same `seed`, N and groups give the same draws.
    Raises ValueError for other shapes, for values that are not finite, and for fewer than one image.
    """
    table = np.atleast_2d(np.asarray(values, dtype=np.float64))
    if table.ndim != 2 or not table.size:
        raise ValueError(f"values: expected shape (N,) or (seeds, N) with N >= 1, not {np.shape(values)}")
    if not np.isfinite(table).all():
        raise ValueError("values: a mean with an interval needs finite numbers")
    member = numbered(groups, table.shape[1])
    sizes = np.bincount(member).astype(np.float64)
    totals = np.stack([np.bincount(member, weights=row) for row in table])  # (seeds, units)
    rng = np.random.default_rng(seed)
    drawn_means = np.empty((len(table), resamples))
    step = max(1, _CHUNK // len(sizes))
    for start in range(0, resamples, step):
        drawn = rng.integers(0, len(sizes), (min(step, resamples - start), len(sizes)))
        images = sizes[drawn].sum(axis=1)
        for row, total in zip(drawn_means, totals, strict=True):
            row[start : start + len(drawn)] = total[drawn].sum(axis=1) / images
    return estimate(table.mean(axis=1), drawn_means, n=table.shape[1], units=len(sizes), seed=seed)


def estimate(values: npt.ArrayLike, replicates: npt.ArrayLike, *, n: int, units: int, seed: int = 0) -> Estimate:
    """Make an Estimate of numbers (seeds,) and of what they became when people were resampled, (seeds, resamples).

    Column r of `replicates` must come from the same draw of people for every seed. Seeds are resampled here, on top. Degrees of
    freedom combine people and seeds as Satterthwaite (1946) does. Raises ValueError for shapes that do not belong together.
    """
    means, drawn_means = (np.atleast_1d(np.asarray(values, np.float64)), np.atleast_2d(np.asarray(replicates, np.float64)))
    seeds = len(means)
    if drawn_means.shape[0] != seeds or drawn_means.shape[1] < 2:
        raise ValueError(f"replicates: expected shape ({seeds}, resamples >= 2), not {drawn_means.shape}")
    if units < 2:
        return Estimate(float(means.mean()), n, units, seeds, np.zeros(2), 1.0, 1.0)
    found = drawn_means.mean(axis=0)
    shrunk = found.var()  # of the mean over people, too small by (units - 1) / units
    of_units = shrunk * units / (units - 1)
    of_seeds = means.var(ddof=1) / seeds if seeds > 1 else 0.0
    stretch, freedom = math.sqrt(units / (units - 1)), float(units - 1)
    if seeds > 1:
        chosen = np.random.default_rng([seed, seeds]).integers(0, seeds, drawn_means.shape)
        found = np.take_along_axis(drawn_means, chosen, axis=0).mean(axis=0)
        if of_units + of_seeds > 0:
            stretch = math.sqrt((of_units + of_seeds) / (shrunk + of_seeds * (seeds - 1) / seeds))
            freedom = (of_units + of_seeds) ** 2 / (of_units**2 / (units - 1) + of_seeds**2 / (seeds - 1))
    deviations = np.sort(found - found.mean())
    return Estimate(float(means.mean()), n, units, seeds, deviations, stretch, freedom)


def set_replicates(
    features: Floats,
    reference: Floats,
    distance: Callable[[Floats, Floats], float],
    groups: Sequence[Hashable] | None = None,
    *,
    paired: bool = True,
    resamples: int = SET_RESAMPLES,
    seed: int = 0,
) -> Floats:
    """A set-level distance (FID, KID) between two feature sets, (N, D) and (M, D), on resampled images: (resamples,) float64.

    groups: N person ids of `features`. paired: row i of both shows the same person, and both get the same draw (N = M); otherwise
    the reference's images are drawn on their own. Two methods with the same N, groups and seed get the same draws: the difference
    of their replicates is a paired bootstrap of their distances' difference. Raises ValueError for features that do not fit.
    """
    if features.ndim != 2 or reference.ndim != 2 or features.shape[1] != reference.shape[1]:
        raise ValueError(f"features: expected (N, D) and (M, D), not {features.shape} and {reference.shape}")
    if paired and len(features) != len(reference):
        raise ValueError(f"paired features need one row per image in both: {len(features)} and {len(reference)}")
    member = numbered(groups, len(features))
    images = [np.flatnonzero(member == unit) for unit in range(member.max() + 1)]
    rng = np.random.default_rng(seed)
    found = np.empty(resamples)
    for r in range(resamples):
        rows = np.concatenate([images[unit] for unit in rng.integers(0, len(images), len(images))])
        others = rows if paired else rng.integers(0, len(reference), len(reference))
        found[r] = distance(features[rows], reference[others])
    return found


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's (1979) adjusted p-values: comparing each with alpha keeps the chance of any false finding at alpha or below."""
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def numbered(groups: Sequence[Hashable] | None, n: int) -> npt.NDArray[np.int64]:
    """(N,) numbers 0, 1, ... of the unit each image belongs to, in the order of their first image."""
    if groups is None:
        return np.arange(n)
    if len(groups) != n:
        raise ValueError(f"groups: expected one per image ({n}), not {len(groups)}")
    number: dict[Hashable, int] = {}
    return np.array([number.setdefault(group, len(number)) for group in groups])
