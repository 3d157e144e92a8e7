from __future__ import annotations

import io
from dataclasses import FrozenInstanceError
from math import sqrt

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import v2 as tv

from facesr_lib.image import (
    AveragePooling,
    Bicubic,
    BlurResize,
    Degradation,
    add_gaussian_noise,
    add_sensor_noise,
    gaussian_blur,
    jpeg,
    quantize,
    resize_bicubic,
    resize_bilinear,
    to_uint8,
)

DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
NAMED: list[tuple[Degradation, str]] = [
    (Bicubic(4), "bicubic /4"),
    (AveragePooling(8), "average pooling /8"),
    (BlurResize(2), "Gaussian blur 7x7 sigma 5, bilinear /2"),
    (BlurResize(4, kernel_size=5, sigma=1.5), "Gaussian blur 5x5 sigma 1.5, bilinear /4"),
]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_images(n: int = 2, height: int = 32, width: int = 48) -> Tensor:
    return torch.rand((n, 3, height, width), generator=seeded())


def smooth_images(n: int = 2) -> Tensor:
    return ((gaussian_blur(random_images(n), 11, 3.0) - 0.5) * 4 + 0.5).clamp(0, 1)


def grey(level: float, n: int = 1) -> Tensor:
    return torch.full((n, 3, 200, 200), level)


# --- noise


@pytest.mark.parametrize("level", [0.25, 0.5])
def test_gaussian_noise_has_the_stated_deviation_whatever_the_level(level: float) -> None:
    noise = add_gaussian_noise(grey(level), 0.05, seeded()) - level
    assert float(noise.mean()) == pytest.approx(0, abs=6 * 0.05 / sqrt(120_000))
    assert float(noise.std()) == pytest.approx(0.05, rel=0.02)


@pytest.mark.parametrize("level", [0.25, 0.5])
def test_sensor_noise_variance_grows_with_the_signal(level: float) -> None:
    noise = add_sensor_noise(grey(level), shot=0.004, read=0.03, generator=seeded()) - level
    assert float(noise.var()) == pytest.approx(0.004 * level + 0.03**2, rel=0.03)
    black = add_sensor_noise(grey(0.0), shot=0.004, read=0, generator=seeded())
    assert torch.equal(black, grey(0.0))


def test_noise_stays_in_range_and_pixels_are_independent() -> None:
    assert add_gaussian_noise(random_images(), 2.0, seeded()).aminmax() == (0, 1)
    assert add_sensor_noise(random_images(), 4.0, 2.0, seeded()).aminmax() == (0, 1)
    noise = (add_gaussian_noise(grey(0.5), 0.05, seeded()) - 0.5) / 0.05
    for other in (noise.roll(1, dims=3), noise.roll(1, dims=2), noise.roll(1, dims=1)):
        assert abs(float((noise * other).mean())) < 6 / sqrt(120_000)


def test_no_noise_changes_nothing() -> None:
    x = random_images()
    assert torch.equal(add_gaussian_noise(x, 0, seeded()), x)
    assert torch.equal(add_sensor_noise(x, 0, 0, seeded()), x)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_noise_depends_on_the_generator_only(dtype: torch.dtype, device: str) -> None:
    x = smooth_images()
    reference = add_gaussian_noise(x, 0.1, seeded(3))
    torch.manual_seed(99)
    found = add_gaussian_noise(x.to(device, dtype), 0.1, seeded(3))
    assert (found.dtype, found.device.type) == (dtype, device)
    torch.testing.assert_close(found.float().cpu(), reference, rtol=0, atol=1e-6)
    assert not torch.equal(add_gaussian_noise(x, 0.1, seeded(4)), reference)


def test_negative_noise_is_refused() -> None:
    x = random_images()
    with pytest.raises(ValueError, match="sigma: expected a number >= 0, got -1"):
        add_gaussian_noise(x, -1, seeded())
    with pytest.raises(ValueError, match="shot"):
        add_sensor_noise(x, -1, 0, seeded())
    with pytest.raises(ValueError, match="read"):
        add_sensor_noise(x, 0, float("nan"), seeded())


# --- JPEG


def pillow_jpeg(x: Tensor, quality: int) -> np.ndarray:
    file = io.BytesIO()
    pixels = to_uint8(x)[0].permute(1, 2, 0).numpy()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return np.asarray(Image.open(file)).astype(int)


@pytest.mark.parametrize("quality", [5, 50, 95])
def test_jpeg_equals_pillow_with_halved_colour(quality: int) -> None:
    x = smooth_images(1)
    found = to_uint8(jpeg(x, quality))[0].permute(1, 2, 0).numpy().astype(int)
    assert np.abs(found - pillow_jpeg(x, quality)).max() <= 2
    assert np.abs(found - to_uint8(x)[0].permute(1, 2, 0).numpy()).max() > 2  # so that the line above can fail


