"""Own photographs: what is found, cut, left out and split. The detector is replaced by one that knows where the faces are."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut
from typer.testing import CliRunner

from facesr_lib.data import load_faces, open_packed
from facesr_lib.data.boxes import landmark_box
from facesr_lib.data.images import Pixels
from facesr_tools.cli.main import app
from facesr_tools.prepare import PrepareError
from facesr_tools.prepare.detector import Face, find_faces
from facesr_tools.prepare.photos import LEFT_OUT, prepare_folder

# Eyes, nose and mouth corners around a nose at (0, 0), eyes 20 px apart: the cut is 58 px wide.
POINTS = np.array([[-10.0, -8], [10, -8], [0, 0], [-8, 14], [8, 14]])
SIDE = 64


def photo(path: Path, *faces: tuple[int, int, int], size: tuple[int, int] = (300, 300)) -> Path:
    """A grey photograph with faces: a white pixel at each nose (x, y), its red level the number of times POINTS is enlarged."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((*size, 3), 100, np.uint8)
    for x, y, scale in faces:
        pixels[y, x] = (200 + scale, 255, 255)
    Image.fromarray(pixels).save(path)
    return path


def find(picture: Pixels) -> list[Face]:
    rows, columns = np.nonzero(picture[..., 1] == 255)
    return [Face(1.0, POINTS * (int(picture[y, x, 0]) - 200) + (x, y)) for y, x in zip(rows, columns, strict=True)]


@pytest.fixture
def album(tmp_path: Path) -> Path:
    folder = tmp_path / "album"
    for person in ("ann", "ben", "cem", "dia"):
        photo(folder / person / "1.png", (150, 150, 2))
        photo(folder / person / "2.png", (150, 150, 3))
    return folder


def left_out(root: Path) -> dict[str, str]:
    return json.loads((root / "album" / LEFT_OUT).read_text())


def test_people_are_split_and_found_through_data_root(album: Path, tmp_path: Path) -> None:
    facts = prepare_folder(album, tmp_path / "root", find, size=SIDE, workers=1)
    assert sum(part["images"] for part in facts["parts"].values()) == 8
    groups = [set(load_faces(tmp_path / "root", split, SIDE).groups) for split in ("train", "val", "test")]
    assert set.union(*groups) == {"ann", "ben", "cem", "dia"}
    assert sum(map(len, groups)) == 4
    assert left_out(tmp_path / "root") == {}


def test_faces_are_cut_by_their_landmarks(tmp_path: Path) -> None:
    album = tmp_path / "album"
    for person in ("ann", "ben", "cem"):
        photo(album / person / "1.png", (140, 160, 3))
    prepare_folder(album, tmp_path / "root", find, size=SIDE, workers=1)
    cut = np.asarray(open_packed(tmp_path / "root" / "album" / "train.json").pixels)[0].astype(int)
    y, x = np.unravel_index(np.argmax(cut[..., 1]), cut.shape[:2])
    left, top, right, bottom = landmark_box(3 * POINTS + (140, 160), "five")
    assert x == pytest.approx((140.5 - left) / (right - left) * SIDE - 0.5, abs=1)
    assert y == pytest.approx((160.5 - top) / (bottom - top) * SIDE - 0.5, abs=1)


def test_in_a_persons_folder_only_the_largest_face(album: Path, tmp_path: Path) -> None:
    photo(album / "ann" / "party.png", (80, 80, 2), (200, 200, 3))
    facts = prepare_folder(album, tmp_path / "root", find, size=SIDE, workers=1)
    assert sum(part["images"] for part in facts["parts"].values()) == 9


def test_without_subfolders_every_face_is_a_person(tmp_path: Path) -> None:
    photo(tmp_path / "album" / "party.png", (80, 80, 2), (200, 200, 3), (220, 80, 1))
    photo(tmp_path / "album" / "alone.png", (150, 150, 2))
    prepare_folder(tmp_path / "album", tmp_path / "root", find, size=SIDE, workers=1)
    people = [p for s in ("train", "val", "test") for p in open_packed(tmp_path / "root" / "album" / f"{s}.json").groups]
    assert sorted(people) == ["album/alone-1", "album/party-1", "album/party-2"]  # the third is 58 px


