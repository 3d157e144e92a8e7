from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import structural_similarity
from torch import Tensor

from facesr_lib.image import rgb_to_y, to_float, to_uint8
from facesr_lib.metrics import ssim


def random_pair(n: int, height: int, width: int, noise: float = 0.1, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    hr = torch.rand((n, 3, height, width), generator=generator)
    return (hr + noise * torch.randn(hr.shape, generator=generator)).clamp(0, 1), hr


def scikit_image_ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Two images (H, W, C) of float64 grey levels."""
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    return float(structural_similarity(a, b, data_range=255, channel_axis=2, **settings))


def levels(x: Tensor, *, y: bool) -> np.ndarray:
    plane = to_uint8(x).double()
    plane = rgb_to_y(plane / 255) * 255 if y else plane
    return plane[0].permute(1, 2, 0).numpy()


@settings(max_examples=25, deadline=None, database=None)
@given(st.integers(11, 40), st.integers(11, 40), st.floats(0, 1), st.booleans(), st.integers(0, 99))
def test_equals_scikit_image(height: int, width: int, noise: float, y: bool, seed: int) -> None:
    sr, hr = random_pair(1, height, width, noise, seed)
    assert float(ssim(sr, hr, y=y)) == pytest.approx(scikit_image_ssim(levels(sr, y=y), levels(hr, y=y)), abs=1e-10)


def test_one_grey_level_apart() -> None:
    ones, twos = (to_float(torch.full((1, 3, 32, 32), value, dtype=torch.uint8)) for value in (1, 2))
    c1 = (0.01 * 255) ** 2
    assert float(ssim(ones, twos)) == pytest.approx((4 + c1) / (5 + c1), abs=1e-12)  # flat images: luminance term only
    assert float(ssim(ones, twos)) == pytest.approx(0.9130623, abs=1e-7)
    assert float(ssim(ones, twos, y=True)) == pytest.approx(0.9987801, abs=1e-7)


@pytest.mark.parametrize("y", [False, True])
def test_identical_images_score_one_and_negatives_less_than_zero(y: bool) -> None:
    _, hr = random_pair(2, 24, 20)
    torch.testing.assert_close(ssim(hr, hr, y=y), torch.ones(2, dtype=torch.float64), rtol=0, atol=1e-12)
    assert (ssim(1 - hr, hr, y=y) < 0).all()


@pytest.mark.parametrize("y", [False, True])
def test_a_score_does_not_depend_on_its_batch(y: bool) -> None:
    sr, hr = random_pair(5, 24, 20)
    together = ssim(sr, hr, y=y, crop=2)
    assert (together.shape, together.dtype) == ((5,), torch.float64)
    alone = torch.cat([ssim(sr[i : i + 1], hr[i : i + 1], y=y, crop=2) for i in range(5)])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-12)
    torch.testing.assert_close(together, ssim(hr, sr, y=y, crop=2), rtol=0, atol=1e-12)


def test_scored_on_the_8_bit_image() -> None:
    sr, hr = random_pair(1, 16, 16)
    sr, hr = to_float(to_uint8(sr)), to_float(to_uint8(hr))
    assert torch.equal(ssim(sr + 0.4 / 255, hr - 0.4 / 255), ssim(sr, hr))


def test_crop_equals_cropping_first() -> None:
    sr, hr = random_pair(2, 30, 27)
    assert torch.equal(ssim(sr, hr, crop=8), ssim(sr[:, :, 8:-8, 8:-8], hr[:, :, 8:-8, 8:-8]))
