"""`facesr_tools.check.compare` against closed forms and simulated runs."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facesr_tools.check.compare import Check, compare, prediction_interval, smallest_drift
from facesr_tools.check.read import CannotCompare, Place, Side

REFERENCE = (20.0, 20.2, 19.8, 20.1, 19.9)  # mean 20, sample variance 0.025


def side(profile: str = "quick", **methods: list[float] | tuple[float, ...]) -> Side:
    """A run or reference of one notebook: per method, a PSNR per seed."""
    found = Side(Path("results"), profile, data={"faces/test": {"a" * 64}})
    for method, means in methods.items():
        add(found, place(method), means)
    return found


def place(method: str = "GAN", notebook: str = "10_demo", metric: str = "psnr") -> Place:
    return Place(notebook, "faces/test", method, metric, "RGB, 8-bit")


def add(to: Side, where: Place, means: list[float] | tuple[float, ...] | np.ndarray, n: int = 40) -> None:
    for seed, mean in enumerate(means):
        to.add(where, "PSNR (dB)", n, 10, seed, float(mean))


def check(ours: float, theirs: list[float] | tuple[float, ...] = REFERENCE) -> Check:
    return compare(side(GAN=[ours]), side(GAN=theirs))


@pytest.mark.parametrize(
    ("means", "k", "level", "t"),
    [((1.0, 3.0), 1, 0.95, 12.7062), (REFERENCE, 1, 0.95, 2.77645), (REFERENCE, 3, 0.99, 4.60409)],  # t from printed tables
)
def test_the_interval_is_the_textbooks(means: tuple[float, ...], k: int, level: float, t: float) -> None:
    low, high = prediction_interval(means, k, level)
    assert (low + high) / 2 == pytest.approx(np.mean(means))
    half = t * np.std(means, ddof=1) * math.sqrt(1 / k + 1 / len(means))
    assert (high - low) / 2 == pytest.approx(half, rel=1e-5)


@pytest.mark.parametrize(("n", "k"), [(3, 1), (5, 1), (5, 3)])
def test_the_interval_covers_new_runs_as_often_as_it_says(n: int, k: int) -> None:
    draws = np.random.default_rng(n + k).normal(25, 0.3, (4000, n + k))
    inside = 0
    for row in draws:
        low, high = prediction_interval(row[:n], k)
        inside += low <= row[n:].mean() <= high
    assert inside / len(draws) == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / len(draws)))


def many(generator: np.random.Generator, seeds: int) -> Side:
    """Four notebooks of three methods of four scores: most of a score is its method's training, some of that its notebook's."""
    found = Side(Path("results"), "quick")
    for notebook in range(4):
        together = generator.normal(size=seeds)
        for method in range(3):
            training = 0.6 * together + 0.8 * generator.normal(size=seeds)
            for metric in range(4):
                means = 25 + 0.95 * training + 0.31 * generator.normal(size=seeds)
                add(found, place(f"method {method}", f"{notebook}", f"{metric}"), means)
    return found


@pytest.mark.slow
def test_a_sound_run_rarely_fails() -> None:
    generator = np.random.default_rng(0)
    failed = sum(compare(many(generator, 1), many(generator, 5)).exit_code for _ in range(200))
    assert failed <= 0.06 * 200 + 3 * math.sqrt(0.06 * 0.94 * 200)  # 5 % by name, 1 % by number


def test_what_moves_every_method_a_little_is_found_by_number() -> None:
    run, reference = Side(Path("run"), "quick"), Side(Path("results"), "quick")
    for notebook in "abcd":
        for method in ("one", "two", "three"):
            add(reference, place(method, notebook), REFERENCE)
            add(run, place(method, notebook), [20 + 3.3 * np.std(REFERENCE, ddof=1)])
    found = compare(run, reference)
    t = 3.3 / math.sqrt(1 + 1 / 5)
    u = t / math.sqrt(4 + t**2)  # Student's t with four degrees of freedom has a closed form
    assert [method.p for method in found.methods] == pytest.approx([1 - u * (3 - u**2) / 2] * 12)
    assert (found.exit_code, found.named) == (1, [])
    assert len(found.outside) == 4 > found.many


def test_one_method_far_away_is_named() -> None:
    run, reference = many(np.random.default_rng(2), 1), many(np.random.default_rng(3), 5)
    for where, score in run.scores.items():
        if where[:3] == ("2", "faces/test", "method 1"):
            score.means = {0: score.means[0] + 40}
    found = compare(run, reference)
    assert [(method.notebook, method.method) for method in found.named] == [("2", "method 1")]
    assert found.exit_code == 1
    assert 5 < smallest_drift(found) < 40


def test_more_new_seeds_narrow_the_range() -> None:
    one, three = (compare(side(GAN=[20.0] * k), side(GAN=REFERENCE)).scores[0] for k in (1, 3))
    assert three.high - three.low < one.high - one.low
    assert (one.seeds, three.seeds) == ((1, 5), (3, 5))


@pytest.mark.parametrize(("ours", "code"), [(25.0, 0), (25.02, 0), (24.98, 0), (25.03, 1), (24.9, 1)])
def test_what_no_seed_moves_must_be_met_within_a_thousandth(ours: float, code: int) -> None:
    found = check(ours, [25.0] * 5)
    assert found.exit_code == code
    assert len(found.moved) == code
    assert found.methods == []  # a single such score decides, not its method


def test_a_spread_below_the_tolerance_does_not_narrow_it() -> None:
    assert check(25.01, [25.0, 25.000001, 25.000002]).exit_code == 0


@pytest.mark.parametrize(("ours", "theirs", "code"), [(math.inf, math.inf, 0), (math.nan, math.nan, 0), (40.0, math.inf, 1)])
def test_scores_that_are_infinite_or_undefined_must_stay_so(ours: float, theirs: float, code: int) -> None:
    assert check(ours, [theirs] * 5).exit_code == code


@pytest.mark.parametrize(("ours", "where", "code"), [(20.01, "inside", 0), (21.0, "unjudged", 2)])
def test_two_seeds_tell_no_spread(ours: float, where: str, code: int) -> None:
    found = check(ours, [20.0, 20.0])
    assert (found.scores[0].where, found.scores[0].p, found.exit_code) == (where, None, code)


def test_another_profile_is_not_compared() -> None:
    with pytest.raises(CannotCompare, match="profile quick, the reference results of paper"):
        compare(side(GAN=[20.0]), side("paper", GAN=REFERENCE))


def test_what_was_measured_otherwise_is_named_and_not_compared() -> None:
    run, reference = side(GAN=[20.0], TNet=[20.0], new=[1.0]), side(GAN=REFERENCE, lost=REFERENCE)
    add(run, place("GAN", metric="ssim")._replace(convention="Y"), [0.7])
    add(reference, place("GAN", metric="ssim"), [0.7] * 3)
    add(reference, place("TNet"), REFERENCE, n=50)
    add(run, place("GAN", "11_own"), [20.0])
    add(reference, place("GAN", "12_other"), REFERENCE)
    found = compare(run, reference)
    assert [score.place.method for score in found.scores] == ["GAN"]
    words = "\n".join(found.apart)
    assert "psnr in another" not in words
    for part in (
        "ssim in another convention, 'Y'",
        "40 images of 'faces/test', the reference has 50",
        "11_own: not in the reference",
    ):
        assert part in words
    assert "'new' by psnr is not in the reference" in words
    assert found.missing[0] == "12_other: not in the run"
    assert any("'lost' by psnr" in line for line in found.missing)
    assert (found.exit_code, replace(found, complete=True).exit_code) == (0, 1)


def test_other_images_under_the_same_name_are_not_compared() -> None:
    run = side(GAN=[20.0])
    run.data["faces/test"] = {"b" * 64}
    with pytest.raises(CannotCompare, match="other images under the name 'faces/test'"):
        compare(run, side(GAN=REFERENCE))


def test_verdicts_that_differ_are_listed_and_decide_nothing() -> None:
    run, reference = side(GAN=[20.0]), side(GAN=REFERENCE)
    run.verdicts, reference.verdicts = {"a": "undecided", "b": "supported"}, {"a": "supported", "b": "supported", "c": "not run"}
    found = compare(run, reference)
    assert (found.verdicts, found.opposed, found.exit_code) == ([("a", "undecided", "supported")], [], 0)


@pytest.mark.parametrize(
    ("ours", "theirs", "opposed"),
    [
        ("points against", "supported", True),
        ("too small to matter", "contradicted", True),
        ("not reproduced", "points for", True),
        ("points for", "supported", False),  # fewer seeds
        ("undecided", "contradicted", False),
        ("not applicable", "supported", False),
    ],
)
def test_verdicts_oppose_each_other_where_both_decide_and_otherwise(ours: str, theirs: str, opposed: bool) -> None:
    run, reference = side(GAN=[20.0]), side(GAN=REFERENCE)
    run.verdicts, reference.verdicts = {"a": ours}, {"a": theirs}
    assert compare(run, reference).opposed == ([("a", ours, theirs)] if opposed else [])
