from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch.autograd import gradcheck

from facesr_lib.losses import sobel_l1


def test_a_ramp_against_nothing_is_its_rise() -> None:
    ramp = (0.01 * torch.arange(12.0)).expand(1, 3, 9, 12)
    inside = sobel_l1(ramp, torch.zeros_like(ramp)).item()
    assert inside == pytest.approx(0.01 / 2 * 10 / 12)  # half of the derivatives; none in the two reflecting columns


def test_equals_scipy() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 2, 3, 10, 8))
    difference = a - b
    both = [ndimage.sobel(plane, axis, mode="mirror") for image in difference for plane in image for axis in (0, 1)]
    expected = np.abs(both).mean() / 8
    assert sobel_l1(torch.from_numpy(a), torch.from_numpy(b)).item() == pytest.approx(expected)


def test_is_blind_to_a_constant_and_has_a_gradient() -> None:
    hr = torch.rand(1, 3, 6, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    tint = torch.tensor([0.2, 0.0, -0.1], dtype=torch.float64).view(3, 1, 1)
    assert sobel_l1(hr + tint, hr).item() == pytest.approx(0, abs=1e-15)
    sr = torch.rand(1, 3, 6, 7, generator=torch.Generator().manual_seed(1), dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda x: sobel_l1(x, hr), sr)


def test_pairs_that_do_not_fit_are_refused_and_never_stretched() -> None:
    x = torch.rand(2, 3, 6, 7)
    for other in (x[:1], x[:, :1], x[..., :1]):
        with pytest.raises(ValueError, match="one shape"):
            sobel_l1(x, other)
    with pytest.raises(ValueError, match="6 x 1 are too small to reflect 1 pixels"):
        sobel_l1(x[..., :1], x[..., :1])
    assert sobel_l1(3 * x - 1, x).isfinite()  # SR before it is clamped
