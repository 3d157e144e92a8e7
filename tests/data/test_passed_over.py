"""Folders as people have them: links, pipes, spellings, other formats. Nothing vanishes, nothing stops the rest, all is said."""

from __future__ import annotations

import io
import os
import socket
import sys
import types
import unicodedata
from base64 import b85decode
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, features

from facesr_lib.data import BadImages, ImageSet, image_folder, load_faces, pack, split_by_group
from facesr_lib.data.folder import picture_files, read_picture
from facesr_lib.data.images import LISTED, PassedOver, listed

SIDE = 20
HEIC = (  # 64 x 64 px of one colour, (200, 30, 90), written by pillow-heif
    "0000SW^{RQXk}?*00000ZE0pPXk}?*ZE0a<00042ZDn*}000000000XXk=`10000000000aA{+700000000000000000000B57=IV*mgE07O6l",
    "0RRC200001dH?|c00000000~S001LtX>Mi!000000RR916=`l}WdZ;I000310BCk&F#rGn01j|zbZr0t000010002iX>f9I0002DX>en20001Z",
    "Xm(>m0RwOV0058x000009`FGC{rLC*01pFT0096PKmiN^|NjGU00093kN^M!000939=ZZRVE_RDD?$MQ18@KU0|1Z!00RI30{|YNAb|yz>PacC",
    "ZUPz%2mk;B0LTCU0{{p>VgLaE2SfqEa<C#m0000JV{dG7ZewhC0096E00w{n000zeb8uw<00000002M$002M$000nhX?SS>000032nYxO000+h",
    "aBX1#00000000310R({p0|Wp703>Z>VRQfh02n9%uL<BGIdxzE{AoYEZ}K0oQKv!7J$?",
)


def save(path: Path, level: int = 100, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (SIDE, SIDE), (level, level, level)).save(path, **options)
    return path


def levels(images: ImageSet) -> list[int]:
    return np.asarray(images.pixels)[:, 0, 0, 0].tolist()


def walked(root: Path) -> tuple[list[str], dict[str, str]]:
    passed: list[PassedOver] = []
    return list(picture_files(root, passed.append)), {one.what: one.reason for one in passed}


NEEDS_PIPES = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes in folders")


def test_linked_people_and_linked_pictures_are_read(tmp_path):
    save(tmp_path / "store" / "eva" / "1.png", 10)
    save(tmp_path / "store" / "loose.png", 20)
    root = tmp_path / "album"
    save(root / "uwe" / "1.png", 30)
    (root / "eva").symlink_to(tmp_path / "store" / "eva")
    (root / "uwe" / "2.png").symlink_to(tmp_path / "store" / "loose.png")
    images = image_folder(root, SIDE)
    assert (images.groups, levels(images)) == (("eva", "uwe", "uwe"), [10, 30, 20])
    assert images.passed_over == ()


def test_a_folder_that_is_read_is_not_read_again_through_links(tmp_path):
    """Links upwards would never end; a second name for a person's folder would put the same pictures on both sides of a split."""
    save(tmp_path / "a" / "1.png")
    save(tmp_path / "b" / "1.png")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "friend").symlink_to(tmp_path / "b")
    (tmp_path / "alias").symlink_to(tmp_path / "b")
    files, passed = walked(tmp_path)
    assert files == ["a/1.png", "b/1.png"]
    assert passed == {"alias": "the same folder as b", "a/friend": "the same folder as b", "a/up": "the same folder as ."}


def test_two_links_to_each_other_end(tmp_path):
    save(tmp_path / "1.png")
    (tmp_path / "x").symlink_to(tmp_path / "y")
    (tmp_path / "y").symlink_to(tmp_path / "x")
    files, passed = walked(tmp_path)
    assert files == ["1.png"]
    assert set(passed) == {"x, y"}


