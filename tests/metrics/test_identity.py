"""The recognition network with its real weights: equal to the original's output, and it recognises people."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import astronaut
from torch import Tensor
from torch.nn.functional import normalize

from facesr_lib.data import olivetti_faces
from facesr_lib.image import quantize, resize_bicubic, to_float
from facesr_lib.metrics.identity import embed, identity_similarity

# face-api.js 1.7.15 (TensorFlow.js, CPU backend) on the same 150x150 pixels.
ORIGINAL = {0: -0.0737009197, 1: 0.0530855097, 2: -0.0080321673, 3: 0.0114330035, 4: -0.1603566557, 5: -0.0053328299}
ORIGINAL_LENGTH = 1.5385971598


@pytest.fixture
def weights(need: Callable[[str], Path]) -> None:
    need("face-api")


def images(levels: np.ndarray) -> Tensor:
    return to_float(torch.from_numpy(levels.copy()).permute(0, 3, 1, 2))


def rank_1(x: Tensor, people: np.ndarray) -> float:
    """Share of the faces whose most similar other face is of the same person."""
    directions = normalize(embed(x).double())
    similarity = (directions @ directions.T).fill_diagonal_(-2)
    return float((people[similarity.argmax(dim=1).numpy()] == people).mean())


def test_equals_the_original(weights: None) -> None:
    found = embed(images(astronaut()[None, 50:200, 145:295]))[0]
    for index, value in ORIGINAL.items():
        assert float(found[index]) == pytest.approx(value, abs=2e-6)
    assert float(found.norm()) == pytest.approx(ORIGINAL_LENGTH, abs=2e-6)


def test_recognises_the_olivetti_people(weights: None) -> None:
    faces = olivetti_faces("test")
    assert rank_1(images(faces.pixels), np.array(faces.groups)) >= 0.95


def test_recognises_people_in_colour(weights: None, shared: Path) -> None:
    files = sorted((shared / "data" / "faces112" / "test").glob("id*/*.jpg"))[::4]
    if not files:
        pytest.skip("the shared folder has no faces112/test")
    people = np.array([file.parent.name for file in files])
    assert rank_1(images(np.stack([np.array(Image.open(file)) for file in files])), people) >= 0.9


def test_falls_with_the_scale_and_not_with_the_batch(weights: None) -> None:
    hr = images(olivetti_faces("test", 64).pixels[:60:10])
    means = []
    for scale in (2, 4, 8):
        sr = quantize(resize_bicubic(resize_bicubic(hr, 1 / scale), scale))
        together = identity_similarity(sr, hr)
        alone = torch.cat([identity_similarity(a, b) for a, b in zip(sr.split(1), hr.split(1), strict=True)])
        torch.testing.assert_close(alone, together, rtol=0, atol=1e-6)
        means.append(float(together.mean()))
    assert 1 > means[0] > means[1] > means[2] > 0.5


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_the_same_on_a_gpu(weights: None) -> None:
    x = images(olivetti_faces("test", 64).pixels[:60:10])
    torch.testing.assert_close(embed(x, "cuda").cpu(), embed(x), rtol=0, atol=1e-5)
    assert identity_similarity(x, x.flip(3), "cuda").device == x.device