def test_what_is_left_out_is_said(album: Path, tmp_path: Path) -> None:
    photo(album / "ann" / "landscape.png")
    photo(album / "ann" / "far.png", (150, 150, 1))
    (album / "ann" / "broken.jpg").write_bytes(b"\xff\xd8 cut")
    prepare_folder(album, tmp_path / "root", find, size=SIDE, workers=1)
    reasons = left_out(tmp_path / "root")
    assert reasons["ann/landscape.png"] == "no face found"
    assert reasons["ann/far.png"] == "its largest face is 58 px, smaller than 64"
    assert reasons["ann/broken.jpg"].startswith("not an image")
    assert len(reasons) == 3


def test_the_same_command_reads_only_what_is_new(album: Path, tmp_path: Path) -> None:
    seen: list[int] = []

    def counting(picture: Pixels) -> list[Face]:
        seen.append(1)
        return find(picture)

    first = prepare_folder(album, tmp_path / "root", counting, size=SIDE, workers=1)
    assert len(seen) == 8
    assert prepare_folder(album, tmp_path / "root", counting, size=SIDE, workers=1) == first
    assert len(seen) == 8
    photo(album / "ann" / "3.png", (150, 150, 2))
    os.utime(photo(album / "ben" / "1.png", (140, 150, 2)), ns=(1, 1))
    again = prepare_folder(album, tmp_path / "root", counting, size=SIDE, workers=1)
    assert len(seen) == 10
    assert sum(part["images"] for part in again["parts"].values()) == 9


def test_another_folder_of_the_same_name_is_another_set(tmp_path: Path) -> None:
    """Files of one name, size and time, with faces in the same places: only what they show differs."""
    tones = []
    for place, tone in (("old disk", 60), ("new disk", 180)):
        for person in ("ann", "ben", "cem"):
            file = tmp_path / place / "album" / person / "1.bmp"
            photo(file, (150, 150, 2))
            pixels = np.asarray(Image.open(file)).copy()
            pixels[pixels == 100] = tone
            Image.fromarray(pixels).save(file)
            os.utime(file, ns=(7, 7))
        prepare_folder(tmp_path / place / "album", tmp_path / "root", find, size=SIDE, workers=1)
        tones.append(int(np.median(open_packed(tmp_path / "root" / "album" / "train.json").pixels)))
    assert tones == [60, 180]


def test_pipes_links_and_a_failing_detector_stop_nothing(album: Path, tmp_path: Path) -> None:
    os.mkfifo(album / "ann" / "pipe.png")
    (album / "ann" / "gone.jpg").symlink_to(tmp_path / "gone.jpg")
    (album / "notes.txt").write_text("x")
    (album / "ann" / "again").symlink_to(album / "ben")
    photo(album / "ann" / "odd.png", size=(40, 300))

    def moody(picture: Pixels) -> list[Face]:
        if picture.shape[0] == 40:
            raise RuntimeError("no such layer")
        return find(picture)

    facts = prepare_folder(album, tmp_path / "root", moody, size=SIDE, workers=1)
    assert sum(part["images"] for part in facts["parts"].values()) == 8
    assert left_out(tmp_path / "root") == {
        "ann/pipe.png": "a folder, pipe, socket or device",
        "ann/gone.jpg": "no such file, or a link to nowhere",
        "ann/odd.png": "the face detector failed (RuntimeError: no such layer)",
        "notes.txt": "no picture's ending (.txt)",
        "ann/again": "the same folder as ben",
    }


def test_a_damaged_memory_of_detections_is_made_again(album: Path, tmp_path: Path) -> None:
    first = prepare_folder(album, tmp_path / "root", find, size=SIDE, workers=1)
    for content in ("[]", "{broken", '{"ann/1.png": 3}'):
        (tmp_path / "root" / "sources" / "album" / "faces.json").write_text(content)
        assert prepare_folder(album, tmp_path / "root", find, size=SIDE, workers=1) == first


