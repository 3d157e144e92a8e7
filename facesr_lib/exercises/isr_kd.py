"""Checks for 40_isr_kd."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from facesr_lib.exercises.verdict import Verdict, expect_close, verdict
from facesr_lib.image import edge_residual
from facesr_lib.papers.isr_kd import Generator


def check_edge_block(answer: Callable[[Tensor, int], Tensor]) -> Verdict:
    """`answer(x, k)` gives ReLU(x - mean over k x k), k odd, pixels outside the picture left out of the mean."""

    def examine() -> None:
        torch.manual_seed(0)
        x = torch.rand(2, 3, 12, 9)
        flat = answer(torch.full((1, 1, 8, 8), 0.7), 5)
        hint = "A flat picture has no edges, at its border neither: count_include_pad=False leaves the outside out."
        expect_close(flat, torch.zeros(1, 1, 8, 8), hint)
        for k in (3, 5, 7):
            hint = (
                "Average pooling with window k, stride 1 and padding k // 2 keeps the size; then x minus it, then ReLU."
            )
            expect_close(answer(x, k), edge_residual(x, k), hint)

    return verdict(examine, "That is the edge block: one pooling, no weights. Which side of an edge does it keep?")


def check_masks(answer: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Verdict:
    """`answer(learning, keeping, new)`: errors per image (B,), (B,) and the mask (B,) -> the loss, a mean over the batch.

    New images count with `learning`, old ones with `keeping`.
    """

    def examine() -> None:
        torch.manual_seed(0)
        learning = torch.rand(6, requires_grad=True)
        keeping = torch.rand(6, requires_grad=True)
        for pattern in ([1, 0, 0, 1, 0, 0], [0] * 6, [1] * 6):
            new = torch.tensor(pattern, dtype=torch.bool)
            hint = "Take each image's one error, by the mask, and divide the sum by all 6 images."
            if not new.any() or new.all():
                hint = "A batch with one kind only must not give NaN: sum and divide by all images. " + hint
            loss = answer(learning, keeping, new)
            expect_close(loss, torch.where(new, learning, keeping).mean().detach(), hint)
            to_learning, to_keeping = torch.autograd.grad(loss, (learning, keeping), allow_unused=True)
            for gradient, mask in ((to_learning, ~new), (to_keeping, new)):
                silent = gradient is None or not gradient[mask].abs().sum()
                assert silent, "An image fed a term that is not its own: use the mask on both errors."

    return verdict(examine, "Right: an old image never feels the reconstruction, a new one never feels the teacher.")


def check_bottleneck_alone(answer: Callable[[nn.Module, nn.Module, Tensor, Tensor], Tensor]) -> Verdict:
    """`answer(student, teacher, lr, new)` gives the mean squared difference of both bottlenecks over the old images' features."""

    def examine() -> None:
        torch.manual_seed(0)
        teacher = Generator(1 / 64)
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

    praise = (
        "Right. The last check was a student that paints negatives: its bottleneck loss is 0. All that follows B is free, so "
        "bottleneck KD alone cannot keep a face; the output term can."
    )
    return verdict(examine, praise)
