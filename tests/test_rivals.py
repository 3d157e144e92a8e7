"""Rivals that nobody can run here: from the LR faces of a notebook's test set to the verdict, by the command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner, Result

from facesr_lib.data import ImageSet, TestSet, degrade_set, olivetti_faces
from facesr_lib.evaluate import Backends, Run, Scoring
from facesr_lib.evaluate.bootstrap import bootstrap_mean
from facesr_lib.image import Bicubic, resize_bicubic, to_uint8
from facesr_lib.metrics import psnr
from facesr_lib.papers import SELFSR
from facesr_tools.cli.main import app

StartRun = Callable[..., Run]
N = 20


def facesr(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


def enlarged(lr: torch.Tensor) -> torch.Tensor:
    return resize_bicubic(lr, 4).clamp(0, 1)


def doubtful(lr: torch.Tensor) -> torch.Tensor:
    """Worse than bicubic."""
    return (enlarged(lr) + 0.1).clamp(0, 1)


@pytest.fixture
def faces() -> ImageSet:
    return olivetti_faces("test", 64).limit(N)


@pytest.fixture
def notebook(start: StartRun, faces: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A finished run with SelfSR's scores on faces with bicubic LR, and on real LR faces; no weights for LPIPS, FID and NIQE."""
    monkeypatch.setenv("FACESR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    run = start("21_selfsr", paper="selfsr", profile="quick")
    scoring = Scoring(run, faces, Bicubic(4), 4, Backends.find(run))
    scoring("SelfSR", doubtful)
    (cell,) = SELFSR.published(table="Table I", row="SelfSR paired", column="CelebA PSNR")
    run.published(cell, method="SelfSR", images=faces, metric=scoring.columns()["PSNR"], differs="all")
    real = TestSet(degrade_set(faces, Bicubic(4), 0).named("real LR", "real LR faces"), others=faces)
    Scoring(run, real, None, 4, Backends.find(run))
    run.data(real.images)
    run.finish()
    return run


def make_sr(place: Path, method: Callable[[torch.Tensor], torch.Tensor]) -> Path:
    """What somebody does elsewhere: read the LR files, write the SR files."""
    (place / "sr").mkdir(exist_ok=True)
    for path in (place / "lr").iterdir():
        lr = torch.from_numpy(np.asarray(Image.open(path)).copy()).permute(2, 0, 1)[None] / 255
        Image.fromarray(to_uint8(method(lr))[0].permute(1, 2, 0).numpy()).save(place / "sr" / path.name)
    return place / "sr"


def claim(out: Path, name: str) -> dict:
    assert facesr("report", "--profile", "quick", "--out", out).exit_code == 0
    papers = json.loads((out / "quick/claims.json").read_text())["papers"]
    return next(claim for paper in papers for claim in paper["claims"] if claim["id"] == name)


def test_a_rivals_pictures_decide_the_claim_about_it(notebook: Run, faces: ImageSet, tmp_path: Path) -> None:
    out, options = notebook.out, ("--paper", "selfsr", "--role", "faces", "--out", notebook.out)
    before = claim(out, "selfsr.dicgan")
    assert (before["verdict"], before["shown"]) == ("needs their images", "needs their images")
    assert "rivals that nobody can run here" in (out / "quick/report.html").read_text()
    result = facesr("score", "--export-lr", tmp_path / "rivals", *options)
    (place,) = map(Path, result.stdout.split())
    facts = json.loads((place / "set.json").read_text())
    assert (facts["test set"], facts["SR size"], len(list((place / "lr").iterdir()))) == (faces.name, [64, 64], N)

    result = facesr("score", make_sr(place, enlarged), "--as", "DICGAN", *options)
    assert result.exit_code == 0, result.output
    scored = json.loads(Path(result.stdout.strip()).read_text())
    theirs = next(s for s in scored["scores"] if s["family"] == "PSNR")
    lr = Bicubic(4)(faces.take(range(N)))
    expected, ours = (psnr(to_uint8(f(lr)) / 255, faces.take(range(N)), y=True, crop=4) for f in (enlarged, doubtful))
    np.testing.assert_allclose(theirs["values"], expected, atol=1e-9)
    (beside,) = scored["published"]
    assert (beside["reference"]["row"], beside["reference"]["column"]) == ("DICGAN", "CelebA PSNR")

    after = claim(out, "selfsr.dicgan")
    assert after["shown"] == "points against (1 seed)"  # SelfSR's stand-in is worse than what stands in for DICGAN
    part = next(part for part in after["measured"] if part["metric"] == "PSNR Y (dB)")
    paired = bootstrap_mean(ours - expected, faces.groups)  # over people, image by image
    assert part["effect"] == pytest.approx(paired.value)
    assert (part["low"], part["high"]) == pytest.approx(paired.interval())
    assert part["notebook"] == "21_selfsr"
    assert "DICGAN" not in (out / "quick/model_cards/selfsr.md").read_text()


def test_the_right_set_must_be_named_and_every_picture_there(notebook: Run, tmp_path: Path) -> None:
    out = ("--paper", "selfsr", "--out", notebook.out)
    assert len(facesr("score", "--export-lr", tmp_path / "rivals", *out).stdout.splitlines()) == 2
    place = next(path for path in (tmp_path / "rivals").iterdir() if path.name != "real-LR")
    sr = make_sr(place, enlarged)
    kept = facesr("score", sr, "--as", "DICGAN", "--role", "faces", *out).stdout.strip()
    (sr / "00003.png").unlink()
    for arguments, message in (
        ((sr, "--as", "DICGAN", *out), "several test sets fit: "),
        ((sr, "--as", "DICGAN", "--role", "faces", *out), "1 of 20 SR images are missing"),
        ((sr, "--as", "DICGAN", "--role", "cartoons", *out), "for role cartoons; there is: "),
        (
            (sr, "--as", "DICGAN", "--test-set", "real LR", "--profile", "paper", *out),
            "in the paper profile for real LR; there is: none",
        ),
    ):
        result = facesr("score", *arguments)
        assert result.exit_code == 2, arguments
        assert message in " ".join(result.stderr.split()), arguments
    assert Path(kept).is_file()  # a refused folder leaves the older result


def test_scores_on_other_pixels_of_the_same_name_are_not_joined(notebook: Run, faces: ImageSet, tmp_path: Path) -> None:
    options = ("--paper", "selfsr", "--role", "faces", "--out", notebook.out)
    (place,) = map(Path, facesr("score", "--export-lr", tmp_path / "rivals", *options).stdout.split())
    facesr("score", make_sr(place, enlarged), "--as", "DICGAN", *options)
    path = notebook.folder / "result.json"
    result = json.loads(path.read_text())
    result["data"] = [{**data, "checksum": "0" * 64} for data in result["data"]]
    path.write_text(json.dumps(result))
    assert claim(notebook.out, "selfsr.dicgan")["verdict"] == "needs their images"
