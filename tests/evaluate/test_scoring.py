from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from facesr_lib.data import ImageSet, TestSet, degrade_set, eval_batches, open_packed
from facesr_lib.data.packed import read_manifest
from facesr_lib.evaluate import Backends, Run, Scoring, set_replicates
from facesr_lib.evaluate.scoring import record_set_scores
from facesr_lib.image import Bicubic, resize_bicubic
from facesr_lib.metrics import PSNR, SSIM, Metric, frechet_distance, kernel_distance, psnr, ssim
from facesr_lib.metrics.features import set_metrics


class Means:
    """A stand-in for a feature network: mean colours of the four quarters of an image."""

    fid, kid = set_metrics("means", "quarters")
    version, dim = "1", 12

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
    bright = Metric("brightness", "brightness", brightness, convention="mean")
    backends = Backends(None, Means())
    scoring = Scoring(run, faces, Bicubic(4), 4, backends, extra=[bright, None], batch_size=5, seed=0)
    assert list(scoring.columns()) == ["PSNR", "SSIM", "brightness", "FID"]
    row = scoring("bicubic", bicubic)
    again = scoring("bicubic", bicubic, seed=7)
    assert row == again
    sr = torch.cat([(bicubic(b["lr"]) * 255).round() / 255 for b in batches()])
    hr = faces.take(range(12))
    assert row["PSNR Y (dB)"] == pytest.approx(psnr(sr, hr, y=True, crop=4).mean().item())
    expected = frechet_distance(Means()((sr * 255).round()).double().numpy(), Means()((hr * 255).round()).double().numpy())
    assert row["FD (means)"] == pytest.approx(expected, rel=1e-6)
    kernel = kernel_distance(Means()((sr * 255).round()).double().numpy(), Means()((hr * 255).round()).double().numpy())
    assert row["KID (means) x1000"] == pytest.approx(1000 * kernel, rel=1e-6)
    assert row["brightness"] == pytest.approx(sr.mean().item(), rel=1e-5)

    scores = {(s["metric"], s["seed"]): s for s in run.result()["scores"]}
    assert len(scores) == 2 * 5
    assert len(scores["FD (means)", 7]["replicates"]) == len(scores["KID (means) x1000", 7]["replicates"]) == 4  # people
    assert scores["FD (means)", 7]["n"] == 12
    assert "border of 4 cropped" in scores["SSIM Y", 3]["convention"]
    assert {s["family"] for s in run.result()["scores"]} == {"PSNR", "SSIM", "FID", "KID", "brightness"}


def test_scoring_a_set_records_its_role_and_its_people(start: Callable[..., Run], faces: ImageSet) -> None:
    run = start()
    real = faces.named("noise, seen through rain", role="real LR faces")
    for images in (faces, real):
        Scoring(run, images, Bicubic(4), 4, Backends(None, None))("bicubic", bicubic)
    plain, hidden = run.result()["data"]
    assert (plain["name"], plain["role"]) == ("noise", "faces")
    assert (hidden["name"], hidden["role"]) == ("noise, seen through rain", "real LR faces")
    assert plain["groups"] == hidden["groups"] == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert plain["checksum"] == hidden["checksum"] == faces.checksum


def test_given_lr_faces_are_scored_as_those_of_the_degradation_that_made_them(start: Callable[..., Run], faces: ImageSet) -> None:
    run = start(profile="quick")
    given = faces.named("given", "real LR faces")
    backends = Backends(None, Means())
    made = Scoring(run, faces, Bicubic(4), 4, backends, seed=0)("bicubic", bicubic)
    assert Scoring(run, TestSet(degrade_set(faces, Bicubic(4), 0), given), None, 4, backends)("bicubic", bicubic) == made
    assert {(d["name"], d["role"]) for d in run.result()["data"]} == {("noise", "faces"), ("given", "real LR faces")}
    for images, degrade in ((given, None), (TestSet(faces, given), Bicubic(4))):
        with pytest.raises(ValueError, match="degrade: give one with HR images, and None with a TestSet"):
            Scoring(run, images, degrade, 4, backends)