@NEEDS_PIPES
def test_only_regular_files_are_opened(tmp_path):
    save(tmp_path / "ann" / "1.png")
    os.mkfifo(tmp_path / "ann" / "pipe.jpg")
    os.symlink("/dev/zero", tmp_path / "ann" / "zero.png")
    os.symlink(tmp_path / "moved.png", tmp_path / "ann" / "moved.png")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tmp_path / "ann" / "door.webp"))
        with pytest.warns(UserWarning, match=r"4 of 5 image files"):
            images = image_folder(tmp_path, SIDE)
    assert len(images) == 1
    odd = "a folder, pipe, socket or device"
    assert {one.what: one.reason for one in images.passed_over} == {
        "ann/door.webp": odd, "ann/pipe.jpg": odd, "ann/zero.png": odd, "ann/moved.png": "no such file, or a link to nowhere",
    }  # fmt: skip


@NEEDS_PIPES
def test_a_folder_of_nothing_usable_is_an_error_that_names_it(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "notes.doc").write_text("x")
    with pytest.raises(BadImages, match=r"1 of 1 .*(.|\n)*pipe\.png: a folder, pipe(.|\n)*notes\.doc: no picture's ending"):
        image_folder(tmp_path, SIDE)


def test_other_endings_are_one_line_each_and_system_files_none(tmp_path):
    save(tmp_path / "1.png")
    for i in range(5):
        (tmp_path / f"{i}.cr2").write_bytes(b"raw")
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store", "._1.png"):
        (tmp_path / name).write_bytes(b"x")
    save(tmp_path / "@eaDir" / "1.png")
    with pytest.warns(UserWarning, match="Passed over in"):
        images = image_folder(tmp_path, SIDE)
    assert [one.what for one in images.passed_over] == ["0.cr2, 1.cr2, 2.cr2 and 2 more"]
    assert len(listed([PassedOver(str(i), "bad") for i in range(LISTED + 7)])) == LISTED + 1
    assert listed([PassedOver("\udcff.png", "bad")]) == ["\\udcff.png: bad"]


@pytest.mark.parametrize("kind", ["jfif", "jpe", "mpo", "jp2", "tga", "dib", "pbm"])
def test_formats_that_pillow_reads(tmp_path, kind):
    image = Image.new("1" if kind == "pbm" else "RGB", (32, 32), "white")
    image.save(tmp_path / f"a.{kind}", {"jfif": "JPEG", "jpe": "JPEG", "jp2": "JPEG2000", "tga": "TGA", "pbm": "PPM"}.get(kind))
    pixels, _ = read_picture(tmp_path / f"a.{kind}")
    assert pixels.min() >= 250


def test_avif_is_read_where_pillow_can_and_else_says_what_is_needed(tmp_path):
    photo = tmp_path / "a.avif"
    if features.check("avif"):
        Image.new("RGB", (32, 32), "white").save(photo)
        assert read_picture(photo)[0].min() >= 250
    photo.write_bytes(b"\0\0\0\x1cftypavif" + bytes(50))
    with pytest.raises(BadImages, match="damaged" if features.check("avif") else "needs Pillow 11.3: pip install -U pillow"):
        read_picture(photo)


