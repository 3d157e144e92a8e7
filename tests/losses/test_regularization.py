from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck

from facesr_lib.losses import hinge_discriminator, hinge_generator, r1_penalty, total_variation


def test_total_variation_of_a_ramp_and_of_a_constant() -> None:
    ramp = torch.arange(6.0).expand(1, 2, 5, 6) + 3 * torch.arange(5.0)[:, None]
    assert total_variation(ramp).item() == 1 + 3
    assert total_variation(torch.full((1, 2, 5, 6), 0.4)).item() == 0


def test_r1_of_a_linear_and_of_a_quadratic_discriminator() -> None:
    x = torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    weight = torch.arange(12.0, dtype=torch.float64).view(3, 2, 2)
    assert torch.isclose(r1_penalty(lambda image: (weight * image).flatten(1).sum(1), x), weight.square().sum())
    quadratic = r1_penalty(lambda image: image.square().flatten(1).sum(1), x)  # gradient 2x
    assert torch.isclose(quadratic, 4 * x.square().flatten(1).sum(1).mean())


def test_r1_double_backward_reaches_the_parameters() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Softplus(), nn.Flatten(), nn.Linear(8, 1)).double()
    x = torch.randn(2, 1, 4, 4, dtype=torch.float64)
    names, values = zip(*network.named_parameters(), strict=True)

    def penalty(*parameters: torch.Tensor) -> torch.Tensor:
        def discriminator(image: torch.Tensor) -> torch.Tensor:
            return torch.func.functional_call(network, dict(zip(names, parameters, strict=True)), (image,))

        return r1_penalty(discriminator, x)

    assert gradcheck(penalty, values)
    r1_penalty(network, x).backward()
    assert network[0].weight.grad is not None
    assert network[0].weight.grad.abs().sum() > 0


def test_hinge_counts_only_what_is_inside_the_margin() -> None:
    real, fake = torch.tensor([2.0, 0.5, -1.0]), torch.tensor([-3.0, -0.5, 1.0])
    d_real, d_fake = hinge_discriminator(real, fake)
    assert torch.isclose(d_real, torch.tensor((0 + 0.5 + 2) / 3))
    assert torch.isclose(d_fake, torch.tensor((0 + 0.5 + 2) / 3))
    assert torch.isclose(hinge_generator(fake), torch.tensor((3 + 0.5 - 1) / 3))


@pytest.mark.parametrize("shape", [(1, 2, 5, 1), (1, 2, 1, 5), (0, 2, 5, 5)])
def test_a_field_without_neighbours_has_no_variation(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="x, less a row and a column: expected at least one value"):
        total_variation(torch.zeros(shape))