def test_interrupted_it_goes_on(album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facesr_tools.prepare.photos.SAVE_EVERY", 1)
    seen: list[int] = []

    def dying(picture: Pixels) -> list[Face]:
        seen.append(1)
        if len(seen) == 4:
            raise KeyboardInterrupt
        return find(picture)

    with pytest.raises(KeyboardInterrupt):
        prepare_folder(album, tmp_path / "root", dying, size=SIDE, workers=1)
    resumed = prepare_folder(album, tmp_path / "root", dying, size=SIDE, workers=1)
    assert len(seen) == 4 + 5
    assert resumed == prepare_folder(album, tmp_path / "whole", find, size=SIDE, workers=1)


def test_originals_stay_as_they_are(album: Path, tmp_path: Path) -> None:
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in album.rglob("*.png")}
    prepare_folder(album, tmp_path / "root", find, size=SIDE, workers=1)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in album.rglob("*") if path.is_file()} == before


def test_clear_refusals(album: Path, tmp_path: Path) -> None:
    with pytest.raises(PrepareError, match="inside each other"):
        prepare_folder(album, album / "out", find)
    with pytest.raises(PrepareError, match="inside each other"):
        prepare_folder(album, tmp_path, find)
    with pytest.raises(PrepareError, match="no usable face in 8 pictures"):
        prepare_folder(album, tmp_path / "root", lambda picture: [])
    with pytest.raises(ValueError, match=r"'ann' has 2 different people"):
        prepare_folder(album / "ann", tmp_path / "root", find, size=SIDE)
    assert not (tmp_path / "root" / "album").exists()


def test_command_asks_for_the_folder() -> None:
    for arguments in (["folder"], ["celeba", "photos"]):
        result = CliRunner().invoke(app, ["data", "prepare", *arguments, "--root", "nowhere"])
        assert result.exit_code == 2
        assert "facesr data prepare folder PHOTOS" in result.output


@pytest.fixture(scope="session")  # before the tests get caches of their own
def network(need: Callable[[str], Path]) -> Path:
    return need("centerface")


@pytest.mark.parametrize("width", [200, 512, 900, 2000])
def test_detector_finds_the_astronaut_at_any_size(network: Path, width: int) -> None:
    """One face; its points, seen by eye in the 512 px original, move with the size."""
    picture = np.asarray(Image.fromarray(astronaut()).resize((width, width), Image.Resampling.BICUBIC))
    (face,) = find_faces(picture, network)
    seen = np.array([[203, 102], [247, 104], [223, 125], [203, 142], [241, 144]]) * width / 512
    assert np.abs(face.points - seen).max() < 6 * width / 512
    assert face.score > 0.6


def test_detector_sees_several_faces_and_none(network: Path) -> None:
    face = astronaut()[:300, 100:350]
    mirrored = np.concatenate([face, face[:, ::-1]], axis=1)
    left, right = sorted(find_faces(mirrored, network), key=lambda one: one.points[:, 0].mean())
    np.testing.assert_allclose(left.points[2, 0] + right.points[2, 0], 500, atol=6)
    assert find_faces(np.full((300, 400, 3), 128, np.uint8), network) == []


def test_detector_on_video_frames(network: Path, shared: Path) -> None:
    """Recall and accuracy on frames with 68 known landmarks; a frame in ten."""
    lines = (shared / "data" / "frames" / "keypoints68.csv").read_text().splitlines()[1::10]
    errors = []
    for line in lines:
        name, *numbers = line.split(",")
        points = np.array(numbers, float).reshape(68, 2)
        true = np.stack([points[36:42].mean(0), points[42:48].mean(0), points[30], points[48], points[54]])
        found = find_faces(np.asarray(Image.open(shared / "data" / "frames" / name).convert("RGB")), network)
        eyes = np.linalg.norm(points[36] - points[45])
        errors.append(min((np.linalg.norm(f.points - true, axis=1).mean() / eyes for f in found), default=9.0))
    assert np.mean(np.array(errors) < 0.3) >= 0.97
    assert np.median(errors) < 0.1


def test_wrong_network_file(tmp_path: Path) -> None:
    (tmp_path / "page.onnx").write_text("<html>")
    with pytest.raises(ValueError, match="not a network that OpenCV reads"):
        find_faces(astronaut(), tmp_path / "page.onnx")