def test_heic_says_what_to_install_and_is_read_once_that_is_there(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    monkeypatch.setattr("facesr_lib.data.folder.find_spec", lambda name: None)
    photo = tmp_path / "IMG_1.HEIC"
    photo.write_bytes(b"\0\0\0\x1cftypmif1" + bytes(50))
    with pytest.raises(BadImages, match=r"pi-heif: pip install 'facesr\[heif\]'"):
        read_picture(photo)
    taught: list[str] = []
    plugin = types.SimpleNamespace(register_heif_opener=lambda: taught.append("heic"))
    monkeypatch.setitem(sys.modules, "pi_heif", plugin)
    monkeypatch.setattr("facesr_lib.data.folder.find_spec", lambda name: plugin)
    read_picture(save(tmp_path / "a.png"))
    assert taught == ["heic"]


def test_a_real_heic_photograph(tmp_path):
    (tmp_path / "a.heic").write_bytes(b85decode("".join(HEIC)))
    pixels, _ = read_picture(tmp_path / "a.heic")
    assert np.abs(pixels.astype(int) - (200, 30, 90)).max() <= 4


def test_drawings_run_no_program(tmp_path):
    """Pillow gives EPS to Ghostscript, whatever the file is called."""
    (tmp_path / "a.png").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 40 40\n%%EndComments\nshowpage\n")
    with pytest.raises(BadImages, match=r"a drawing \(EPS\)"):
        read_picture(tmp_path / "a.png")


def test_the_same_names_sizes_and_times_elsewhere_are_other_pictures(tmp_path):
    found = []
    for place, level in (("one", 40), ("two", 220)):
        file = save(tmp_path / place / "set" / "kim" / "1.bmp", level)
        os.utime(file, ns=(5, 5))
        found.append(levels(image_folder(tmp_path / place / "set", SIDE)))
    assert found == [[40], [220]]
    # In the same place: restored from an archive with its old time, or the folder exchanged.
    file = save(tmp_path / "two" / "set" / "kim" / "1.bmp", 90)
    os.utime(file, ns=(5, 5))
    assert levels(image_folder(tmp_path / "two" / "set", SIDE)) == [90]
    (tmp_path / "link").symlink_to(tmp_path / "one")
    assert levels(image_folder(tmp_path / "link" / "set", SIDE)) == [40]
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to(tmp_path / "two")
    assert levels(image_folder(tmp_path / "link" / "set", SIDE)) == [90]


def people(root: Path, *names: str) -> None:
    for number, name in enumerate(names):
        save(root / name / "1.png", 10 * number)


@pytest.mark.parametrize(
    "names",
    [("TRAIN", "VALID", "TEST"), ("Training", "dev", "Testing"), ("train", "Validation", "testing"), ("train", "", "Test")],
)
def test_usual_names_of_splits(tmp_path, names):
    who = {"train": ("a", "b", "c", "d", "e"), "val": ("f",), "test": ("g", "h")}
    for name, some in zip(names, who.values(), strict=True):
        if name:
            people(tmp_path / name, *some)
    found = {split: set(load_faces(tmp_path, split, SIDE).groups) for split in who}
    if names[1]:
        assert found == {split: set(some) for split, some in who.items()}
    else:
        assert found["train"] | found["val"] == set(who["train"])
        assert found["test"] == set(who["test"])


@pytest.mark.parametrize(
    "names", [("train", "val", "valid", "test"), ("Test", "test", "train"), ("hr_train", "hr_test"), ("train2", "test2")]
)
def test_unclear_names_of_splits_are_refused(tmp_path, names):
    for name in names:
        people(tmp_path / name, name)
    with pytest.raises(ValueError, match=r"which are splits\?"):
        load_faces(tmp_path, "train", SIDE)


def test_people_may_be_called_val_or_dev(tmp_path):
    people(tmp_path, "Val", "Dev", "Ann", "Bea", "Cem", "Testa", "Trainor")
    assert set().union(*(load_faces(tmp_path, split, SIDE).groups for split in ("train", "val", "test"))) == {
        "Val", "Dev", "Ann", "Bea", "Cem", "Testa", "Trainor",
    }  # fmt: skip


def test_what_lies_beside_the_splits_is_said(tmp_path):
    people(tmp_path / "train", "a", "b")
    people(tmp_path / "test", "c", "d")
    people(tmp_path, "extra")
    with pytest.warns(UserWarning, match="extra, beside train, test"):
        images = load_faces(tmp_path, "test", SIDE)
    assert images.passed_over == (PassedOver("extra", "beside the splits"),)


SPELLED = [("Zo\u00eb", "Zoe\u0308"), ("Anna", "ANNA"), ("stra\u00dfe", "STRASSE"), ("\u00c5sa", "a\u030asa")]


@pytest.mark.parametrize(("one", "other"), SPELLED)
def test_spellings_of_a_person_never_meet_in_two_splits(tmp_path, one, other):
    people(tmp_path / "ready" / "train", one, "x", "y")
    people(tmp_path / "ready" / "test", other)
    with pytest.raises(ValueError, match="in both train and test"):
        load_faces(tmp_path / "ready", "test", SIDE)
    pixels = np.zeros((8, 4, 4, 3), np.uint8)
    images = ImageSet("s", pixels, (one, other, "b", "c", "d", "e", "f", "g"), "")
    for seed in range(20):
        parts = split_by_group(images, {"train": 0.5, "test": 0.5}, seed)
        assert any({one, other} <= set(part.groups) for part in parts.values())
    pack(ImageSet("train", pixels[:2], (one, "x"), ""), tmp_path / "packed" / "train")
    pack(ImageSet("test", pixels[:1], (other,), ""), tmp_path / "packed" / "test")
    with pytest.raises(ValueError, match="in both train and test"):
        load_faces(tmp_path / "packed", "train", None)


def test_other_people_are_not_taken_for_one(tmp_path):
    people(tmp_path / "train", "Zoe", "Ana", "x")
    people(tmp_path / "test", unicodedata.normalize("NFD", "Zo\u00eb"), "Anna")
    assert len(load_faces(tmp_path, "test", SIDE)) == 2


def jpeg_with_exif(path: Path, pixels: np.ndarray, exif: bytes) -> Path:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "JPEG", quality=95)
    jpeg, block = content.getvalue(), b"Exif\0\0" + exif
    path.write_bytes(jpeg[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block + jpeg[2:])
    return path


def entry(tag: int, kind: int, count: int, value: bytes) -> bytes:
    return tag.to_bytes(2, "big") + kind.to_bytes(2, "big") + count.to_bytes(4, "big") + value.ljust(4, b"\0")


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, of the EXIF data
def test_malformed_exif_spoils_neither_pixels_nor_orientation(tmp_path):
    pixels = np.zeros((16, 32, 3), np.uint8)
    pixels[:, 16:] = 200  # the right half; turned by orientation 8 (a quarter to the left) it is on top
    turned = entry(0x0112, 3, 1, b"\0\x08")
    broken = entry(0x011A, 2, 4, b"abc")  # the resolution as text
    count = (2).to_bytes(2, "big")
    for name, exif, upright in (
        ("turned", b"MM\0*\0\0\0\x08" + count + turned + broken + bytes(4), True),
        ("noise", bytes(range(40)), False),
        ("text", b"MM\0*\0\0\0\x08\0\x01" + entry(0x0112, 2, 4, b"six") + bytes(4), False),
        ("ninth", b"MM\0*\0\0\0\x08\0\x01" + entry(0x0112, 3, 1, b"\0\x09") + bytes(4), False),
    ):
        found, _ = read_picture(jpeg_with_exif(tmp_path / f"{name}.jpg", pixels, exif))
        expected = np.rot90(pixels) if upright else pixels
        assert found.shape == expected.shape, name
        assert np.abs(found.astype(int) - expected).mean() < 4, name


def profile(name: str) -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()


def test_colours_of_another_space_become_srgb(tmp_path):
    """Lightness of CIE Lab does not fit RGB pixels, sRGB's own profile changes nothing, and a swapped one swaps."""
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    own = profile("sRGB")
    at = {own[132 + 12 * i : 136 + 12 * i]: int.from_bytes(own[136 + 12 * i : 140 + 12 * i], "big") for i in range(own[131])}
    swapped = bytearray(own)
    red, blue = at[b"rXYZ"], at[b"bXYZ"]
    swapped[red : red + 20], swapped[blue : blue + 20] = own[blue : blue + 20], own[red : red + 20]
    cases = {"own": (own, pixels, False), "lab": (profile("LAB"), pixels, False), "junk": (b"no profile", pixels, False),
             "swapped": (bytes(swapped), pixels[..., ::-1], True)}  # fmt: skip
    for name, (icc, expected, said) in cases.items():
        Image.fromarray(pixels).save(tmp_path / f"{name}.png", icc_profile=icc)
        found, remarks = read_picture(tmp_path / f"{name}.png")
        np.testing.assert_allclose(found.astype(int), expected, atol=1 if said else 0, err_msg=name)
        assert bool(remarks) is said, name


@pytest.mark.parametrize("channels", [3, 4])
def test_16_bit_colour_is_rounded_not_cut(tmp_path, channels):
    import cv2

    levels = np.random.default_rng(1).integers(0, 65536, (20, 20, channels), dtype=np.uint16)
    levels[..., 3:] = 65535
    cv2.imwrite(str(tmp_path / "deep.png"), levels[..., [2, 1, 0, 3][:channels]])
    found, remarks = read_picture(tmp_path / "deep.png")
    np.testing.assert_array_equal(found, np.rint(levels[..., :3] / 257))
    assert remarks == ["16 bit"]
