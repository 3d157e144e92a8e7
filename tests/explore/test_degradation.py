"""The degradation explorer and its static twin: each recipe is the library's own, each control changes what is shown."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from facesr_lib.data import HiddenDegradation, astronaut_face, keyed_generator
from facesr_lib.explore.canvas import png
from facesr_lib.explore.degradation import (
    SETTINGS,
    UPSAMPLINGS,
    OneBilinearStep,
    Recipe,
    SkipPixels,
    degradation_explorer,
    degradation_grid,
    degradation_view,
    enlarge,
    error_picture,
)
from facesr_lib.image import AveragePooling, Bicubic, BlurResize, quantize, resize_bicubic
from facesr_lib.metrics import psnr
from facesr_lib.papers.isr_kd import Halvings


@pytest.fixture(scope="module")
def face() -> Tensor:
    return astronaut_face(64)


def test_recipes_are_the_degradations_of_the_library(face: Tensor) -> None:
    same = {
        "bicubic": Bicubic(4),
        "average pooling": AveragePooling(4),
        "bilinear halvings": Halvings(4),
        "blur, bilinear": BlurResize(4, 9, 2.0),
    }
    for kind, rule in same.items():
        assert torch.equal(Recipe(kind, 4, kernel=9, sigma=2.0)(face), rule(face))
    hidden = HiddenDegradation(4, motion=(0.1, 0.1), read=(0.02, 0.02), quality=(70, 70))
    ours = Recipe("hidden", 4, motion=0.1, noise=0.02, quality=70, draw=3)
    assert torch.equal(ours(face), hidden(face, keyed_generator(0, "recipe", 3)))
    assert torch.equal(ours(face), ours(face))
    with pytest.raises(ValueError, match="unknown recipe 'lanczos'"):
        Recipe("lanczos")


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_a_bilinear_step_sees_the_four_middle_pixels_and_skipping_sees_the_corner(scale: int) -> None:
    x = quantize(torch.rand(1, 3, 16, 24, generator=torch.Generator().manual_seed(0)))
    low, high = scale // 2 - 1, scale // 2
    four = [x[..., i::scale, j::scale] for i in (low, high) for j in (low, high)]
    torch.testing.assert_close(OneBilinearStep(scale)(x), torch.stack(four).mean(0), atol=0.5001 / 255, rtol=0)
    assert torch.equal(SkipPixels(scale)(x)[0, :, 1, 2], x[0, :, scale, 2 * scale])


@pytest.mark.parametrize("kernel", UPSAMPLINGS)
def test_kernels_keep_flat_pictures_and_sizes(kernel: str) -> None:
    flat = torch.full((1, 3, 4, 6), 0.4)
    torch.testing.assert_close(enlarge(flat, 4, kernel), torch.full((1, 3, 16, 24), 0.4))


def test_error_picture_is_grey_where_nothing_is_wrong(face: Tensor) -> None:
    assert (error_picture(face, face) == 0.5).all()
    assert error_picture(face + 0.05, face).mean().item() == pytest.approx(0.7, abs=1e-5)


def test_the_read_out_is_the_metric(face: Tensor) -> None:
    _, text = degradation_view(face, Recipe("skip pixels"), "bilinear")
    sr, usual = (enlarge(lr, 4, "bilinear") for lr in (face[..., ::4, ::4], Bicubic(4)(face)))
    score = psnr(sr, face).item()
    assert f"<b>{score:.2f} dB</b>" in text
    assert f"{score - psnr(usual, face).item():+.2f} dB against bicubic LR" in text
    assert "+0.00 dB" in degradation_view(face, Recipe("bicubic"))[1]


def test_the_grid_shows_lr_sr_and_error_of_every_recipe(face: Tensor) -> None:
    figure = degradation_grid(face, scale=8)
    count = len(SETTINGS)
    shown = [np.asarray(axes.images[0].get_array()) for axes in figure.axes]
    assert len(shown) == 3 * count
    assert [axes.get_title() for axes in figure.axes[:count]] == list(SETTINGS)
    lr = Bicubic(8)(face)
    for row, expected in enumerate((lr.repeat_interleave(8, 2).repeat_interleave(8, 3), resize_bicubic(lr, 8))):
        np.testing.assert_allclose(shown[row * count], expected[0].clamp(0, 1).permute(1, 2, 0), atol=1e-6)
    assert figure.axes[count].get_xlabel() == f"{psnr(resize_bicubic(lr, 8).clamp(0, 1), face).item():.2f} dB"
    assert [figure.axes[row * count].get_ylabel() for row in range(3)] == ["LR (8 px)", "bicubic x8", "error, 4 times"]


def test_every_setting_redraws_its_recipe_and_no_other_is_shown(face: Tensor) -> None:
    box = degradation_explorer({"face": face, "black": torch.zeros(1, 3, 64, 64)})
    _, kind, scale, kernel, *sliders, picture, readout = box.children
    sliders = dict(zip(("kernel", "sigma", "motion", "noise", "quality", "draw"), sliders, strict=True))
    for name, used in SETTINGS.items():
        kind.value = name
        assert readout.value.startswith(f"{name}: PSNR")
        assert {s for s, slider in sliders.items() if slider.layout.display == "flex"} == set(used)
        for setting, slider in sliders.items():
            before, old = picture.value, slider.value
            slider.value = slider.min + slider.step
            assert (picture.value != before) == (setting in used), (name, setting)
            slider.value = old
            assert picture.value == before
    before = picture.value
    scale.value = 8
    assert "LR" in readout.value
    assert Image.open(io.BytesIO(picture.value)).size == Image.open(io.BytesIO(before)).size
    kernel.value = "nearest"
    view = degradation_view(face, Recipe("hidden", 8), "nearest")
    assert (picture.value, readout.value) == (png(view[0]), view[1])


def test_a_picture_that_the_scales_do_not_divide_is_named() -> None:
    with pytest.raises(ValueError, match="multiples of 4"):
        degradation_explorer({"odd": torch.zeros(1, 3, 66, 66)})
