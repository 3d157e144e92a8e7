"""Prepared sets are found by name through DATA_ROOT."""

from __future__ import annotations

from pathlib import Path

import layouts
import pytest
from layouts import made, run

from facesr_lib.data import load_cartoons, load_faces, load_real_faces
from facesr_lib.papers import HUMAN_GAN, ISR_KD, SELFSR, TEACHER_STUDENT
from facesr_tools.prepare import paper_data


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DATA_ROOT with several prepared sets."""
    place = tmp_path_factory.mktemp("sets")
    for name in ("webface", "celeba", "widerface", "icartoonface", "scgan"):
        run(name, place / "root", made(name, place / name))
    return place / "root"


def test_a_papers_own_set_comes_first(root: Path) -> None:
    assert load_faces(root, "train", 128, ISR_KD.data_sets).name == "celeba/train"
    assert load_faces(root, "train", 64, TEACHER_STUDENT.data_sets).name == "scgan/train"
    assert load_faces(root, "train", 16).name == "celeba/train"  # without a preference the first by name
    assert load_faces(root / "webface", "test", 32).name == "webface/test"
    with pytest.raises(FileNotFoundError, match=r"none with faces of 1024 px or more: celeba \(faces, 128 px.*prepare ffhq-1024"):
        load_faces(root, "train", 1024, HUMAN_GAN.data_sets)


def test_real_lr_faces_are_found(root: Path, tmp_path: Path) -> None:
    real = load_real_faces(root, 64, 4, TEACHER_STUDENT.data_sets)
    assert real.hr.name == "scgan/train"
    assert real.real_lr.name == "scgan/real_lr/train"
    assert real.real_test is not None
    assert (len(real.real_lr), len(real.real_test), real.real_lr.size) == (layouts.PEOPLE, 3, (16, 16))
    others = tmp_path / "others"
    others.mkdir()
    for name in ("celeba", "widerface"):
        (others / name).symlink_to(root / name)
    real = load_real_faces(others, 64, 4, SELFSR.data_sets)
    assert (real.hr.name, real.real_lr.name) == ("celeba/train", "widerface/real_lr/train")
    assert len(real.hr) == 12  # all of the people: no half of them is kept for LR
    people = [set(part.groups) for part in (real.hr, real.val, real.test)]
    assert sum(map(len, people)) == len(set.union(*people))
    with pytest.raises(ValueError, match="packed at 16x16 px"):
        load_real_faces(others, 128, 4, SELFSR.data_sets)


def test_cartoons_are_found(root: Path) -> None:
    cartoons = load_cartoons(root, "train", 64, 1000)
    assert cartoons.name == "icartoonface/train"
    assert cartoons.size == (64, 64)


def test_what_a_paper_lacks(root: Path, tmp_path: Path) -> None:
    assert paper_data(ISR_KD, root) == (["celeba", "icartoonface"], [])
    assert paper_data(TEACHER_STUDENT, root)[1] == []
    assert paper_data(SELFSR, root) == (["widerface"], ["celeba-wild or helen or bulat"])
    assert paper_data(HUMAN_GAN, tmp_path) == ([], ["ffhq-1024"])
    assert paper_data(TEACHER_STUDENT, root / "scgan") == (["scgan"], [])
