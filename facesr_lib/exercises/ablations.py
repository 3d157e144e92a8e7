"""Checks for 22_selfsr_ablations, 31_teacher_student_ablations and 41_isr_kd_ablations: what a table of variants can say."""

import math
from collections.abc import Callable, Collection, Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import nctdtr, ndtri, stdtrit

from facesr_lib.evaluate.bootstrap import holm
from facesr_lib.exercises.feedback import check, expect_number, expect_numbers, expect_pair, expect_positions

Floats = npt.NDArray[np.float64]
People = npt.NDArray[np.int64]


@check("Right. With ten people such intervals are still a little too short; the report's reach further out, by Student's t.")
def check_interval(answer: Callable[[Floats, People], tuple[float, float]]) -> None:
    """`answer(gain, person)`, (N,) each -> the mean's 95 % interval: percentile bootstrap of people with all their images."""
    rng = np.random.default_rng(0)
    sizes = np.array([2, 3, 2, 4, 2, 3, 2, 9, 2, 3, 2, 2])
    person = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    worth = np.array([0.1, -0.3, 0.2, -0.2, 0.3, -0.4, 0.2, 1.6, 0.1, -0.1, 0.3, -0.3])  # one person has most images
    gain = worth[person] + 0.1 * rng.standard_normal(len(person))
    names = [rng.permutation(len(sizes))[person] for _ in range(4)]  # other names, other draws: their mean says more
    interval = np.mean([expect_pair(answer(gain, name), "low", "high") for name in names], axis=0)
    totals, each = np.bincount(person, gain), np.bincount(person, gain) / sizes
    people = rng.integers(0, len(sizes), (20_000, len(sizes)))
    means = totals[people].sum(axis=1) / sizes[people].sum(axis=1)
    images = gain[rng.integers(0, len(gain), (20_000, len(gain)))].mean(axis=1)
    mistakes = {
        "You drew images: several of one person are hardly more than one witness. Draw people.": images,
        "These are percentiles of the differences. Wanted are those of the resampled means.": gain,
        "These are percentiles of the people. Wanted are those of the resampled means.": each,
        "You took means of people's means: every drawn image counts once.": each[people].mean(axis=1),
    }
    room = 0.15 * means.std()  # what four times a thousand resamples leave to chance
    low, high = interval
    assert low <= high, "The interval is turned around: low first, then high."
    assert high - low > 1e-9, "Every resample gave the same mean: draw people with replacement."
    right = np.quantile(means, (0.025, 0.975))
    hint = "Draw people with replacement, take all their images, take the mean; then the 2.5 % and 97.5 % quantiles."
    for named, drawn in mistakes.items():
        if np.abs(np.quantile(drawn, (0.025, 0.975)) - interval).max() < room:
            hint = named
    found = f"[{low:.2f}, {high:.2f}] instead of about [{right[0]:.2f}, {right[1]:.2f}]"
    if np.abs(np.quantile(means, (0.05, 0.95)) - interval).max() < room:
        hint = "That is the 5 % and the 95 % quantile: wanted is what lies between those of 2.5 % and 97.5 %."
    assert np.abs(right - interval).max() < room, f"{found}. {hint}"


