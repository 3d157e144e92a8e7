"""Intervals and p-values against simulated truth, with tolerances computed from the binomial distribution."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import facesr_lib.evaluate.bootstrap as module
from facesr_lib.evaluate.bootstrap import GROUPS, Estimate, bootstrap_mean, estimate, holm, set_replicates
from facesr_lib.metrics import frechet_distance, kernel_distance

SIMULATIONS, RESAMPLES = 1000, 1000
PEOPLE = np.repeat(np.arange(10), 10)
Distance = Callable[[np.ndarray, np.ndarray], float]


def most(rate: float, trials: int = SIMULATIONS) -> float:
    """The largest share of successes that a true rate gives in 999 of 1000 experiments; `1 - most(1 - rate)` is the least."""
    return float(stats.binom.ppf(0.999, trials, rate)) / trials


def least(rate: float, trials: int = SIMULATIONS) -> float:
    return 1 - most(1 - rate, trials)


def shares(
    draw: Callable[[np.random.Generator], np.ndarray], groups: np.ndarray | None = None, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """Of 1000 simulated experiments with true mean 0: share of 95 % intervals that hold it, share of p <= 5 % for "above 0"."""
    rng = np.random.default_rng(0)
    people = None if groups is None else groups.tolist()
    found = [bootstrap_mean(draw(rng), people, resamples=resamples, seed=seed) for seed in range(SIMULATIONS)]
    held = [low <= 0 <= high for low, high in (one.interval() for one in found)]
    return float(np.mean(held)), float(np.mean([one.p_above(0.0) <= 0.05 for one in found]))


@pytest.mark.parametrize("n", [2, 4, 5, 10, 40])
def test_intervals_hold_the_truth_as_often_as_they_say(n: int) -> None:
    coverage, false_positives = shares(lambda rng: rng.normal(size=n))
    assert least(0.95) <= coverage <= most(0.95)
    assert least(0.05) <= false_positives <= most(0.05)


@pytest.mark.parametrize("share", [0.3, 0.9])  # of the variance that is due to the trainings
@pytest.mark.parametrize(("people", "seeds"), [(10, 2), (5, 3), (40, 3), (10, 5)])
def test_intervals_over_people_and_seeds_hold_the_truth(people: int, seeds: int, share: float) -> None:
    """94 to 97 %, since no method is exact for two unknown variances (Behrens and Fisher). Of two seeds: for these networks."""
    of_seeds = math.sqrt(share / (1 - share) * seeds / people) if seeds > 2 else 0

    def draw(rng: np.random.Generator) -> np.ndarray:
        both = rng.normal(size=people) + 0.3 * rng.normal(size=(seeds, people))
        return both + of_seeds * rng.normal(size=(seeds, 1))

    coverage, false_positives = shares(draw, resamples=200)
    assert least(0.94) <= coverage <= most(0.97)
    assert least(0.03) <= false_positives <= most(0.06)


def test_two_people_and_several_seeds_are_too_few_to_be_short() -> None:
    coverage, _ = shares(
        lambda rng: rng.normal(size=2) + 0.1 * rng.normal(size=(4, 1)) + 0.1 * rng.normal(size=(4, 2)), None, 200
    )
    assert coverage >= least(0.95)


def test_noise_of_people_and_seeds_together_counts_once() -> None:
    coverage, _ = shares(lambda rng: rng.normal(size=(4, 10)), None, 200)
    assert least(0.94) <= coverage <= most(0.98)  # 99.5 % if it were in both variances


def test_few_people_are_judged_by_students_t() -> None:
    low, high = bootstrap_mean([-1, 0.2, 0.4, 2]).interval()
    assert (low, high) == pytest.approx(stats.t.interval(0.95, 3, 0.4, stats.sem([-1, 0.2, 0.4, 2])))
    assert low < -1
    assert high > 2
    gains = [0.1, 1.0, 0.3, 0.2]
    assert bootstrap_mean(gains).p_above(0) == pytest.approx(stats.t.sf(np.mean(gains) / stats.sem(gains), 3))


def test_skewed_data_fail_as_often_as_the_text_admits() -> None:
    """exp(z) of a normal z: how often its mean lies above the interval of a few people, and how seldom below."""
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
    row = re.search(r"\| a mean, strongly skewed \(lognormal\) \| (\d+); (\d+) \| (\d+); (\d+) %", page)
    assert row
    few, many, *held = map(int, row.groups())
    for n, limit in ((few, 1 - held[0] / 100), (many, 1 - held[1] / 100)):
        assert f"{100 * limit:.0f} %" in " ".join(str(module.__doc__).split())
        rng, above, below = np.random.default_rng(10), 0, 0
        for seed in range(SIMULATIONS):
            low, high = bootstrap_mean(rng.lognormal(size=n), resamples=RESAMPLES, seed=seed).interval()
            above += high < math.exp(0.5)
            below += low > math.exp(0.5)
        assert least(limit) <= above / SIMULATIONS <= most(limit)
        assert below / SIMULATIONS <= most(0.025)


def test_two_seeds_say_nothing_of_another_training() -> None:
    """They may be equal by luck. Of three on, what differs between trainings widens the interval."""
    table = np.random.default_rng(11).normal(size=10) + np.array([[0.0], [3.0], [-3.0]])
    one, two, three = (bootstrap_mean(table[:seeds]) for seeds in (1, 2, 3))
    assert two.error == pytest.approx(one.error)
    assert three.error > 3 * two.error


def test_images_of_one_person_are_not_independent() -> None:
    def draw(rng: np.random.Generator) -> np.ndarray:
        return rng.normal(size=10).repeat(10) + rng.normal(size=100)

    coverage, false_positives = shares(draw, PEOPLE)
    assert least(0.95) <= coverage
    assert false_positives <= most(0.05)
    ignoring, too_many = shares(draw)  # what happens to who does not know
    assert ignoring < 0.7
    assert too_many > 0.2


@pytest.mark.parametrize("spread", [0.05, 0.5])
def test_several_seeds_are_few_samples_of_a_training(spread: float) -> None:
    def draw(rng: np.random.Generator) -> np.ndarray:
        people = rng.normal(size=10).repeat(10)
        return spread * rng.normal(size=(3, 1)) + people + rng.normal(size=(3, 100))

    coverage, false_positives = shares(draw, PEOPLE)
    assert least(0.95) <= coverage
    assert false_positives <= most(0.05)


@pytest.mark.parametrize("power", [0.5, 0.9])
def test_a_known_effect_is_found_as_often_as_theory_promises(power: float) -> None:
    n, level = 40, 0.025
    critical = stats.t.isf(level, n - 1)
    sizes = np.linspace(0, 2, 4001)
    promised = stats.nct.sf(critical, n - 1, sizes * math.sqrt(n))
    effect = float(sizes[np.searchsorted(promised, power)])
    rng = np.random.default_rng(1)
    found = [bootstrap_mean(rng.normal(effect, 1, n), resamples=RESAMPLES, seed=seed).p_above(0) for seed in range(1000)]
    share = float(np.mean(np.array(found) <= level))
    assert least(power) - 0.02 <= share <= most(power) + 0.02  # the bootstrap's own noise


@pytest.mark.parametrize("margin", [-0.3, 0.0, 0.2])
def test_p_values_invert_the_interval(margin: float) -> None:
    rng = np.random.default_rng(2)
    for shift in np.linspace(-1, 1, 41):
        one = bootstrap_mean(rng.normal(shift, 1, 30), resamples=4000)
        low, high = one.interval()
        gap = 0.01 * (high - low)  # an interval's end has the resolution of its resamples
        assert (one.p_above(margin) <= 0.025) == (low > margin) or abs(low - margin) < gap
        assert (one.p_below(margin) <= 0.025) == (high < margin) or abs(high - margin) < gap


def test_more_evidence_is_a_smaller_p_also_beyond_the_last_resample() -> None:
    values = np.random.default_rng(3).normal(1, 1, 12)
    p_values = [bootstrap_mean(values + shift, resamples=500).p_above(0.0) for shift in np.linspace(-2, 30, 200)]
    assert all(b <= a for a, b in pairwise(p_values))
    assert p_values[0] > 0.9
    assert p_values[-1] < 1e-6


def test_the_interval_is_students_where_the_data_are_normal() -> None:
    values = np.random.default_rng(4).normal(0, 1, 400)
    low, high = bootstrap_mean(values, resamples=40_000).interval()
    expected = stats.t.interval(0.95, 399, values.mean(), stats.sem(values))
    assert (low, high) == pytest.approx(expected, abs=0.004)


@given(st.floats(-100, 100), st.floats(0.01, 100))
def test_shift_and_scale_move_the_interval_and_nothing_else(shift: float, scale: float) -> None:
    values = np.random.default_rng(5).normal(0, 1, 20)
    plain, moved = bootstrap_mean(values, resamples=200), bootstrap_mean(values * scale + shift, resamples=200)
    assert moved.interval() == pytest.approx([scale * end + shift for end in plain.interval()], abs=1e-6 * scale + 1e-9)


def test_draws_are_repeatable_and_do_not_depend_on_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(6).normal(size=(3, 100))
    once = bootstrap_mean(values, PEOPLE.tolist(), resamples=300)
    assert bootstrap_mean(values, PEOPLE.tolist(), resamples=300).interval() == once.interval()
    assert bootstrap_mean(values, PEOPLE.tolist(), resamples=300, seed=1).interval() != once.interval()
    monkeypatch.setattr(module, "_CHUNK", 64)
    assert bootstrap_mean(values, PEOPLE.tolist(), resamples=300).interval() == once.interval()


def test_one_person_or_image_gives_no_evidence() -> None:
    for one in (bootstrap_mean([3.0]), bootstrap_mean([1.0, 2.0, 3.0], ["a", "a", "a"])):
        assert one.interval() == (-math.inf, math.inf)
        assert one.p_above(-100) == one.p_below(100) == 1.0
        assert one.units == 1


def test_equal_methods_prove_nothing_and_equal_differences_everything() -> None:
    same, apart = bootstrap_mean(np.zeros(20), resamples=200), bootstrap_mean(np.ones(20), resamples=200)
    assert same.interval() == (0, 0)
    assert same.p_above(0) > 0.9
    assert same.p_below(0) > 0.9
    assert apart.p_above(0) == 0
    assert apart.p_below(0) > 0.9


@pytest.mark.parametrize(
    ("values", "groups", "message"),
    [
        ([], None, "shape"),
        (np.zeros((2, 2, 2)), None, "shape"),
        ([1.0, math.inf], None, "finite"),
        ([1.0, math.nan], None, "finite"),
        ([1.0, 2.0], ["a"], "one per image"),
    ],
)
def test_bad_values_are_refused(values: object, groups: list[str] | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bootstrap_mean(values, groups)  # type: ignore[arg-type]
    for replicates, wrong in ((np.zeros((3, 5)), "shape"), (np.zeros((2, 3)), "shape"), (np.full((2, 4), math.nan), "finite")):
        with pytest.raises(ValueError, match=f"replicates: .*{wrong}"):
            estimate([1.0, 2.0], replicates, n=4, units=4)


def test_holm_on_the_textbook_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []
    for wrong in (math.nan, -0.1):
        with pytest.raises(ValueError, match="number 1 is"):
            holm([0.5, wrong])


# Set-level distances


def linear(found: np.ndarray, reference: np.ndarray) -> float:
    return float(found.mean() - reference.mean())


def resampled(sets: tuple[np.ndarray, ...], reference: np.ndarray, distance: Distance, people: np.ndarray) -> float:
    """The standard error of a difference of two distances by drawing people with replacement, as this project did it before."""
    rng, images, found = np.random.default_rng(0), [np.flatnonzero(people == one) for one in set(people)], []
    for _ in range(40):
        rows = np.concatenate([images[one] for one in rng.integers(0, len(images), len(images))])
        found.append(distance(sets[1][rows], reference[rows]) - distance(sets[0][rows], reference[rows]))
    return float(np.std(found) * math.sqrt(len(images) / (len(images) - 1)))


def test_replicates_of_a_linear_distance_give_the_interval_of_the_mean() -> None:
    values, zeros, people = np.random.default_rng(8).normal(1, 1, (100, 1)), np.zeros((100, 1)), PEOPLE.tolist()
    sets = estimate(values.mean(), set_replicates(values, zeros, linear, people), n=100, units=10)
    persons = values.reshape(10, 10).mean(axis=1)
    assert sets.interval() == pytest.approx(stats.t.interval(0.95, 9, persons.mean(), stats.sem(persons)))
    assert sets.p_above(0.9) == pytest.approx(stats.t.sf((persons.mean() - 0.9) / stats.sem(persons), 9))
    assert sets.p_below(0.9) == pytest.approx(stats.t.cdf((persons.mean() - 0.9) / stats.sem(persons), 9))
    both = set_replicates(values, values[:50], linear, people, paired=False)  # the others are a sample of their own
    assert len(both) == 10 + GROUPS
    error = math.hypot(stats.sem(persons), stats.sem(values[:50, 0]))
    assert estimate(0.0, both, n=100, units=10).error == pytest.approx(error, rel=0.1)


def test_many_people_are_left_out_in_groups() -> None:
    values = np.random.default_rng(12).normal(size=(300, 1))
    found = set_replicates(values, np.zeros((300, 1)), linear, list(range(100)) * 3)
    assert len(found) == GROUPS
    persons = values.reshape(3, 100).mean(axis=0)
    assert estimate(values.mean(), found, n=300, units=100).error == pytest.approx(stats.sem(persons), rel=0.4)


def test_too_few_people_leave_no_replicates_and_no_evidence() -> None:
    for people, n in (("aaa", 3), ("ab", 2)):
        assert set_replicates(np.zeros((n, 2)), np.ones((n, 2)), linear, people).shape == (0,)
    assert estimate(1.0, np.zeros(0), n=3, units=1).interval() == (-math.inf, math.inf)


@dataclass
class Power:
    """Of simulated comparisons of two methods: their differences, intervals, p-values, and standard errors, ours and before."""

    differences: list[float] = field(default_factory=list)
    found: list[Estimate] = field(default_factory=list)
    before: list[float] = field(default_factory=list)

    def coverage(self) -> float:
        truth = np.mean(self.differences)
        return float(np.mean([low <= truth <= high for low, high in (one.interval() for one in self.found)]))


def compare(
    distance: Distance,
    people: int,
    images: int,
    trials: int,
    *,
    dim: int = 16,
    decay: float = 0.5,
    noise: float = 0.4,
    before: bool = False,
) -> Power:
    """Two methods make sets that are shifted, shrunk and noisy (0.4); the second a little more, with its own noise."""
    rng, ids = np.random.default_rng(13), np.repeat(np.arange(people), images)
    scale, power = np.arange(1.0, dim + 1) ** -decay, Power()

    def faces() -> np.ndarray:
        of_person, of_image = rng.normal(size=(people, 1, dim)), rng.normal(size=(people, images, dim))
        return np.asarray((of_person + 0.7 * of_image).reshape(-1, dim) * scale)

    for _ in range(trials):
        reference = faces()
        sets = 0.8 * reference + 0.25 * scale + 0.4 * faces(), 0.75 * reference + 0.35 * scale + noise * faces()
        near, far = (set_replicates(one, reference, distance, ids.tolist()) for one in sets)
        difference = distance(sets[1], reference) - distance(sets[0], reference)
        power.differences.append(difference)
        power.found.append(estimate(difference, far - near, n=len(ids), units=people))
        if before:
            power.before.append(resampled(sets, reference, distance, ids))
    return power


@pytest.mark.parametrize("distance", [frechet_distance, kernel_distance])
@pytest.mark.parametrize(("people", "images", "trials"), [(10, 4, 300), (30, 2, 100)])
def test_intervals_of_a_difference_of_distances_hold_the_truth(distance: Distance, people: int, images: int, trials: int) -> None:
    assert least(0.93, trials) <= compare(distance, people, images, trials).coverage() <= most(0.97, trials)


def test_a_jackknife_finds_what_a_bootstrap_of_people_misses() -> None:
    """Noisier sets, many features, few people: faces that are drawn twice made KID's standard error three times too large."""
    power = compare(kernel_distance, 10, 4, 200, dim=64, decay=0, noise=0.7, before=True)
    spread, level = np.std(power.differences), stats.t.isf(0.025, 9)
    errors = np.array([one.error for one in power.found])
    assert 0.85 < math.sqrt(np.square(errors).mean()) / spread < 1.2
    assert np.mean(power.before) / spread > 2
    assert least(0.93, 200) <= power.coverage() <= most(0.97, 200)
    found = np.mean([one.p_above(0) <= 0.025 for one in power.found])
    assert found > 0.9
    assert np.mean(np.array(power.differences) / power.before > level) < 0.5


def test_features_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(N, D\)"):
        set_replicates(np.zeros((3, 2)), np.zeros((3, 4)), linear)
    with pytest.raises(ValueError, match="one row per image"):
        set_replicates(np.zeros((3, 2)), np.zeros((4, 2)), linear)
