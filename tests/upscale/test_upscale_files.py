"""Files and folders through the library and the command: everything in its place, nothing lost, nothing replaced."""

from __future__ import annotations

import hashlib
import os
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
        (["album/ben.bmp", "larger.JPG", "--method", "bicubic"], "is called as a picture: name a folder, such as"),
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


def test_transparency_leaves_no_rim(tmp_path: Path) -> None:
    """A yellow bar on hidden blue: whatever it is laid on, no pixel is bluer than both."""
    pixels = np.zeros((24, 24, 4), np.uint8)
    pixels[...] = (0, 0, 255, 0)
    pixels[8:16] = (250, 200, 0, 255)
    Image.fromarray(pixels).save(tmp_path / "bar.png")
    (outcome,) = upscale_files(plan([tmp_path / "bar.png"], tmp_path / "out"), bicubic(3))
    assert not outcome.problem
    with Image.open(tmp_path / "out" / "bar.png") as image:
        seen = np.asarray(image).astype(int)
        laid = np.asarray(Image.alpha_composite(Image.new("RGBA", image.size, (250, 200, 0, 255)), image)).astype(int)
    assert seen[seen[..., 3] > 0][:, 2].max() == 0
    assert np.abs(laid[..., :3] - (250, 200, 0)).max() <= 1


def test_a_picture_that_is_all_hidden_stays_so(tmp_path: Path) -> None:
    Image.new("LA", (9, 9), (70, 0)).save(tmp_path / "nothing.png")
    (outcome,) = upscale_files(plan([tmp_path / "nothing.png"], tmp_path / "out"), bicubic(2))
    assert not outcome.problem
    assert np.asarray(Image.open(tmp_path / "out" / "nothing.png"))[..., 1].max() == 0


def test_two_pictures_of_one_name_keep_their_endings(tmp_path: Path) -> None:
    for name in ("me.jpg", "me.bmp", "you.webp"):
        save(tmp_path / "in" / "sub" / name)
    jobs = plan([tmp_path / "in"], tmp_path / "out")
    assert {job.target.relative_to(tmp_path / "out").as_posix() for job in jobs} == {
        "sub/me.jpg.png", "sub/me.bmp.png", "sub/you.png",
    }  # fmt: skip
    save(tmp_path / "in" / "sub" / "me.jpg.png")
    with pytest.raises(ValueError, match=r"several inputs would become .*me\.jpg\.png"):
        plan([tmp_path / "in"], tmp_path / "out")


def test_names_as_long_as_the_file_system_allows(tmp_path: Path) -> None:
    for name in ("é" * 125 + ".png", "y" * 251 + ".png"):
        save(tmp_path / "in" / name)
    outcomes = list(upscale_files(plan([tmp_path / "in"], tmp_path / "out"), bicubic(2)))
    assert [outcome.problem for outcome in outcomes] == ["", ""]
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_what_cannot_be_read_is_said_and_the_rest_goes_on(tmp_path: Path) -> None:
    good = save(tmp_path / "in" / "good.png")
    os.mkfifo(tmp_path / "in" / "pipe.png")
    (tmp_path / "in" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "in" / "list.csv").write_text("good.png")
    (tmp_path / "in" / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(90))
    inputs = [tmp_path / "in", tmp_path / "in" / "gone.png"]
    result = facesr(tmp_path / "in", tmp_path / "out", "--method", "bicubic")
    assert result.exit_code == 1
    said = " ".join(result.output.split())
    for part in (f"✓ {tmp_path / 'out' / 'good.png'}", "pipe.png: a folder, pipe", "gone.png: no such file, or a link to nowhere",
                 "phone.heic: ", "Passed over list.csv: no picture's ending (.csv)", "3 of 4 pictures failed"):  # fmt: skip
        assert part in said
    assert [path.name for path in (tmp_path / "out").iterdir()] == [good.name]
    with pytest.raises(ValueError, match="several inputs"):
        plan(inputs, tmp_path / "other", note=[].append)


def test_a_network_that_fails_on_one_picture_does_the_others(tmp_path: Path) -> None:
    jobs = plan([save(tmp_path / f"{i}.png", 8, 8 + i) for i in range(3)], tmp_path / "out")

    def moody(lr: torch.Tensor) -> torch.Tensor:
        if lr.shape[3] == 9:
            raise RuntimeError("Kernel size can't be greater than actual input size")
        return lr.repeat_interleave(2, 2).repeat_interleave(2, 3)

    problems = [outcome.problem for outcome in upscale_files(jobs, Upscaler("moody", 2, moody, reach=0))]
    assert [bool(problem) for problem in problems] == [False, True, False]
    assert "moody failed on it (RuntimeError: Kernel size" in problems[1]


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (5, 3)])
def test_small_pictures_are_continued_to_what_a_network_takes(size: tuple[int, int]) -> None:
    seen: list[tuple[int, ...]] = []

    def apply(lr: torch.Tensor) -> torch.Tensor:
        seen.append(tuple(lr.shape[2:]))
        return lr.repeat_interleave(2, 2).repeat_interleave(2, 3)

    lr = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
    sr = Upscaler("twice", 2, apply, reach=0, multiple=4, least=14)(lr)
    assert seen == [(16, 40 if size[1] == 40 else 16)]
    torch.testing.assert_close(sr, lr.repeat_interleave(2, 2).repeat_interleave(2, 3))
