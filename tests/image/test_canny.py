from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.ndimage import label
from torch import Tensor

from facesr_lib.data import load_faces
from facesr_lib.image import canny, rgb_to_grey, to_uint8

MODULE = importlib.import_module("facesr_lib.image.canny")
THRESHOLDS = [(0, 0), (50, 255), (100, 200), (100, 100), (30, 90), (0.5, 99.5), (10.9, 11), (600, 1500), (5, 3000)]


def opencv(x: Tensor, low: float, high: float) -> np.ndarray:
    grey = to_uint8(x if x.shape[1] == 1 else rgb_to_grey(x))[:, 0].numpy()
    return np.stack([cv2.Canny(image, low, high) for image in grey])[:, None] / 255


def noise(height: int, width: int, channels: int = 1, n: int = 3) -> Tensor:
    return torch.rand(n, channels, height, width, generator=torch.Generator().manual_seed(height * width))


def blobs(height: int, width: int) -> Tensor:
    """Smooth images, whose edges are long."""
    coarse = noise(-(-height // 6), -(-width // 6))
    return F.interpolate(coarse, size=(height, width), mode="bilinear", align_corners=False)


PICTURES: dict[str, Callable[[int, int], Tensor]] = {
    "noise": noise,
    "blobs": blobs,
    "few levels": lambda *size: (noise(*size) * 4).round() / 4,  # many ties
    "black and white": lambda *size: noise(*size).round(),
    "colours": lambda *size: noise(*size, channels=3),
    "flat": lambda *size: torch.full((1, 1, *size), 0.3),
}


@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (2, 2), (3, 5), (17, 31), (64, 64), (65, 63), (128, 128)], ids=str)
def test_canny_equals_opencv_bit_for_bit(picture: str, size: tuple[int, int]) -> None:
    x = PICTURES[picture](*size)
    for low, high in THRESHOLDS:
        np.testing.assert_array_equal(canny(x, low, high).numpy(), opencv(x, low, high), err_msg=f"{low}, {high}")


@pytest.mark.parametrize("size", [48, 64, 128])
def test_canny_of_faces_equals_opencv(size: int) -> None:
    faces = load_faces("", "test", 92).take(range(0, 100, 9))
    faces = F.interpolate(faces, size=(size, size), mode="bicubic", align_corners=False, antialias=True).clamp(0, 1)
    for low, high in THRESHOLDS:
        found = canny(faces, low, high).numpy()
        np.testing.assert_array_equal(found, opencv(faces, low, high))
        assert found.any() or high > 1000


@pytest.mark.parametrize("index", range(3))
def test_canny_equals_the_oracle(shared: Path, index: int) -> None:
    oracle = np.load(shared / "oracles" / "edges.npz")
    x = torch.from_numpy(oracle[f"gray{index}"])[None, None].float() / 255
    for low, high in ((50, 255), (100, 200)):
        assert np.array_equal(canny(x, low, high)[0, 0].numpy() * 255, oracle[f"canny_{low}_{high}_{index}"])


def test_float32_decides_every_direction_as_whole_numbers_do() -> None:
    """Sobel's derivatives of 8-bit images reach 4 * 255. OpenCV compares |gy| * 2^15 with |gx| * 13573 and |gx| * 79109."""
    x, y = torch.arange(1021)[:, None], torch.arange(1021)
    assert torch.equal(y.float() < x.float() * MODULE.TAN_22, (y << 15) < x * 13573)
    assert torch.equal(y.float() > x.float() * MODULE.TAN_67, (y << 15) > x * 79109)


# -- hysteresis -----------------------------------------------------------------------------------------------------------------


def serpentine(size: int) -> Tensor:
    """One path, a pixel wide, through every second line: the longest there is."""
    mask = torch.zeros(size, size, dtype=torch.bool)
    mask[::2] = True
    mask[1::4, -1] = mask[3::4, 0] = True
    return mask


