"""The games by their formulas in float64, by their symmetries, and where the sigmoid would round to 0."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from facesr_lib.losses import (
    bce_discriminator,
    bce_generator,
    minimax_generator,
    relativistic_average_discriminator,
    relativistic_average_generator,
    relativistic_discriminator,
    relativistic_generator,
)


def scores(n: int, seed: int) -> Tensor:
    return torch.randn(n, 1, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def log_sigmoid(x: Tensor) -> Tensor:
    return torch.log(1 / (1 + torch.exp(-x)))


def test_the_relativistic_pair_is_its_formula() -> None:
    real, fake = scores(5, 0), scores(5, 1)
    torch.testing.assert_close(relativistic_discriminator(real, fake), -log_sigmoid(real - fake).mean())
    torch.testing.assert_close(relativistic_generator(real, fake), -log_sigmoid(fake - real).mean())


def test_the_relativistic_average_is_its_formula() -> None:
    real, fake = scores(5, 0), scores(3, 1)
    d_real, d_fake = relativistic_average_discriminator(real, fake)
    torch.testing.assert_close(d_real, -log_sigmoid(real - fake.mean()).mean())
    torch.testing.assert_close(d_fake, -torch.log(1 - torch.sigmoid(fake - real.mean())).mean())
    expected = -log_sigmoid(fake - real.mean()).mean() - torch.log(1 - torch.sigmoid(real - fake.mean())).mean()
    torch.testing.assert_close(relativistic_average_generator(real, fake), expected)


def test_the_minimax_generator_minimises_what_its_discriminator_maximises() -> None:
    fake = scores(5, 1).requires_grad_(True)
    assert gradcheck(minimax_generator, (fake,))
    torch.testing.assert_close(minimax_generator(fake), torch.log(1 - torch.sigmoid(fake)).mean())
    torch.testing.assert_close(minimax_generator(fake), -bce_discriminator(fake, fake)[1])
    for score, slopes in ((0.0, (-0.5, -0.5)), (-20.0, (0.0, -1.0))):  # alike for an undecided D; one vanishes if D is sure
        found = [torch.tensor(score, requires_grad=True) for _ in slopes]
        for loss, x, slope in zip((minimax_generator, bce_generator), found, slopes, strict=True):
            loss(x).backward()
            assert x.grad.item() == pytest.approx(slope, abs=1e-6)


def test_only_differences_count_and_one_pair_is_both_games() -> None:
    real, fake = scores(4, 2), scores(4, 3)
    for loss in (relativistic_discriminator, relativistic_generator, relativistic_average_generator):
        torch.testing.assert_close(loss(real + 11, fake + 11), loss(real, fake))
    assert not torch.isclose(bce_generator(fake + 11), bce_generator(fake))
    one_real, one_fake = real[:1], fake[:1]
    torch.testing.assert_close(relativistic_average_generator(one_real, one_fake), 2 * relativistic_generator(one_real, one_fake))


@pytest.mark.parametrize(
    "loss",
    [
        relativistic_discriminator,
        relativistic_generator,
        relativistic_average_generator,
        lambda real, fake: sum(relativistic_average_discriminator(real, fake)),
        lambda real, fake: sum(bce_discriminator(real, fake)),
    ],
)
def test_gradients_and_far_scores(loss) -> None:
    real, fake = scores(3, 4).requires_grad_(True), scores(3, 5).requires_grad_(True)
    assert gradcheck(loss, (real, fake))
    far = torch.full((2, 1), 300.0)
    for a, b in ((far, -far), (-far, far)):
        value = loss(a, b).item()
        assert value == pytest.approx(0, abs=1e-6) or value in (600.0, 1200.0)


def test_pairs_must_be_pairs() -> None:
    with pytest.raises(ValueError, match=r"fake: expected a score for each real one, shape \(3, 1\), got \(2, 1\)"):
        relativistic_discriminator(scores(3, 0), scores(2, 1))


def test_scores_that_do_not_fit_are_never_stretched_over_each_other() -> None:
    real = torch.zeros(4, 1)
    for loss in (relativistic_average_discriminator, relativistic_average_generator):
        with pytest.raises(ValueError, match="expected"):
            loss(real, torch.zeros(3, 5))
    assert relativistic_average_generator(real, torch.zeros(3, 1)).isfinite()
