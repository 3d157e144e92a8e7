"""NIQE: the oracle values, the fits against samples of known parameters, and what it refuses."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.special import gamma
from skimage.data import astronaut
from torch import Tensor

from facesr_lib.image import average_pool, gaussian_blur, quantize, resize_bicubic, to_float
from facesr_lib.metrics.niqe import block_features, fit_aggd, niqe, niqe_metric, normalised
from facesr_lib.metrics.weights import WeightsMissing

module = importlib.import_module("facesr_lib.metrics.niqe")  # the package exports the function of this name
DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


@pytest.fixture
def real_parameters(need: Callable[[str], Path]) -> None:
    need("niqe")


@pytest.fixture
def some_parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parameters that are not the authors', for everything that does not depend on them."""
    path = tmp_path / "parameters.npz"
    np.savez(path, mu_pris_param=np.ones((1, 36)), cov_pris_param=np.eye(36))
    monkeypatch.setattr(module, "require", lambda name: path)


def images(levels: NDArray[np.uint8]) -> Tensor:
    return to_float(torch.from_numpy(levels.copy()).permute(2, 0, 1)[None])


def photo(height: int = 192, width: int = 192) -> Tensor:
    return images(astronaut()[:height, 100 : 100 + width])


def grey(plane: NDArray[np.uint8]) -> Tensor:
    return images(np.repeat(plane[..., None], 3, axis=2))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("kind", ["hr", "sr"])
@pytest.mark.parametrize("pair", ["04", "05"])
def test_equals_basicsr(shared: Path, real_parameters: None, pair: str, kind: str, device: str) -> None:
    oracle = json.loads((shared / "oracles" / "metrics.json").read_text(encoding="utf-8"))
    expected, tolerance = oracle["pairs"][pair], oracle["tolerance"]["niqe"]
    x = images(np.array(Image.open(shared / "oracles" / "pairs" / f"{pair}_{kind}.png").convert("RGB"))).to(device)
    score = float(niqe(x))
    assert score == pytest.approx(expected["niqe"][kind], rel=0, abs=tolerance)
    assert score == pytest.approx(expected["niqe_all_float64"][kind], rel=0, abs=tolerance)
    gray = expected["not_to_follow"]["niqe_gray"][kind]
    assert float(niqe(x, luma="gray")) == pytest.approx(gray, rel=0, abs=tolerance)


def test_grey_is_matlabs() -> None:
    """rgb2gray: the first row of the inverse of NTSC's matrix, from YIQ to RGB, in the digits of its documentation."""
    to_rgb = np.array([[1.0, 0.956, 0.621], [1.0, -0.272, -0.647], [1.0, -1.106, 1.703]])
    np.testing.assert_allclose(module._RGB2GRAY, np.linalg.inv(to_rgb)[0], atol=1e-15)


def test_blur_and_noise_are_unnatural(real_parameters: None) -> None:
    x = photo(288, 288)
    noise = 0.1 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    clean, blurred, noisy = (float(niqe(y)) for y in (x, gaussian_blur(x, 13, 2.0), (x + noise).clamp(0, 1)))
    assert 2 < clean < 6
    assert blurred > clean + 2
    assert noisy > clean + 2


def sample(shape: float, left: float, right: float, n: int, seed: int) -> NDArray[np.float64]:
    """Asymmetric generalised Gaussian: sides in proportion to their scales, magnitudes a power of a gamma variable."""
    rng = np.random.default_rng(seed)
    magnitude = rng.gamma(1 / shape, size=n) ** (1 / shape)
    return np.where(rng.random(n) < left / (left + right), -left, right) * magnitude


@pytest.mark.parametrize(("shape", "left", "right"), [(2.0, 1.0, 1.0), (1.0, 0.5, 1.5), (0.6, 2.0, 1.0), (4.0, 1.0, 0.7)])
def test_the_fit_recovers_known_parameters(shape: float, left: float, right: float) -> None:
    found = fit_aggd(sample(shape, left, right, 400_000, seed=0)[None])
    np.testing.assert_allclose(np.concatenate(found), [shape, left, right], rtol=0.03)


def test_the_fit_takes_the_nearest_shape_of_the_grid() -> None:
    values = np.random.default_rng(0).standard_t(4, size=(50, 500))
    shapes = np.arange(0.2, 10.0005, 0.001)
    ratio = gamma(2 / shapes) ** 2 / (gamma(1 / shapes) * gamma(3 / shapes))
    for one, found in zip(values, fit_aggd(values)[0], strict=True):
        spread = np.sqrt(np.mean(one[one < 0] ** 2)) / np.sqrt(np.mean(one[one > 0] ** 2))
        target = np.mean(np.abs(one)) ** 2 / np.mean(one**2) * (spread**3 + 1) * (spread + 1) / (spread**2 + 1) ** 2
        assert found == pytest.approx(shapes[np.argmin((ratio - target) ** 2)], abs=1e-9)


