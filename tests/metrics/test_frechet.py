"""Frechet and kernel distance: oracle values, closed forms, and what both refuse."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facesr_lib.metrics.frechet import frechet_distance, kernel_distance

SETS = ["general", "equal_covariance", "rank_deficient"]


def normal(n: int, dim: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, dim))


@pytest.mark.filterwarnings("ignore:Frechet distance of")
@pytest.mark.parametrize("name", SETS)
def test_oracle(shared: Path, name: str) -> None:
    facts = json.loads((shared / "oracles" / "frechet.json").read_text())
    sets = np.load(shared / "oracles" / "frechet.npz")
    x, y = sets[f"{name}_x"], sets[f"{name}_y"]
    # Tighter than the oracle's tolerances (1e-8, 1e-8, 1e-4 absolute, KID 1e-9): no digit is lost in this method.
    assert frechet_distance(x, y) == pytest.approx(facts["sets"][name]["frechet"], rel=1e-12)
    assert frechet_distance(y, x) == pytest.approx(facts["sets"][name]["frechet"], rel=1e-12)
    assert kernel_distance(x, y) == pytest.approx(facts["sets"][name]["kid_unbiased"], rel=1e-11)


@settings(max_examples=30, deadline=None, database=None)
@given(st.integers(2, 30), st.integers(2, 30), st.integers(1, 20), st.integers(0, 99))
def test_frechet_against_matrix_square_roots(n: int, m: int, dim: int, seed: int) -> None:
    """For diagonal covariances the distance is written down at once; a rotation changes nothing."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, dim)), rng.normal(size=(m, dim)) * 3 + 1
    rotation = np.linalg.qr(rng.normal(size=(dim, dim)))[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        plain, turned = frechet_distance(x, y), frechet_distance(x @ rotation, y @ rotation)
        assert turned == pytest.approx(plain, rel=1e-9)
        assert frechet_distance(x, x) == pytest.approx(0, abs=1e-10)
        one_by_one = sum(frechet_distance(x[:, [i]], y[:, [i]]) for i in range(dim))
    direct = np.square(x.mean(0) - y.mean(0)).sum() + np.square(x.std(0, ddof=1) - y.std(0, ddof=1)).sum()
    assert one_by_one == pytest.approx(direct, rel=1e-9)
    # Correlations can only make the distance of the whole larger than the sum over single dimensions.
    assert plain >= one_by_one * (1 - 1e-9)


def test_frechet_of_a_shift_is_its_squared_length() -> None:
    x, shift = normal(40, 16), np.arange(16.0)
    assert frechet_distance(x, x + shift) == pytest.approx(np.square(shift).sum(), rel=1e-12)


def test_frechet_with_fewer_images_than_dimensions_warns_and_stays_exact() -> None:
    """Features on a 5-dimensional subspace: the same distance as in those 5 dimensions, not a digit lost."""
    x, y = normal(30, 5), normal(20, 5, seed=1) * 2
    inside = frechet_distance(x, y)
    basis = np.linalg.qr(normal(200, 5, seed=2))[0].T
    with pytest.warns(UserWarning, match="20 images in 200 dimensions: .* only comparable at equal N"):
        outside = frechet_distance(x @ basis, y @ basis)
    assert outside == pytest.approx(inside, rel=1e-12)


def test_kernel_distance_is_the_mean_over_pairs() -> None:
    x, y = normal(7, 3), normal(5, 3, seed=1)

    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return float((a @ b / 3 + 1) ** 3)

    within_x = np.mean([kernel(x[i], x[j]) for i in range(7) for j in range(7) if i != j])
    within_y = np.mean([kernel(y[i], y[j]) for i in range(5) for j in range(5) if i != j])
    between = np.mean([kernel(a, b) for a in x for b in y])
    assert kernel_distance(x, y) == pytest.approx(within_x + within_y - 2 * between, rel=1e-12)


def test_kernel_distance_is_unbiased_where_the_frechet_distance_is_not() -> None:
    """Halves of one distribution: the first averages to 0 at every N, the second does not."""
    kernel = [kernel_distance(normal(20, 4, seed), normal(20, 4, seed + 1000)) for seed in range(300)]
    assert abs(np.mean(kernel)) < 4 * np.std(kernel) / np.sqrt(300)
    frechet = [frechet_distance(normal(20, 4, seed), normal(20, 4, seed + 1000)) for seed in range(300)]
    assert np.mean(frechet) > 10 * np.std(frechet) / np.sqrt(300)


def test_blocks_of_rows_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = normal(23, 6), normal(31, 6, seed=1)
    whole = kernel_distance(x, y)
    monkeypatch.setattr("facesr_lib.metrics.frechet._BLOCK", 4)
    assert kernel_distance(x, y) == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("distance", [frechet_distance, kernel_distance])
def test_wrong_features_are_refused(distance: object) -> None:
    x = normal(4, 3)
    broken = x.copy()
    broken[[1, 2], 0] = np.nan, np.inf
    for f1, f2, message in (
        (x[:1], x, r"f1: .* at least 2 images, got shape \(1, 3\)"),
        (x, broken, r"f2: NaN, infinity or more than 1e\+45 in the features of images \[1, 2\]"),
        (x, normal(4, 2), "3 and 2 dimensions"),
        (x, x[0], r"f2: expected features \(N, D\)"),
        (1e60 * x, x, r"f1: .* images \[0, 1, 2, 3\]"),
    ):
        with pytest.raises(ValueError, match=message):
            distance(f1, f2)  # type: ignore[operator]
