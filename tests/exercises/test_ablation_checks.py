"""The checks of the ablation notebooks pass right answers, written unlike the library's, and name each typical mistake."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import false_discovery_control, norm, t

from facesr_lib.exercises.ablations import (
    check_factorial,
    check_front,
    check_holm,
    check_interval,
    check_people_needed,
    check_recovered,
)


def unsolved(*arguments: object) -> None:
    raise NotImplementedError


def crashing(*arguments: object) -> None:
    raise ZeroDivisionError("by me")


def interval(gain, person, resamples=4000, seed=5):
    """Whole people by their weights in a multinomial draw: no list of images is ever made."""
    rng = np.random.default_rng(seed)
    people = np.unique(person)
    times = rng.multinomial(len(people), np.full(len(people), 1 / len(people)), resamples)
    weights = times[:, np.searchsorted(people, person)]
    return tuple(np.percentile((weights * gain).sum(1) / weights.sum(1), [2.5, 97.5]))


def of_images(gain, person):
    means = np.random.default_rng(0).choice(gain, (2000, len(gain))).mean(1)
    return np.quantile(means, 0.025), np.quantile(means, 0.975)


def of_people(gain, person):
    each = np.array([gain[person == p].mean() for p in np.unique(person)])
    means = np.random.default_rng(0).choice(each, (2000, len(each))).mean(1)
    return np.quantile(means, 0.025), np.quantile(means, 0.975)


def by_simulation(mean, spread):
    """The fewest people of whose experiments a t test finds 80 %, counted (coarsely above a hundred)."""
    rng = np.random.default_rng(1)
    guess = 7.85 * (spread / mean) ** 2
    for n in range(max(2, math.floor(guess)), math.ceil(guess) + 6):
        sample = rng.normal(mean, spread, (40_000, n)) if n < 100 else None
        if sample is None:
            return round(guess) + 2
        found = np.abs(sample.mean(1)) > t.ppf(0.975, n - 1) * sample.std(1, ddof=1) / math.sqrt(n)
        if found.mean() >= 0.8:
            return n
    return 0


def normal_people(mean, spread):
    return math.ceil(((norm.ppf(0.975) + norm.ppf(0.8)) * spread / mean) ** 2)


def holm(p_values):
    """By the definition: the largest of all smaller ones' products."""
    p, m = list(p_values), len(p_values)
    order = sorted(range(m), key=lambda i: p[i])
    return [min(1, max((m - k) * p[order[k]] for k in range(order.index(i) + 1))) for i in range(m)]


def front(scores):
    kept = []
    for i, row in enumerate(scores):
        worse = (scores >= row).all(axis=1) & (scores != row).any(axis=1)
        if not worse.any():
            kept.append(i)
    return np.array(kept)


def recovered(teacher, fine_tuned, student):
    return 1 - (teacher - student).sum() / (teacher - fine_tuned).sum()


def factorial(both, no_output, no_bottleneck, neither):
    """By least squares on the four corners, each term coded as -1/2 and 1/2."""
    corners = np.array([(1, 1), (0, 1), (1, 0), (0, 0)]) - 0.5
    design = np.column_stack([np.ones(4), corners, corners.prod(axis=1)])
    means = [x.mean() for x in (both, no_output, no_bottleneck, neither)]
    return np.linalg.solve(design, means)[1:]


def turned(answer):
    return lambda *arguments: answer(*arguments)[::-1]