def test_the_fit_scales_with_the_values_and_mirrors_with_them() -> None:
    values = np.random.default_rng(0).normal(0.2, 1, size=(3, 4000))
    shape, left, right = fit_aggd(values)
    for found, expected in zip(fit_aggd(-3 * values), (shape, 3 * right, 3 * left), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_values_on_one_side_of_zero_have_no_fit() -> None:
    for found in fit_aggd(np.stack([np.zeros(10), np.arange(10.0), -np.arange(10.0)])):
        assert np.isnan(found).all()


def test_normalised_levels() -> None:
    plane = np.random.default_rng(0).integers(0, 200, (40, 50)).astype(float)
    flat = np.full((40, 50), 123.0)
    assert not normalised(flat).any()
    np.testing.assert_allclose(normalised(plane + 55), normalised(plane), atol=1e-9)  # brightness does not matter
    half = np.where(np.arange(50) < 25, plane, 7.0)
    assert not normalised(half)[:, 28:].any()  # farther from the texture than the window reaches
    dot = np.zeros((15, 15))
    dot[7, 7] = 255
    window = np.exp(-(np.hypot(*np.mgrid[-3:4, -3:4]) ** 2) / (2 * (7 / 6) ** 2))
    peak = (window / window.sum())[3, 3]
    assert normalised(dot)[7, 7] == pytest.approx(255 * (1 - peak) / (255 * np.sqrt(peak - peak**2) + 1))


def test_features_are_those_of_the_blocks() -> None:
    plane = np.random.default_rng(0).integers(0, 256, (200, 300)).astype(float)
    features = block_features(plane)
    assert features.shape == (6, 36)
    np.testing.assert_array_equal(block_features(plane[:192, :288]), features)  # the rest is cut off
    np.testing.assert_array_equal(features[:, [0, 1]], np.stack(scale_one(plane), axis=1))


def scale_one(plane: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The first two features, block by block, row by row."""
    level = normalised(plane[:192, :288])
    blocks = [level[i : i + 96, j : j + 96] for i in (0, 96) for j in (0, 96, 192)]
    shape, left, right = fit_aggd(np.stack(blocks))
    return shape, (left + right) / 2


def test_blank_blocks_are_left_out(some_parameters: None) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (192, 384), dtype=np.uint8)
    noise[:, 192:] = 200
    assert block_features(noise.astype(float)).shape == (6, 36)  # four of noise, two that the edge runs into
    assert niqe(grey(noise)).isfinite().all()


def test_images_without_texture_are_refused(some_parameters: None) -> None:
    stripes = np.tile(np.arange(192, dtype=np.uint8) % 2 * 255, (192, 1))
    ramp = np.tile(np.arange(192, dtype=np.uint8), (192, 1))
    for plane in (np.full((192, 192), 128, np.uint8), np.zeros((192, 192), np.uint8), stripes, ramp):
        with pytest.raises(ValueError, match=r"image 1 has [01] textured blocks of 96 x 96 px, NIQE needs 2"):
            niqe(torch.cat([photo(), grey(plane)]))


def test_small_images_need_the_enlargement(some_parameters: None) -> None:
    x = average_pool(photo(), 3)
    with pytest.raises(ValueError, match=r"64 x 64 are under 192 px a side.*enlarge=True"):
        niqe(x)
    with pytest.raises(ValueError, match=r"64 x 64 enlarged x2 are under 192 px"):
        niqe(x, enlarge=2)
    rgb = quantize(x.double())
    for enlarge, factor in ((True, 3), (3, 3), (4, 4)):
        torch.testing.assert_close(niqe(x, enlarge=enlarge), niqe(quantize(resize_bicubic(rgb, factor))), rtol=0, atol=1e-12)
    large = photo(200, 250)
    assert niqe(large, enlarge=True) == niqe(large)
    for bad in (0, -1, 1.5):
        with pytest.raises(ValueError, match="enlarge: expected True, False or a whole factor"):
            niqe(large, enlarge=bad)  # type: ignore[arg-type]


def test_the_record_states_the_enlargement(some_parameters: None) -> None:
    for size, label in ((192, ""), (256, ""), (191, ", bicubic x2"), (64, ", bicubic x3"), (48, ", bicubic x4")):
        metric = niqe_metric(size)
        assert metric.label == metric.convention == f"NIQE (Y, BasicSR blocks{label})"
    x = torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    assert torch.equal(niqe_metric(48)(x), niqe(x, enlarge=4))


def test_a_score_does_not_depend_on_its_batch(some_parameters: None) -> None:
    x = torch.cat([photo(), photo().flip(3), (photo() * 0.7 + 0.1)])
    together = niqe(x)
    assert (together.shape, together.dtype, together.requires_grad) == ((3,), torch.float64, False)
    assert torch.equal(niqe(x.requires_grad_()), together)
    assert torch.equal(torch.cat([niqe(one) for one in x.split(1)]), together)
    assert niqe(torch.rand(0, 3, 192, 192)).shape == (0,)


def test_scored_on_the_8_bit_image(some_parameters: None) -> None:
    assert torch.equal(niqe(photo() + 0.4 / 255), niqe(photo()))


def test_bad_arguments_are_refused() -> None:
    x = photo()
    with pytest.raises(ValueError, match="expected 3 channels"):
        niqe(x[:, :1])
    with pytest.raises(ValueError, match='luma: expected "y" or "gray", got \'rgb\''):
        niqe(x, luma="rgb")  # type: ignore[arg-type]
    broken = torch.cat([x, x])
    broken[1, 0, 5, 5] = torch.nan
    with pytest.raises(ValueError, match=r"NaN or infinity in the images at \[1\]"):
        niqe(broken)


def test_missing_and_wrong_parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACESR_CACHE", str(tmp_path))
    with pytest.raises(WeightsMissing, match="facesr weights fetch niqe"):
        niqe(photo())
    for name, content in (("empty", {}), ("other", {"mu_pris_param": np.ones(3), "cov_pris_param": np.eye(3)})):
        path = tmp_path / f"{name}.npz"
        np.savez(path, **content)
        with pytest.raises(ValueError, match=rf"{name}\.npz .*facesr weights fetch niqe"):
            module.pristine(path)
    path.write_bytes(b"not an archive")
    with pytest.raises(ValueError, match="does not hold NIQE's parameters"):
        module.pristine(path)
