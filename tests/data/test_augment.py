"""Jitter: its limits are measured on blobs and flat images, whose new place, angle and brightness are known."""

import math

import pytest
import torch

from facesr_lib.data import ImageSet, PairedBatches, UnpairedBatches, augment, degrade_set
from facesr_lib.data.augment import jitter
from facesr_lib.image import Bicubic, average_pool

SIDE = 64


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def blob(x: float, y: float) -> torch.Tensor:
    """A soft spot on black, (1, 1, SIDE, SIDE), at a place in pixels from the centre."""
    at = torch.arange(SIDE) - (SIDE - 1) / 2
    return torch.exp(-((at[None, :] - x) ** 2 + (at[:, None] - y) ** 2) / 18)[None, None]


def centres(images: torch.Tensor) -> torch.Tensor:
    """The centre of mass of each image, (N, 2), in pixels from the middle."""
    at = torch.arange(SIDE) - (SIDE - 1) / 2
    mass = images.sum((1, 2, 3))
    return torch.stack([(images * at[None, :]).sum((1, 2, 3)), (images * at[:, None]).sum((1, 2, 3))], dim=1) / mass[:, None]


def test_without_limits_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SHIFT", "TURN", "ZOOM", "STRETCH", "GAIN", "GAMMA"):
        monkeypatch.setattr(augment, name, 0.0)
    hr = torch.rand(3, 3, 20, 24, generator=seeded())
    torch.testing.assert_close(jitter(hr, seeded(1)), hr, atol=1e-5, rtol=0)


def test_images_are_shifted_up_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TURN", "ZOOM", "STRETCH"):
        monkeypatch.setattr(augment, name, 0.0)
    moved = centres(jitter(blob(0, 0).repeat(400, 1, 1, 1), seeded())).abs()
    most = augment.SHIFT * SIDE
    assert 0.9 * most < moved[:, 0].max() <= 1.02 * most
    assert 0.9 * most < moved[:, 1].max() <= 1.02 * most


def test_images_are_turned_and_zoomed_up_to_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augment, "STRETCH", 0.0)
    one, other = (centres(jitter(blob(x, 0).repeat(400, 1, 1, 1), seeded())) for x in (-14, 14))
    x, y = (other - one).T
    turned = torch.rad2deg(torch.atan2(y, x))
    zoomed = torch.hypot(x, y) / 28
    assert 0.9 * augment.TURN < turned.max() < augment.TURN + 0.5
    assert -augment.TURN - 0.5 < turned.min() < -0.9 * augment.TURN
    assert 1 + 0.8 * augment.ZOOM < zoomed.max() < 1.01 + augment.ZOOM
    assert 0.99 / (1 + augment.ZOOM) < zoomed.min() < 1 - 0.7 * augment.ZOOM


def test_stretching_changes_the_sides_against_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SHIFT", "TURN", "ZOOM"):
        monkeypatch.setattr(augment, name, 0.0)
    across = centres(jitter(blob(14, 0).repeat(100, 1, 1, 1), seeded()))[:, 0] / 14
    down = centres(jitter(blob(0, 14).repeat(100, 1, 1, 1), seeded()))[:, 1] / 14
    torch.testing.assert_close(across * down, torch.ones(100), atol=0.02, rtol=0)
    assert 1 + 0.7 * augment.STRETCH < across.max() < 1.01 + augment.STRETCH


def test_brightness_follows_a_gain_and_a_gamma() -> None:
    grey, white = (jitter(torch.full((400, 3, 16, 16), value), seeded())[:, 0, 8, 8] for value in (0.5, 1.0))
    gain = white.clamp(max=1)  # 1 to any power is 1; what is over 1 is cut
    darker = gain < 1
    gamma = torch.log2(gain / grey)[darker]  # grey = gain * 0.5 ** gamma
    assert 1 / (1 + augment.GAIN) - 1e-4 < gain.min() < 1 - 0.8 * augment.GAIN
    assert gamma.min() > 1 / (1 + augment.GAMMA) - 1e-3
    assert gamma.max() < 1 + augment.GAMMA + 1e-3
    assert math.log(gamma.max() / gamma.min()) > 1.6 * math.log1p(augment.GAMMA)


def test_colours_stay_and_every_image_differs() -> None:
    hr = torch.rand(6, 1, 24, 24, generator=seeded()).repeat(1, 3, 1, 1)
    found = jitter(hr, seeded(1))
    assert torch.equal(found[:, 0], found[:, 1])
    assert torch.equal(found[:, 0], found[:, 2])
    assert found.min() >= 0
    assert found.max() <= 1
    assert found.shape == hr.shape
    same = jitter(hr[:1].repeat(6, 1, 1, 1), seeded(1))
    assert len({tuple(image.flatten().tolist()) for image in same}) == 6
    assert torch.equal(jitter(hr, seeded(1)), found)


def test_batches_make_lr_from_the_changed_hr() -> None:
    faces = ImageSet("faces", (255 * torch.rand(6, 16, 16, 3, generator=seeded())).byte().numpy(), tuple("abcdef"), "")
    plain, changed = (PairedBatches(faces, lambda hr, _: average_pool(hr, 4), 6, 0, augment=how)(2) for how in (None, jitter))
    assert torch.equal(changed["lr"], average_pool(changed["hr"], 4))
    assert not torch.equal(changed["hr"], plain["hr"])
    real = degrade_set(faces, Bicubic(4))
    plain, changed = (UnpairedBatches(faces, real, Bicubic(4), 6, 0, augment=how)(2) for how in (None, jitter))
    assert torch.equal(changed["real_lr"], plain["real_lr"])
    assert not torch.equal(changed["hr"], plain["hr"])
