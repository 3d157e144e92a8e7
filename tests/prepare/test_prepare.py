"""Every set in its true layout, from archive or folder to packed pictures that notebooks find; and what can be wrong with it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import layouts
import numpy as np
import pytest
from layouts import made, run
from PIL import Image

from facesr_lib.data import load_faces, open_packed, refuse_shared_groups
from facesr_tools.download import RemoteFile
from facesr_tools.prepare import CATALOGUE, PrepareError, described, listing, prepare, verify
from facesr_tools.prepare.crop import cut


def test_every_set_has_a_test() -> None:
    assert set(layouts.LAYOUTS) == set(CATALOGUE)


@pytest.mark.parametrize("name", sorted(layouts.LAYOUTS))
def test_a_folder_becomes_packed_sets(name: str, tmp_path: Path) -> None:
    source = made(name, tmp_path / "given")
    before = {path: path.stat().st_mtime_ns for path in source.rglob("*")}
    facts = run(name, tmp_path / "root", source)
    counts = {part: found["images"] for part, found in facts["parts"].items()}
    assert counts.items() >= layouts.LAYOUTS[name][1].items()
    assert sum(counts.values()) == sum(1 for path in before if path.suffix in (".jpg", ".png")) or name == "widerface"
    assert verify(tmp_path / "root" / name) == []
    description = described(name)
    for part in counts:
        images = open_packed(tmp_path / "root" / name / f"{part}.json")
        assert images.size == (description.size_of(part),) * 2
        assert images.credit == description.origin.credit
        manifest = json.loads((tmp_path / "root" / name / f"{part}.json").read_text())["source"]
        assert manifest["licence"] == description.origin.licence
        assert manifest["protocol"] == description.protocol
    assert {path: path.stat().st_mtime_ns for path in source.rglob("*")} == before  # only read
    if description.kind == "faces":
        parts = {split: load_faces(tmp_path / "root", split, None) for split in ("train", "val", "test")}
        refuse_shared_groups({split: part.groups for split, part in parts.items()})


def as_released(photo: Path) -> np.ndarray:
    """ISR-KD's HR image by OpenCV alone, from the file: the whole picture, linear, no antialiasing."""
    image = cv2.resize(cv2.imread(str(photo)), (128, 128), interpolation=cv2.INTER_LINEAR)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def test_crops_are_the_protocols(tmp_path: Path) -> None:
    run("celeba", tmp_path / "root", source := made("celeba", tmp_path / "celeba"))
    val = open_packed(tmp_path / "root/celeba/val.json")
    assert val.groups[:2] == ("celeba-106", "celeba-106")
    np.testing.assert_array_equal(val.pixels[0], as_released(source / "img_align_celeba/000013.jpg"))

    run("icartoonface", tmp_path / "root", source := made("icartoonface", tmp_path / "cartoons"))
    cartoons = open_packed(tmp_path / "root/icartoonface/train.json")
    first = next(path for path in sorted(source.rglob("*.jpg")) if path.parent.name == cartoons.groups[0])
    np.testing.assert_array_equal(cartoons.pixels[0], as_released(first))

    run("widerface", tmp_path / "root", source := made("widerface", tmp_path / "wider"))
    photo = np.asarray(Image.open(source / "WIDER_train/images/0--Parade/0_Parade_train_0.jpg"))
    lr = open_packed(tmp_path / "root/widerface/real_lr/train.json")
    np.testing.assert_array_equal(lr.pixels[0], cut(photo, (19, 20, 37, 38), 16))
    np.testing.assert_array_equal(lr.pixels[1], cut(photo, (51, 20, 81, 50), 16))
    assert lr.groups[0] == lr.groups[1] != lr.groups[2]  # the faces of a photograph stay together


def test_annotations_as_dic_published_them_come_first(tmp_path: Path) -> None:
    source = made("celeba-wild", tmp_path / "given")
    names = [f"{i:06d}.jpg" for i in range(1, 21)]
    (source / "landmarks.json").write_text(json.dumps({name: {"bbox": [10, 20, 110, 120]} for name in names}))
    run("celeba-wild", tmp_path / "root", source)
    photo = np.asarray(Image.open(source / "img_celeba/000001.jpg"))
    train = open_packed(tmp_path / "root/celeba-wild/train.json")
    np.testing.assert_array_equal(train.pixels[0], cut(photo, (10, 20, 110, 120), 128))


