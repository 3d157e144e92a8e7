"""The slider and the explorer show what their static twins draw, at the moment and for the weights that were asked for."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from facesr_lib.explore.canvas import GAP, TITLE
from facesr_lib.explore.forgetting import forgetting_slider, forgetting_strip, forgetting_view, kd_explorer, kd_map, snapshot


def flat(level: float) -> torch.Tensor:
    return torch.full((2, 3, 4, 4), level)


TEACHER, HR = flat(0.0), flat(1.0)
TRAININGS = {"fine-tuned": [(10, flat(0.2)), (20, flat(0.4)), (40, flat(0.6))], "distilled": [(30, flat(0.8)), (60, flat(0.9))]}
RESULTS = [
    {"output KD": o, "bottleneck KD": b, "faces (dB)": 18 + o, "cartoons (dB)": 15 - b}
    for o, b in ((0.0, 0.0), (15.0, 0.0), (15.0, 0.08))
]


@pytest.mark.parametrize(
    ("share", "step", "level"), [(0.0, 0, 0.0), (0.2, 0, 0.0), (0.25, 10, 0.2), (0.99, 20, 0.4), (1.0, 40, 0.6)]
)
def test_a_snapshot_is_the_last_one_before_the_moment(share: float, step: int, level: float) -> None:
    found, pictures = snapshot(TRAININGS["fine-tuned"], TEACHER, share)
    assert found == step
    assert torch.equal(pictures, flat(level))


def shown(picture) -> list[list[int]]:
    """Grey level at the middle of every panel, row by row."""
    levels = [round(float(axes.images[0].get_array().mean()) * 10) for axes in picture.axes]
    columns = picture.axes[0].get_subplotspec().get_gridspec().ncols
    return [levels[start : start + columns] for start in range(0, len(levels), columns)]


def test_strip_goes_from_the_teacher_to_the_last_step() -> None:
    assert shown(forgetting_strip(TRAININGS, TEACHER, picture=1, moments=3)) == [[0, 4, 6], [0, 8, 9]]


def middles(pixels: np.ndarray) -> list[list[int]]:
    """Grey level at the middle of every panel, row by row."""
    height, width = len(pixels) // len(HR), (pixels.shape[1] + GAP) // 4
    return [
        [round(pixels[y + (TITLE + height) // 2, x + width // 2].mean() / 25.5) for x in range(0, 4 * width, width)]
        for y in range(0, len(pixels), height)
    ]


def test_view_shows_all_pictures_at_one_moment_and_says_when() -> None:
    pixels, text = forgetting_view(TRAININGS, TEACHER, HR, 0.5)
    assert middles(pixels) == [[10, 0, 4, 8]] * 2
    assert text == "Fine-tuned at step 20, distilled at step 30."


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


@pytest.mark.parametrize(("percent", "levels"), [(0, [0, 0]), (50, [4, 8]), (100, [6, 9])])
def test_moving_the_slider_redraws_the_moment(percent: int, levels: list[int]) -> None:
    slider, image, _ = forgetting_slider(TRAININGS, TEACHER, HR).children
    slider.value = percent
    assert middles(pixels(image.value)) == [[10, 0, *levels]] * 2


def test_explorer_reads_out_the_chosen_run_and_says_when_there_is_none() -> None:
    output, bottleneck, image, text = kd_explorer(RESULTS).children
    assert "33.00 dB" in text.value
    assert "14.92 dB" in text.value
    before = image.value
    bottleneck.value = 0.0
    assert "15.00 dB" in text.value
    assert image.value != before
    assert np.array_equal(pixels(image.value), pixels(kd_map(RESULTS, (15.0, 0.0))._repr_png_()))
    output.value, bottleneck.value = 0.0, 0.08
    assert "not trained" in text.value
