"""Files and folders through the library and the command: everything in its place, nothing lost, nothing replaced."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from facesr_lib import shipped
from facesr_lib.image import resize_bicubic, to_uint8
from facesr_tools.cli.main import app
from facesr_tools.upscale import Upscaler, bicubic, plan, upscale_files


def save(path: Path, height: int = 10, width: int = 12, seed: int = 0, mode: str = "RGB") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(levels).convert(mode).save(path)
    return path


@pytest.fixture
def album(tmp_path: Path) -> Path:
    folder = tmp_path / "album"
    save(folder / "ann" / "1.png", seed=1)
    save(folder / "ann" / "2.jpg", seed=2)
    save(folder / "ben.bmp", seed=3, mode="L")
    (folder / "notes.txt").write_text("not a picture")
    return folder


def facesr(*arguments: object):
    return CliRunner().invoke(app, ["upscale", *map(str, arguments)])


def digests(folder: Path) -> dict[str, str]:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def test_folder_keeps_its_shape_and_its_originals(album: Path, tmp_path: Path) -> None:
    before = digests(album)
    result = facesr(album, tmp_path / "out", "--method", "bicubic", "--scale", 3)
    assert result.exit_code == 0, result.output
    found = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")}
    assert found == {"ann/1.png", "ann/2.png", "ben.png"}
    assert digests(album) == before
    source = torch.from_numpy(np.asarray(Image.open(album / "ann" / "1.png")) / 255.0).permute(2, 0, 1)[None]
    expected = to_uint8(resize_bicubic(source, 3))[0].permute(1, 2, 0).numpy()
    result_pixels = np.asarray(Image.open(tmp_path / "out" / "ann" / "1.png")).astype(int)
    assert np.abs(result_pixels - expected).max() <= 1
    with Image.open(tmp_path / "out" / "ben.png") as ben:
        assert ben.mode == "L"


def test_a_trained_network_from_the_shell(album: Path, stages: Path, tmp_path: Path) -> None:
    arguments = (tmp_path / "out", "--method", "isr_kd", "--runs", stages.parent, "--device", "cpu")
    result = facesr(album / "ben.bmp", *arguments)
    assert result.exit_code == 0, result.output
    assert "isr_kd, isr-kd-0123456789ab, step 100: x8, 1 pictures" in result.output
    with Image.open(tmp_path / "out" / "ben.png") as image:
        assert image.size == (96, 80)
        assert "invented" in image.text["Comment"]


def test_one_bad_file_stops_nothing(album: Path, tmp_path: Path) -> None:
    (album / "bad.png").write_bytes(b"\x89PNG but no more")
    result = facesr(album, tmp_path / "out", "--method", "bicubic")
    assert result.exit_code == 1
    assert "bad.png: not an image" in result.output
    assert "1 of 4 pictures failed" in result.output
    assert len(list((tmp_path / "out").rglob("*.png"))) == 3


def test_results_are_not_replaced_unless_asked(album: Path, tmp_path: Path) -> None:
    arguments = (album / "ben.bmp", tmp_path / "out", "--method", "bicubic")
    assert facesr(*arguments).exit_code == 0
    before = digests(tmp_path / "out")
    again = facesr(*arguments, "--scale", 2)
    assert again.exit_code == 2
    assert "--overwrite" in again.output
    assert digests(tmp_path / "out") == before
    assert facesr(*arguments, "--scale", 2, "--overwrite").exit_code == 0
    assert digests(tmp_path / "out") != before


def test_an_original_is_never_a_target(tmp_path: Path) -> None:
    photo = save(tmp_path / "photo.png")
    before = photo.read_bytes()
    result = facesr(photo, tmp_path, "--method", "bicubic", "--overwrite")
    assert result.exit_code == 2
    assert "would replace an original" in result.output
    link = tmp_path / "other"
    link.mkdir()
    (link / "photo.png").symlink_to(photo)
    with pytest.raises(ValueError, match="would replace an original"):
        plan([photo], link, overwrite=True)
    assert photo.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["album", "album/larger", "--method", "bicubic"], "lies inside"),
        (["album", "album/ben.bmp", "--method", "bicubic"], "is a file: name the folder"),
        (["nowhere.png", "out", "--method", "bicubic"], "no such file or folder"),
        (["album", "out", "--method", "esrgan"], "no method is called 'esrgan'"),
        (["album", "out", "--method", "bicubic", "--checkpoint", "gan"], "needs no --checkpoint"),
        (["album", "out", "--method", "bicubic", "--shipped"], "no --shipped"),
        (["album", "out", "--shipped"], "comes with no network; there are: none"),
        (["album", "out", "--method", "bicubic", "--scale", "1"], "from 2 on"),
        (["album", "out", "--method", "bicubic", "--tile", "-1"], "--tile -1"),
        (["album", "out", "--runs", "none"], "There is none in none/stages yet, and none ships"),
        (["album", "album/ann/1.png", "album/ann", "out", "--method", "bicubic"], "several inputs"),
    ],
)
def test_wrong_requests_write_nothing(album: Path, monkeypatch, arguments: list[str], message: str) -> None:
    monkeypatch.chdir(album.parent)
    monkeypatch.setattr(shipped, "FOLDER", album.parent / "nothing shipped")
    result = facesr(*arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
    assert not (album.parent / "out").exists()
    assert not (album / "larger").exists()


def test_too_large_and_out_of_memory_are_said(tmp_path: Path) -> None:
    jobs = plan([save(tmp_path / "a.png", 20, 20)], tmp_path / "out")
    (outcome,) = upscale_files(jobs, bicubic(1000))
    assert "would become 20000x20000" in outcome.problem

    def exhausted(lr: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    (outcome,) = upscale_files(jobs, Upscaler("hungry", 2, exhausted, reach=0))
    assert "smaller --tile" in outcome.problem
    assert not (tmp_path / "out").exists()


def test_progress_adds_up_also_over_bad_files(album: Path, tmp_path: Path) -> None:
    (album / "cut.png").write_bytes((album / "ann" / "1.png").read_bytes()[:60])
    jobs = plan([album], tmp_path / "out", note=[].append)
    seen: list[int] = []
    outcomes = list(upscale_files(jobs, bicubic(2), tile=5, step=seen.append))
    assert [bool(outcome.problem) for outcome in outcomes].count(True) == 1
    assert sum(seen) == sum(job.pixels for job in jobs)
