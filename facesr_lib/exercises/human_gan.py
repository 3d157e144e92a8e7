"""Checks for 10_human_face_gan."""

from collections.abc import Callable

import torch
from torch import Tensor

from facesr_lib.exercises.feedback import check, expect_close, expect_tensor
from facesr_lib.image import gaussian_blur
from facesr_lib.losses import bce_generator


@check("Right, and stable: at score -200 the loss is 200 and its slope is still there.")
def check_generator_loss(answer: Callable[[Tensor], Tensor]) -> None:
    """`answer(scores)` gives mean -log sigmoid(score), also where the sigmoid rounds to 0."""
    scores = torch.tensor([[-2.0], [0.0], [3.0]])
    expect_close(answer(scores), bce_generator(scores), "The loss is the mean of -log(sigmoid(score)).")
    extreme = torch.tensor([[-200.0], [200.0]], requires_grad=True)
    loss = answer(extreme)
    expect_close(loss, bce_generator(extreme), "At -200 the sigmoid is 0 in float32: use F.softplus or F.logsigmoid.")
    (slope,) = torch.autograd.grad(loss, extreme)
    assert slope[0].item() < -0.4, "A generator that D sees through (score -200) must still get a gradient."


@check("That is the whole rival: one blur, one subtraction, nothing learned.")
def check_unsharp(answer: Callable[[Tensor, float], Tensor]) -> None:
    """`answer(image, amount)` gives image + amount * (image - blurred), blurred by 7x7, sigma 5, kept in [0, 1]."""
    image = torch.rand(2, 3, 20, 20)
    expect_close(answer(image, 0.0), image, "With amount 0 nothing may change.")
    for amount in (0.5, 2.0):
        expected = (image + amount * (image - gaussian_blur(image, 7, 5.0))).clamp(0, 1)
        hint = "Add amount * (image - gaussian_blur(image, 7, 5.0)) to the image, then clamp to [0, 1]."
        expect_close(answer(image, amount), expected, hint)


@check("A scale with these bounds can never get stuck. Would the paper's numbers change? Try it.")
def check_bounded_scale(answer: Callable[[Tensor], Tensor]) -> None:
    """`answer(raw)` maps any real number into [0.2, 0.8], starts in the middle at 0, and has a gradient until numbers round."""
    raw = torch.linspace(-30, 30, 6001, dtype=torch.float64, requires_grad=True)
    value = expect_tensor(answer(raw), raw.shape, "Work element by element: the shape must not change.")
    far = answer(1e12 * raw.detach()).nan_to_num(0.5)
    least, most = min(value.min(), far.min()), max(value.max(), far.max())
    assert least >= 0.2 - 1e-6, f"The smallest value is {least:.3f}: below 0.2."
    assert most <= 0.8 + 1e-6, f"The largest value is {most:.3f}: above 0.8."
    assert abs(value[3000].item() - 0.5) < 1e-4, "At raw = 0 it should be 0.5, the paper's middle."
    (slope,) = torch.autograd.grad(value.sum(), raw)
    beside = torch.stack([slope[1:], slope[:-1]]).abs()  # 0 beside a steep place: a corner; beside a gentle one: rounded
    corner = (beside.amin(0) == 0) & (beside.amax(0) > 1e-3 * beside.max())
    turns = slope.min() * slope.max() < 0 or slope[3000].abs() < 1e-6 * beside.max()
    assert not corner.any() and not turns, "Somewhere the gradient is zero (a clamp does that): try 0.2 + 0.6 * sigmoid(raw)."  # noqa: PT018
