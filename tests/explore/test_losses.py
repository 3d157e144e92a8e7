"""Damages, the common scale, gradients as pictures, and following one loss, against closed forms."""

from __future__ import annotations

import math

import matplotlib as mpl
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from facesr_lib.explore.losses import (
    Damage,
    DiscriminatorConfig,
    DiscriminatorTraining,
    LossScale,
    bicubic_sr,
    descend,
    discriminator_losses,
    heat,
    image_losses,
    loss_gradient,
    wish,
)
from facesr_lib.image import chroma, gaussian_blur, resize_bicubic, rgb_to_grey
from facesr_lib.losses import total_variation
from facesr_lib.metrics import psnr, ssim
from facesr_lib.papers.isr_kd import Discriminator
from facesr_lib.training import unwrap


def picture(size: int = 32, seed: int = 0) -> Tensor:
    """Smooth colours well inside [0, 1], so that no damage is clamped."""
    cells = torch.rand(1, 3, 6, 6, generator=torch.Generator().manual_seed(seed))
    return 0.3 + 0.4 * F.interpolate(cells, size=(size, size), mode="bilinear", align_corners=True)


@pytest.fixture(scope="module")
def discriminator() -> Discriminator:
    torch.manual_seed(0)
    return Discriminator(16, 1 / 16, levels=1.0).eval()


def test_damages_do_what_their_names_say() -> None:
    image = picture()
    assert torch.equal(Damage()(image), image)
    torch.testing.assert_close(Damage(shift=2)(image)[..., 2:], image[..., :-2])
    torch.testing.assert_close(Damage(shift=-0.5)(image)[..., :-1], (image[..., :-1] + image[..., 1:]) / 2)
    torch.testing.assert_close(Damage(blur=1.0)(image), gaussian_blur(image, 7, 1.0))
    noise = Damage(noise=10)(image) - image
    assert noise.std().item() * 255 == pytest.approx(10, rel=0.05)
    assert torch.equal(Damage(noise=10)(image), Damage(noise=10)(image))
    flat = Damage(contrast=0.5)(image)
    assert flat.std().item() == pytest.approx(image.std().item() / 2)
    assert flat.mean().item() == pytest.approx(image.mean().item())


def test_a_colour_cast_keeps_the_luma() -> None:
    image = picture()
    tinted = Damage(warmth=0.05)(image)
    torch.testing.assert_close(rgb_to_grey(tinted), rgb_to_grey(image), atol=1e-5, rtol=0)
    drift = (chroma(tinted) - chroma(image)).mean((0, 2, 3))
    torch.testing.assert_close(drift, torch.tensor([-0.05, 0.05]), atol=1e-5, rtol=0)
    assert (tinted[:, 0] > image[:, 0]).all()  # orange: more red, less blue
    assert (tinted[:, 2] < image[:, 2]).all()


def test_damages_stay_images_and_are_named() -> None:
    everything = Damage(4, 4, 40, 1.6, 0.2)(torch.rand(2, 3, 8, 8))
    assert everything.shape == (2, 3, 8, 8)
    assert 0 <= everything.min() <= everything.max() <= 1
    assert Damage().name == "untouched"
    assert Damage(shift=0.5, noise=8).name == "shift 0.5, noise 8"


def test_bicubic_sr_fits_any_size() -> None:
    hr = torch.rand(1, 3, 32, 32)
    expected = resize_bicubic(resize_bicubic(hr, 0.25), 4).clamp(0, 1)
    torch.testing.assert_close(bicubic_sr(hr), expected)
    assert bicubic_sr(torch.rand(1, 3, 30, 30)).shape == (1, 3, 30, 30)


def test_the_scale_is_0_at_hr_and_1_at_bicubic(discriminator: Discriminator) -> None:
    hr = picture(16)
    scale = LossScale(hr, {**image_losses(), **discriminator_losses(discriminator)})
    shares = {name: reading.share for name, reading in scale(hr).items()}
    assert shares == dict.fromkeys(shares, 0.0)
    shares = {name: reading.share for name, reading in scale(scale.bicubic).items()}
    assert shares == pytest.approx(dict.fromkeys(shares, 1.0))
    assert scale(hr)["PSNR"].text == "infinite"


def test_shares_and_texts_are_those_of_the_values() -> None:
    hr = picture(32)
    sr = Damage(noise=10, shift=1)(hr)
    scale = LossScale(hr, image_losses())
    found = scale(sr)
    bicubic = bicubic_sr(hr)
    assert found["L1"].share == pytest.approx((F.l1_loss(sr, hr) / F.l1_loss(bicubic, hr)).item())
    assert found["PSNR"].share == pytest.approx(10 ** ((psnr(bicubic, hr) - psnr(sr, hr)).item() / 10))
    assert found["SSIM"].share == pytest.approx(((1 - ssim(sr, hr)) / (1 - ssim(bicubic, hr))).item())
    assert found["PSNR"].text == f"{psnr(sr, hr).item():.1f} dB"
    assert found["SSIM"].text == f"{ssim(sr, hr).item():.3f}"
    assert [name for name, reading in found.items() if reading.score] == ["PSNR", "SSIM"]


