"""External systems: folders of PNG files, and model files through spandrel."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from facesr_lib.data import ImageSet, image_folder
from facesr_lib.metrics import PSNR, evaluate, psnr
from facesr_tools.score import evaluate_folder, reference_set, spandrel_method

N = 12


@pytest.fixture
def hr() -> ImageSet:
    pixels = np.random.default_rng(0).integers(0, 256, (N, 10, 8, 3), dtype=np.uint8)
    return ImageSet("drawn", pixels, tuple(map(str, range(N))), "none")


@pytest.fixture
def sr() -> np.ndarray:
    """Every image with its own error, so that a mix-up changes the scores."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (N, 10, 8, 3), dtype=np.uint8)
    return (pixels + rng.integers(0, 1 + np.arange(N)[:, None, None, None], pixels.shape)).clip(0, 255).astype(np.uint8)


def write(folder: Path, pixels: np.ndarray, names: list[str]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, image in zip(names, pixels, strict=True):
        Image.fromarray(image).save(folder / f"{name}.png")
    return folder


def expected(sr: np.ndarray, hr: ImageSet) -> Tensor:
    x = torch.from_numpy(sr).permute(0, 3, 1, 2) / 255
    return psnr(x, hr.take(range(N)))


@pytest.mark.parametrize("batch_size", [1, 5, 16])
def test_files_are_paired_by_name_never_by_order(tmp_path: Path, sr: np.ndarray, hr: ImageSet, batch_size: int) -> None:
    """Sorted as text, "10" comes before "9"; what no reference asks for is passed over, and said."""
    folder = write(tmp_path / "sr", sr, [str(i) for i in range(N)])
    (folder / ".hidden.png").write_bytes(b"")
    (folder / "readme.txt").write_text("made elsewhere")
    (folder / "older").mkdir()
    write(folder, sr[:1], ["another"])
    said: list[str] = []
    scores = evaluate_folder(folder, hr, [PSNR], batch_size=batch_size, note=said.append)
    assert torch.equal(scores[PSNR], expected(sr, hr))
    assert [line.split(":")[0] for line in said] == ["Passed over another.png", "Passed over older", "Passed over readme.txt"]


def test_pictures_of_a_folder_are_paired_with_the_files_of_their_names(tmp_path: Path, monkeypatch) -> None:
    """`image_folder` reads 1, 10, 11, 2 (text), a super-resolver's folder lists 1, 2, 10, 11: the same names, the same faces."""
    monkeypatch.setenv("FACESR_CACHE", str(tmp_path / "cache"))
    pixels = np.random.default_rng(3).integers(0, 256, (4, 20, 20, 3), np.uint8)
    names = ["1", "2", "10", "11"]
    images = image_folder(write(tmp_path / "hr", pixels, names), 20)
    assert evaluate_folder(write(tmp_path / "sr", pixels, names), images, [PSNR])[PSNR].isinf().all()
    (tmp_path / "sr" / "10.png").rename(tmp_path / "sr" / "ten.png")
    with pytest.raises(FileNotFoundError, match=r"1 of 4 .* missing .*: 10\.png; without a reference: ten\.png"):
        evaluate_folder(tmp_path / "sr", images, [PSNR])


def test_without_names_of_their_own_images_are_not_paired(tmp_path: Path, sr: np.ndarray, hr: ImageSet) -> None:
    people = ImageSet("people", hr.pixels, ("ann",) * 6 + ("ben",) * 6, "none")
    folder = write(tmp_path / "sr", sr, [f"{i:02d}" for i in range(N)])
    with pytest.raises(ValueError, match="a name occurs twice, so files cannot be paired"):
        evaluate_folder(folder, people, [PSNR])
    scores = evaluate_folder(folder, people, [PSNR], names=[f"{i:02d}" for i in range(N)])
    assert torch.equal(scores[PSNR], expected(sr, hr))


def test_composed_and_decomposed_accents_are_one_name(tmp_path: Path, sr: np.ndarray, hr: ImageSet) -> None:
    write(tmp_path / "hr", np.asarray(hr.pixels)[:2], ["Zo\u00eb", "Bj\u00f6rn"])
    images, names = reference_set(tmp_path / "hr")
    folder = write(tmp_path / "sr", np.asarray(hr.pixels)[:2], ["Zoe\u0308", "Bjo\u0308rn"])
    assert evaluate_folder(folder, images, [PSNR], names=names)[PSNR].isinf().all()


def test_references_name_what_is_passed_over(tmp_path: Path, sr: np.ndarray) -> None:
    folder = write(tmp_path / "hr", sr, [f"{i:02d}" for i in range(N)])
    write(folder / "more", sr[:1], ["x"])
    (folder / "scan.raw").write_bytes(b"raw")
    said: list[str] = []
    images, _ = reference_set(folder, said.append)
    assert len(images) == N
    assert [line.split(":")[0] for line in said] == ["Passed over more", "Passed over scan.raw"]
    os.symlink(tmp_path / "gone.png", folder / "12.png")
    with pytest.raises(ValueError, match=r"12\.png: no such file, or a link to nowhere"):
        reference_set(folder, said.append)


def test_depth_and_transparency_are_refused(tmp_path: Path, sr: np.ndarray, hr: ImageSet) -> None:
    import cv2

    folder = write(tmp_path / "sr", sr, [str(i) for i in range(N)])
    cv2.imwrite(str(folder / "0.png"), sr[0].astype(np.uint16) * 257)  # which Pillow opens as RGB of 8 bit
    Image.fromarray(sr[1]).save(folder / "1.png", transparency=(1, 2, 3))
    with pytest.raises(ValueError, match=r"2 files in .*\n  0\.png: 16 bit.*\n  1\.png: .* transparent"):
        evaluate_folder(folder, hr, [PSNR])


def test_equals_evaluate_on_the_saved_images(tmp_path: Path, sr: np.ndarray, hr: ImageSet) -> None:
    x = torch.from_numpy(sr).permute(0, 3, 1, 2) / 255
    inside = evaluate(lambda lr: lr, [{"lr": x, "hr": hr.take(range(N))}], [PSNR])
    outside = evaluate_folder(write(tmp_path / "sr", sr, [f"{i}" for i in range(N)]), hr, [PSNR])
    assert torch.equal(inside[PSNR], outside[PSNR])


def test_grey_files_are_taken_as_rgb(tmp_path: Path, sr: np.ndarray, hr: ImageSet) -> None:
    grey = sr[..., :1].repeat(3, axis=3)
    folder = tmp_path / "sr"
    folder.mkdir()
    for i in range(N):
        Image.fromarray(sr[i, :, :, 0]).save(folder / f"{i}.png")
    assert torch.equal(evaluate_folder(folder, hr, [PSNR])[PSNR], expected(grey, hr))


def test_16_bit_colour_is_refused_in_both_folders(tmp_path: Path, sr: np.ndarray, hr: ImageSet) -> None:
    """Pillow would give the upper byte, one level too dark for most pixels."""
    folder = write(tmp_path / "sr", sr, [str(i) for i in range(N)])
    for name, channels in (("3", 3), ("7", 4)):
        deep = np.concatenate([sr[0], sr[0, :, :, :1]], axis=2)[..., :channels].astype(np.uint16) * 250 + 99
        cv2.imwrite(str(folder / f"{name}.png"), deep)
    for score in (lambda: evaluate_folder(folder, hr, [PSNR]), lambda: reference_set(folder)):
        with pytest.raises(ValueError, match=r"2 files .*\n  3\.png: 16 bit per colour; .*\n  7\.png: 16 bit per colour"):
            score()


def test_files_that_cannot_be_scored_are_all_named(tmp_path: Path, sr: np.ndarray, hr: ImageSet) -> None:
    names = [f"{i:02d}" for i in range(N)]
    folder = write(tmp_path / "sr", sr, names)
    Image.fromarray(sr[0, :, :5]).save(folder / "00.png")
    Image.fromarray(sr[0, :, :, 0].astype(np.uint16) * 256).save(folder / "01.png")
    Image.fromarray(np.concatenate([sr[0], sr[0, :, :, :1]], axis=2)).save(folder / "02.png")
    Image.fromarray(sr[0]).save(folder / "03.png", format="JPEG")
    (folder / "04.png").write_bytes((folder / "05.png").read_bytes()[:150])
    (folder / "06.png").write_text("no image")
    with pytest.raises(ValueError, match=r"6 files in .* cannot be scored") as caught:
        evaluate_folder(folder, hr, [PSNR], names=names)
    lines = str(caught.value).splitlines()[1:]
    parts = ["5 x 10 pixels, the HR images have 8 x 10", "16 bit", "RGBA", "JPEG in spite of", "damaged", "not an image"]
    for line, name, part in zip(lines, ["00", "01", "02", "03", "04", "06"], parts, strict=True):
        assert line.strip().startswith(f"{name}.png: ")
        assert part in line


def test_missing_too_many_and_jpeg_files(tmp_path: Path, sr: np.ndarray, hr: ImageSet) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere is not a folder"):
        evaluate_folder(tmp_path / "nowhere", hr, [PSNR])
    folder = write(tmp_path / "sr", sr[:-1], [f"{i:02d}" for i in range(N - 1)])
    with pytest.raises(FileNotFoundError, match=r"1 of 12 SR images are missing .*: 11\.png\. Save SR images as PNG"):
        evaluate_folder(folder, hr, [PSNR], names=[f"{i:02d}" for i in range(N)])
    for names, message in ((["a"] * N, "occurs twice"), (["a"], "1 names for 12 images")):
        with pytest.raises(ValueError, match=message):
            evaluate_folder(folder, hr, [PSNR], names=names)
    Image.fromarray(sr[0]).save(folder / "11.jpg")
    with pytest.raises(FileNotFoundError, match=r"11\.png; without a reference: 11\.jpg\. Save SR images as PNG"):
        evaluate_folder(folder, hr, [PSNR], names=[f"{i:02d}" for i in range(N)])


# ---------------------------------------------------------------------------------------------------------------------
# spandrel


def small_esrgan() -> dict[str, Tensor]:
    """An untrained Real-ESRGAN-like network (SRVGGNetCompact: 8 features, one layer, x2), in its checkpoints' layout."""
    generator = torch.Generator().manual_seed(0)

    def conv(n_out: int, n_in: int) -> Tensor:
        return 0.1 * torch.randn(n_out, n_in, 3, 3, generator=generator)

    return {
        "body.0.weight": conv(8, 3),
        "body.0.bias": torch.zeros(8),
        "body.1.weight": torch.full((8,), 0.2),
        "body.2.weight": conv(8, 8),
        "body.2.bias": torch.zeros(8),
        "body.3.weight": torch.full((8,), 0.2),
        "body.4.weight": conv(12, 8),
        "body.4.bias": torch.zeros(12),
    }


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_model_file_becomes_a_super_resolver(tmp_path: Path, suffix: str) -> None:
    pytest.importorskip("spandrel", reason="spandrel is not installed: pip install 'facesr[external]'")
    from safetensors.torch import save_file

    path = tmp_path / f"net{suffix}"
    state = small_esrgan()
    if suffix == ".pth":
        torch.save({"params": state}, path)
    else:
        save_file(state, path)
    method = spandrel_method(path)
    assert method.scale == 2
    assert path.name in method.name
    x = torch.rand(3, 3, 9, 7, generator=torch.Generator().manual_seed(0), requires_grad=True)
    sr = method(x)
    assert sr.shape == (3, 3, 18, 14)
    assert not sr.requires_grad
    assert 0 <= sr.min() < sr.max() <= 1
    # The network itself, written out: the image enlarged by repeating pixels, plus what the convolutions add.
    y = torch.nn.functional.conv2d(x, state["body.0.weight"], padding=1)
    y = torch.nn.functional.prelu(y, state["body.1.weight"])
    y = torch.nn.functional.prelu(torch.nn.functional.conv2d(y, state["body.2.weight"], padding=1), state["body.3.weight"])
    y = torch.nn.functional.pixel_shuffle(torch.nn.functional.conv2d(y, state["body.4.weight"], padding=1), 2)
    expected = (y + torch.nn.functional.interpolate(x, scale_factor=2)).clamp(0, 1)
    torch.testing.assert_close(sr, expected.detach(), rtol=0, atol=1e-5)


def test_files_that_are_no_super_resolver_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("spandrel", reason="spandrel is not installed: pip install 'facesr[external]'")
    with pytest.raises(FileNotFoundError, match=r"net\.pth is missing"):
        spandrel_method(tmp_path / "net.pth")
    path = tmp_path / "net.pth"
    for content, message in (
        ({"params": Path()}, "cannot be read as a file of tensors"),  # would have to be unpickled
        (torch.zeros(3), "holds a Tensor"),
        ({"weight": torch.zeros(3)}, "does not know this model's architecture"),
    ):
        torch.save(content, path)
        with pytest.raises(ValueError, match=message):
            spandrel_method(path)


def test_without_spandrel_the_command_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spandrel", None)
    with pytest.raises(ModuleNotFoundError, match="pip install spandrel"):
        spandrel_method(tmp_path / "net.pth")
