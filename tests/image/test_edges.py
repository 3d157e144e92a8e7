from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_laplace
from torch import Tensor
from torch.autograd import gradcheck

from facesr_lib.image import dog, edge_residual, laplacian_of_gaussian, sobel


def random_images(n: int = 2, channels: int = 3, height: int = 24, width: int = 31) -> Tensor:
    return torch.rand((n, channels, height, width), generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("index", range(3))
def test_dog_equals_the_oracle(shared: Path, index: int) -> None:
    oracle = np.load(shared / "oracles" / "edges.npz")
    x = torch.from_numpy(oracle[f"gray{index}"])[None, None].float() / 255
    assert np.allclose(dog(x * 255)[0, 0].numpy(), oracle[f"dog_{index}"], atol=1e-3)


@pytest.mark.parametrize("sigmas", [(1.0, 1.6), (0.5, 2.0), (1.6, 1.0)])
def test_batched_dog_equals_opencv_on_every_image_and_channel(sigmas: tuple[float, float]) -> None:
    x = random_images().float()
    ours = dog(x, *sigmas).permute(0, 2, 3, 1).numpy()
    for image, result in zip(x.permute(0, 2, 3, 1).numpy(), ours, strict=True):
        one, two = (cv2.GaussianBlur(image, (0, 0), sigma) for sigma in sigmas)
        assert np.allclose(result, one - two, atol=1e-5)


def test_dog_has_the_gradient_of_a_linear_map_and_ignores_brightness() -> None:
    x = random_images(1, 1, 16, 16)
    assert gradcheck(dog, x.requires_grad_())
    assert torch.allclose(dog(x + 0.3), dog(x), atol=1e-12)


def test_dog_is_close_to_a_scaled_laplacian_of_gaussian() -> None:
    impulse = torch.zeros(1, 1, 41, 41, dtype=torch.float64)
    impulse[..., 20, 20] = 1
    y, x = torch.meshgrid(*[torch.arange(-20, 21, dtype=torch.float64)] * 2, indexing="ij")
    a, b = 3.0**2, 4.8**2
    sigma = (a * b / (b - a) * np.log(b / a)) ** 0.5  # where the zero crossings agree (Marr and Hildreth 1980)
    r2 = (x**2 + y**2) / sigma**2
    log = (2 - r2) * torch.exp(-r2 / 2)
    response = dog(impulse, 3.0, 4.8)[0, 0]
    assert torch.corrcoef(torch.stack([response.flatten(), log.flatten()]))[0, 1] > 0.98


def test_dog_says_when_an_image_is_too_small() -> None:
    with pytest.raises(ValueError, match=r"24 x 31 are too small to reflect 24 pixels .* smaller kernel or sigma"):
        dog(random_images(), 1.0, 6.0)
    with pytest.raises(ValueError, match="sigma"):
        dog(random_images(), 0.0, 1.0)


@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.0])
def test_laplacian_of_gaussian_equals_scipy(sigma: float) -> None:
    x = random_images()
    ours = laplacian_of_gaussian(x, sigma)
    assert ours.shape == x.shape
    for image, result in zip(x.flatten(0, 1), ours.flatten(0, 1), strict=True):
        np.testing.assert_allclose(result, gaussian_laplace(image.numpy(), sigma, mode="mirror"), atol=1e-9)


def test_laplacian_of_gaussian_of_a_wave_is_the_closed_form() -> None:
    u = torch.arange(64, dtype=torch.float64)
    sigma, frequency = 2.0, 0.6  # radians a pixel
    wave = torch.cos(frequency * u).expand(1, 1, 64, 64)
    expected = -(frequency**2) * np.exp(-((sigma * frequency) ** 2) / 2) * wave
    inside = (..., slice(12, 52), slice(12, 52))
    # The taps end at 4 sigma.
    assert torch.allclose(laplacian_of_gaussian(wave, sigma)[inside], expected[inside], atol=2e-4)
    with pytest.raises(ValueError, match="sigma"):
        laplacian_of_gaussian(wave, -1.0)


def test_sobel_equals_opencv() -> None:
    x = random_images()
    ours = sobel(x)
    assert ours.shape == (2, 6, 24, 31)
    for image, result in zip(x, ours, strict=True):
        picture = image.permute(1, 2, 0).numpy()
        across, down = (cv2.Sobel(picture, cv2.CV_64F, *order, ksize=3) for order in ((1, 0), (0, 1)))
        assert np.allclose(result.permute(1, 2, 0).numpy(), np.concatenate([across, down], axis=2))


@pytest.mark.parametrize("k", [1, 2, 5, 10])
def test_edge_residual_equals_its_definition_pixel_by_pixel(k: int) -> None:
    x = random_images(1, 2, 12, 13)
    ours = edge_residual(x, k)
    for row in range(12):
        for column in range(13):
            top, left = max(0, row - (k - 1) // 2), max(0, column - (k - 1) // 2)
            window = x[..., top : row + k // 2 + 1, left : column + k // 2 + 1]
            expected = (x[..., row, column] - window.mean(dim=(2, 3))).clamp(min=0)
            assert torch.allclose(ours[..., row, column], expected)


def test_edge_residual_is_zero_on_flat_images_up_to_the_border() -> None:
    assert edge_residual(torch.full((1, 3, 9, 9), 0.7, dtype=torch.float64), 7).abs().max() < 1e-12
    with pytest.raises(ValueError, match="k:"):
        edge_residual(random_images(), 0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_edge_residual_keeps_its_precision_under_autocast(dtype: torch.dtype) -> None:
    x = random_images().to(dtype)
    with torch.autocast("cpu", torch.bfloat16):
        found = edge_residual(x, 7)
        assert edge_residual(torch.full((1, 1, 48, 48), 0.7, dtype=dtype), 10).abs().max() < 1e-6
    assert found.dtype == dtype
    torch.testing.assert_close(found, edge_residual(x.double(), 7).to(dtype), atol=1e-6, rtol=1e-2)
    assert edge_residual(x.to("meta"), 7).shape == x.shape
