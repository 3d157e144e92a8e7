from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facesr_lib.data import ImageSet, PackedError, load_faces, olivetti_faces, pack, refuse_shared_groups
from facesr_lib.data.faces import LEAST
from facesr_lib.data.images import square

SPLITS = ("train", "val", "test")


def save_people(root: Path, people: list[str], each: int = 2, seed: int = 0) -> None:
    for person in people:
        for i in range(each):
            path = root / person / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            seed += 1
            Image.fromarray(np.random.default_rng(seed).integers(0, 256, (20, 24, 3), dtype=np.uint8)).save(path)


def load_all(root: Path, size: int | None = 16) -> dict[str, ImageSet]:
    parts = {split: load_faces(root, split, size) for split in SPLITS}
    refuse_shared_groups({split: part.groups for split, part in parts.items()})
    return parts


def counts(parts: dict[str, ImageSet]) -> dict[str, int]:
    return {split: len(part) for split, part in parts.items()}


def test_empty_root_is_olivetti():
    for split in SPLITS:
        assert load_faces("", split, 32).checksum == olivetti_faces(split, 32).checksum
    assert load_faces("", "val", None).size == (112, 92)


def test_plain_folder_is_split_by_person(tmp_path):
    save_people(tmp_path, [f"p{i:02d}" for i in range(16)])
    parts = load_all(tmp_path)
    assert counts(parts) == {"train": 20, "val": 4, "test": 8}  # 10, 2 and 4 people of 16
    assert parts["train"].groups == load_faces(str(tmp_path), "train", 16).groups
    assert parts["train"].size == (16, 16)
    assert isinstance(parts["train"].pixels.source, np.memmap)


def test_folder_without_people_is_split_by_file(tmp_path):
    save_people(tmp_path, ["."], each=16)
    assert counts(load_all(tmp_path)) == {"train": 10, "val": 2, "test": 4}


def test_folder_with_one_subfolder_says_what_is_wrong(tmp_path):
    save_people(tmp_path, ["images"], each=8)
    with pytest.raises(ValueError, match=r"1 different people .* needs at least 3"):
        load_faces(tmp_path, "train", 16)


def test_split_folders(tmp_path):
    save_people(tmp_path / "train", ["a", "b", "c"])
    save_people(tmp_path / "val", ["d"])
    save_people(tmp_path / "test", ["e", "f"])
    parts = load_all(tmp_path)
    assert {split: set(part.groups) for split, part in parts.items()} == {
        "train": {"a", "b", "c"},
        "val": {"d"},
        "test": {"e", "f"},
    }


def test_split_folders_without_val_take_it_from_train(tmp_path):
    save_people(tmp_path / "train", list("abcdefghijkl"))
    save_people(tmp_path / "test", ["x"], each=3)
    assert counts(load_all(tmp_path)) == {"train": 20, "val": 4, "test": 3}


def test_same_file_names_in_train_and_test_are_no_person(tmp_path):
    save_people(tmp_path / "train", ["."], each=6)
    save_people(tmp_path / "test", ["."], each=6, seed=50)
    assert counts(load_all(tmp_path)) == {"train": 5, "val": 1, "test": 6}


def test_hidden_folders_are_no_people_and_sets_are_named_after_the_root(tmp_path):
    root = tmp_path / "mine"
    save_people(root / "train", ["a", "b", "c", ".ipynb_checkpoints"])
    save_people(root / "test", ["d", ".ipynb_checkpoints", "__MACOSX"])
    assert {split: (part.name, len(part)) for split, part in load_all(root).items()} == {
        "train": ("mine/train", 4),
        "val": ("mine/val", 2),
        "test": ("mine/test", 2),
    }


def test_person_in_two_split_folders_is_refused(tmp_path):
    save_people(tmp_path / "train", ["a", "b"])
    save_people(tmp_path / "test", ["b", "c"])
    for split in SPLITS:
        with pytest.raises(ValueError, match="b: in both train and test"):
            load_faces(tmp_path, split, 16)


