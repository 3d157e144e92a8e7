"""The wipe shows one picture left of its line and the other right of it, at the same place, and so does its static twin."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from facesr_lib.explore.canvas import TITLE
from facesr_lib.explore.wipe import wipe, wipe_grid, wiped


def noise(n: int = 1, channels: int = 3, height: int = 8, width: int = 8, seed: int = 0) -> Tensor:
    return torch.rand(n, channels, height, width, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("share", "column"), [(0.0, 0), (0.25, 2), (0.5, 4), (1.0, 8)])
def test_left_is_before_and_right_is_after(share: float, column: int) -> None:
    before, after = noise(2), noise(2, seed=1)
    shown = wiped(before, after, share)
    assert torch.equal(shown[..., :column], before[..., :column])
    assert torch.equal(shown[..., column:], after[..., column:])


def test_a_smaller_or_grey_picture_is_enlarged_by_its_own_pixels() -> None:
    lr, hr = noise(channels=1, height=4, width=2), noise(height=16, width=8)
    assert torch.equal(wiped(lr, hr, 1.0), lr.repeat_interleave(4, 2).repeat_interleave(4, 3).expand(-1, 3, -1, -1))
    assert torch.equal(wiped(hr, lr, 1.0), hr)
    for wrong in (noise(height=5, width=8), noise(2, height=16), noise(height=16, width=2)):
        with pytest.raises(ValueError, match="whole factor"):
            wiped(wrong, hr, 0.5)


def test_the_line_moves_with_the_slider_and_the_picture_with_the_other() -> None:
    before, after = torch.zeros(2, 3, 64, 64), torch.tensor([0.8, 0.6]).view(2, 1, 1, 1).expand(-1, 3, 64, 64)
    choice, line, picture, readout = wipe(before, after, ("LR", "SR")).children
    factor = 6  # 384 / 64
    for percent, index in ((50, 0), (25, 1)):
        line.value, choice.value = percent, index
        row = np.asarray(Image.open(io.BytesIO(picture.value)))[TITLE + 100, :, 2]
        at = 64 * percent // 100 * factor
        assert (row[: at - 1] == 0).all()
        assert (row[at + 1 :] == round(255 * after[index].mean().item())).all()
    assert readout.value == "LR on the left 25%, SR on the right."
    assert (choice.max, choice.layout.display) == (1, "flex")
    assert wipe(before[:1], after[:1]).children[0].layout.display == "none"


def test_both_ends_show_one_picture_alone() -> None:
    before, after = noise(height=32, width=32), noise(height=32, width=32, seed=1)
    _, line, picture, _ = wipe(before, after).children
    seen = {}
    for percent in (0, 100):
        line.value = percent
        seen[percent] = np.asarray(Image.open(io.BytesIO(picture.value)))[TITLE + 6 :: 12, 6:-6:12]
    for percent, image in ((0, after), (100, before)):
        expected = (255 * image[0]).round().byte().permute(1, 2, 0).numpy()
        np.testing.assert_array_equal(seen[percent], expected[: len(seen[percent]), : seen[percent].shape[1]])


def test_the_grid_moves_the_line_along() -> None:
    before, after = noise(2, height=16, width=16), noise(2, height=16, width=16, seed=1)
    figure = wipe_grid(before, after, ("LR", "SR"))
    assert [axes.get_title() for axes in figure.axes[:5]] == ["LR", "75% LR", "50% LR", "25% LR", "SR"]
    for row in range(2):
        for column, share in enumerate((1, 0.75, 0.5, 0.25, 0)):
            axes = figure.axes[5 * row + column]
            expected = wiped(before, after, share)[row].permute(1, 2, 0)
            np.testing.assert_allclose(np.asarray(axes.images[0].get_array()), expected, atol=1e-6)
            assert [line.get_xdata()[0] for line in axes.lines] == ([16 * share - 0.5] if 0 < share < 1 else [])
