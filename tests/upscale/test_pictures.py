"""Pictures keep what they are; Pillow and OpenCV read back what is written."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageCms, PngImagePlugin

from facesr_lib.data import BadImages
from facesr_lib.image import resize_bicubic
from facesr_tools.upscale import PictureFile, read_picture, write_picture

rng = np.random.default_rng(0)


def pixels(channels: int, deep: bool, height: int = 7, width: int = 9) -> np.ndarray:
    return rng.integers(0, 65536 if deep else 256, (height, width, channels), np.uint16 if deep else np.uint8)


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_what_is_written_is_read_back(tmp_path: Path, channels: int, deep: bool) -> None:
    picture = PictureFile(pixels(channels, deep), profile=b"not checked here")
    write_picture(tmp_path / "a.png", picture, {"Comment": "invented"})
    back = read_picture(tmp_path / "a.png")
    assert back.pixels.dtype == picture.pixels.dtype
    np.testing.assert_array_equal(back.pixels, picture.pixels)
    assert back.profile == b"not checked here"
    with Image.open(tmp_path / "a.png") as opened:
        assert opened.text == {"Comment": "invented"}
    assert list(tmp_path.iterdir()) == [tmp_path / "a.png"]


@pytest.mark.parametrize("text", ["Zoë", "モデル, step 5", "Ελλάδα 𝄞"])
def test_a_comment_in_any_script_is_read_back(tmp_path: Path, text: str) -> None:
    write_picture(tmp_path / "a.png", PictureFile(pixels(3, False)), {"Comment": text, "Software": "facesr"})
    with Image.open(tmp_path / "a.png") as opened:
        assert opened.text == {"Comment": text, "Software": "facesr"}


@pytest.mark.parametrize(("channels", "order"), [(1, [0]), (3, [2, 1, 0]), (4, [2, 1, 0, 3])])
@pytest.mark.parametrize("deep", [False, True])
def test_opencv_reads_it_too(tmp_path: Path, channels: int, order: list[int], deep: bool) -> None:
    content = pixels(channels, deep)
    write_picture(tmp_path / "a.png", PictureFile(content), {})
    found = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED).reshape(7, 9, channels)
    np.testing.assert_array_equal(found[..., order], content)


@pytest.mark.parametrize(("mode", "channels"), [("1", 1), ("L", 1), ("LA", 2), ("P", 3), ("RGB", 3), ("RGBA", 4)])
def test_modes(tmp_path: Path, mode: str, channels: int) -> None:
    image = Image.fromarray(pixels(channels if channels > 2 else 4, False)).convert(mode)
    image.save(tmp_path / "a.png")
    expected = np.asarray(image.convert({1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]))
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png").pixels, expected.reshape(7, 9, channels))


def test_transparent_palette_colour(tmp_path: Path) -> None:
    image = Image.fromarray(pixels(3, False)).quantize(8)
    image.save(tmp_path / "a.png", transparency=2)
    expected = Image.open(tmp_path / "a.png").convert("RGBA")
    assert 0 < (np.asarray(expected)[..., 3] == 0).sum() < 63
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png").pixels, np.asarray(expected))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("channels", "suffix"), [(1, ".png"), (3, ".png"), (4, ".png"), (1, ".tiff")])
def test_orientation_of_deep_files(tmp_path: Path, orientation: int, channels: int, suffix: str) -> None:
    """As Pillow turns the same picture in 8 bit."""
    levels = pixels(channels, False)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(levels.squeeze()).save(tmp_path / f"shallow{suffix}", exif=exif)
    deep_path = tmp_path / f"deep{suffix}"
    if suffix == ".png":
        write_picture(deep_path, PictureFile(levels.astype(np.uint16) * 257), {})
        add_exif(deep_path, exif)
    else:
        Image.fromarray(levels[..., 0].astype(np.uint16) * 257).save(deep_path, exif=exif)
    found, expected = read_picture(deep_path), read_picture(tmp_path / f"shallow{suffix}")
    assert found.pixels.dtype == np.uint16
    np.testing.assert_array_equal(found.pixels, expected.pixels.astype(np.uint16) * 257)


def add_exif(path: Path, exif: Image.Exif) -> None:
    """Put an eXIf chunk before the pixels."""
    chunks = path.read_bytes()
    place = chunks.index(b"IDAT") - 4
    content = exif.tobytes().removeprefix(b"Exif\x00\x00")
    file = BytesIO()
    PngImagePlugin.putchunk(file, b"eXIf", content)
    path.write_bytes(chunks[:place] + file.getvalue() + chunks[place:])


def test_profiles(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(pixels(3, False)).save(tmp_path / "rgb.jpg", icc_profile=srgb)
    assert read_picture(tmp_path / "rgb.jpg").profile == srgb
    Image.fromarray(pixels(4, False)).convert("CMYK").save(tmp_path / "print.jpg", icc_profile=srgb)
    printed = read_picture(tmp_path / "print.jpg")
    assert printed.profile is None
    assert printed.remarks == ("CMYK became RGB",)
    write_picture(tmp_path / "back.png", read_picture(tmp_path / "rgb.jpg"), {})
    with Image.open(tmp_path / "back.png") as back:
        assert back.info["icc_profile"] == srgb


def test_animation_says_what_is_left_out(tmp_path: Path) -> None:
    frames = [Image.fromarray(pixels(3, False)) for _ in range(3)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert read_picture(tmp_path / "a.gif").remarks == ("only the first of its pictures",)


def test_bad_files(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("<html>")
    Image.fromarray(rng.random((5, 5)).astype(np.float32)).save(tmp_path / "float.tiff")
    whole = tmp_path / "whole.png"
    Image.fromarray(pixels(3, False, 60, 60)).save(whole)
    (tmp_path / "cut.png").write_bytes(whole.read_bytes()[:3000])
    for name, reason in {
        "empty.png": "empty",
        "text.png": "not an image",
        "float.tiff": "floating-point",
        "cut.png": "damaged or cut short",
    }.items():
        with pytest.raises(BadImages, match=reason):
            read_picture(tmp_path / name)


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_enlarged(channels: int, deep: bool) -> None:
    """Twice the size by repetition: levels come back exactly, in every channel but the bicubic transparency."""
    picture = PictureFile(pixels(channels, deep), b"profile")
    larger = picture.enlarged(picture.rgb.repeat_interleave(2, 2).repeat_interleave(2, 3))
    assert larger.pixels.dtype == picture.pixels.dtype
    assert larger.profile == b"profile"
    colours = channels - (channels % 2 == 0)
    # Grey passes through float32 weights that add up to 1 within a millionth: a level of 16 bit may move by one.
    difference = larger.pixels[::2, ::2, :colours].astype(int) - picture.pixels[..., :colours]
    if channels % 2 == 0:
        difference = difference[picture.pixels[..., -1] > 0]  # what cannot be seen has the colours of its neighbours
    assert np.abs(difference).max() <= (1 if deep and colours == 1 else 0)
    if channels % 2 == 0:
        alpha = torch.from_numpy(picture.pixels[..., -1] / picture.white)[None, None]
        expected = (resize_bicubic(alpha, 2).clamp(0, 1) * picture.white).round()[0, 0].numpy()
        assert np.abs(larger.pixels[..., -1] - expected).max() <= 1