@pytest.mark.filterwarnings("ignore:Frechet distance of 9 images")
def test_without_originals_what_is_left_is_compared_with_others(start: Callable[..., Run], faces: ImageSet) -> None:
    """FID against the others by the metric itself, who are a sample of their own; no PSNR, SSIM or LPIPS."""
    run = start(profile="quick")
    lr = degrade_set(faces, Bicubic(4), 0)
    pixels = np.random.default_rng(7).integers(0, 256, (20, 32, 32, 3), dtype=np.uint8)
    others = ImageSet("others", pixels, tuple(map(str, range(20))), "made up")
    bright = Metric("brightness", "brightness", brightness, convention="mean")
    scoring = Scoring(run, TestSet(lr, others=others), None, 4, Backends(None, Means()), extra=[bright])
    assert list(scoring.columns()) == ["brightness", "FID"]
    row = scoring("bicubic", bicubic)
    sr = (bicubic(lr.take(range(12))) * 255).round()
    made, real = (Means()(levels).double().numpy() for levels in (sr, (others.take(range(20)) * 255).round()))
    assert row["FD (means)"] == pytest.approx(frechet_distance(made, real), rel=1e-6)
    assert row["brightness"] == pytest.approx((sr / 255).mean().item(), rel=1e-5)
    assert {s["family"] for s in run.result()["scores"]} == {"FID", "KID", "brightness"}
    fid = next(s for s in run.result()["scores"] if s["family"] == "FID")
    assert "12 SR vs 20 HR images" in fid["convention"]
    assert (fid["n"], fid["dataset"]) == (12, lr.name)
    expected = set_replicates(made, real, frechet_distance, lr.groups, paired=False)
    assert len(expected) == 4 + 20
    assert expected[1] == pytest.approx(frechet_distance(np.delete(made, [3, 4, 5], axis=0), real))
    assert expected[4] == pytest.approx(frechet_distance(made, real[1:]))
    np.testing.assert_allclose(fid["replicates"], expected, rtol=1e-6)


def test_the_images_of_a_papers_run_are_kept_with_their_conventions(start: Callable[..., Run], faces: ImageSet) -> None:
    run = start(paper="selfsr")
    for _ in range(2):
        Scoring(run, faces, Bicubic(4), 4, Backends(None, None), seed=0)
    Scoring(start(), faces, Bicubic(4), 4, Backends(None, None))  # no paper's
    (folder,) = (run.out / "test_sets").iterdir()
    facts = read_manifest(folder / "lr.json")["source"]
    assert facts == {
        "paper": "selfsr",
        "crop": 4,
        "y": True,
        "extra": [],
        "name": "noise",
        "role": "faces",
        "checksum": faces.checksum,
    }
    lr, hr = open_packed(folder / "lr.json"), open_packed(folder / "hr.json")
    assert torch.equal(lr.take(range(12)), Bicubic(4)(hr.take(range(12))))
    assert (hr.checksum, hr.groups) == (faces.checksum, faces.groups)
    Scoring(run, faces, Bicubic(4), 0, Backends(None, None), seed=0)  # another convention
    assert len(list((run.out / "test_sets").iterdir())) == 2


def test_distances_of_other_images_are_another_family(start: Callable[..., Run], faces: ImageSet) -> None:
    run, rng = start(profile="quick"), np.random.default_rng(0)
    row = record_set_scores(run, "flow", faces, rng.normal(size=(12, 3)), rng.normal(size=(12, 3)), Means(), of="LR")
    assert list(row) == ["FD (means) of LR", "KID (means) x1000 of LR"]
    fid, kid = run.result()["scores"]
    assert (fid["key"], fid["family"], len(fid["replicates"])) == ("fd_means_of_lr", "FID of LR", 4)
    assert (kid["key"], kid["family"], len(kid["replicates"])) == ("kid_means_of_lr", "KID of LR", 4)


def test_on_rgb_without_a_border(start: Callable[..., Run], faces: ImageSet) -> None:
    run = start()
    Scoring(run, faces, Bicubic(4), 0, Backends(None, None), y=False)("same", bicubic)
    sr = torch.cat([(bicubic(b["lr"]) * 255).round() / 255 for b in eval_batches(faces, Bicubic(4), 5, 0)])
    hr = faces.take(range(12))
    np.testing.assert_allclose(run.values("same", faces, PSNR), psnr(sr, hr))
    np.testing.assert_allclose(run.values("same", faces, SSIM), ssim(sr, hr))
    assert {s["convention"] for s in run.result()["scores"]} == {"RGB, 8-bit, no crop"}
    with pytest.raises(KeyError, match="no score of other"):
        run.values("other", faces, SSIM)


def brightness(sr: torch.Tensor, hr: torch.Tensor) -> torch.Tensor:
    return sr.mean(dim=(1, 2, 3))


def test_without_weights_the_rest_is_scored(start: Callable[..., Run], faces: ImageSet) -> None:
    run = start()
    row = Scoring(run, faces, Bicubic(4), 4, Backends(None, None))("bicubic", bicubic)
    assert set(row) == {"method", "PSNR Y (dB)", "SSIM Y"}
