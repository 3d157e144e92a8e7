"""Pieces put together are the whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from small_methods import CONFIGS, fresh, save_stage, shake
from torch import Tensor, nn

from facesr_lib.papers import isr_kd, teacher_student
from facesr_lib.papers.teacher_student.networks import DoG, NoEdges
from facesr_lib.training import Method
from facesr_tools.upscale import Upscaler, bicubic, choose, from_checkpoint
from facesr_tools.upscale.tiles import CannotTile


def picture(height: int, width: int, seed: int = 0) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def saved(tmp_path: Path, method: Method) -> Upscaler:
    method.build()
    shake(method)
    save_stage(tmp_path, "one", method)
    return from_checkpoint(choose("one", "", tmp_path), "cpu")


def teacher_student_with(*edges: object) -> Method:
    config = replace(CONFIGS["teacher_student"], edges=edges)
    denet, _ = teacher_student.networks(config)["denet"]
    return teacher_student.TeacherStudent(config, 1, denet)


METHODS = {
    "human_gan": lambda: fresh("human_gan"),
    "isr_kd": lambda: isr_kd.ISRKD(replace(CONFIGS["isr_kd"], extra_blocks=0)),
    "isr_kd, extended": lambda: isr_kd.ISRKD(replace(CONFIGS["isr_kd"], extra_blocks=2)),
    "teacher_student, no edges": lambda: teacher_student_with(NoEdges(), NoEdges()),
    "teacher_student, DoG": lambda: teacher_student_with(DoG(), DoG()),
}


@pytest.mark.parametrize("make", METHODS.values(), ids=METHODS)
def test_pieces_equal_the_whole(make, tmp_path: Path) -> None:
    upscaler = saved(tmp_path, make())
    assert upscaler.reach
    lr = picture(75, 93)
    torch.testing.assert_close(upscaler(lr, tile=32), upscaler(lr, tile=0), rtol=0, atol=1e-4)


@pytest.mark.parametrize("make", METHODS.values(), ids=METHODS)
def test_reach_is_needed(make, tmp_path: Path) -> None:
    """With a quarter of the stated overlap the pieces differ: the tests above could fail."""
    upscaler = saved(tmp_path, make())
    near = replace(upscaler, reach=upscaler.reach // 4)
    lr = picture(75, 93)
    assert (near(lr, tile=32) - near(lr, tile=0)).abs().max() > 1e-4


def test_canny_moves_few_pixels_at_seams(stages: Path) -> None:
    """Canny follows faint edges as far as they go, which no overlap covers; nearly all pixels must agree all the same."""
    upscaler = from_checkpoint(choose("", "teacher_student", stages), "cpu")
    lr = F.avg_pool2d(picture(150, 180), 5).repeat_interleave(3, -1).repeat_interleave(3, -2)
    differs = (upscaler(lr, tile=48) - upscaler(lr, tile=0)).abs() > 1e-4
    assert differs.double().mean() < 0.01


def test_bicubic_in_pieces() -> None:
    lr = picture(41, 37)
    for scale in (2, 3):
        torch.testing.assert_close(bicubic(scale)(lr, tile=16), bicubic(scale)(lr, tile=0), rtol=0, atol=1e-6)


def convolution(kernel: int) -> Upscaler:
    torch.manual_seed(0)
    layer = nn.Conv2d(3, 12, kernel, padding=kernel // 2).requires_grad_(False)
    return Upscaler("conv", 2, lambda lr: F.pixel_shuffle(layer(lr), 2), reach=kernel // 2)


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (16, 16), (17, 33), (64, 5)])
def test_any_size(size: tuple[int, int]) -> None:
    lr, upscaler = picture(*size), convolution(7)
    sr = upscaler(lr, tile=16)
    assert sr.shape == (1, 3, 2 * size[0], 2 * size[1])
    torch.testing.assert_close(sr, upscaler.apply(lr), rtol=0, atol=1e-5)


def test_odd_sizes_are_padded_for_a_network_that_halves(stages: Path) -> None:
    upscaler = from_checkpoint(choose("", "human_gan", stages), "cpu")
    lr = picture(21, 33)
    sr = upscaler(lr)
    assert sr.shape == (1, 3, 42, 66)
    even = upscaler.apply(F.pad(lr, (0, 1, 0, 1), mode="replicate"))
    torch.testing.assert_close(sr, even[..., :42, :66], rtol=0, atol=0)
    torch.testing.assert_close(upscaler(lr, tile=8), sr, rtol=0, atol=1e-4)


def test_selfsr_is_never_cut(stages: Path) -> None:
    upscaler = from_checkpoint(choose("", "selfsr", stages), "cpu")
    lr = picture(20, 20)
    with pytest.raises(CannotTile, match=r"20x20 px is more than 16x16.*whole picture.*prepare folder.*--tile 0"):
        upscaler(lr, tile=16)
    assert upscaler(lr, tile=0).shape == (1, 3, 160, 160)
    assert upscaler(lr, tile=20).shape == (1, 3, 160, 160)
    # The reason: its corner changes with the opposite corner.
    other = lr.clone()
    other[..., -1, -1] = 1 - other[..., -1, -1]
    assert not torch.equal(upscaler(other)[..., :8, :8], upscaler(lr)[..., :8, :8])


def test_progress_counts_every_pixel_once() -> None:
    seen: list[int] = []
    convolution(3)(picture(33, 50), 16, seen.append)
    assert len(seen) == 3 * 4
    assert sum(seen) == 33 * 50


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="tile"):
        convolution(3)(picture(8, 8), -1)
    with pytest.raises(ValueError, match="lr: expected 3 channels"):
        convolution(3)(torch.rand(1, 1, 8, 8))
