from __future__ import annotations

import os
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facesr_lib.data import BadImages, folder, image_folder
from facesr_lib.data.images import square


@pytest.fixture
def root(tmp_path) -> Path:
    folder = tmp_path / "faces"
    folder.mkdir()
    return folder


@pytest.fixture
def decoded(monkeypatch) -> list[str]:
    """The names of the files that are really decoded, as it happens."""
    names: list[str] = []
    original = folder.read_picture

    def noting(path, min_size):
        names.append(path.name)
        return original(path, min_size)

    monkeypatch.setattr(folder, "read_picture", noting)
    return names


def picture(seed: int = 0, height: int = 20, width: int = 20) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def save(path: Path, pixels: np.ndarray | None = None, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture() if pixels is None else pixels).save(path, **options)
    return path


def only(root: Path, size: int = 20) -> np.ndarray:
    """The one picture of a folder, which must be read without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        images = image_folder(root, size)
    assert len(images) == 1
    return np.asarray(images.pixels[0])


def save_bomb(path: Path, side: int) -> Path:
    """A small file whose header promises side x side pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )
    return path


def save_bad_files(root: Path) -> dict[str, str]:
    """One file of each bad kind; returns a piece of the expected reason by name."""
    content = save(root / "whole.png", picture(7, 64, 64)).read_bytes()
    (root / "cut.png").write_bytes(content[: len(content) // 2])
    jpeg = save(root / "whole.jpg", picture(7, 64, 64)).read_bytes()
    (root / "cut.jpg").write_bytes(jpeg[: len(jpeg) // 2])
    (root / "text.png").write_text("I am no picture")
    (root / "empty.jpg").touch()
    save(root / "dot.png", picture(0, 1, 1))
    save(root / "sliver.png", picture(0, 300, 15))
    save_bomb(root / "bomb.png", 30_000)
    save_bomb(root / "small_bomb.png", 12_000)  # where Pillow by itself only warns
    Image.fromarray(np.ones((20, 20), np.float32)).save(root / "float.tif")
    (root / "whole.png").unlink()
    (root / "whole.jpg").unlink()
    return {
        "cut.png": "damaged or cut short",
        "cut.jpg": "damaged or cut short",
        "text.png": "not an image",
        "empty.jpg": "empty file",
        "dot.png": "1x1 px, smaller than the minimum of 16 px",
        "sliver.png": "15x300 px",
        "bomb.png": "too many pixels",
        "small_bomb.png": "too many pixels",
        "float.tif": "floating-point",
    }


def save_readable_oddities(root: Path) -> None:
    Image.fromarray(picture(1)).convert("CMYK").save(root / "cmyk.jpg")
    Image.fromarray(np.full((20, 20), 40_000, np.uint16)).save(root / "deep.png")


def test_bad_files_are_named_in_one_warning_and_the_rest_is_used(root):
    expected = save_bad_files(root)
    save_readable_oddities(root)
    save(root / "good.png")
    with pytest.warns(UserWarning, match="cannot be used") as caught:
        images = image_folder(root, 20)
    assert images.groups == ("faces/cmyk", "faces/deep", "faces/good")
    (message,) = (str(warning.message) for warning in caught)
    assert "9 of 12 image files in faces cannot be used" in message
    lines = {name: rest for name, _, rest in (line.strip().partition(": ") for line in message.splitlines())}
    for name, reason in expected.items():
        assert reason in lines[name]
    assert lines["CMYK"] == "cmyk.jpg"
    assert lines["16 bit"] == "deep.png"
    assert "good.png" not in message
    assert str(root) not in message


def test_bad_raise_stops_with_the_same_list(root):
    expected = save_bad_files(root)
    save(root / "good.png")
    with pytest.raises(BadImages, match="9 of 10") as stopped:
        image_folder(root, 20, bad="raise")
    assert all(name in str(stopped.value) for name in expected)
    assert "bad='skip'" in str(stopped.value)


def test_bad_files_are_named_again_when_the_rest_comes_from_the_cache(root, decoded):
    save(root / "good.png")
    (root / "text.png").write_text("no")
    with pytest.warns(UserWarning, match="text"):
        image_folder(root, 20)
    with pytest.warns(UserWarning, match="text"):
        image_folder(root, 20)
    with pytest.raises(BadImages, match="text"):
        image_folder(root, 20, bad="raise")
    assert decoded == ["good.png", "text.png"]


def test_a_folder_of_bad_files_only_is_an_error_in_both_modes(root):
    (root / "text.png").write_text("no")
    for bad in ("skip", "raise"):
        with pytest.raises(BadImages, match=r"1 of 1 .*\n.*text\.png: not an image"):
            image_folder(root, 20, bad=bad)


def test_readable_oddities_do_not_stop_a_strict_reader(root):
    save_readable_oddities(root)
    with pytest.warns(UserWarning, match="after a conversion"):
        assert len(image_folder(root, 20, bad="raise")) == 2


def test_no_images(root):
    with pytest.raises(FileNotFoundError, match="no images below"):
        image_folder(root, 20)
    (root / "notes.txt").write_text("nothing here")
    with pytest.raises(FileNotFoundError, match="no images below"):
        image_folder(root, 20)
    with pytest.raises(FileNotFoundError, match="not a folder"):
        image_folder(root / "absent", 20)


def test_first_level_subfolders_are_the_people(root):
    for name in ("ann/2.png", "ann/1.png", "bo/deep/down/3.JPG", "cy.png", ".hidden.png", "__MACOSX/ann/1.png", ".cache/4.png"):
        save(root / name)
    images = image_folder(root, 20)
    assert images.groups == ("ann", "ann", "bo", "faces/cy")
    assert images.name == "faces"


def test_order_is_that_of_the_paths(root):
    for value, name in enumerate(["a/1.png", "a/2.png", "b/1.png", "b.png"]):
        save(root / name, np.full((20, 20, 3), value, np.uint8))
    assert np.asarray(image_folder(root, 20).pixels)[:, 0, 0, 0].tolist() == [0, 1, 2, 3]


def test_centre_square_and_resize(root):
    pixels = picture(3, 40, 64)
    save(root / "wide.png", pixels)
    np.testing.assert_array_equal(only(root, 40), pixels[:, 12:52])
    np.testing.assert_array_equal(only(root, 16), square(pixels[None], 16)[0])


def test_enlarged_files_are_noted(root):
    save(root / "small.png")
    with pytest.warns(UserWarning, match=r"enlarged to 32 px: small\.png"):
        assert image_folder(root, 32).size == (32, 32)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(root, orientation):
    upright = picture(4, 32, 24)
    # How a camera that was held in this orientation stores the upright picture (EXIF 2.3, tag 274).
    stored = {
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1], 5: upright.swapaxes(0, 1),
        6: np.rot90(upright), 7: np.rot90(upright[:, ::-1], -1), 8: np.rot90(upright, -1),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[274] = orientation
    save(root / "photo.png", np.ascontiguousarray(stored), exif=exif)
    np.testing.assert_array_equal(only(root, 24), upright[4:28])


def test_grey_and_palette(root):
    grey = picture()[..., 0]
    Image.fromarray(grey).save(root / "grey.png")
    np.testing.assert_array_equal(only(root), np.repeat(grey[..., None], 3, axis=2))
    (root / "grey.png").unlink()
    colours = np.array([(255, 0, 0), (0, 0, 255)], np.uint8)[np.arange(400).reshape(20, 20) % 2]
    Image.fromarray(colours).quantize(2).save(root / "palette.png")
    np.testing.assert_array_equal(only(root), colours)
    (root / "palette.png").unlink()
    Image.fromarray(np.eye(20, dtype=bool)).save(root / "bitmap.png")
    np.testing.assert_array_equal(only(root), 255 * np.eye(20, dtype=np.uint8)[..., None].repeat(3, axis=2))


def test_alpha_is_laid_on_white(root):
    rgba = np.dstack([picture(), np.zeros((20, 20), np.uint8)])
    rgba[5:, :, 3] = 255
    rgba[10:, :, 3] = 128
    Image.fromarray(rgba).save(root / "alpha.png")
    found = only(root).astype(float)
    alpha = rgba[..., 3:] / 255
    np.testing.assert_allclose(found, rgba[..., :3] * alpha + 255 * (1 - alpha), atol=1)


def test_transparent_palette_colour_is_laid_on_white(root):
    indexed = Image.new("P", (20, 20), 0)
    indexed.putpalette([0, 0, 0, 10, 20, 30])
    indexed.putpixel((3, 4), 1)
    indexed.save(root / "palette.png", transparency=0)
    expected = np.full((20, 20, 3), 255)
    expected[4, 3] = (10, 20, 30)
    np.testing.assert_array_equal(only(root), expected)


@pytest.mark.parametrize("suffix", ["png", "tif", "pgm"])
def test_16_bit_grey_is_scaled_not_cut(root, suffix):
    levels = np.linspace(0, 65535, 400).round().astype(np.uint16).reshape(20, 20)
    Image.fromarray(levels).save(root / f"deep.{suffix}")
    with pytest.warns(UserWarning, match=rf"16 bit: deep\.{suffix}"):
        found = np.asarray(image_folder(root, 20).pixels[0])
    np.testing.assert_array_equal(found, np.rint(levels / 257)[..., None].repeat(3, axis=2))


def test_16_bit_colour_is_noted_and_within_one_level(root):
    import cv2

    levels = np.random.default_rng(0).integers(0, 65536, (20, 20, 3), dtype=np.uint16)
    cv2.imwrite(str(root / "deep.png"), levels[..., ::-1])
    with pytest.warns(UserWarning, match=r"16 bit: deep\.png"):
        found = np.asarray(image_folder(root, 20).pixels[0])
    assert np.abs(found - levels / 257).max() <= 1


def test_cmyk_keeps_its_colours(root):
    plain = np.full((20, 20, 3), (200, 40, 90), np.uint8)
    Image.fromarray(plain).convert("CMYK").save(root / "cmyk.jpg", quality=100)
    with pytest.warns(UserWarning, match=r"CMYK: cmyk\.jpg"):
        found = np.asarray(image_folder(root, 20).pixels[0])
    np.testing.assert_allclose(found, plain, atol=3)


def test_files_are_decoded_once_and_again_when_they_change(root, decoded):
    first, second = save(root / "1.png", picture(1)), save(root / "2.png", picture(2))
    before = image_folder(root, 20).checksum
    assert image_folder(root, 20).checksum == before
    assert decoded == ["1.png", "2.png"]
    image_folder(root, 16)
    assert len(decoded) == 4  # another size, another set
    save(first, picture(9))
    os.utime(first, ns=(1, 1))
    assert image_folder(root, 20).checksum != before
    assert len(decoded) == 6
    second.rename(root / "3.png")
    image_folder(root, 20)
    assert len(decoded) == 8
    (root / "3.png").unlink()
    assert len(image_folder(root, 20)) == 1


def test_wrong_arguments(root):
    save(root / "1.png")
    with pytest.raises(ValueError, match="'skip' or 'raise'"):
        image_folder(root, 20, bad="ignore")
    with pytest.raises(ValueError, match="at least 1 px"):
        image_folder(root, 0)


def test_real_photographs(shared, recwarn):
    photos = shared / "data" / "faces112" / "test" / "id04"
    if not photos.is_dir():
        pytest.skip("no data/faces112 in the shared folder")
    images = image_folder(photos, 112)
    assert len(images) == 100
    assert not [warning for warning in recwarn if issubclass(warning.category, UserWarning)]
    with Image.open(photos / "0000.jpg") as photo:
        np.testing.assert_array_equal(images.pixels[0], np.asarray(photo.convert("RGB")))
