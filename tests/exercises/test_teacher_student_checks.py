"""The checks of 30_teacher_student pass a right answer, and tell wrong, empty and crashing ones apart."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from facesr_lib.exercises import teacher_student
from facesr_lib.image import average_pool, dog, resize_bilinear


def unsolved(*arguments: object) -> None:
    raise NotImplementedError


def crashing(*arguments: object) -> None:
    raise ZeroDivisionError("by me")


def log(image, sigma, spread=0.2, factor=-2.0):
    low, high = ((1 - spread) * sigma**2) ** 0.5, ((1 + spread) * sigma**2) ** 0.5
    return factor * dog(image, low, high) / (high**2 - low**2)


def unfold(network, lr, edges=True, carry=True):
    shallow, up = network.shallow(lr), resize_bilinear(lr, 4)
    state, prior, found = torch.zeros_like(shallow), torch.zeros_like(shallow[:, :1]), []
    for step in range(3):
        residual, after = network.step(shallow, state, prior)
        state = after if carry else state
        found.append(up + residual)
        if step < 2 and edges:
            prior = average_pool(network.edges[step](found[-1]), 2)
    return found


RIGHT_AND_WRONG = {
    teacher_student.check_log: (
        log,
        lambda image, sigma: log(image, sigma, factor=2.0),
        lambda image, sigma: log(image, sigma, factor=-1.0),
        lambda image, sigma: log(image, 1.5),
        lambda image, sigma: dog(image, sigma, 1.6 * sigma),
    ),
    teacher_student.check_unfold: (
        unfold,
        lambda network, lr: unfold(network, lr, edges=False),
        lambda network, lr: unfold(network, lr, carry=False),
        lambda network, lr: unfold(network, lr)[:2],
        lambda network, lr: unfold(network, lr)[::-1],
    ),
    teacher_student.check_cycle_loss: (
        lambda lr, snet, dsnet: F.mse_loss(dsnet(snet(lr)[-1]), lr),
        lambda lr, snet, dsnet: F.l1_loss(dsnet(snet(lr)[-1]), lr),
        lambda lr, snet, dsnet: F.mse_loss(dsnet(snet(lr)[0]), lr),
        lambda lr, snet, dsnet: F.mse_loss(dsnet(snet(lr)[-1]), lr).detach(),
        lambda lr, snet, dsnet: F.mse_loss(dsnet(snet(lr)[-1].detach()), lr),
    ),
}


@pytest.mark.parametrize("check", RIGHT_AND_WRONG, ids=lambda check: check.__name__)
def test_check(check) -> None:
    right, *wrong = RIGHT_AND_WRONG[check]
    assert check(right).passed, check(right)
    assert repr(check(right)).startswith("✓")
    for answer in wrong:
        assert not check(answer).passed
        assert "Not yet" in repr(check(answer))
    assert "Not solved yet" in repr(check(unsolved))
    assert "ZeroDivisionError: by me" in repr(check(crashing))
    assert not check(lambda *arguments: 1.0).passed
