"""Terms that regularise a network or its output."""

from collections.abc import Callable

import torch
from torch import Tensor

from facesr_lib.image.check import check_images, check_some


def total_variation(x: Tensor) -> Tensor:
    """Mean absolute difference of horizontal neighbours plus that of vertical ones: (N, C, H, W) -> scalar.

    Smoothness of a flow field (SelfSR, eq. 4, where the norm is not named: L1 is our choice). Zero for a constant field.
    Raises ValueError for no field, and for a side of one pixel, which has no neighbour.
    """
    check_images(x, "x")
    check_some(x[..., 1:, 1:], "x, less a row and a column")
    across = (x[..., :, 1:] - x[..., :, :-1]).abs().mean()
    down = (x[..., 1:, :] - x[..., :-1, :]).abs().mean()
    return across + down


def r1_penalty(discriminator: Callable[[Tensor], Tensor], real: Tensor) -> Tensor:
    """Mean over the batch of |dD(x)/dx|^2 at real images: (N, ...) -> scalar, to be weighted with gamma / 2 (Mescheder 2018).

    The gradient is taken with create_graph, so that the penalty has a gradient with respect to D's parameters (a double
    backward). Its squares are summed in float32 or better.
    """
    real = check_some(real, "real").detach().requires_grad_(True)
    return squared_slope(discriminator(real), real)


def squared_slope(scores: Tensor, images: Tensor) -> Tensor:
    """R1 from scores at hand: those of `images` (N, ...), which must have asked for gradients before. Returns a scalar."""
    (slope,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    return slope.to(torch.promote_types(slope.dtype, torch.float32)).square().flatten(1).sum(1).mean()
