"""The checks of the ISR-KD notebook pass a right answer and name what is wrong with the usual wrong ones."""

from __future__ import annotations

import pytest
import torch

from facesr_lib.exercises.isr_kd import check_bottleneck_alone, check_masks


def bottleneck_loss(student, teacher, lr, new):
    with torch.no_grad():
        target = teacher(lr[~new]).bottleneck
    return (student(lr[~new]).bottleneck - target).square().mean()


def with_teacher_gradient(student, teacher, lr, new):
    return (student(lr[~new]).bottleneck - teacher(lr[~new]).bottleneck).square().mean()


def masked_loss(learning, keeping, new):
    cartoons, faces = new.sum().clamp(min=1), (~new).sum().clamp(min=1)
    return (learning * new).sum() / cartoons + (keeping * ~new).sum() / faces


RIGHT = {check_masks: masked_loss, check_bottleneck_alone: bottleneck_loss}
WRONG = [
    (check_masks, lambda learning, keeping, new: learning[new].mean() + keeping[~new].mean(), "divide"),
    (check_masks, lambda learning, keeping, new: torch.where(new, learning, keeping).mean(), "the mean over the old ones"),
    (check_masks, lambda learning, keeping, new: learning.mean() + keeping[~new].mean(), "by the mask"),
    (check_bottleneck_alone, with_teacher_gradient, "no_grad"),
    (
        check_bottleneck_alone,
        lambda student, teacher, lr, new: (student(lr).bottleneck - teacher(lr).bottleneck).square().mean(),
        "where new is False",
    ),
    (
        check_bottleneck_alone,
        lambda student, teacher, lr, new: (
            bottleneck_loss(student, teacher, lr, new) + (student(lr).sr - teacher(lr).sr.detach()).square().mean() * 1e3
        ),
        "bottleneck",
    ),
]


@pytest.mark.parametrize("check", RIGHT, ids=lambda check: check.__name__)
def test_right_answers_pass_and_stubs_do_not(check) -> None:
    def unsolved(*_: object) -> None:
        raise NotImplementedError

    assert check(RIGHT[check]).passed, check(RIGHT[check])
    assert "Not solved yet" in repr(check(unsolved))
    assert not check(lambda *_: 1.0).passed


@pytest.mark.parametrize(("check", "answer", "hint"), WRONG)
def test_wrong_answers_are_told_why(check, answer, hint) -> None:
    found = check(answer)
    assert not found.passed
    assert hint in found.message