def test_a_picture_without_detail_has_no_scale() -> None:
    flat = torch.full((1, 3, 16, 16), 0.5)
    assert math.isnan(LossScale(flat, image_losses())(Damage(noise=5)(flat))["edge (Sobel L1)"].share)


def test_gradients_are_the_slopes() -> None:
    sr, hr = picture(seed=1), picture()
    value, gradient = loss_gradient(F.mse_loss, sr, hr)
    assert value == pytest.approx(F.mse_loss(sr, hr).item())
    torch.testing.assert_close(gradient, 2 * (sr - hr) / sr.numel())
    assert not sr.requires_grad


def test_one_discriminator_pulls_in_one_direction_whatever_the_game(discriminator: Discriminator) -> None:
    sr, hr = picture(16, seed=1), picture(16)
    games = [loss_gradient(loss, sr, hr)[1].flatten() for loss in list(discriminator_losses(discriminator).values())[:3]]
    (slope,) = torch.autograd.grad(discriminator(x := sr.clone().requires_grad_(True)).sum(), x)
    for gradient in games:
        assert F.cosine_similarity(gradient, -slope.flatten(), dim=0).item() == pytest.approx(1, abs=1e-5)
    score = discriminator(sr).item()
    assert games[0].norm().item() == pytest.approx(slope.norm().item() / (1 + math.exp(score)), rel=1e-4)
    assert games[1].norm().item() == pytest.approx(slope.norm().item(), rel=1e-4)
    assert discriminator_losses(discriminator)["identity (JS)"](hr, hr).item() == pytest.approx(0, abs=1e-6)


def test_a_wish_is_grey_for_nothing_and_bright_where_more_is_wanted() -> None:
    gradient = torch.zeros(2, 3, 10, 10)
    assert (wish(gradient) == 0.5).all()
    gradient[0, :, 0, :] = -2.0
    gradient[0, :, 1, :] = 1.0
    shown = wish(gradient)
    assert (shown[0, :, 0] == 1).all()
    assert (shown[0, :, 1] == 0.25).all()
    assert (shown[1] == 0.5).all()


def test_a_heat_map_runs_from_blue_to_yellow() -> None:
    gradient = torch.zeros(1, 3, 10, 10)
    gradient[0, :, 0, :] = torch.tensor([2.0, -2.0, 1.0])[:, None]  # of length 3
    shown = heat(gradient)
    ends = [mpl.colormaps["cividis"](end)[:3] for end in (0.0, 1.0)]
    np.testing.assert_allclose(shown[0, :, 5, 5], ends[0], atol=1e-6)
    np.testing.assert_allclose(shown[0, :, 0, 5], ends[1], atol=1e-6)


def test_descending_ends_where_the_loss_is_least() -> None:
    targets = torch.cat([picture(8, seed) for seed in range(5)])
    start = torch.full((1, 3, 8, 8), 0.5)
    mean = descend(lambda x: F.mse_loss(x.expand_as(targets), targets), start, 100)
    torch.testing.assert_close(mean, targets.mean(0, keepdim=True), atol=5e-3, rtol=0)
    median = descend(lambda x: F.l1_loss(x.expand_as(targets), targets), start, 100)
    assert (median - targets.median(0, keepdim=True).values).abs().mean() < 5e-3
    assert not mean.requires_grad
    assert (start == 0.5).all()


def test_descending_keeps_to_its_limits() -> None:
    brighter = descend(lambda x: -x.sum(), torch.full((1, 3, 4, 4), 0.9))
    assert (brighter == 1).all()
    assert descend(lambda x: -x.sum(), torch.zeros(1, 2, 4, 4), limits=None).min() > 0.1
    assert (descend(lambda x: -x.sum(), torch.zeros(2), steps=1, rate=3.0, limits=None) > 2.9).all()
    flow = torch.randn(1, 2, 6, 6, generator=torch.Generator().manual_seed(0)) + 3
    assert total_variation(descend(total_variation, flow, 300, 0.2, None)) < 0.05 * total_variation(flow)


@pytest.mark.parametrize("r1_gamma", [0.0, 1.0])
def test_a_discriminator_learns_to_prefer_hr(r1_gamma: float) -> None:
    torch.manual_seed(0)
    method = DiscriminatorTraining(DiscriminatorConfig(16, r1_gamma))
    method.build()
    hr = torch.cat([(picture(16, seed) + 0.1 * torch.randn(1, 3, 16, 16)).clamp(0, 1) for seed in range(6)])
    lr = resize_bicubic(hr, 0.25)
    logs = [method.step({"hr": hr, "lr": lr}) for _ in range(30)]
    assert set(logs[0]) == {"real", "fake"} | ({"r1"} if r1_gamma else set())
    discriminator = unwrap(method.networks["discriminator"])
    with torch.no_grad():
        assert (discriminator(hr) > discriminator(method.super_resolve(lr))).all()
