"""What PSNR and SSIM have in common: the oracle values and the refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from facesr_lib.image import to_float
from facesr_lib.metrics import psnr, ssim

DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
METRICS = {"psnr": psnr, "ssim": ssim}
SCORES = pytest.mark.parametrize("score", METRICS.values(), ids=METRICS)


def load(path: Path) -> Tensor:
    return to_float(torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1)[None])


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("pair", [f"{i:02d}" for i in range(8)])
def test_equals_basicsr(shared: Path, pair: str, device: str) -> None:
    oracle = json.loads((shared / "oracles" / "metrics.json").read_text(encoding="utf-8"))
    expected, tolerance = oracle["pairs"][pair]["basicsr"], oracle["tolerance"]
    sr, hr = (load(shared / "oracles" / "pairs" / f"{pair}_{kind}.png").to(device) for kind in ("sr", "hr"))
    found = {
        f"{name}_{plane}_crop{crop}": float(score(sr, hr, y=plane == "y", crop=crop))
        for name, score in METRICS.items()
        for plane in ("rgb", "y")
        for crop in (0, 4, 8)
    }
    assert found.keys() == expected.keys()
    for key, value in found.items():
        assert value == pytest.approx(expected[key], rel=0, abs=tolerance[key.rsplit("_", 1)[0]]), key


@SCORES
def test_bad_pairs_are_refused(score: Callable[..., Tensor]) -> None:
    x = torch.rand(2, 3, 20, 24)
    with pytest.raises(ValueError, match=r"one shape, got \(2, 3, 20, 24\) and \(2, 3, 20, 20\)"):
        score(x, x[..., :20])
    with pytest.raises(ValueError, match="one shape"):
        score(x, x[:1])
    with pytest.raises(ValueError, match="hr: expected 3 channels"):
        score(x, x[:, :1])
    with pytest.raises(TypeError, match=r"sr: .* got torch\.uint8"):
        score(torch.zeros(2, 3, 20, 24, dtype=torch.uint8), x)


@SCORES
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_an_image_without_a_value_has_no_score(score: Callable[..., Tensor], bad: float) -> None:
    x = torch.rand(3, 3, 20, 24)
    broken = x.clone()
    broken[1, 2, 3, 4] = bad
    with pytest.raises(ValueError, match=r"sr: NaN or infinity in the images at \[1\]"):
        score(broken, x)
    with pytest.raises(ValueError, match="hr: NaN or infinity"):
        score(x, broken)


@SCORES
@pytest.mark.parametrize("crop", [-1, 1.5])
def test_bad_crop_is_refused(score: Callable[..., Tensor], crop: float) -> None:
    x = torch.rand(1, 3, 20, 24)
    with pytest.raises(ValueError, match=r"crop: expected a whole number of pixels >= 0"):
        score(x, x, crop=crop)


@pytest.mark.parametrize(("score", "most"), [(psnr, 9), (ssim, 4)])
def test_a_crop_that_leaves_too_little_is_refused(score: Callable[..., Tensor], most: int) -> None:
    x = torch.rand(1, 3, 20, 24)
    assert score(x, x, crop=most).shape == (1,)
    with pytest.raises(ValueError, match=f"crop: {most + 1} pixels .* of 20 x 24, but at least .* are needed"):
        score(x, x, crop=most + 1)


def test_ssim_refuses_images_under_its_window() -> None:
    x = torch.rand(1, 3, 10, 32)
    with pytest.raises(ValueError, match="leave 10 x 32 of 10 x 32, but at least 11 x 11 are needed"):
        ssim(x, x)
    assert psnr(x, x).shape == (1,)


@SCORES
def test_no_images_no_scores(score: Callable[..., Tensor]) -> None:
    found = score(torch.rand(0, 3, 20, 24), torch.rand(0, 3, 20, 24))
    assert (found.shape, found.dtype) == ((0,), torch.float64)


@SCORES
def test_a_batch_that_is_not_contiguous(score: Callable[..., Tensor]) -> None:
    x = torch.rand(2, 20, 24, 3, generator=torch.Generator().manual_seed(0)).permute(0, 3, 1, 2)
    y = x.flip(2)
    torch.testing.assert_close(score(x, y), score(x.contiguous(), y.contiguous()), rtol=0, atol=1e-12)
