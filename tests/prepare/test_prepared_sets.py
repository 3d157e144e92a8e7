"""Prepared sets are found by name through DATA_ROOT."""

from __future__ import annotations

from pathlib import Path

import layouts
import pytest
from layouts import made, run

from facesr_lib.data import in_the_wild, load_cartoons, load_faces
from facesr_lib.papers import find_paper
from facesr_tools.prepare import (
    paper_data,
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DATA_ROOT with several prepared sets."""
    place = tmp_path_factory.mktemp("sets")
    for name in ("webface", "celeba", "widerface", "icartoonface", "scgan"):
        run(name, place / "root", made(name, place / name))
    return place / "root"


def test_a_papers_own_set_comes_first(root: Path) -> None:
    assert load_faces(root, "train", 128, find_paper("isr_kd").data_sets).name == "celeba/train"
    assert load_faces(root, "train", 64, find_paper("teacher_student").data_sets).name == "scgan/train"
    assert load_faces(root, "train", 16).name == "celeba/train"  # without a preference the first by name
    assert load_faces(root / "webface", "test", 32).name == "webface/test"
    with pytest.raises(
        FileNotFoundError, match=r"none with faces of 1024 px or more: celeba \(faces, 128 px.*prepare ffhq-1024"
    ):
        load_faces(root, "train", 1024, find_paper("human_gan").data_sets)


def test_real_lr_faces_are_found(root: Path, tmp_path: Path) -> None:
    wild = in_the_wild(root, 64, 4, find_paper("teacher_student").data_sets)
    assert wild.hr.name == "scgan/train"
    assert wild.real_lr.name == "scgan/real_lr/train"
    assert wild.real_test is not None
    assert (len(wild.real_lr), len(wild.real_test), wild.real_lr.size) == (layouts.PEOPLE, 3, (16, 16))
    others = tmp_path / "others"
    others.mkdir()
    for name in ("celeba", "widerface"):
        (others / name).symlink_to(root / name)
    wild = in_the_wild(others, 64, 4, find_paper("selfsr").data_sets)
    assert (wild.hr.name, wild.real_lr.name) == ("celeba/train", "widerface/real_lr/train")
    assert len(wild.hr) == 12  # all of the people: no half of them is kept for LR
    people = [set(part.groups) for part in (wild.hr, wild.val, wild.test)]
    assert sum(map(len, people)) == len(set.union(*people))
    with pytest.raises(ValueError, match="packed at 16x16 px"):
        in_the_wild(others, 128, 4, find_paper("selfsr").data_sets)


def test_cartoons_are_found(root: Path) -> None:
    cartoons = load_cartoons(root, "train", 64, 1000)
    assert cartoons.name == "icartoonface/train"
    assert cartoons.size == (64, 64)


def test_what_a_paper_lacks(root: Path, tmp_path: Path) -> None:
    assert paper_data(find_paper("isr_kd"), root) == (["celeba", "icartoonface"], [])
    assert paper_data(find_paper("teacher_student"), root)[1] == []
    assert paper_data(find_paper("selfsr"), root) == (["widerface"], ["celeba-wild or helen or bulat"])
    assert paper_data(find_paper("human_gan"), tmp_path) == ([], ["ffhq-1024"])
    assert paper_data(find_paper("teacher_student"), root / "scgan") == (["scgan"], [])
