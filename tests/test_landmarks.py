"""Landmarks with the real weights: equal to the original's output and near hand-made points; the error by its formula."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import astronaut
from torch import Tensor

from facesr_lib.data import olivetti_faces
from facesr_lib.image import quantize, resize_bicubic, to_float
from facesr_tools.landmarks import landmark_error, landmarks, normalised_mean_error

# face-api.js 1.7.15 (TensorFlow.js, CPU backend) on the same 112x112 pixels, as parts of the side.
ORIGINAL = {
    0: (0.1010237, 0.2607237),
    8: (0.5020198, 0.9582031),
    30: (0.5179263, 0.5167258),
    36: (0.2720579, 0.2644112),
    45: (0.7912909, 0.2943752),
    67: (0.4583448, 0.7006343),
}


@pytest.fixture
def weights(need: Callable[[str], Path]) -> None:
    need("face-api")


def image(levels: np.ndarray) -> Tensor:
    return to_float(torch.from_numpy(levels.copy()).permute(2, 0, 1)[None])


def test_equals_the_original(weights: None) -> None:
    found = landmarks(image(astronaut()[70:182, 165:277]))[0] / 112
    for index, point in ORIGINAL.items():
        assert found[index].tolist() == pytest.approx(point, abs=1e-6)


def test_points_follow_the_crop(weights: None) -> None:
    face = image(astronaut()[60:190, 155:285])
    found = landmarks(face)[0]
    enlarged = landmarks(resize_bicubic(face, 3).clamp(0, 1))[0]
    assert float((enlarged / 3 - found).norm(dim=1).max()) < 2
    black = torch.nn.functional.pad(face, (0, 0, 65, 65))  # a tall image has its own black rows
    squared = torch.nn.functional.pad(black, (65, 65))
    torch.testing.assert_close(landmarks(black)[0] + torch.tensor([65.0, 0.0]), landmarks(squared)[0], rtol=0, atol=1e-3)


def test_near_the_points_that_people_marked(weights: None, shared: Path) -> None:
    table = shared / "data" / "frames" / "keypoints68.csv"
    if not table.is_file():
        pytest.skip("the shared folder has no frames/keypoints68.csv")
    with open(table, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:101]
    errors = []
    for name, *numbers in rows:
        marked = torch.tensor([float(number) for number in numbers]).reshape(68, 2)
        low, high = marked.amin(dim=0), marked.amax(dim=0)
        middle, half = (low + high) / 2, 0.7 * float((high - low).max())  # a square with a margin of 20 % on each side
        left, top = (max(0, round(float(m) - half)) for m in middle)
        right, bottom = (round(float(m) + half) for m in middle)
        frame = image(np.array(Image.open(table.parent / name).convert("RGB")))
        found = landmarks(frame[:, :, top:bottom, left:right])
        errors.append(normalised_mean_error(found + torch.tensor([left, top]), marked[None]))
    assert float(torch.cat(errors).mean()) < 0.08


def test_rises_with_the_scale_and_not_with_the_batch(weights: None) -> None:
    hr = to_float(torch.from_numpy(olivetti_faces("test", 88).pixels[:60:10].copy()).permute(0, 3, 1, 2))
    means = []
    for scale in (2, 4, 8):
        sr = quantize(resize_bicubic(resize_bicubic(hr, 1 / scale), scale))
        together = landmark_error(sr, hr)
        alone = torch.cat([landmark_error(a, b) for a, b in zip(sr.split(1), hr.split(1), strict=True)])
        torch.testing.assert_close(alone, together, rtol=0, atol=1e-6)
        means.append(float(together.mean()))
    assert 0 < means[0] < means[1] < means[2]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_the_same_on_a_gpu(weights: None) -> None:
    x = image(astronaut()[60:190, 155:285])
    torch.testing.assert_close(landmarks(x, "cuda").cpu(), landmarks(x), rtol=0, atol=1e-3)


def test_the_error_is_in_eye_distances() -> None:
    truth = torch.rand(4, 68, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    truth[:, 36], truth[:, 45] = torch.tensor([0.0, 3.0]), torch.tensor([4.0, 0.0])  # 5 apart
    shifted = truth + torch.tensor([0.6, 0.8])  # every point by 1
    expected = torch.full((4,), 1 / 5, dtype=torch.float64)
    torch.testing.assert_close(normalised_mean_error(shifted, truth), expected)
    torch.testing.assert_close(normalised_mean_error(7 * shifted, 7 * truth), expected)
    one = truth.clone()
    one[2, 10, 0] += 6.8
    found = normalised_mean_error(one, truth)
    assert float(found[2]) == pytest.approx(6.8 / 68 / 5)
    assert not found[[0, 1, 3]].any()
