from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from skimage import color as skimage_color
from torch import Tensor

from facesr_lib.image import chroma, rgb_to_grey, rgb_to_y, rgb_to_yuv, to_float, yuv_to_rgb


def random_images(dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.rand((2, 3, 7, 9), generator=torch.Generator().manual_seed(0), dtype=dtype)


def nhwc(x: Tensor) -> np.ndarray:
    return x.permute(0, 2, 3, 1).numpy()


def patch(*rgb: float) -> Tensor:
    return torch.tensor(rgb, dtype=torch.float64).view(1, 3, 1, 1)


def test_y_equals_scikit_image_and_spans_the_studio_range() -> None:
    x = random_images()
    reference = skimage_color.rgb2ycbcr(nhwc(x))[..., :1] / 255
    np.testing.assert_allclose(nhwc(rgb_to_y(x)), reference, rtol=0, atol=1e-12)
    assert float(rgb_to_y(patch(0, 0, 0))) == pytest.approx(16 / 255)
    assert float(rgb_to_y(patch(1, 1, 1))) == pytest.approx(235 / 255)


def test_y_is_not_symmetric_in_red_and_blue() -> None:
    assert float(rgb_to_y(patch(1, 0, 0))) == pytest.approx(81.481 / 255)
    assert float(rgb_to_y(patch(0, 0, 1))) == pytest.approx(40.966 / 255)


def test_grey_equals_opencv_within_rounding() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
    x = to_float(torch.from_numpy(pixels).permute(0, 3, 1, 2), torch.float64)
    found = rgb_to_grey(x)[0, 0].numpy() * 255
    rounded = cv2.cvtColor(pixels[0], cv2.COLOR_RGB2GRAY)
    assert np.abs(found - rounded).max() <= 0.51  # half a level, and OpenCV's coefficients are rounded too
    exact = cv2.cvtColor(nhwc(x)[0].astype(np.float32), cv2.COLOR_RGB2GRAY) * 255
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-4)


def test_yuv_equals_scikit_image() -> None:
    x = random_images()
    np.testing.assert_allclose(nhwc(rgb_to_yuv(x)), skimage_color.rgb2yuv(nhwc(x)), rtol=0, atol=1e-6)


def test_yuv_inverse() -> None:
    x = random_images()
    torch.testing.assert_close(yuv_to_rgb(rgb_to_yuv(x)), x, rtol=0, atol=1e-14)
    torch.testing.assert_close(rgb_to_yuv(yuv_to_rgb(x - 0.5)), x - 0.5, rtol=0, atol=1e-14)


def test_chroma_sees_colour_and_not_brightness() -> None:
    grey = random_images()[:, :1].expand(-1, 3, -1, -1)
    torch.testing.assert_close(chroma(grey), torch.zeros(2, 2, 7, 9, dtype=torch.float64), rtol=0, atol=1e-15)
    x = random_images() / 2
    torch.testing.assert_close(chroma(x + 0.25), chroma(x), rtol=0, atol=1e-15)
    u, v = chroma(patch(1, 0, 0)).flatten().tolist()
    assert u < 0 < v
    u, v = chroma(patch(0, 0, 1)).flatten().tolist()
    assert v < 0 < u


@pytest.mark.parametrize("transform", [rgb_to_y, rgb_to_grey, rgb_to_yuv, yuv_to_rgb])
def test_float32_is_kept_differentiable_and_exact_under_autocast(transform: Callable[[Tensor], Tensor]) -> None:
    x = random_images(torch.float32).requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = transform(x)
    assert out.dtype == torch.float32
    torch.testing.assert_close(out.double(), transform(x.double()), rtol=0, atol=1e-6)
    out.sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()
