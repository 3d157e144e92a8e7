from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from facesr_lib.data import ImageSet, eval_batches
from facesr_lib.evaluate import Backends, Run, Scoring
from facesr_lib.evaluate.scoring import in_their_span
from facesr_lib.image import Bicubic, resize_bicubic
from facesr_lib.metrics import frechet_distance, kernel_distance, psnr, ssim


class Means:
    """A stand-in for a feature network: mean colours of the four quarters of an image."""

    name, kernel_name, convention, version, dim = "FD (means)", "KID (means)", "quarters", "1", 12

    def __call__(self, levels: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.adaptive_avg_pool2d(levels.float(), 2).flatten(1)

    def to(self, device: torch.device | str) -> Means:
        return self


@pytest.fixture
def faces() -> ImageSet:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
    return ImageSet("noise", pixels, tuple("aaabbbcccddd"), "made up")


def bicubic(lr: torch.Tensor) -> torch.Tensor:
    return resize_bicubic(lr, 4).clamp(0, 1)


def test_everything_is_recorded_and_equals_the_metrics_own_values(start: Callable[..., Run], faces: ImageSet) -> None:
    run = start(profile="quick")
    batches = lambda: eval_batches(faces, Bicubic(4), 5, 0)  # noqa: E731
    scoring = Scoring(run, faces, batches, 4, Backends(None, Means()), extra={"brightness": (brightness, "mean", True)})
    row = scoring("bicubic", bicubic)
    again = scoring("bicubic", bicubic, seed=7)
    assert row == again
    sr = torch.cat([(bicubic(b["lr"]) * 255).round() / 255 for b in batches()])
    hr = faces.take(range(12))
    assert row["PSNR Y (dB)"] == pytest.approx(psnr(sr, hr, y=True, crop=4).mean().item())
    expected = frechet_distance(
        Means()((sr * 255).round()).double().numpy(), Means()((hr * 255).round()).double().numpy()
    )
    assert row["FD (means)"] == pytest.approx(expected, rel=1e-6)
    kernel = kernel_distance(Means()((sr * 255).round()).double().numpy(), Means()((hr * 255).round()).double().numpy())
    assert row["KID (means)"] == pytest.approx(1000 * kernel, rel=1e-6)
    assert row["brightness"] == pytest.approx(sr.mean().item(), rel=1e-5)

    scores = {(s["metric"], s["seed"]): s for s in run.result()["scores"]}
    assert len(scores) == 2 * 5
    assert len(scores["FD (means)", 7]["replicates"]) == 1000
    assert scores["FD (means)", 7]["n"] == 12
    assert "border of 4 cropped" in scores["SSIM Y", 3]["convention"]
    assert run.result()["data"][0]["role"] == "faces"


def test_on_rgb_without_a_border(start: Callable[..., Run], faces: ImageSet) -> None:
    run = start()
    Scoring(run, faces, lambda: eval_batches(faces, Bicubic(4), 5, 0), 0, Backends(None, None), y=False)(
        "same", bicubic
    )
    sr = torch.cat([(bicubic(b["lr"]) * 255).round() / 255 for b in eval_batches(faces, Bicubic(4), 5, 0)])
    hr = faces.take(range(12))
    np.testing.assert_allclose(run.values("same", "noise", "PSNR (dB)"), psnr(sr, hr))
    np.testing.assert_allclose(run.values("same", "noise", "SSIM"), ssim(sr, hr))
    assert {s["convention"] for s in run.result()["scores"]} == {"RGB, 8-bit, no crop"}
    with pytest.raises(KeyError, match="no score of other"):
        run.values("other", "noise", "SSIM")


def brightness(sr: torch.Tensor, hr: torch.Tensor) -> torch.Tensor:
    return sr.mean(dim=(1, 2, 3))


def test_without_weights_the_rest_is_scored(start: Callable[..., Run], faces: ImageSet) -> None:
    run = start()
    row = Scoring(run, faces, lambda: eval_batches(faces, Bicubic(4), 5, 0), 4, Backends(None, None))(
        "bicubic", bicubic
    )
    assert set(row) == {"method", "PSNR Y (dB)", "SSIM Y"}


def test_the_joint_span_keeps_the_frechet_distance() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(20, 300)), rng.normal(1, 2, size=(15, 300))
    small = in_their_span(a, b)
    assert small[0].shape == (20, 35)
    with pytest.warns(UserWarning, match="biased"):
        assert frechet_distance(*small) == pytest.approx(frechet_distance(a, b), rel=1e-9)
    assert in_their_span(a[:, :30], b[:, :30])[0] is not None
    assert np.array_equal(in_their_span(a[:, :30], b[:, :30])[0], a[:, :30])
