"""The LightCNN discriminator against hand-counted parameters and the definition of max-feature-map."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from facesr_lib.nn import LightCNN, MaxFeatureMap


def conv(inputs: int, outputs: int, kernel: int) -> int:
    return (inputs * kernel**2 + 1) * 2 * outputs  # twice the outputs, for the competition


@pytest.mark.parametrize(("size", "expected"), [(64, 2_340_193), (16, 1_357_153), (128, 5_485_921), (100, 4_502_881)])
def test_parameters_by_hand(size: int, expected: int) -> None:
    with torch.device("meta"):
        found = sum(p.numel() for p in LightCNN(size).parameters())
    layers = conv(3, 48, 5) + sum(conv(i, i, 1) + conv(i, o, 3) for i, o in ((48, 96), (96, 192), (192, 128), (128, 128)))
    flat = 128 * math.ceil(size / 16) ** 2  # 8 x 8 x 128 at the 128 px that LightCNN was made for
    assert found == layers + (flat + 1) * 512 + 257 == expected


@pytest.mark.parametrize("size", [16, 24, 64, 100])
def test_one_score_per_image(size: int) -> None:
    with torch.device("meta"):
        assert LightCNN(size, width=6)(torch.empty(3, 3, size, size)).shape == (3, 1)


def test_max_feature_map_is_the_larger_half() -> None:
    for layer, x in ((nn.Conv2d(3, 8, 3), torch.randn(2, 3, 5, 5)), (nn.Linear(6, 8), torch.randn(2, 6))):
        mapped = MaxFeatureMap(layer)  # draws the layer's weights anew
        both = layer(x)
        expected = torch.stack([both[:, :4], both[:, 4:]]).amax(0)
        torch.testing.assert_close(mapped(x), expected)


def test_signals_neither_fade_nor_explode() -> None:
    torch.manual_seed(0)
    network, x = LightCNN(64, width=24), torch.randn(8, 3, 64, 64)
    size = network.features(x).std() / x.std()
    assert 0.2 < size < 5


def test_scores_tell_images_apart_and_pass_gradients() -> None:
    torch.manual_seed(0)
    network = LightCNN(16, width=6)
    images = torch.rand(4, 3, 16, 16, requires_grad=True)
    scores = network(images)
    assert scores.unique().numel() == 4
    scores.sum().backward()
    assert (images.grad.flatten(1).abs().sum(1) > 0).all()
    alone = torch.cat([network(image[None]) for image in images])
    torch.testing.assert_close(scores, alone)  # an image's score does not depend on its batch


def test_bad_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 3"):
        LightCNN(64, width=16)
    with pytest.raises(ValueError, match="at least 16 px"):
        LightCNN(15)
    with pytest.raises(ValueError, match="even"):
        MaxFeatureMap(nn.Linear(3, 5))