def packed_root(root: Path, *, val: bool, size: int = 24) -> Path:
    save_people(root / "pictures", list("abcdefgh"))
    rng = np.random.default_rng(0)
    for split, people in {"train": "aabbccddeeff", "val": "gg", "test": "hhh"}.items():
        if split != "val" or val:
            pixels = rng.integers(0, 256, (len(people), size, size, 3), dtype=np.uint8)
            pack(ImageSet(f"set/{split}", pixels, tuple(people), "credit"), root / split)
    return root


def test_packed_sets_come_at_their_own_size_or_smaller(tmp_path):
    parts = load_all(packed_root(tmp_path, val=True), None)
    assert counts(parts) == {"train": 12, "val": 2, "test": 3}
    assert parts["test"].size == (24, 24)
    small = load_faces(tmp_path, "test", 8)
    np.testing.assert_array_equal(small.pixels, square(np.asarray(parts["test"].pixels), 8))
    assert (small.groups, small.credit) == (parts["test"].groups, "credit")
    with pytest.raises(ValueError, match="packed at 24x24 px, which cannot give true 32 px"):
        load_faces(tmp_path, "test", 32)


def test_packed_sets_without_val_take_it_from_train(tmp_path):
    parts = load_all(packed_root(tmp_path, val=False))
    assert counts(parts) == {"train": 10, "val": 2, "test": 3}


def test_packed_person_in_two_splits_is_refused(tmp_path):
    packed_root(tmp_path, val=True)
    manifest = json.loads((tmp_path / "test.json").read_text())
    (tmp_path / "test.json").write_text(json.dumps(manifest | {"groups": ["h", "h", "a"]}))
    with pytest.raises(ValueError, match="a: in both train and test"):
        load_faces(tmp_path, "train", None)


def test_damaged_packed_set_is_named(tmp_path):
    packed_root(tmp_path, val=True)
    next(tmp_path.glob("train-*.npy")).unlink()
    with pytest.raises(PackedError, match=r"train\.json"):
        load_faces(tmp_path, "train", None)


def test_missing_folder_lists_the_layouts(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"is not a folder(.|\n)*Olivetti(.|\n)*train/ and test/(.|\n)*train\.json"):
        load_faces(tmp_path / "absent", "train", 16)


@pytest.mark.parametrize("present", ["train", "test", "val"])
def test_half_a_layout_is_named(tmp_path, present):
    save_people(tmp_path / present, ["a"])
    with pytest.raises(FileNotFoundError, match=f"has {present} but no"):
        load_faces(tmp_path, "train", 16)


def test_wrong_arguments(tmp_path):
    save_people(tmp_path, list("abc"))
    with pytest.raises(ValueError, match="train, val, test"):
        load_faces("", "all", 16)
    with pytest.raises(ValueError, match="give a size in pixels"):
        load_faces(tmp_path, "train", None)


def test_real_faces(shared):
    root = shared / "data" / "faces112"
    if not root.is_dir():
        pytest.skip("no data/faces112 in the shared folder")
    test = load_faces(root, "test", 64)
    assert len(test) == 400
    assert len(set(test.groups)) == 4


def test_validation_faces_have_a_role_of_their_own() -> None:
    """A claim about test faces must never be decided by the faces that a training was watched on."""
    for split in ("train", "val", "test"):
        assert load_faces("", split, 16).role == ("validation faces" if split == "val" else "faces")


@pytest.mark.parametrize(("people", "each"), [(4, 2), (7, 1)])
def test_the_smallest_folders_are_enough(tmp_path, people, each):
    save_people(tmp_path, [f"p{number}" for number in range(people)], each=each)
    assert all(len(part) >= LEAST[split] for split, part in load_all(tmp_path).items())


@pytest.mark.parametrize(
    ("names", "each"), [(["a", "b", "c"], 1), (["a", "b", "c"], 4), (["train/a", "train/b", "test/c", "test/d"], 1)]
)
def test_too_few_pictures_are_refused_with_the_least_number(tmp_path, names, each):
    save_people(tmp_path, names, each=each)
    with pytest.raises(
        ValueError, match=r"/train: [124] pictures of [12] people.*train 4, val 1, test 2; 4 people with 2 .*or 7.*Give more"
    ):
        load_faces(tmp_path, "train", 16)