def test_ffhqs_500_images_are_drawn_at_random_from_the_whole_set(tmp_path: Path) -> None:
    drawn = listing.ffhq_draw(range(70_000))
    limits = described("ffhq-1024").limits
    assert limits == {"train": 250, "val": 100, "test": 150}
    taken = {part: [n for n, p in drawn if p == part][:count] for part, count in limits.items()}
    numbers = np.concatenate(list(taken.values()))
    assert len(set(numbers)) == 500
    for part in taken.values():  # uniform over the set: mean 35,000, standard error 20,207 / sqrt(n), and all tenths hit
        assert abs(np.mean(part) - 35_000) < 4 * 20_207 / np.sqrt(len(part))
        assert len({n // 7_000 for n in part}) == 10
    counts = np.bincount(numbers // 7_000, minlength=10)
    assert ((counts - 50) ** 2 / 50).sum() < 27.9  # chi-squared with nine degrees of freedom, 0.1 %
    shares = {part: sum(p == part for _, p in drawn) / 70_000 for part in limits}
    assert shares == pytest.approx({"train": 0.5, "val": 0.2, "test": 0.3}, abs=0.01)
    assert hashlib.sha256(repr(sorted(numbers.tolist())).encode()).hexdigest()[:16] == "0eaad3c6c9dff0a5"  # on every machine

    # A part of the set keeps every image's part; so does what was downloaded one by one.
    source = made("ffhq-1024", tmp_path / "given")
    run("ffhq-1024", tmp_path / "root", source)
    part_of = {f"ffhq-{number:05d}": part for number, part in drawn}
    for part in limits:
        people = open_packed(tmp_path / f"root/ffhq-1024/{part}.json").groups
        assert people
        assert {part_of[person] for person in people} == {part}
    (source / "images1024x1024/cat.png").write_bytes(next(source.rglob("0*.png")).read_bytes())
    with pytest.raises(PrepareError, match=r"cat\.png is no image of FFHQ: move it away"):
        run("ffhq-1024", tmp_path / "other", source)


ARCHIVES = {
    "widerface": ("WIDER_train.zip", "WIDER_val.zip", "wider_face_split.zip"),
    "icartoonface": ("personai_icartoonface_rectrain.zip",),
    "bulat": ("testset.tar", "Dataset.tar.gz"),
    "vggface2": ("train.tar.gz", "test.tar.gz", "bb_landmark.tar.gz"),
}


@pytest.mark.parametrize("name", sorted(ARCHIVES))
def test_archives_are_as_good_as_a_folder(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = made(name, tmp_path / "folder")
    given = []
    for archive in ARCHIVES[name]:
        inner = tmp_path / archive.partition(".")[0]
        inner.mkdir()
        shutil.copytree(source / inner.name, inner / inner.name)
        given.append(layouts.archive(inner, tmp_path / archive))
    plain = tuple(RemoteFile(file.name) for file in described(name).files)  # the true files' checksums are not ours
    description = dataclasses.replace(described(name), files=plain)
    first = prepare(description, tmp_path / "a", given, workers=1)
    second = run(name, tmp_path / "b", source)
    assert {part: facts["sha256"] for part, facts in first["parts"].items()} == {
        part: facts["sha256"] for part, facts in second["parts"].items()
    }
    assert first["files"] == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in given}


def test_preparing_again_does_nothing_and_another_limit_packs_again(tmp_path: Path) -> None:
    source = made("webface", tmp_path / "given")
    steps: list[str] = []
    progress = lambda step, done, total: steps.append(step)  # noqa: E731
    first = run("webface", tmp_path, source, progress=progress)
    assert steps
    steps.clear()
    assert run("webface", tmp_path, source, progress=progress) == first
    assert steps == []
    few = run("webface", tmp_path, source, limit=3, progress=progress)
    assert {part["images"] for part in few["parts"].values()} <= {1, 2, 3}
    assert few["parts"]["train"]["people"] == 3  # spread over the people
    assert verify(tmp_path / "webface") == []
    assert len(list((tmp_path / "webface").glob("*.npy"))) == len(few["parts"])


def test_a_person_in_two_parts_is_refused(tmp_path: Path) -> None:
    source = made("celeba", tmp_path / "given")
    identities = (source / "identity_CelebA.txt").read_text().replace("000020.jpg 109", "000020.jpg 100")
    (source / "identity_CelebA.txt").write_text(identities)
    with pytest.raises(ValueError, match="celeba-100: in both train and test"):
        run("celeba", tmp_path / "root", source)
    assert not list((tmp_path / "root").rglob("*.npy"))


def test_missing_rows_are_named(tmp_path: Path) -> None:
    source = made("celeba-wild", tmp_path / "given")
    rows = (source / "list_landmarks_celeba.txt").read_text().splitlines()
    (source / "list_landmarks_celeba.txt").write_text("\n".join(rows[:-6]))
    with pytest.raises(PrepareError, match="announces 20 rows and has 14: it is cut short"):
        run("celeba-wild", tmp_path / "root", source)
    (source / "list_landmarks_celeba.txt").write_text("\n".join(["14", *rows[1:-6]]))
    with pytest.raises(PrepareError, match=r"pictures .* cannot be used(.|\n)*000017\.jpg: no row in list_landmarks_celeba\.txt"):
        run("celeba-wild", tmp_path / "root", source)
    (source / "identity_CelebA.txt").write_text("000001.jpg 1\n")
    with pytest.raises(PrepareError, match=r"identity_CelebA\.txt has no row for 19 of 20 images, 000002\.jpg first"):
        run("celeba", tmp_path / "root", source)
    assert not list((tmp_path / "root").rglob("*.npy"))
    assert not list((tmp_path / "root").rglob("*.part"))


@pytest.mark.parametrize("name", sorted(set(layouts.LAYOUTS) - {"celeba", "ffhq-1024", "lfw", "scgan", "widerface"}))
def test_what_must_be_asked_for_is_named_with_its_page(name: str, tmp_path: Path) -> None:
    description = described(name)
    with pytest.raises(PrepareError) as error:
        run(name, tmp_path)
    message = str(error.value)
    assert description.origin.terms in message
    assert description.ask in message
    assert next(file.name for file in description.files if not file.urls) in message
    assert str(tmp_path / "sources" / description.origin.family) in message


def test_an_incomplete_folder_is_named_and_nothing_is_downloaded_into_it(tmp_path: Path) -> None:
    source = made("celeba", tmp_path / "given")
    shutil.rmtree(source / "img_align_celeba")
    with pytest.raises(PrepareError, match="there is no folder img_align_celeba"):
        run("celeba", tmp_path / "root", source)
    with pytest.raises(PrepareError, match="give either archives or one folder"):
        run("celeba", tmp_path / "root", source, source)
    with pytest.raises(PrepareError, match="there is no such file"):
        run("celeba", tmp_path / "root", tmp_path / "gone.zip")
    (tmp_path / "x.7z.001").write_bytes(b"7z")
    with pytest.raises(PrepareError, match=r"is no archive .*unpack it yourself and give the folder"):
        run("celeba", tmp_path / "root", tmp_path / "x.7z.001")


def test_a_full_disk_is_foreseen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = made("webface", tmp_path / "given")
    monkeypatch.setattr(shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(10, 5, 1000))
    with pytest.raises(PrepareError, match=r"webface needs 0\.0 GB .* are free: free some, choose another --root"):
        run("webface", tmp_path, source)


def test_a_full_disk_on_the_way_leaves_no_set(tmp_path: Path, file_limit: Callable[[int], None]) -> None:
    source = made("webface", tmp_path / "given")
    file_limit(30_000)
    with pytest.raises(OSError, match="too large"):
        run("webface", tmp_path, source)
    assert not (tmp_path / "webface/train.json").exists()
    assert not (tmp_path / "webface/prepared.json").exists()
    file_limit(-1)
    assert verify(tmp_path / "webface") != []
    run("webface", tmp_path, source)
    assert verify(tmp_path / "webface") == []


def test_verify_finds_damage(tmp_path: Path) -> None:
    run("webface", tmp_path, made("webface", tmp_path / "given"))
    array = next((tmp_path / "webface").glob("test-*.npy"))
    content = bytearray(array.read_bytes())
    content[-1] ^= 1
    array.write_bytes(content)
    (problem,) = verify(tmp_path / "webface")
    assert "has changed since it was packed" in problem
    array.unlink()
    assert "missing" in verify(tmp_path / "webface")[0]
    assert verify(tmp_path / "other") == [f"{tmp_path / 'other'} holds no prepared set: facesr data prepare other"]
