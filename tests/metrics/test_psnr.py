from __future__ import annotations

from math import inf, log10

import pytest
import torch
from torch import Tensor

from facesr_lib.image import rgb_to_y, to_float
from facesr_lib.metrics import psnr


def levels(value: int) -> Tensor:
    return to_float(torch.full((1, 3, 32, 32), value, dtype=torch.uint8))


def random_pair(n: int, height: int = 24, width: int = 20) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    hr = torch.rand((n, 3, height, width), generator=generator)
    return (hr + 0.1 * torch.randn(hr.shape, generator=generator)).clamp(0, 1), hr


def test_one_grey_level_apart() -> None:
    assert float(psnr(levels(1), levels(2))) == pytest.approx(20 * log10(255), abs=1e-12)
    assert float(psnr(levels(1), levels(2))) == pytest.approx(48.1308036, abs=5e-8)
    y_difference = (65.481 + 128.553 + 24.966) / 255  # of a grey level
    assert float(psnr(levels(1), levels(2), y=True)) == pytest.approx(20 * log10(255 / y_difference), abs=1e-9)
    assert float(psnr(levels(1), levels(2), y=True)) == pytest.approx(49.4527218, abs=1e-5)  # computed in float32


def test_black_against_white_is_zero() -> None:
    assert float(psnr(levels(0), levels(255))) == 0


def test_identical_images_score_infinity() -> None:
    sr, hr = random_pair(3)
    sr[1] = hr[1]
    for y in (False, True):
        score = psnr(sr, hr, y=y)
        assert score[1] == inf
        assert score[[0, 2]].isfinite().all()


def test_scored_on_the_8_bit_image() -> None:
    hr = to_float(torch.randint(0, 256, (2, 3, 16, 16), generator=torch.Generator().manual_seed(0), dtype=torch.uint8))
    assert (psnr(hr + 0.4 / 255, hr) == inf).all()  # the file would be the same
    assert (psnr(levels(255) + 0.04, levels(255)) == inf).all()  # and so would this one be
    assert float(psnr(levels(0) + 0.6 / 255, levels(0))) == pytest.approx(20 * log10(255))


def test_y_and_crop_follow_their_formulas() -> None:
    sr, hr = ((x * 255).round().double() / 255 for x in random_pair(2))
    inner = slice(4, -4)
    mse = (rgb_to_y(sr) - rgb_to_y(hr))[:, :, inner, inner].square().mean(dim=(1, 2, 3))
    torch.testing.assert_close(psnr(sr, hr, y=True, crop=4), -10 * mse.log10(), rtol=0, atol=1e-9)


def test_crop_ignores_the_border_and_nothing_else() -> None:
    _, hr = random_pair(1)
    sr = hr.clone()
    sr[:, :, :3] = sr[:, :, -3:] = 0
    sr[..., :3] = sr[..., -3:] = 0
    assert psnr(sr, hr, crop=3) == inf
    assert psnr(sr, hr, crop=2) < inf


@pytest.mark.parametrize("y", [False, True])
def test_a_score_does_not_depend_on_its_batch(y: bool) -> None:
    sr, hr = random_pair(7)
    together = psnr(sr, hr, y=y, crop=2)
    assert (together.shape, together.dtype) == ((7,), torch.float64)
    alone = torch.cat([psnr(sr[i : i + 1], hr[i : i + 1], y=y, crop=2) for i in range(7)])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-12)


def test_symmetric() -> None:
    sr, hr = random_pair(4)
    assert torch.equal(psnr(sr, hr), psnr(hr, sr))
