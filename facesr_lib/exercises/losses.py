"""Checks for 04_losses."""

from collections.abc import Callable
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import Tensor

from facesr_lib.exercises.feedback import check, expect_close, expect_tensor
from facesr_lib.losses import relativistic_average_generator, total_variation
from facesr_lib.papers.isr_kd import js_divergence


@check("Right: under L2 the outlier pulls a hundred times as hard as its neighbours, and L2 repairs it; L1 forgives outliers.")
def check_pixel_gradients(answer: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]) -> None:
    """`answer(sr, hr)` gives the gradients of L1 and of L2 (means over all numbers) with respect to sr, each of sr's shape."""
    hr = torch.rand(2, 3, 5, 4)
    sr = hr + 0.01 * torch.randn(2, 3, 5, 4)
    sr[0, :, 2, 2] = hr[0, :, 2, 2] + 1  # an outlier, a hundred times as wrong
    refused = AssertionError("Without autograd: write what the slope of |error| and of error^2 is, for one number.")
    with patch("torch.autograd._engine_run_backward", side_effect=refused, create=True):
        found = answer(sr, hr)
    assert isinstance(found, tuple | list) and len(found) == 2, "Return two tensors, L1's gradient and L2's."  # noqa: PT018
    x = sr.clone().requires_grad_(True)
    for mine, name, loss in zip(found, ("L1", "L2"), (F.l1_loss, F.mse_loss), strict=True):
        (slope,) = torch.autograd.grad(loss(x, hr), x)
        mistakes = [
            (-slope, f"{name}: the sign is turned around. Where sr is above hr, more of it makes the loss larger."),
            (slope / 2, f"{name}: the slope of a square is twice the error."),
            ((sr - hr).abs() / sr.numel(), f"{name}: this is the loss of each number, not its slope."),
        ]
        hint = f"{name}: the sign of the error for L1, twice the error for L2; as both losses are means, divided by sr.numel()."
        expect_close(mine, slope, hint, 1e-6, mistakes)


@check("Right. A discriminator that likes everything better than before teaches this loss nothing new.")
def check_relativistic(answer: Callable[[Tensor, Tensor], Tensor]) -> None:
    """`answer(real, fake)` gives the relativistic average generator loss of two batches of scores (N, 1) and (M, 1)."""
    real, fake = torch.randn(5, 1) + 1, torch.randn(3, 1)
    expected = relativistic_average_generator(real, fake)
    hint = "Fake scores minus the mean of the real ones should look real, real minus the mean of the fake fake: two means, added."
    expect_close(answer(real, fake), expected, hint)
    expect_close(answer(real + 7, fake + 7), expected, f"Only differences count. {hint}")
    far = answer(torch.full((2, 1), 300.0), torch.full((2, 1), -300.0))
    hint = "With scores far apart the sigmoid rounds to 0 and its logarithm is infinite: use softplus."
    expect_close(far, torch.tensor(1200.0), hint)


@check("Right. It never exceeds log 2, so one strange face cannot drown the other terms.")
def check_js(answer: Callable[[Tensor, Tensor], Tensor]) -> None:
    """`answer(a, b)` gives the Jensen-Shannon divergence of softmax(a) and softmax(b) per row: (N, D), (N, D) -> (N,)."""
    a, b = 2 * torch.randn(4, 6), 2 * torch.randn(4, 6)
    hint = "The mean of both Kullback-Leibler divergences to the average of the two distributions, in natural logarithms."
    expect_close(answer(a, b), js_divergence(a, b), hint)
    expect_close(answer(a, a), torch.zeros(4), "A distribution does not differ from itself.")
    far = 200 * torch.eye(2)
    hint = "Where a probability rounds to 0, 0 log 0 must give 0: work with log_softmax and logaddexp."
    expect_close(answer(far, far.flip(0)), js_divergence(far, far.flip(0)), hint)


@check("Right: the smoothness term cannot see a shift of the whole picture. Something else has to hold it.")
def check_invisible_change(answer: Callable[[Tensor], Tensor]) -> None:
    """`answer(flow)` gives another flow (1, 2, H, W), at least 1 px away at every pixel, of the same total variation."""
    for flow in (torch.zeros(1, 2, 6, 7).double(), torch.randn(1, 2, 6, 7).double()):
        other = expect_tensor(answer(flow), flow.shape)
        gap = abs(total_variation(other).item() - total_variation(flow).item())
        assert gap <= 1e-5, f"the total variation changed by {gap:.3g}: leave every difference of neighbours as it is."
        least = (other - flow).norm(dim=1).min().item()
        assert least >= 1 - 1e-5, f"one pixel looks only {least:.2g} px elsewhere; every one should by at least 1."
