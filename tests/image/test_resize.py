from __future__ import annotations

from collections.abc import Callable
from math import ceil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from facesr_lib.image import average_pool, resize_bicubic, resize_bilinear

DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
TOLERANCE = {torch.float64: 1e-9, torch.float32: 2e-6}


def random_images(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=dtype)


def nchw(a: np.ndarray, like: Tensor) -> Tensor:
    return torch.from_numpy(a).permute(2, 0, 1)[None].to(like)


def window(x: Tensor, top: int, left: int) -> Tensor:
    return x[:, :, top : top + 16, left : left + 16]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("image", ["00", "01", "02", "03"])
def test_bicubic_equals_matlab(shared: Path, image: str, dtype: torch.dtype, device: str) -> None:
    with np.load(shared / "oracles" / "bicubic" / f"{image}.npz", allow_pickle=False) as file:
        oracle = dict(file)
    checked = {"input"}
    x = torch.from_numpy(oracle["input"]).permute(2, 0, 1)[None].to(device, dtype)

    def compare(found: Tensor, key: str) -> None:
        checked.add(key)
        torch.testing.assert_close(found, nchw(oracle[key], x), rtol=0, atol=TOLERANCE[dtype])

    for s in (2, 4, 8):
        down, up = resize_bicubic(x, 1 / s), resize_bicubic(x, s)
        compare(down, f"down{s}")
        compare(resize_bicubic(nchw(oracle[f"down{s}"], x), s), f"up{s}_of_down{s}")
        height, width = up.shape[2:]
        compare(window(up, 0, 0), f"up{s}_top_left")
        compare(window(up, height - 16, width - 16), f"up{s}_bottom_right")
        compare(window(up, (height - 16) // 2, (width - 16) // 2), f"up{s}_center")
        assert (height, width, 3) == tuple(oracle[f"up{s}_shape"])
        for key, total in ((f"up{s}_sum", up.double().sum()), (f"up{s}_sumsq", up.double().square().sum())):
            checked.add(key)
            assert float(total) == pytest.approx(float(oracle[key]), rel=TOLERANCE[dtype], abs=0)
        checked.add(f"up{s}_shape")
    compare(resize_bicubic(x, 2), "up2")
    assert checked == set(oracle)


@pytest.mark.parametrize(("length", "scale"), [(24, 0.5), (24, 0.125), (24, 1 / 3), (20, 0.4), (12, 1.5), (9, 3.0)])
def test_bicubic_equals_torch_on_a_symmetrically_padded_image(length: int, scale: float) -> None:
    """Torch's antialiased bicubic has the same kernel and another border: give it a mirrored border and cut that off."""
    x = random_images(1, 2, length, length)
    mirrored = np.pad(x.numpy(), ((0, 0), (0, 0), (length, length), (length, length)), mode="symmetric")
    n = round(length * scale)
    reference = F.interpolate(torch.from_numpy(mirrored), size=(3 * n, 3 * n), mode="bicubic", antialias=True)
    torch.testing.assert_close(resize_bicubic(x, scale), reference[:, :, n : 2 * n, n : 2 * n], rtol=0, atol=1e-12)


@pytest.mark.parametrize("scale", [1.37, 2.0, 3.3])
def test_enlarging_a_ramp_samples_it_at_the_given_scale(scale: float) -> None:
    """A cubic kernel reproduces straight lines, so the result shows where each output pixel was read."""
    ramp = torch.arange(20, dtype=torch.float64).expand(1, 1, 20, 20)
    out = resize_bicubic(ramp, scale)[0, 0, 0]
    position = (torch.arange(len(out), dtype=torch.float64) + 0.5) / scale - 0.5
    inside = (position >= 1) & (position <= 18)
    assert inside.sum() > 20
    torch.testing.assert_close(out[inside], position[inside], rtol=0, atol=1e-12)


@settings(max_examples=60, deadline=None, database=None)
@given(st.integers(1, 30), st.integers(1, 30), st.floats(0.05, 5))
def test_bicubic_shape_and_constant(height: int, width: int, scale: float) -> None:
    out = resize_bicubic(torch.full((1, 1, height, width), 0.3, dtype=torch.float64), scale)
    assert out.shape == (1, 1, ceil(height * scale), ceil(width * scale))
    torch.testing.assert_close(out, torch.full_like(out, 0.3), rtol=0, atol=1e-12)


@pytest.mark.parametrize("resize", [resize_bicubic, resize_bilinear])
def test_size_scales_each_axis_by_new_over_old(resize: Callable[..., Tensor]) -> None:
    x = random_images(2, 3, 12, 20)
    torch.testing.assert_close(resize(x, size=(6, 10)), resize(x, 0.5), rtol=0, atol=1e-15)
    stripes = x[..., :1].expand(2, 3, 12, 20)  # constant along the width: only the height's scale shows
    both = resize(stripes, size=(6, 40))
    torch.testing.assert_close(both, resize(stripes, 0.5)[..., :1].expand_as(both), rtol=0, atol=1e-12)
    assert resize(torch.rand(1, 1, 70, 70), size=(7, 7)).shape == (1, 1, 7, 7)  # where scale=0.1 gives 8 x 8


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_bicubic_gradient(scale: float) -> None:
    x = random_images(1, 2, 6, 5).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: resize_bicubic(x, scale), x)


def test_bicubic_trains_after_inference_at_the_same_size() -> None:
    x = random_images(1, 1, 18, 18)
    with torch.inference_mode():
        resize_bicubic(x, 0.5)
    x.requires_grad_()
    resize_bicubic(x, 0.5).sum().backward()
    assert x.grad is not None
    assert float(x.grad.sum()) == pytest.approx(81)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_bicubic_keeps_the_dtype_and_computes_in_float32_under_autocast(dtype: torch.dtype) -> None:
    x = random_images(1, 3, 16, 16).to(dtype)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = resize_bicubic(x, 0.5)
    assert found.dtype == dtype
    expected = resize_bicubic(x.double(), 0.5)
    torch.testing.assert_close(found.double(), expected, rtol=torch.finfo(dtype).eps, atol=1e-6)


@pytest.mark.parametrize(("height", "width", "scale"), [(9, 14, 2), (16, 10, 0.5), (8, 12, 1.5), (20, 40, 0.3)])
def test_bilinear_equals_opencv(height: int, width: int, scale: float) -> None:
    x = random_images(1, 1, height, width)
    found = resize_bilinear(x, scale)
    size = (ceil(width * scale), ceil(height * scale))
    reference = cv2.resize(x[0, 0].numpy(), size, interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(found[0, 0].numpy(), reference, rtol=0, atol=1e-6)


def test_average_pool_equals_block_means_and_three_bilinear_halvings() -> None:
    x = random_images(2, 3, 32, 48)
    found = average_pool(x, 8)
    blocks = x.view(2, 3, 4, 8, 6, 8).mean(dim=(3, 5))
    torch.testing.assert_close(found, blocks, rtol=0, atol=1e-14)
    halvings = resize_bilinear(resize_bilinear(resize_bilinear(x, 0.5), 0.5), 0.5)
    torch.testing.assert_close(found, halvings, rtol=0, atol=1e-14)


def test_average_pool_names_the_size_that_does_not_fit() -> None:
    with pytest.raises(ValueError, match="height 30 and width 33 must be multiples of 4; crop to 28 x 32"):
        average_pool(torch.rand(1, 3, 30, 33), 4)
    with pytest.raises(ValueError, match="factor"):
        average_pool(torch.rand(1, 3, 30, 33), 0)


@pytest.mark.parametrize("resize", [resize_bicubic, resize_bilinear])
def test_bad_targets_are_refused(resize: Callable[..., Tensor]) -> None:
    x = torch.rand(1, 3, 8, 8)
    for scale in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="scale"):
            resize(x, scale)
    for size in ((0, 4), (4, 2.5), (4,)):
        with pytest.raises(ValueError, match="size"):
            resize(x, size=size)
    with pytest.raises(ValueError, match="either scale or size"):
        resize(x)
    with pytest.raises(ValueError, match="either scale or size"):
        resize(x, 2, size=(4, 4))
