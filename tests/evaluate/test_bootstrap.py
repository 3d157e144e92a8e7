"""Intervals and p-values against simulated truth, with tolerances computed from the binomial distribution."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import facesr_lib.evaluate.bootstrap as module
from facesr_lib.evaluate.bootstrap import Estimate, bootstrap_mean, estimate, holm, set_replicates

SIMULATIONS, RESAMPLES = 1000, 1000
PEOPLE = np.repeat(np.arange(10), 10)


def most(rate: float, trials: int = SIMULATIONS) -> float:
    """The largest share of successes that a true rate gives in 999 of 1000 experiments; `1 - most(1 - rate)` is the least."""
    return float(stats.binom.ppf(0.999, trials, rate)) / trials


def least(rate: float, trials: int = SIMULATIONS) -> float:
    return 1 - most(1 - rate, trials)


def shares(draw: Callable[[np.random.Generator], np.ndarray], groups: np.ndarray | None = None) -> tuple[float, float]:
    """Of 1000 simulated experiments with true mean 0: share of 95 % intervals that hold it, share of p <= 5 % for "above 0"."""
    rng = np.random.default_rng(0)
    people = None if groups is None else groups.tolist()
    found = [bootstrap_mean(draw(rng), people, resamples=RESAMPLES, seed=seed) for seed in range(SIMULATIONS)]
    held = [low <= 0 <= high for low, high in (one.interval() for one in found)]
    return float(np.mean(held)), float(np.mean([one.p_above(0.0) <= 0.05 for one in found]))


@pytest.mark.parametrize("n", [10, 50])
def test_intervals_hold_the_truth_as_often_as_they_say(n: int) -> None:
    coverage, false_positives = shares(lambda rng: rng.normal(size=n))
    assert least(0.95) <= coverage <= most(0.95)
    assert least(0.05) <= false_positives <= most(0.05)


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
    with pytest.raises(ValueError, match="replicates"):
        estimate([1.0, 2.0], np.zeros((3, 5)), n=4, units=4)


def test_holm_on_the_textbook_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


# Set-level distances


def distance(found: np.ndarray, reference: np.ndarray) -> float:
    """The Frechet distance of two normal distributions with independent features."""
    return float(((found.mean(0) - reference.mean(0)) ** 2 + (found.std(0) - reference.std(0)) ** 2).sum())


def test_set_replicates_of_two_methods_are_paired() -> None:
    rng = np.random.default_rng(7)
    reference = rng.normal(size=(60, 4))
    ours = reference + rng.normal(size=(60, 4))
    near = ours + 0.01 * rng.normal(size=(60, 4))
    one, other = (set_replicates(f, reference, distance, resamples=200) for f in (ours, near))
    assert (one - other).std() < 0.1 * one.std()
    assert np.array_equal(one, set_replicates(ours, reference, distance, resamples=200))
    again = set_replicates(ours, reference[::-1], distance, resamples=200, paired=False)
    assert not np.array_equal(one, again)


def nearer(ours: np.ndarray, other: np.ndarray, reference: np.ndarray, seed: int = 0) -> Estimate:
    """By how much `ours` is nearer to the reference than `other`, as the judge takes it from recorded replicates."""
    far, near = (set_replicates(x, reference, distance, resamples=120, seed=seed) for x in (other, ours))
    value = distance(other, reference) - distance(ours, reference)
    return estimate(value, far - near, n=len(ours), units=len(ours), seed=seed)


def test_replicates_of_a_linear_distance_give_the_mean_bootstrap() -> None:
    values = np.random.default_rng(8).normal(1, 1, (100, 1))
    zeros, people = np.zeros((100, 1)), PEOPLE.tolist()
    replicates = set_replicates(values, zeros, lambda f, r: float(f.mean() - r.mean()), people, resamples=4000)
    sets = estimate(values.mean(), replicates, n=100, units=10)
    means = bootstrap_mean(values[:, 0], people, resamples=4000)
    assert sets.value == pytest.approx(means.value)
    assert sets.interval() == pytest.approx(means.interval(), abs=0.05)


def test_nearer_sets_are_found_and_equal_ones_are_not() -> None:
    rng, trials = np.random.default_rng(9), 120
    equal, found = 0, 0
    for seed in range(trials):
        reference = rng.normal(size=(50, 4))
        ours, other, far = (reference + rng.normal(shift, 0.5, (50, 4)) for shift in (0.3, 0.3, 0.6))
        equal += nearer(ours, other, reference, seed).p_above(0) <= 0.05
        found += nearer(ours, far, reference, seed).p_above(0) <= 0.05
    assert equal / trials <= most(0.05, trials)
    assert found / trials > 0.95


def test_features_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(N, D\)"):
        set_replicates(np.zeros((3, 2)), np.zeros((3, 4)), distance)
    with pytest.raises(ValueError, match="one row per image"):
        set_replicates(np.zeros((3, 2)), np.zeros((4, 2)), distance)