@pytest.mark.parametrize("device", DEVICES)
def test_jpeg_keeps_shape_dtype_and_device_and_gives_whole_levels(device: str) -> None:
    x = smooth_images(3)[..., :31, :45].to(device, torch.float64)
    out = jpeg(x, (30, 60), seeded())
    assert (out.shape, out.dtype, out.device) == (x.shape, x.dtype, x.device)
    assert torch.equal(out, quantize(out))
    assert not jpeg(x.requires_grad_(), 50).requires_grad


def test_each_image_draws_its_own_quality() -> None:
    x = smooth_images(1).expand(12, -1, -1, -1)
    out = jpeg(x, (20, 22), seeded(1))
    exact = {q: jpeg(x[:1], q)[0] for q in (20, 21, 22)}
    drawn = [next(q for q, image in exact.items() if torch.equal(image, one)) for one in out]
    assert set(drawn) == {20, 21, 22}
    assert torch.equal(jpeg(x, (20, 22), seeded(1)), out)
    assert not torch.equal(jpeg(x, (20, 22), seeded(2)), out)
    assert torch.equal(jpeg(x, (21, 21)), jpeg(x, 21))


@pytest.mark.parametrize("quality", [0, 101, (50, 40), (0, 10), (90, 101)])
def test_bad_quality_is_refused(quality: int | tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="quality"):
        jpeg(random_images(), quality, seeded())


def test_a_quality_range_needs_a_generator() -> None:
    with pytest.raises(ValueError, match=r"generator: needed .* pass a torch\.Generator"):
        jpeg(random_images(), (10, 20))


# --- named degradations


@pytest.mark.parametrize(("degrade", "name"), NAMED)
@pytest.mark.parametrize("device", DEVICES)
def test_named_degradations(degrade: Degradation, name: str, device: str) -> None:
    assert degrade.name == name
    hr = smooth_images(3).to(device)
    lr = degrade(hr, seeded())
    assert (lr.shape, lr.dtype, lr.device) == ((3, 3, 32 // degrade.scale, 48 // degrade.scale), hr.dtype, hr.device)
    assert torch.equal(lr, quantize(lr))
    assert torch.equal(lr, degrade(hr))  # none of these draws random numbers
    assert torch.equal(lr[1:2], degrade(hr[1:2]))
    assert not degrade(hr.requires_grad_()).requires_grad


@pytest.mark.parametrize(("degrade", "_name"), NAMED)
def test_a_size_the_scale_does_not_divide_is_refused(degrade: Degradation, _name: str) -> None:
    with pytest.raises(ValueError, match=f"hr: height 31 and width 48 must be multiples of {degrade.scale}; crop to"):
        degrade(random_images(1, 31, 48))


def test_bicubic_is_matlabs_clipped_and_rounded() -> None:
    hr = (random_images() > 0.5).float()  # black and white noise: overshoots on both sides
    free = resize_bicubic(hr, 0.5)
    assert free.min() < 0 < 1 < free.max()
    assert torch.equal(Bicubic(2)(hr), (free.clamp(0, 1) * 255).round() / 255)
    assert Bicubic(10)(random_images(1, 70, 70)).shape == (1, 3, 7, 7)


def test_average_pooling_is_three_halvings_up_to_rounding() -> None:
    hr = random_images()
    halvings = resize_bilinear(resize_bilinear(resize_bilinear(hr, 0.5), 0.5), 0.5)
    assert (AveragePooling(8)(hr) - halvings).abs().max() <= 0.501 / 255


def test_blur_resize_equals_torchvisions_transforms() -> None:
    hr = random_images()
    paper = tv.Compose([tv.GaussianBlur(7, sigma=(5.0, 5.0)), tv.Resize((16, 24), antialias=True)])
    assert (BlurResize(2)(hr) - paper(hr)).abs().max() <= 0.501 / 255


def test_scale_one_only_rounds() -> None:
    hr = random_images()
    for degrade in (Bicubic(1), AveragePooling(1)):
        assert torch.equal(degrade(hr), quantize(hr))


def test_degradations_are_values() -> None:
    assert {Bicubic(2), Bicubic(2), BlurResize(2)} == {BlurResize(2, 7, 5.0), Bicubic(2)}
    assert Bicubic(2) != AveragePooling(2)
    with pytest.raises(FrozenInstanceError):
        Bicubic(2).scale = 3  # type: ignore[misc]


@pytest.mark.parametrize("kind", [Bicubic, AveragePooling, BlurResize])
@pytest.mark.parametrize("scale", [0, -2, 0.5])
def test_bad_scale_is_refused(kind: type[Bicubic], scale: int) -> None:
    with pytest.raises(ValueError, match="scale: expected a whole number >= 1"):
        kind(scale)
