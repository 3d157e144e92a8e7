"""`facesr score`: its numbers against the library's, its three forms of output, and clear errors."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner, Result

from facesr_lib.data import olivetti_faces
from facesr_lib.image import Bicubic, resize_bicubic
from facesr_lib.metrics import identity_similarity, niqe, psnr, ssim
from facesr_tools.cli.main import app
from facesr_tools.landmarks import landmark_error

SIZE = 64


def facesr(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["score", *map(str, arguments)])


def write(folder: Path, images: torch.Tensor, suffix: str = ".png") -> Path:
    folder.mkdir()
    for i, image in enumerate((images * 255).round().byte().permute(0, 2, 3, 1).numpy()):
        Image.fromarray(image).save(folder / f"face {i}{suffix}")
    return folder


@pytest.fixture(scope="module")
def hr() -> torch.Tensor:
    return olivetti_faces("val", SIZE).limit(12).take(range(12))


@pytest.fixture(scope="module")
def sr(hr: torch.Tensor) -> torch.Tensor:
    return (resize_bicubic(Bicubic(2)(hr), 2).clamp(0, 1) * 255).round() / 255


@pytest.fixture
def folders(tmp_path: Path, sr: torch.Tensor, hr: torch.Tensor) -> tuple[Path, Path]:
    return write(tmp_path / "sr", sr), write(tmp_path / "hr", hr)


@pytest.fixture
def no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACESR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))


def scores(result: Result) -> dict[str, dict]:
    assert result.exit_code == 0, result.output
    return {score["metric"]: score for score in json.loads(result.stdout)["scores"]}


def test_the_numbers_are_those_of_the_library(folders: tuple[Path, Path], sr: torch.Tensor, hr: torch.Tensor) -> None:
    found = scores(facesr(*folders, "--json"))
    np.testing.assert_allclose(found["PSNR (dB)"]["values"], psnr(sr, hr))
    np.testing.assert_allclose(found["SSIM"]["values"], ssim(sr, hr))
    assert found["PSNR (dB)"]["mean"] == pytest.approx(psnr(sr, hr).mean().item())
    assert found["PSNR (dB)"]["std"] == pytest.approx(psnr(sr, hr).std().item())
    assert (found["PSNR (dB)"]["n"], found["PSNR (dB)"]["unit"]) == (12, "dB")
    cropped = scores(facesr(*folders, "--y", "--crop", "2", "--json"))
    np.testing.assert_allclose(cropped["PSNR Y (dB)"]["values"], psnr(sr, hr, y=True, crop=2))
    assert cropped["SSIM Y"]["convention"] == "Y of YCbCr, 8-bit, border of 2 cropped"


def test_face_metrics_where_their_weights_are(
    need: Callable[[str], Path], folders: tuple[Path, Path], sr: torch.Tensor, hr: torch.Tensor
) -> None:
    for name in ("face-api", "niqe", "mobilenet-v2", "hed-vgg"):
        need(name)
    found = scores(facesr(*folders, "--json"))
    np.testing.assert_allclose(found["ID (face-api)"]["values"], identity_similarity(sr, hr), atol=1e-6)
    np.testing.assert_allclose(found["NME (face-api 68)"]["values"], landmark_error(sr, hr), atol=1e-5)
    assert not found["NME (face-api 68)"]["higher_is_better"]
    (label,) = (name for name in found if name.startswith("NIQE"))
    known = [value for value in found[label]["values"] if value != "nan"]
    assert len(known) == found[label]["n"]
    first = next(i for i, value in enumerate(found[label]["values"]) if value != "nan")
    assert known[0] == pytest.approx(niqe(sr[first : first + 1], enlarge=3).item())
    families = {name.split()[0] for name in found}
    assert {"LPIPS", "KID"} <= families
    assert families & {"FD", "FID"}


def test_without_weights_it_says_how_to_fetch_them(folders: tuple[Path, Path], no_weights: None) -> None:
    result = facesr(*folders)
    assert result.exit_code == 0
    assert "PSNR (dB)" in result.output
    for name in ("alexnet", "inception", "niqe", "face-api"):
        assert f"facesr weights fetch {name}" in result.output
    assert set(scores(facesr(*folders, "--json"))) == {"PSNR (dB)", "SSIM"}


def test_csv_has_every_digit(folders: tuple[Path, Path], no_weights: None, sr: torch.Tensor, hr: torch.Tensor) -> None:
    result = facesr(*folders, "--csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["key"] for row in rows] == ["psnr", "ssim"]
    assert float(rows[0]["mean"]) == pytest.approx(psnr(sr, hr).mean().item(), rel=1e-14)
    assert "weights fetch" in result.stderr


def test_a_picture_too_flat_for_niqe_is_left_out(need: Callable[[str], Path], tmp_path: Path, hr: torch.Tensor) -> None:
    need("niqe")
    flat = torch.cat([hr[:2], torch.full_like(hr[:1], 0.5)])
    result = facesr(write(tmp_path / "sr", flat), write(tmp_path / "hr", hr[:3]), "--json")
    found = scores(result)
    (label,) = (name for name in found if name.startswith("NIQE"))
    assert (found[label]["n"], found[label]["values"][2]) == (2, "nan")
    assert any("1 images left out" in note and "too flat" in note for note in json.loads(result.stdout)["notes"])


def test_equal_folders_are_infinitely_good(tmp_path: Path, hr: torch.Tensor, no_weights: None) -> None:
    same = write(tmp_path / "hr", hr[:2])
    assert scores(facesr(same, same, "--json"))["PSNR (dB)"]["mean"] == "inf"
    assert "∞" in facesr(same, same).output


def test_a_models_file_runs_on_bicubic_lr(tmp_path: Path, hr: torch.Tensor, no_weights: None) -> None:
    """The network of tests/test_score.py with all weights 0 repeats the pixels of LR."""
    pytest.importorskip("spandrel", reason="spandrel is not installed: pip install 'facesr[external]'")
    shapes = {"body.0.weight": (8, 3, 3, 3), "body.0.bias": (8,), "body.1.weight": (8,), "body.2.weight": (8, 8, 3, 3)}
    shapes |= {"body.2.bias": (8,), "body.3.weight": (8,), "body.4.weight": (12, 8, 3, 3), "body.4.bias": (12,)}
    torch.save({"params": {name: torch.zeros(shape) for name, shape in shapes.items()}}, tmp_path / "net.pth")
    folder = write(tmp_path / "hr", hr)
    found = scores(facesr(folder, "--model", tmp_path / "net.pth", "--json"))
    expected = psnr(torch.nn.functional.interpolate(Bicubic(2)(hr), scale_factor=2), hr)
    np.testing.assert_allclose(found["PSNR (dB)"]["values"], expected)
    assert scores(facesr(folder, "--model", tmp_path / "net.pth", "--scale", "2", "--json")) == found
    wrong = facesr(folder, "--model", tmp_path / "net.pth", "--scale", "4")
    assert (wrong.exit_code, "enlarges by 2" in wrong.stderr) == (2, True)


def test_references_may_be_jpeg_but_sr_must_be_png(tmp_path: Path, sr: torch.Tensor, no_weights: None) -> None:
    made, jpeg = write(tmp_path / "sr", sr[:2]), write(tmp_path / "hr", sr[:2], ".jpg")
    assert 30 < scores(facesr(made, jpeg, "--json"))["PSNR (dB)"]["mean"] < 60
    result = facesr(jpeg, made)
    assert result.exit_code == 2
    assert "face 0.png" in result.stderr


def test_wrong_options_and_folders_are_told(tmp_path: Path, sr: torch.Tensor, hr: torch.Tensor) -> None:
    made, real = write(tmp_path / "sr", sr[:2]), write(tmp_path / "hr", hr[:3])
    other = write(tmp_path / "mixed", hr[:1])
    Image.new("RGB", (8, 8)).save(other / "small.png")
    (tmp_path / "empty").mkdir()
    for arguments, message in (
        ((made, real), "1 of 3 SR images are missing"),
        ((made,), "give two folders, SR and HR"),
        ((made, made, "--scale", 4), "--scale belongs to --model"),
        ((made, made, "--json", "--csv"), "choose one"),
        ((made, made, "--crop", 40), "crop: 40 pixels off every side"),
        ((made, tmp_path / "nowhere"), "is not a folder: give the folder of the HR references"),
        ((made, tmp_path / "empty"), "holds no pictures"),
        ((made, other), "small.png: 8 x 8 pixels"),
        ((real, "--model", tmp_path / "net.pth"), "net.pth is missing"),
        (("--export-lr", tmp_path), "need --paper"),
        (("--export-lr", tmp_path, "--paper", "dic"), "unknown paper 'dic'"),
        (("--export-lr", tmp_path, "--paper", "selfsr", "--role", "people"), "--role people: choose one of faces"),
        (("--export-lr", tmp_path, "--paper", "selfsr", "--out", tmp_path), "no test set of selfsr in the quick profile"),
        ((made, real, "--as", "DIC", "--paper", "selfsr"), "2 folders: with --as give one"),
    ):
        result = facesr(*arguments)
        assert result.exit_code == 2, arguments
        assert message in " ".join(result.stderr.split()), arguments


def test_help_has_examples() -> None:
    assert "facesr score results/sr faces/hr" in facesr("--help").output
