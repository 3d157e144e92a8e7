"""Crops: against Pillow called by hand, closed forms, and 300 faces with 68 landmarks where they are."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from facesr_lib.data.boxes import OUTLINE_SIDE, landmark_box, square_box
from facesr_lib.data.folder import BadImages
from facesr_tools.prepare.crop import crop_chunk, cut
from facesr_tools.prepare.description import Sample


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (218, 178, 3), dtype=np.uint8)


def test_protocols_are_pillows_bicubic_of_the_stated_region(picture: np.ndarray) -> None:
    image = Image.fromarray(picture)
    whole = np.asarray(image.resize((128, 128), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(cut(picture, None, 128, "whole"), whole)
    centre = image.crop((0, 20, 178, 198)).resize((64, 64), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(cut(picture, None, 64, "centre"), np.asarray(centre))
    boxed = image.crop((30, 40, 130, 140)).resize((16, 16), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(cut(picture, (30.2, 39.8, 130.2, 139.8), 16), np.asarray(boxed))


def test_linear_is_opencvs_without_antialiasing(picture: np.ndarray) -> None:
    """Bit for bit; and in closed form: each value between the four pixels around its place, whatever the others are."""
    found = cut(picture, None, 128, "whole", "linear")
    np.testing.assert_array_equal(found, cv2.resize(picture, (128, 128), interpolation=cv2.INTER_LINEAR))
    rows, columns = ((np.arange(128) + 0.5) * n / 128 - 0.5 for n in picture.shape[:2])
    top, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
    y, x = (rows - top)[:, None, None], (columns - left)[None, :, None]
    a = picture.astype(float)
    below, right = top + 1, left + 1
    upper = a[top][:, left] * (1 - x) + a[top][:, right] * x
    lower = a[below][:, left] * (1 - x) + a[below][:, right] * x
    np.testing.assert_allclose(found, upper * (1 - y) + lower * y, atol=1)
    bicubic = cut(picture, None, 128, "whole")
    assert np.abs(found.astype(int) - bicubic).mean() > 5  # on noise, antialiasing is no small matter
    centre = cv2.resize(np.ascontiguousarray(picture[20:198]), (64, 64), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(cut(picture, None, 64, resize="linear"), centre)


def test_a_box_that_leaves_the_picture_repeats_the_border(picture: np.ndarray) -> None:
    padded = np.pad(picture, ((50, 50), (50, 50), (0, 0)), mode="edge")
    np.testing.assert_array_equal(cut(picture, (-50, -50, 50, 50), 100), padded[:100, :100])
    np.testing.assert_array_equal(cut(picture, (128, 168, 228, 268), 100), padded[218:318, 178:278])


@pytest.mark.parametrize("box", [(178, 0, 200, 22), (-30, 5, 0, 35), (-1e6, -1e6, 1e6, 1e6)])
def test_a_box_that_misses_the_picture_is_bad(picture: np.ndarray, box: tuple[float, float, float, float]) -> None:
    with pytest.raises(BadImages, match="its box"):
        cut(picture, box, 16)


def test_square_box() -> None:
    assert square_box((10, 20, 30, 60)) == (0, 20, 40, 60)
    assert square_box((0, 0, 10, 10), scale=2) == (-5, -5, 15, 15)


def test_outline_box_in_closed_form_and_equivariant() -> None:
    points = np.array([[10, 40], [50, 40], [30, 20], [30, 100], [20, 60]], float)
    side = OUTLINE_SIDE * 80
    assert landmark_box(points, "outline") == pytest.approx((30 - side / 2, 60 - side / 2, 30 + side / 2, 60 + side / 2))
    for layout in ("outline", "five"):
        box = np.array(landmark_box(points, layout))
        np.testing.assert_allclose(landmark_box(3 * points + 7, layout), 3 * box + 7)
        mirrored = points * [-1, 1]
        if layout == "five":
            mirrored = mirrored[[1, 0, 2, 4, 3]]
        np.testing.assert_allclose(landmark_box(mirrored, layout), box[[2, 1, 0, 3]] * [-1, 1, -1, 1])


@pytest.mark.parametrize("points", [np.zeros((5, 2)), np.full((5, 2), np.nan), np.zeros((4, 2)), np.zeros((68, 3))])
def test_landmarks_that_are_no_face(points: np.ndarray) -> None:
    with pytest.raises(ValueError, match="landmarks"):
        landmark_box(points, "outline")


def test_a_chunk_names_its_bad_files_and_keeps_the_order(picture: np.ndarray, tmp_path: Path) -> None:
    Image.fromarray(picture).save(tmp_path / "a.png")
    Image.fromarray(picture[::-1].copy()).save(tmp_path / "c.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:500])
    samples = [
        Sample("a.png", "A", (0, 0, 40, 40)),
        Sample("a.png", "A2", (500, 0, 540, 40)),
        Sample("b.png", "B", (0, 0, 40, 40)),
        Sample("gone.png", "D"),
        Sample("c.png", "C", None, "no row in list.txt"),
        Sample("c.png", "C2", None),
    ]
    found = crop_chunk(str(tmp_path), samples, 40, "centre")
    assert found.people == ["A", "C2"]
    np.testing.assert_array_equal(found.pixels[0], picture[:40, :40])
    np.testing.assert_array_equal(found.pixels[1], cut(picture[::-1], None, 40))
    assert set(found.bad) == {"a.png (500, 0, 540, 40)", "b.png", "gone.png", "c.png"}
    assert "damaged or cut short" in found.bad["b.png"]
    assert found.bad["c.png"] == "no row in list.txt"


def test_landmark_boxes_on_real_faces(shared: Path) -> None:
    """Every landmark is inside; both rules give nearly the same box; a crop shows the same face in the same place."""
    folder = shared / "data" / "frames"
    if not (folder / "keypoints68.csv").is_file():
        pytest.skip("no data/frames in the shared folder")
    with open(folder / "keypoints68.csv", newline="") as file:
        rows = list(csv.reader(file))[1:]
    sides, offsets = [], []
    for row in rows:
        points = np.array(row[1:], float).reshape(68, 2)
        box = np.array(landmark_box(points, "outline"))
        assert (points >= box[:2]).all()
        assert (points <= box[2:]).all()
        five = np.stack([points[36:42].mean(0), points[42:48].mean(0), points[30], points[48], points[54]])
        other = np.array(landmark_box(five, "five"))
        side = box[2] - box[0]
        sides.append((other[2] - other[0]) / side)
        offsets.append(np.abs((box[:2] + box[2:]) / 2 - (other[:2] + other[2:]) / 2).max() / side)
    assert 0.98 < np.median(sides) < 1.02
    assert np.percentile(sides, 95) < 1.25
    assert np.percentile(sides, 5) > 0.85
    assert np.median(offsets) < 0.08
    name, *numbers = rows[0]
    points = np.array(numbers, float).reshape(68, 2)
    box = landmark_box(points, "outline")
    found = crop_chunk(str(folder), [Sample(name, name, box)], 128, "centre")
    picture = Image.open(folder / name).convert("RGB")
    left, top, side = round(box[0]), round(box[1]), round(box[2] - box[0])
    if left >= 0 and top >= 0 and left + side <= picture.width and top + side <= picture.height:
        by_hand = picture.crop((left, top, left + side, top + side)).resize((128, 128), Image.Resampling.BICUBIC)
        np.testing.assert_array_equal(found.pixels[0], np.asarray(by_hand))
