from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from facesr_lib.image import gaussian_blur, motion_blur, unsharp


def random_images(dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.rand((2, 3, 15, 18), generator=torch.Generator().manual_seed(0), dtype=dtype)


@pytest.mark.parametrize(("kernel_size", "sigma"), [(7, 5.0), (3, 0.5), (11, 1.5)])
def test_blur_equals_scipy(kernel_size: int, sigma: float) -> None:
    x = random_images()
    reference = ndimage.gaussian_filter(x.numpy(), sigma, mode="mirror", radius=kernel_size // 2, axes=(2, 3))
    np.testing.assert_allclose(gaussian_blur(x, kernel_size, sigma).numpy(), reference, rtol=0, atol=1e-6)


def test_blur_keeps_constants_and_kernel_one_changes_nothing() -> None:
    flat = torch.full((1, 3, 8, 8), 0.7, dtype=torch.float64)
    torch.testing.assert_close(gaussian_blur(flat, 7, 5.0), flat, rtol=0, atol=1e-7)
    torch.testing.assert_close(gaussian_blur(random_images(), 1, 5.0), random_images(), rtol=0, atol=1e-15)


def test_blur_gradient_and_autocast() -> None:
    x = random_images()[:1, :1, :6, :6].requires_grad_()
    assert torch.autograd.gradcheck(lambda x: gaussian_blur(x, 3, 1.0), x)
    x = random_images(torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = gaussian_blur(x, 7, 5.0)
    assert torch.equal(found, gaussian_blur(x, 7, 5.0))


def test_unsharp_steepens_an_edge_and_stays_in_range() -> None:
    edge = torch.full((1, 1, 9, 12), 0.2, dtype=torch.float64)
    edge[..., 6:] = 0.8
    sharp = unsharp(edge, 5, 1.0, 0.5)[0, 0, 4]
    assert float(sharp[5]) < 0.2
    assert float(sharp[6]) > 0.8
    torch.testing.assert_close(sharp[[0, -1]], edge[0, 0, 4, [0, -1]], rtol=0, atol=1e-7)
    strongest = unsharp(edge, 5, 1.0, 10.0)
    assert (float(strongest.min()), float(strongest.max())) == (0, 1)
    assert torch.equal(unsharp(random_images(), 5, 1.0, 0.0), random_images())


def test_bad_arguments_are_refused() -> None:
    x = torch.rand(1, 3, 8, 4)
    for kernel_size in (0, 4, -3):
        with pytest.raises(ValueError, match=f"kernel_size: expected an odd number >= 1, got {kernel_size}"):
            gaussian_blur(x, kernel_size, 1.0)
    for sigma in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="sigma"):
            gaussian_blur(x, 3, sigma)
    with pytest.raises(ValueError, match="8 x 4 are too small to reflect 4 pixels"):
        gaussian_blur(x, 9, 1.0)
    assert gaussian_blur(x, 7, 1.0).shape == x.shape


def test_motion_blur_of_length_zero_changes_nothing_and_keeps_the_mean() -> None:
    x = torch.rand(3, 3, 20, 20, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(motion_blur(x, torch.zeros(3), torch.rand(3)), x, atol=1e-6)
    flat = torch.full((2, 3, 20, 20), 0.4)
    assert torch.allclose(motion_blur(flat, torch.tensor([3.0, 9.5]), torch.rand(2)), flat, atol=1e-6)


@pytest.mark.parametrize(("angle", "along"), [(0.0, 1), (torch.pi / 2, 0)])
def test_motion_blur_smears_along_its_direction_only(angle: float, along: int) -> None:
    point = torch.zeros(1, 1, 21, 21, dtype=torch.float64)
    point[..., 10, 10] = 1
    stroke = motion_blur(point, torch.tensor([6.0]), torch.tensor([angle], dtype=torch.float64))[0, 0]
    across = stroke.sum(dim=along)
    assert torch.isclose(across[10], torch.tensor(1.0, dtype=torch.float64))  # nothing beside the line
    line = stroke.sum(dim=1 - along)
    assert torch.allclose(line, line.flip(0))
    assert torch.allclose(line[8:13], torch.tensor(1 / 6, dtype=torch.float64), atol=0.01)  # a box of 6 pixels
    assert line[6].item() == 0


def test_motion_blur_refuses_what_is_no_line() -> None:
    x = random_images()
    two = torch.ones(2)
    with pytest.raises(TypeError, match=r"x: .* got torch\.uint8"):
        motion_blur((255 * x).byte(), two, two)
    with pytest.raises(ValueError, match="lengths: expected a number >= 0, got -3"):
        motion_blur(x, torch.tensor([2.0, -3.0]), two)
    with pytest.raises(ValueError, match="angles: expected a number from 0 to 1000, got nan"):
        motion_blur(x, two, torch.tensor([0.0, float("nan")]))
    with pytest.raises(ValueError, match=r"lengths: expected one for each of 2 images, got shape \(3,\)"):
        motion_blur(x, torch.ones(3), two)
