from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from facesr_lib import image

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