def spiral(size: int) -> Tensor:
    mask, row, column, (down, right) = torch.zeros(size, size, dtype=torch.bool), 0, 0, (0, 1)
    mask[0, 0] = True
    for length in [size - 1, *(n for n in range(size - 1, 1, -2) for _ in range(2))]:
        for _ in range(length):
            row, column = row + down, column + right
            mask[row, column] = True
        down, right = right, -down
    return mask


def percolating(size: int) -> Tensor:
    """Random pixels as dense as makes the components largest and most crooked (0.407 with 8 neighbours)."""
    return torch.rand(size, size, generator=torch.Generator().manual_seed(size)) < 0.407


def grown(weak: Tensor, strong: Tensor) -> Tensor:
    """The components of `weak` that hold a strong pixel, by SciPy."""
    names, _ = label(weak.numpy(), structure=np.ones((3, 3)))
    return torch.from_numpy(np.isin(names, np.setdiff1d(names[strong.numpy()], [0])))


def ends(weak: Tensor) -> tuple[Tensor, Tensor]:
    """The first and the last pixel of the largest component, each as a mask."""
    names = torch.from_numpy(label(weak.numpy(), structure=np.ones((3, 3)))[0])
    places = (names == names[weak].mode().values).flatten().nonzero().flatten()
    first, last = (F.one_hot(place, weak.numel()).bool().view(weak.shape) for place in places[[0, -1]])
    return first, last


@pytest.mark.parametrize("look", [True, False], ids=["stops when done", "a GPU's number of rounds"])
@pytest.mark.parametrize("draw", [serpentine, spiral, percolating])
def test_hysteresis_follows_the_longest_paths_to_their_end(
    draw: Callable[[int], Tensor], look: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not look:  # on a GPU nobody asks whether it is done
        monkeypatch.setattr(torch, "equal", lambda a, b: False)
    for size in (7, 31, 64, 97):
        path = draw(size)
        first, last = ends(path)
        weak, strong = torch.stack([path, path, path])[:, None], torch.stack([first, last, path & ~path])[:, None]
        expected = torch.stack([grown(w[0], s[0])[None] for w, s in zip(weak, strong, strict=True)])
        found = MODULE._hysteresis(weak, strong)
        assert torch.all(found == expected), size
        assert found[0].sum() == found[1].sum() > size // 2
        assert not found[2].any()


def test_the_number_of_rounds_depends_on_the_size_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "equal", lambda a, b: pytest.fail("a GPU would have to answer"))
    for size in (1, 64):
        found = canny(torch.empty(2, 3, size, size, device="meta"), 50, 255)
        assert found.is_meta
        assert found.shape == (2, 1, size, size)


# -- the function around it -----------------------------------------------------------------------------------------------------


def test_canny_takes_the_full_range_grey_of_each_image_by_itself() -> None:
    x = noise(24, 31, channels=3).double()
    each = torch.cat([canny(image[None], 50, 200) for image in x])
    assert torch.equal(canny(x, 50, 200), each)
    assert torch.equal(canny(x, 50, 200), canny(rgb_to_grey(x), 50, 200))
    assert set(each.unique().tolist()) == {0.0, 1.0}
    assert each.shape == (3, 1, 24, 31)
    assert each.dtype == x.dtype


def test_canny_is_the_same_under_autocast() -> None:
    x = blobs(64, 64)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(canny(x, 50, 200), torch.from_numpy(opencv(x, 50, 200)).float())


def test_canny_passes_no_gradient_and_takes_no_images() -> None:
    assert not canny(noise(16, 16).requires_grad_(), 50, 200).requires_grad
    assert canny(torch.zeros(0, 3, 16, 16), 0, 0).shape == (0, 1, 16, 16)


@pytest.mark.parametrize(("low", "high"), [(200, 100), (-1, 5)])
def test_canny_refuses_impossible_thresholds(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="0 <= low <= high"):
        canny(noise(8, 8), low, high)


def test_canny_refuses_other_numbers_of_channels() -> None:
    with pytest.raises(ValueError, match="grey or RGB"):
        canny(noise(8, 8, channels=2), 50, 200)
