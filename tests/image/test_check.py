from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.data import astronaut
from torch import Tensor

from facesr_lib import image
from facesr_lib.image.check import ON_AVERAGE, OVERSHOOT, check_number, check_pair, check_some, check_values

FUNCTIONS: list[Callable[..., object]] = [
    lambda x: image.resize_bicubic(x, 2),
    lambda x: image.resize_bilinear(x, 2),
    lambda x: image.average_pool(x, 1),
    image.rgb_to_y,
    image.rgb_to_yuv,
    image.yuv_to_rgb,
    image.rgb_to_grey,
    image.chroma,
    lambda x: image.gaussian_blur(x, 3, 1.0),
    lambda x: image.unsharp(x, 3, 1.0, 1.0),
    lambda x: image.add_gaussian_noise(x, 0.1, torch.Generator()),
    lambda x: image.add_sensor_noise(x, 0.1, 0.1, torch.Generator()),
    lambda x: image.jpeg(x, 50),
    lambda x: image.check_square(x, "x"),
    image.to_uint8,
    image.quantize,
    image.Bicubic(1),
    image.AveragePooling(1),
    image.BlurResize(1),
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_refuses_what_is_no_image_batch(function: Callable[..., object]) -> None:
    with pytest.raises(TypeError, match=r"expected a torch\.Tensor .* got ndarray"):
        function(np.zeros((1, 3, 8, 8), dtype=np.float32))
    with pytest.raises(TypeError, match=r"got torch\.uint8; convert 8-bit with to_float"):
        function(torch.zeros(1, 3, 8, 8, dtype=torch.uint8))
    with pytest.raises(ValueError, match=r"4 dimensions \(N, C, H, W\), got shape \(3, 8, 8\)"):
        function(torch.zeros(3, 8, 8))
    with pytest.raises(ValueError, match="empty"):
        function(torch.zeros(1, 3, 0, 8))


@pytest.mark.parametrize(
    "function", [image.rgb_to_y, image.rgb_to_yuv, image.yuv_to_rgb, image.rgb_to_grey, lambda x: image.jpeg(x, 50)]
)
def test_colour_functions_refuse_grey_images(function: Callable[..., object]) -> None:
    with pytest.raises(ValueError, match=r"x: expected 3 channels .* got shape \(2, 1, 8, 8\)"):
        function(torch.zeros(2, 1, 8, 8))


def portrait() -> Tensor:
    """A photograph that reaches from black to white."""
    x = image.to_float(torch.from_numpy(astronaut()[:48, 200:248].copy()).permute(2, 0, 1)[None])
    return (x - x.min()) / (x.max() - x.min())


@pytest.mark.parametrize(
    ("scaled", "said"),
    [
        (lambda x: 2 * x - 1, r"sr: values from -1 to 1 in the images at \[1\]; .* from \[-1, 1\] by \(x \+ 1\) / 2, first"),
        (lambda x: 0.7 * (2 * x - 1), r"values from -0\.7 to 0\.7 .* map them to \[0, 1\]"),
        (lambda x: (x - 0.485) / 0.225, r"values from -2\.16 to 2\.29 .* map them to \[0, 1\]"),  # normalised for ImageNet
        (lambda x: 255 * x, "values from 0 to 255 .* divide by 255 first"),
        (lambda x: 100 * x, "values from 0 to 100 .* divide by 255 first"),
        (lambda x: 65535 * x, r"values from 0 to 6\.55e\+04 .* \(16 bit: 65535\) first"),
        (lambda x: x + torch.where(x > 0.99, torch.nan, 0), r"NaN or infinity in the images at \[1\]"),
        (lambda x: x / (x < 0.99), r"NaN or infinity in the images at \[1\]"),
    ],
)
def test_other_ranges_have_no_score_and_are_told_what_to_do(scaled: Callable[[Tensor], Tensor], said: str) -> None:
    good = portrait()
    assert (good.min(), good.max()) == (0, 1)
    with pytest.raises(ValueError, match=said):
        check_pair(torch.cat([good, scaled(good), good]), good.expand(3, -1, -1, -1))


def test_a_dull_picture_in_another_range_is_found_by_its_mean() -> None:
    dull = 0.75 - 0.5 * portrait()
    with pytest.raises(ValueError, match=r"x: values from -0\.5 to 0\.5"):
        check_values(2 * dull - 1, "x")


def test_sr_may_leave_the_range_a_little_and_only_for_scores() -> None:
    hr = portrait()
    over = image.resize_bicubic(image.resize_bicubic((hr > 0.5).double(), 0.25), 4)
    assert over.min() < -0.05
    assert over.max() > 1.05
    check_values(over, "sr")
    check_values(hr.half() + 0.04, "sr")
    for most, few in ((0.49, 0.04), (0.5, 0.0)):
        x = hr.clamp(0, 1) - 0
        x[..., 0, 0] = 1 + most
        check_values(x + few * (x < 1), "sr")
    x[..., 0, 0] = 1.51
    with pytest.raises(ValueError, match=r"to 1\.51"):
        check_values(x, "sr")
    check_pair(255 * hr, 2 * hr - 1, scored=False)  # in a loss they are anybody's


def test_a_check_has_no_gradient_and_knows_no_images() -> None:
    check_values(portrait().requires_grad_(), "x")
    check_values(portrait()[:0], "x")


@pytest.mark.parametrize("dtype", [torch.int16, torch.int64, torch.bool, torch.complex64, torch.float8_e5m2])
def test_types_that_are_no_floats_are_refused(dtype: torch.dtype) -> None:
    with pytest.raises(TypeError, match=rf"x: expected floating-point values.* got {dtype}"):
        check_values(torch.ones(1, 3, 4, 4).to(dtype), "x")


def test_numbers_and_no_numbers() -> None:
    for bad in (float("nan"), float("inf"), -0.1):
        with pytest.raises(ValueError, match="sigma: expected a number >= 0, got"):
            check_number(bad, "sigma", 0)
    with pytest.raises(ValueError, match="scale: expected a number from 1 to 8, got 9"):
        check_number(9, "scale", 1, 8)
    with pytest.raises(ValueError, match=r"fake: expected at least one value, got shape \(0, 1\)"):
        check_some(torch.zeros(0, 1), "fake")


def test_the_page_on_scores_states_the_rule() -> None:
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert f"at most {OVERSHOOT} anywhere, and {ON_AVERAGE} on average" in page
