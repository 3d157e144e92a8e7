"""What the pictures and the slider of a growing network show is the network at that level and alpha."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facesr_lib.explore.canvas import panels, png
from facesr_lib.explore.growing import growth, growth_explorer, growth_fade, growth_strip
from facesr_lib.papers.selfsr import Config, SelfSR


@pytest.fixture(scope="module")
def method() -> SelfSR:
    torch.manual_seed(0)
    method = SelfSR(replace(Config.preset("smoke").paired, levels=3, grow_at=(2, 4)))
    method.build()
    for layer in method.inference_network("generator").to_rgb:
        nn.init.normal_(layer.weight, std=0.3)
    return method


@pytest.fixture(scope="module")
def lr() -> Tensor:
    return torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def shown(figure) -> dict[str, np.ndarray]:
    """Title -> the picture of the first row."""
    return {axes.get_title(): np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.get_title()}


def picture(image: Tensor) -> np.ndarray:
    return image[0].permute(1, 2, 0).numpy()


def test_strip_shows_every_factor_at_its_own_size(method: SelfSR, lr: Tensor) -> None:
    hr = torch.rand(2, 3, 64, 64)
    columns = shown(growth_strip(method, lr, hr))
    assert list(columns) == ["LR (8 px)", "x2 (16 px)", "x4 (32 px)", "x8 (64 px)", "HR (64 px)"]
    np.testing.assert_array_equal(columns["LR (8 px)"], picture(lr))
    for level, title in enumerate(list(columns)[1:4], start=1):
        np.testing.assert_allclose(columns[title], picture(method.super_resolve(lr, level)), atol=1e-6)


def test_fading_starts_at_the_level_below_and_ends_at_the_new_one(method: SelfSR, lr: Tensor) -> None:
    columns = shown(growth_fade(method, lr, 2))
    assert list(columns) == ["alpha 0", "alpha 0.25", "alpha 0.5", "alpha 0.75", "alpha 1"]
    below = F.interpolate(method.super_resolve(lr, 1), scale_factor=2, mode="nearest")
    np.testing.assert_allclose(columns["alpha 0"], picture(below), atol=1e-6)
    np.testing.assert_allclose(columns["alpha 1"], picture(method.super_resolve(lr, 2)), atol=1e-6)
    assert np.abs(columns["alpha 0"] - columns["alpha 1"]).max() > 0.05
    images = list(columns.values())
    inside = np.all([(image > 0) & (image < 1) for image in images], axis=0)  # elsewhere a clamp has been at work
    np.testing.assert_allclose(images[2][inside], ((images[0] + images[4]) / 2)[inside], atol=1e-5)


@pytest.mark.parametrize(
    ("t", "expected"), [(1.0, (1, 1.0)), (1.05, (2, 0.05)), (1.5, (2, 0.5)), (2.0, (2, 1.0)), (2.95, (3, 0.95))]
)
def test_the_way_through_the_levels(t: float, expected: tuple[int, float]) -> None:
    assert growth(t) == expected
    assert growth(t + 1e-9) == expected  # as a slider counts


def test_the_slider_moves_the_picture(method: SelfSR, lr: Tensor) -> None:
    slider, image, caption = growth_explorer(method, lr).children
    first = lr[:1]

    def finished(level: int) -> bytes:
        sr = method.super_resolve(first, level)
        return png(panels({"LR": first, f"x{2**level} ({sr.shape[3]} px)": sr}))

    assert (slider.min, slider.max, slider.step) == (1.0, 3.0, 0.05)
    assert image.value == finished(1)
    slider.value = 2.0
    assert image.value == finished(2)
    slider.value = 2.4
    assert image.value not in (finished(2), finished(3))
    assert "Level 3 at alpha 0.40" in caption.value


def test_pictures_leave_the_method_as_it_was(method: SelfSR, lr: Tensor) -> None:
    method.level, method.alpha = 2, 0.5
    growth_fade(method, lr, 3)
    growth_explorer(method, lr)
    assert (method.level, method.alpha) == (2, 0.5)
    assert method.networks["generator"].training
