from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from facesr_lib.image import warp


def random_images(n: int = 2, height: int = 7, width: int = 9) -> Tensor:
    return torch.rand((n, 3, height, width), generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_no_flow_changes_nothing() -> None:
    x = random_images()
    assert torch.allclose(warp(x, torch.zeros(2, 2, 7, 9, dtype=x.dtype)), x, atol=1e-14)


def test_the_kernel_is_the_papers_double_sum() -> None:
    """Equation (1), summed over every pixel, for positions inside the image."""
    x = random_images(1)
    generator = torch.Generator().manual_seed(1)
    rows, columns = torch.meshgrid(torch.arange(7.0), torch.arange(9.0), indexing="ij")
    target_x = 8 * torch.rand(7, 9, generator=generator, dtype=x.dtype)
    target_y = 6 * torch.rand(7, 9, generator=generator, dtype=x.dtype)
    flow = torch.stack([target_x - columns, target_y - rows])[None]
    across = (1 - (target_x[..., None] - torch.arange(9)).abs()).clamp(min=0)
    down = (1 - (target_y[..., None] - torch.arange(7)).abs()).clamp(min=0)
    expected = torch.einsum("cnm,ijm,ijn->cij", x[0], across, down)
    assert torch.allclose(warp(x, flow)[0], expected, atol=1e-12)


def test_flow_points_right_and_down_and_the_border_is_continued() -> None:
    x = random_images()
    flow = torch.zeros(2, 2, 7, 9, dtype=x.dtype)
    flow[:, 0], flow[:, 1] = 1, 2
    moved = warp(x, flow)
    assert torch.allclose(moved[..., :-2, :-1], x[..., 2:, 1:])
    assert torch.allclose(moved[..., -1, -1], x[..., -1, -1])
    assert torch.allclose(moved[..., -1, :-1], x[..., -1, 1:])


def test_gradients_reach_image_and_flow() -> None:
    x = random_images(1, 4, 5).requires_grad_()
    flow = torch.rand(1, 2, 4, 5, generator=torch.Generator().manual_seed(2), dtype=x.dtype) * 0.6 + 0.2
    assert gradcheck(warp, (x, flow.requires_grad_()))


def test_a_flow_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"flow: expected shape \(2, 2, 7, 9\)"):
        warp(random_images(), torch.zeros(2, 2, 7, 7))