RIGHT = {
    check_interval: [interval, lambda gain, person: interval(gain, person, 1000, 7)],
    check_people_needed: [by_simulation, normal_people, lambda m, s: np.int64(normal_people(m, s) + 2)],
    check_holm: [holm, lambda p: np.array(holm(p)), lambda p: torch.tensor(holm(p), dtype=torch.float64)],
    check_front: [front, lambda scores: set(front(scores)), lambda scores: front(scores).tolist()],
    check_recovered: [recovered, lambda *a: torch.tensor(recovered(*a))],
    check_factorial: [factorial, lambda *a: tuple(factorial(*a))],
}
WRONG = [
    (check_interval, of_images, "Draw people"),
    (check_interval, of_people, "every drawn image counts once"),
    (check_interval, lambda gain, person: tuple(np.percentile(gain, [2.5, 97.5])), "percentiles of the differences"),
    (check_interval, lambda gain, person: (gain.mean(), gain.mean()), "with replacement"),
    (check_interval, turned(interval), "low first"),
    (check_interval, lambda gain, person: gain.mean(), "return two numbers: low, high"),
    (check_interval, lambda gain, person: (gain.mean(), math.nan), "high: expected a finite number"),
    (check_interval, lambda gain, person: ("low", None), "low: expected a number"),
    (check_interval, lambda gain, person: tuple(np.array(interval(gain, person)) * 3), "97.5 % quantiles"),
    (check_people_needed, lambda m, s: math.ceil((1.96 * s / m) ** 2), "half of all experiments"),
    (check_people_needed, lambda m, s: math.ceil(2.8 * s / abs(m)), "with a square"),
    (check_people_needed, lambda m, s: math.ceil(((1.645 + 0.84) * s / m) ** 2), "one side only"),
    (check_people_needed, lambda m, s: math.ceil((2.8 * m / s) ** 2), "More spread needs more people"),
    (check_people_needed, lambda m, s: 10 * normal_people(m, s), "1.96 + 0.84 standard errors"),
    (check_people_needed, lambda m, s: (2.8 * s / m) ** 2, "expected a whole number"),
    (check_people_needed, lambda m, s: True, "expected a number"),
    (check_people_needed, lambda m, s: -3, "1.96 + 0.84"),
    (check_holm, lambda p: [min(1, len(p) * x) for x in p], "Bonferroni"),
    (check_holm, lambda p: p, "as they were"),
    (check_holm, lambda p: sorted(holm(p)), "ascending order"),
    (check_holm, lambda p: [x * (len(p) - sorted(p).index(x)) for x in p], "running maximum"),
    (check_holm, lambda p: false_discovery_control(p), "Benjamini and Hochberg"),
    (check_holm, lambda p: [x / 2 for x in holm(p)], "Ascending"),
    (check_holm, lambda p: holm(p)[:-1], "expected shape"),
    (check_front, lambda scores: range(len(scores)), "unless some other row"),
    (check_front, lambda scores: set(scores.argmax(axis=0)), "winners of the single measures"),
    (check_front, lambda scores: [], "as good as itself"),
    (check_front, lambda scores: [i for i in front(scores) if not (scores[:i] == scores[i]).all(1).any()], "both stay"),
    (check_front, lambda scores: [i for i, row in enumerate(scores) if not (scores > row).all(axis=1).any()], "is beaten, too"),
    (check_recovered, lambda a, b, c: ((c - b) / (a - b)).mean(), "A mean of ratios"),
    (check_recovered, lambda a, b, c: 1 - recovered(a, b, c), "still missing"),
    (check_recovered, lambda a, b, c: 100 * recovered(a, b, c), "not per cent"),
    (check_recovered, lambda a, b, c: (c - b).mean(), "decibels: divide"),
    (check_recovered, lambda a, b, c: c.mean() / a.mean(), "ratio of decibels"),
    (check_recovered, lambda a, b, c: min(1.0, max(0.0, recovered(a, b, c))), "do not clip"),
    (check_factorial, lambda a, b, c, d: ((a - b).mean(), (a - c).mean(), (a - b - c + d).mean()), "one part away"),
    (check_factorial, lambda a, b, c, d: factorial(a, c, b, d), "swapped"),
    (check_factorial, lambda *a: factorial(*a) * [1, 1, -1], "interaction's sign"),
    (check_factorial, lambda *a: factorial(*a) * [1, 1, 0.5], "no half"),
    (check_factorial, lambda *a: factorial(*a) * [2, 2, 1], "take their mean"),
    (check_factorial, lambda *a: factorial(*a)[:2], "expected shape"),
]


@pytest.mark.parametrize(("check", "answer"), [(check, answer) for check, answers in RIGHT.items() for answer in answers])
def test_right_answers_pass(check, answer) -> None:
    assert check(answer).passed, check(answer)


@pytest.mark.parametrize(("check", "answer", "hint"), WRONG)
def test_wrong_answers_are_told_why(check, answer, hint: str) -> None:
    found = check(answer)
    assert not found.passed
    assert hint in found.message, found


@pytest.mark.parametrize("check", RIGHT)
def test_empty_and_crashing_answers_fail(check) -> None:
    assert "Not solved yet" in repr(check(unsolved))
    assert "ZeroDivisionError: by me" in repr(check(crashing))
    assert not check(lambda *arguments: None).passed