@check("Right. Half the difference needs four times the people: small effects need many people.")
def check_people_needed(answer: Callable[[float, float], int]) -> None:
    """`answer(mean, spread)`: with how many people a 95 % interval leaves out zero in 80 % of experiments; by normal or t."""
    for mean, spread in ((0.5, 1.0), (-0.012, 0.02), (2.0, 1.0), (0.1, 0.9)):
        n = expect_number(answer(mean, spread))
        assert n == round(n), f"expected a whole number, got {n!r}"
        effect = spread / abs(mean)
        fewest = math.ceil((_SURE + _OFTEN) ** 2 * effect**2)
        enough = next(count for count in range(max(2, fewest), 10**6) if _power(mean, spread, count) >= 0.8)
        wrong = {
            "That is where the interval just ends at zero: half of all experiments still miss. Add 0.84, the normal "
            "quantile of 80 %, to the 1.96.": (_SURE * effect) ** 2,
            "The standard error is spread / sqrt(n): solve that for n, with a square.": (_SURE + _OFTEN) * effect,
            "You asked one side only: a 95 % interval leaves 2.5 % on each.": ((1.645 + _OFTEN) * effect) ** 2,
            "More spread needs more people, a larger difference needs fewer.": ((_SURE + _OFTEN) / effect) ** 2,
        }
        hint = "|mean| must be 1.96 + 0.84 standard errors, and a standard error is spread / sqrt(n)."
        hint = next((named for named, count in wrong.items() if abs(n - count) <= 1), hint)
        found = f"{_power(mean, spread, int(n)):.0%}" if n > 1 else "none"
        found = f"Mean {mean:g}, spread {spread:g}: of experiments with {n:.0f} people {found} find it, wanted are 80 %."
        assert fewest <= n <= enough + 1, f"{found} {hint}"


@check("Right, and never worse than Bonferroni: only the smallest p-value pays the full price.")
def check_holm(answer: Callable[[Sequence[float]], Sequence[float]]) -> None:
    """`answer(p_values)` gives Holm's adjusted p-values in the order of `p_values`."""
    for given in ([0.01, 0.04, 0.03, 0.005], [0.2, 0.001, 0.3, 0.02, 0.6, 0.02], [0.6, 0.5, 0.4], [0.03]):
        p, m = np.array(given), len(given)
        rank = p.argsort(kind="stable").argsort(kind="stable")
        steps = p * (m - rank)
        ascending = np.minimum(1, np.maximum.accumulate(steps[rank.argsort()]))
        mistakes = [
            (p * m, "That is Bonferroni's, m times each: Holm multiplies the k-th smallest by m - k + 1 only."),
            (p, "These are the p-values as they were."),
            (np.maximum.accumulate(steps[rank.argsort()])[rank], "No probability exceeds 1: cut off there."),
            (np.minimum(1, steps), "A larger p-value must not get a smaller adjusted one: take the running maximum."),
            (steps, "A larger p-value must not get a smaller adjusted one, and none exceeds 1."),
            (ascending, "In ascending order; give them back in the order in which they came."),
            (p * m / (rank + 1), "That is Benjamini and Hochberg's way, which bounds another error."),
        ]
        hint = "Ascending: times m, m - 1, ..., 1; running maximum; at most 1; back into the old order."
        expect_numbers(answer(list(given)), holm(given), hint, mistakes)


@check("Right. On the front, which row is best is a matter of what you want; behind it, it is not.")
def check_front(answer: Callable[[Floats], Collection[int]]) -> None:
    """`answer(scores)`: (rows, measures), more is better -> the rows that none beats: as good in all, better in one."""
    rng = np.random.default_rng(0)
    ties = np.array([[2.0, 1], [2, 3], [2, 3], [1, 3], [3, 0], [0, 4], [0, 3]])
    for scores in (np.array([[1.0, 2]]), rng.random((9, 2)), ties, rng.random((12, 3))):
        found = expect_positions(answer(scores), "Is a row in it twice?")
        front = {i for i, row in enumerate(scores) if not any((other >= row).all() and (other > row).any() for other in scores)}
        weak = {i for i, row in enumerate(scores) if not any((other > row).all() for other in scores)}
        best = set(map(int, scores.argmax(axis=0)))
        first = {i for i in front if not any((scores[j] == scores[i]).all() for j in range(i))}
        hints = [
            (weak, "A row as good in one measure and worse in another is beaten, too."),
            (best, "These are the winners of the single measures: compromises that nothing beats belong to it."),
            (first, "Of two equal rows neither beats the other: both stay."),
            (set(), "Every row is as good as itself: that must not count against it."),
        ]
        other = "A row stays unless some other row is at least as good everywhere and better somewhere."
        hint = next((named for rows, named in hints if found == rows), other)
        assert found == front, f"rows {sorted(found)} instead of {sorted(front)} of\n{scores.round(2)}\n{hint}"


