from __future__ import annotations

import pytest
import torch

from facesr_lib.image import quantize, to_float, to_uint8

LEVELS = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_every_level_survives_the_round_trip(dtype: torch.dtype) -> None:
    x = to_float(LEVELS, dtype)
    assert x.dtype == dtype
    assert (float(x.min()), float(x.max())) == (0, 1)
    assert torch.equal(to_uint8(x), LEVELS)
    assert torch.equal(quantize(x), x)


def test_rounds_to_the_nearest_level_and_clamps() -> None:
    x = torch.tensor([-0.5, 0.49 / 255, 0.51 / 255, 99.4 / 255, 99.6 / 255, 1.5]).view(1, 1, 2, 3)
    assert to_uint8(x).flatten().tolist() == [0, 0, 1, 99, 100, 255]
    torch.testing.assert_close(quantize(x) * 255, torch.tensor([0.0, 0, 1, 99, 100, 255]).view(1, 1, 2, 3))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_rounds_to_the_nearest_level_too(dtype: torch.dtype) -> None:
    x = torch.rand((1, 1, 64, 64), generator=torch.Generator().manual_seed(0)).to(dtype)
    assert torch.equal(to_uint8(x), to_uint8(x.double()))


def test_contrast_is_not_stretched() -> None:
    x = torch.full((1, 3, 4, 4), 0.4)
    x[..., 0] = 0.6
    assert set(to_uint8(x).flatten().tolist()) == {102, 153}


def test_no_gradient_pretends_to_pass() -> None:
    assert not quantize(torch.rand(1, 3, 4, 4, requires_grad=True)).requires_grad


def test_to_float_refuses_floats_and_wrong_shapes() -> None:
    with pytest.raises(TypeError, match=r"uint8 tensor .* got torch\.float32"):
        to_float(torch.rand(1, 3, 4, 4))
    with pytest.raises(TypeError, match="got list"):
        to_float([0])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"got shape \(16, 16\)"):
        to_float(LEVELS[0, 0])
