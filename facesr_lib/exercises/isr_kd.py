"""Checks for 40_isr_kd."""

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from facesr_lib.exercises.feedback import check, expect_close
from facesr_lib.papers.isr_kd import Generator, domain_mean


@check("Right: an old image never feels the reconstruction, a new one never feels the teacher.")
def check_masks(answer: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
    """`answer(learning, keeping, new)`, (B,) each: the mean of `learning` where new + that of `keeping` elsewhere; 0 for none."""
    learning = torch.rand(6, requires_grad=True)
    keeping = torch.rand(6, requires_grad=True)
    for pattern in ([1, 0, 0, 1, 0, 0], [0] * 6, [1] * 6):
        new = torch.tensor(pattern, dtype=torch.bool)
        hint = "Take each image's one error, by the mask: the mean over the new ones plus the mean over the old ones."
        if not new.any() or new.all():
            hint = f"A batch of one kind must not give NaN: sum, and divide by the images of the kind, but at least by 1. {hint}"
        loss = answer(learning, keeping, new)
        expect_close(loss, (domain_mean(learning, new) + domain_mean(keeping, ~new)).detach(), hint)
        slopes = torch.autograd.grad(loss, (learning, keeping), allow_unused=True)
        for slope, mask in zip(slopes, (new, ~new), strict=True):
            fed = torch.zeros(6) if slope is None else slope
            assert not fed[~mask].any(), "An image fed a term that is not its own: use the mask on both errors."
            assert fed[mask].all(), "One of the errors gets no gradient: something on the way was detached."


@check(
    "Right. A student that paints negatives was tried, too: its loss is 0. What follows B is free; the output term can hold it."
)
def check_bottleneck_alone(answer: Callable[[nn.Module, nn.Module, Tensor, Tensor], Tensor]) -> None:
    """`answer(student, teacher, lr, new)` gives the mean squared difference of both bottlenecks over the old images' features."""
    teacher = Generator(1 / 64, bilinear_start=True)  # whose last layer paints around grey
    lr, new = torch.rand(4, 3, 4, 4), torch.tensor([True, False, False, True])
    student = copy.deepcopy(teacher)
    expect_close(answer(student, teacher, lr, new), torch.tensor(0.0), "Equal networks have equal bottlenecks.")
    with torch.no_grad():
        student.first.weight.add_(0.3)
        expected = (student(lr[~new]).bottleneck - teacher(lr[~new]).bottleneck).square().mean()
    loss = answer(student, teacher, lr, new)
    expect_close(loss, expected, "Mean squared difference of .bottleneck, over the images where new is False.")
    loss.backward()
    assert student.first.weight.grad is not None, "The student must get a gradient."
    assert teacher.first.weight.grad is None, "The teacher must not: wrap its call in torch.no_grad()."
    astray = copy.deepcopy(teacher)
    with torch.no_grad():
        astray.last.weight.neg_()  # the picture as its negative, the bottleneck untouched
    expect_close(answer(astray, teacher, lr, new), torch.tensor(0.0), "Only the bottleneck may count.")
