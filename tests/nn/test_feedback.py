"""The feedback block against hand-counted parameters, a naive unrolling and finite differences."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from facesr_lib.nn import FeedbackBlock
from facesr_lib.nn.feedback import enlarging


def test_parameters_by_hand() -> None:
    with torch.device("meta"):
        block = FeedbackBlock(width=48, groups=6)
    n, groups = 48, 6
    projections = 2 * groups * (36 * n * n + n + 1)  # 6x6, bias, one slope
    gathers = 2 * sum(k * n * n + n + 1 for k in range(2, groups + 1))
    assert sum(p.numel() for p in block.parameters()) == projections + gathers + (groups * n * n + n + 1) == 1_102_439


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_keeps_the_shape(groups: int) -> None:
    with torch.device("meta"):
        assert FeedbackBlock(8, groups)(torch.empty(2, 8, 10, 12)).shape == (2, 8, 10, 12)


def test_two_groups_equal_the_formula_written_out() -> None:
    torch.manual_seed(0)
    block = FeedbackBlock(3, 2)
    x = torch.randn(2, 3, 6, 6)

    def projected(layer: torch.nn.Module, x: torch.Tensor, function) -> torch.Tensor:
        convolution, slope = layer
        return F.prelu(function(x, convolution.weight, convolution.bias, 2, 2), slope.weight)

    def gathered(layer: torch.nn.Module, *features: torch.Tensor) -> torch.Tensor:
        convolution, slope = layer
        weights = convolution.weight[:, :, 0, 0].split(3, dim=1)
        total = sum(torch.einsum("oc,nchw->nohw", w, f) for w, f in zip(weights, features, strict=True))
        return F.prelu(total + convolution.bias.view(3, 1, 1), slope.weight)

    large1 = projected(block.up[0], x, F.conv_transpose2d)
    small1 = projected(block.down[0], large1, F.conv2d)
    large2 = projected(block.up[1], gathered(block.gather_small[0], x, small1), F.conv_transpose2d)
    small2 = projected(block.down[1], gathered(block.gather_large[0], large1, large2), F.conv2d)
    torch.testing.assert_close(block(x), gathered(block.out, small1, small2), rtol=1e-4, atol=1e-5)


def test_gradients() -> None:
    torch.manual_seed(0)
    block = FeedbackBlock(2, 2).double()
    x = torch.randn(1, 2, 3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(block, (x,))


def test_enlarging_doubles() -> None:
    assert enlarging(4)(torch.zeros(1, 4, 5, 7)).shape == (1, 4, 10, 14)


@pytest.mark.parametrize(("width", "groups"), [(0, 1), (4, 0)])
def test_bad_sizes_are_refused(width: int, groups: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        FeedbackBlock(width, groups)
