"""Prepared sets are found by name through DATA_ROOT."""

from __future__ import annotations

from pathlib import Path

import layouts
import numpy as np
import pytest
from layouts import made, run
from PIL import Image

from facesr_lib.data import load_cartoons, load_faces, load_real_faces
from facesr_lib.papers import HUMAN_GAN, ISR_KD, SELFSR, TEACHER_STUDENT
from facesr_tools.prepare import PrepareError, paper_data


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
    assert (len(real.real_lr), real.real_lr.size) == (layouts.PEOPLE, (16, 16))
    assert {name: len(test.lr) for name, test in real.test_sets.items()} == {"ffhq": 3, "ls3dw": 3, "test": 3, "webface": 3}
    for test in real.test_sets.values():  # no originals were shipped: distances compare with held-out HR faces of the release
        assert (test.hr, test.images.role, test.lr.size, test.real.size) == (None, "real LR faces", (16, 16), (64, 64))
        assert len(test.real) == 3
        assert set(test.real.groups) <= set(real.test.groups)
    others = tmp_path / "others"
    others.mkdir()
    for name in ("celeba", "widerface"):
        (others / name).symlink_to(root / name)
    real = load_real_faces(others, 64, 4, SELFSR.data_sets)
    assert (real.hr.name, real.real_lr.name) == ("celeba/train", "widerface/real_lr/train")
    assert [test.lr.name for test in real.test_sets.values()] == ["widerface/real_lr/test"]
    assert len(real.hr) == 12  # all of the people: no half of them is kept for LR
    people = [set(part.groups) for part in (real.hr, real.val, real.test)]
    assert sum(map(len, people)) == len(set.union(*people))
    with pytest.raises(ValueError, match="packed at 16x16 px"):
        load_real_faces(others, 128, 4, SELFSR.data_sets)


PLACES = {  # where the originals of SCGAN's synthetic test sets may be
    "reference": ("reference/FFHQ", "reference/LS3D-w_balanced"),
    "as its code calls it": ("imgs_reference/FFHQ", "imgs_reference/LS3D-w_balanced"),
    "beside the LR faces": ("imgs_test/FFHQ/HIGH", "imgs_test/LS3D-w_balanced/HR"),
}


@pytest.mark.parametrize("places", PLACES.values(), ids=PLACES)
def test_scgans_originals_are_found_by_name(places: tuple[str, str], tmp_path: Path) -> None:
    source = made("scgan", tmp_path / "given")
    if places[0].startswith("imgs_test"):
        for place, lr in zip(places, ("LOW", "LR"), strict=True):
            folder = (source / place).parent
            folder.rename(folder.with_name("moved"))
            folder.mkdir()
            (folder.with_name("moved")).rename(folder / lr)
    layouts.scgan_originals(source, *places)
    layouts.picture(source / places[0] / "zz_of_nobody.png", 64, 64)  # more originals than LR faces do no harm
    facts = run("scgan", tmp_path / "root", source)
    assert {part: facts["parts"][part]["size"] for part in ("reference/ffhq", "reference/ls3dw")} == {
        "reference/ffhq": 64,
        "reference/ls3dw": 64,
    }
    sets = load_real_faces(tmp_path / "root", 64, 4, TEACHER_STUDENT.data_sets).test_sets
    assert {name for name, test in sets.items() if test.hr} == {"ffhq", "ls3dw"}
    ffhq = sets["ffhq"]
    assert ffhq.hr is not None
    assert (ffhq.images.name, ffhq.images.role) == ("scgan/real_lr/ffhq", "real LR faces")
    stems = [[group.rpartition("/")[2] for group in images.groups] for images in (ffhq.lr, ffhq.hr)]
    assert stems == [["0", "1", "2"]] * 2
    for i, name in enumerate(stems[0]):  # the very pictures, not only as many
        picture = Image.open(source / places[0] / f"{name}.png")
        np.testing.assert_array_equal(ffhq.hr.pixels[[i]][0], np.asarray(picture))
    batch = next(ffhq.batches(2))
    assert (batch["lr"].shape, batch["hr"].shape) == ((2, 3, 16, 16), (2, 3, 64, 64))
    assert set(next(sets["webface"].batches(2))) == {"lr"}


def test_a_pool_of_references_is_what_distances_compare_with(tmp_path: Path) -> None:
    source = made("scgan", tmp_path / "given")
    layouts.scgan_originals(source, "reference")
    run("scgan", tmp_path / "root", source)
    sets = load_real_faces(tmp_path / "root", 64, 4, TEACHER_STUDENT.data_sets).test_sets
    assert {test.real.name for test in sets.values()} == {"scgan/reference/pool"}


def test_an_original_of_another_name_is_refused(tmp_path: Path) -> None:
    source = made("scgan", tmp_path / "given")
    layouts.scgan_originals(source, "reference/FFHQ")
    (source / "reference/FFHQ/1.png").rename(source / "reference/FFHQ/one.png")
    with pytest.raises(PrepareError, match=r"reference/FFHQ: no picture has the name of imgs_test/FFHQ/1\.png \(1 of 3 LR faces"):
        run("scgan", tmp_path / "root", source)


def test_the_release_of_bulat_et_al_is_a_test_set(tmp_path: Path) -> None:
    run("bulat", tmp_path / "root", made("bulat", tmp_path / "given"))
    real = load_real_faces(tmp_path / "root", 64, 4, SELFSR.data_sets)
    assert list(real.test_sets) == ["test"]
    test = real.test_sets["test"]
    assert (len(test.lr), test.images.name, test.hr) == (layouts.PEOPLE, "bulat/real_lr/test", None)
    assert len(test.limit(2).lr) == len(test.limit(2).real) == 2
    assert not set(test.real.groups) & set(real.hr.groups)  # HR faces that nobody trained on


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
