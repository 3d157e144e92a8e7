"""The records of metrics: what they say agrees with what they compute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from facesr_lib.data import olivetti_faces
from facesr_lib.image import Bicubic, resize_bicubic
from facesr_lib.metrics import (
    PSNR,
    SSIM,
    Metric,
    identity_metric,
    lpips_metric,
    make_extractor,
    niqe_metric,
    psnr,
    psnr_metric,
    ssim,
    ssim_metric,
)
from facesr_tools.landmarks import landmark_metric


def test_psnr_and_ssim_state_their_convention() -> None:
    sr, hr = torch.rand(2, 2, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    for metric, label, convention, expected in (
        (PSNR, "PSNR (dB)", "RGB, 8-bit, no crop", psnr(sr, hr)),
        (psnr_metric(y=True, crop=4), "PSNR Y (dB)", "Y of YCbCr, 8-bit, border of 4 cropped", psnr(sr, hr, y=True, crop=4)),
        (SSIM, "SSIM", "RGB, 8-bit, no crop", ssim(sr, hr)),
        (ssim_metric(y=True), "SSIM Y", "Y of YCbCr, 8-bit, no crop", ssim(sr, hr, y=True)),
    ):
        assert (metric.label, metric.convention, metric.higher_is_better) == (label, convention, True)
        assert f"{metric}" == label  # as captions and tables name it
        assert (metric.family, metric.unit) == (("PSNR", "dB") if "PSNR" in label else ("SSIM", ""))
        assert torch.equal(metric(sr, hr), expected)


def test_conventions_are_different_metrics_and_functions_are_not() -> None:
    assert len({PSNR, psnr_metric(crop=4), psnr_metric(y=True), SSIM}) == 4
    assert psnr_metric() == PSNR == replace(PSNR, function=None)


def test_the_family_is_the_label_unless_it_is_said() -> None:
    assert Metric("drift", "colour drift").family == "colour drift"
    for key, label in (("", "x"), ("x", "")):
        with pytest.raises(ValueError, match="a key and a label"):
            Metric(key, label)
    with pytest.raises(TypeError, match="colour drift has no function"):
        Metric("drift", "colour drift")(1, 2)


def of_mobilenet(which: str) -> Callable[[], Metric]:
    return lambda: getattr(make_extractor("mobilenet-v2"), which)


@pytest.mark.parametrize(
    ("weights", "make", "label", "family"),
    [
        ("hed-vgg", lambda: lpips_metric("hed-vgg").metric, "LPIPS (HED-VGG)", "LPIPS"),
        ("mobilenet-v2", of_mobilenet("fid"), "FD (MobileNetV2)", "FID"),
        ("mobilenet-v2", of_mobilenet("kid"), "KID (MobileNetV2) x1000", "KID"),
        ("niqe", lambda: niqe_metric(64), "NIQE (Y, BasicSR blocks, bicubic x3)", "NIQE"),
        ("face-api", identity_metric, "ID (face-api)", "identity"),
        ("face-api", landmark_metric, "NME (face-api 68)", "landmark error"),
    ],
)
def test_a_substitute_has_the_family_of_the_official_metric(
    need: Callable[[str], Path], weights: str, make: Callable[[], Metric], label: str, family: str
) -> None:
    need(weights)
    metric = make()
    assert (metric.label, metric.family, metric.unit) == (label, family, "")
    assert metric.convention


@pytest.mark.parametrize(
    ("weights", "make"),
    [("hed-vgg", lambda: lpips_metric("hed-vgg").metric), ("face-api", identity_metric), ("face-api", landmark_metric)],
)
def test_the_better_image_scores_better(need: Callable[[str], Path], weights: str, make: Callable[[], Metric]) -> None:
    """A record whose direction is wrong would turn every verdict round."""
    need(weights)
    metric, hr = make(), olivetti_faces("val", 64).limit(4).take(range(4))
    near, far = (metric(resize_bicubic(Bicubic(s)(hr), s).clamp(0, 1), hr).mean() for s in (2, 4))
    assert (near > far) == metric.higher_is_better