@check("Right. Name both ends when you quote it: a share of a small loss is large by accident.")
def check_recovered(answer: Callable[[Floats, Floats, Floats], float]) -> None:
    """`answer(teacher, fine_tuned, student)`: PSNR per image, (N,) each -> the share of the mean loss that came back."""
    rng = np.random.default_rng(0)
    teacher = 21 + rng.standard_normal(40)
    fine_tuned = teacher - 2.5 * rng.random(40)
    fine_tuned[:3] = teacher[:3] - (1e-3, -1e-3, 2e-3)  # images that lost nothing
    for target in (0.8, 1.1, 0.0, -0.2):
        student = fine_tuned + target * (teacher - fine_tuned) + 0.05 * rng.standard_normal(40)
        lost, back = teacher - fine_tuned, student - fine_tuned
        expected = back.mean() / lost.mean()
        mistakes = [
            ((back / lost).mean(), "A mean of ratios: an image that lost nothing divides by nothing. Take means first."),
            (1 - expected, "That is the share still missing."),
            (100 * expected, "A share, not per cent: 1 is all of it."),
            (back.mean(), "These are decibels: divide by what was lost."),
            (student.mean() / teacher.mean(), "A ratio of decibels: count from the fine-tuned network up."),
            (min(1.0, max(0.0, expected)), "More than all, and less than nothing, can happen: do not clip."),
        ]  # fmt: skip
        hint = "(student - fine-tuned) over (teacher - fine-tuned), of the means."
        expect_numbers(answer(teacher, fine_tuned, student), expected, hint, mistakes)


@check("Right. One part away at a time shows too few corners: whether two parts do the same work twice stays hidden.")
def check_factorial(answer: Callable[[Floats, Floats, Floats, Floats], Sequence[float]]) -> None:
    """`answer(both, no_output, no_bottleneck, neither)`: PSNR per image, (N,) -> output's and bottleneck's effect, interaction.

    A term's effect: the mean of what it adds with and without the other; interaction: what output adds beside, minus alone.
    """
    rng = np.random.default_rng(0)
    for output, bottleneck, interaction in ((2.5, 0.3, 0.0), (1.0, 1.0, -1.0), (0.5, -0.2, 0.8)):
        neither = 18 + rng.standard_normal(30)
        alone = neither + output - interaction / 2, neither + bottleneck - interaction / 2
        noise = 0.1 * rng.standard_normal((2, 30))
        noise -= noise.mean(axis=1, keepdims=True)
        no_bottleneck, no_output = alone + noise
        both = neither + output + bottleneck
        expected = np.array([output, bottleneck, interaction])
        one_at_a_time = [output + interaction / 2, bottleneck + interaction / 2, interaction]
        mistakes = [
            (one_at_a_time, "You took one part away from the whole: average with what it adds to nothing."),
            (expected[[1, 0, 2]], "Output and bottleneck are swapped: no_output has the bottleneck term alone."),
            (expected * [1, 1, -1], "The interaction's sign: with the other minus without the other."),
            (expected / [1, 1, 2], "Here the interaction is the whole difference of differences, no half."),
            (expected * [2, 2, 1], "Two differences were added: take their mean."),
        ]  # fmt: skip
        hint = "Output adds both - no_output and no_bottleneck - neither: their mean, and the first minus the second."
        expect_numbers(answer(both, no_output, no_bottleneck, neither), expected, hint, mistakes)


_SURE, _OFTEN = -float(ndtri(0.025)), float(ndtri(0.8))


def _power(mean: float, spread: float, n: int) -> float:
    """How often a two-sided t test of n people finds the difference, from the noncentral t distribution."""
    limit, shift = -float(stdtrit(n - 1, 0.025)), abs(mean) / spread * math.sqrt(n)
    return float(1 - nctdtr(n - 1, shift, limit) + nctdtr(n - 1, shift, -limit))
