"""face-api's two networks and what they share, on weights made here in its format and converted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tensorflow_js import write_model
from torch import Tensor

from facesr_lib.image import quantize
from facesr_lib.metrics import identity
from facesr_lib.metrics.faceapi import MEAN_RGB, network_input, trained
from facesr_lib.metrics.identity import IdentityNet, embed, identity_similarity
from facesr_lib.metrics.weights import WeightsMissing
from facesr_tools import landmarks
from facesr_tools.convert import convert
from facesr_tools.landmarks import LandmarkNet, landmark_error
from facesr_tools.landmarks import landmarks as find_landmarks


def recognition() -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes of the recognition model's tensors."""
    before = 32
    layers = [("conv32_down", 7, 3, 32)]
    for width, blocks in ((32, 3), (64, 3), (128, 2), (256, 2)):
        names = [f"conv{width}_{i + 1}" for i in range(blocks)]
        if width > 32:
            names.insert(0, f"conv{width}_down")
        if width == 256:
            names.append("conv256_down_out")
        for name in names:
            layers += [(f"{name}/conv1", 3, before, width), (f"{name}/conv2", 3, width, width)]
            before = width
    for name, side, inputs, outputs in layers:
        yield f"{name}/conv/filters", (side, side, inputs, outputs)
        for kind in ("conv/bias", "scale/weights", "scale/biases"):
            yield f"{name}/{kind}", (outputs,)
    yield "fc", (256, 128)


def points() -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes of the landmark model's tensors."""
    for block, (before, after) in enumerate(((3, 32), (32, 64), (64, 128), (128, 256))):
        for conv in range(4):
            inputs, name = before if conv == 0 else after, f"dense{block}/conv{conv}"
            if inputs == 3:
                yield f"{name}/filters", (3, 3, 3, after)
            else:
                yield f"{name}/depthwise_filter", (3, 3, inputs, 1)
                yield f"{name}/pointwise_filter", (1, 1, inputs, after)
            yield f"{name}/bias", (after,)
    yield "fc/weights", (256, 136)
    yield "fc/bias", (136,)


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both models with random weights of the real shapes, in the one file that they are converted to."""
    made = tmp_path_factory.mktemp("face-api")
    rng = np.random.default_rng(0)
    for model, shapes in (("face_recognition_model", recognition()), ("face_landmark_68_model", points())):
        # Weights of variance 1 / inputs keep the activations in range: levels around 128 stand for small values.
        tensors = {
            name: np.clip(rng.normal(128, 256 / np.sqrt(max(np.prod(shape[:-1]), 9)), shape), 0, 255).astype(np.uint8)
            for name, shape in shapes
        }
        tensors |= {name: np.ones_like(t, np.float32) for name, t in tensors.items() if name.endswith("scale/weights")}
        write_model(made, model, tensors)
    convert("face-api", made, made / "face-api.safetensors")
    return made / "face-api.safetensors"


@pytest.fixture
def random_weights(converted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (identity, landmarks):
        monkeypatch.setattr(module, "require", lambda name: {"face-api": converted}[name])


def faces(n: int, height: int = 40, width: int = 32, seed: int = 0) -> Tensor:
    return torch.rand(n, 3, height, width, generator=torch.Generator().manual_seed(seed))


def test_input_is_the_centred_square_less_the_mean_colour() -> None:
    x = torch.zeros(1, 3, 3, 6)
    x[:, 0], x[:, 1] = 1, 0.5
    found = network_input(x, 6) * 255 + torch.tensor(MEAN_RGB)[:, None, None]
    expected = torch.zeros(1, 3, 6, 6)
    expected[:, 0, 1:4], expected[:, 1, 1:4] = 255, 128  # 0.5 is level 128; the odd row of padding goes below
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
    torch.testing.assert_close(network_input(x.mT, 6), network_input(x, 6).mT)
    assert network_input(faces(2, 300, 200), 112).shape == (2, 3, 112, 112)
    assert network_input(faces(0, 30, 20), 112).shape == (0, 3, 112, 112)


def test_a_ramp_stays_a_ramp_in_the_input() -> None:
    ramp = ((torch.arange(64) * 4 + 2) / 255).expand(1, 3, 64, 64)  # grey level 4 (column + 1 / 2)
    for size in (150, 20):
        found = network_input(ramp, size)[0, 0] * 255 + MEAN_RGB[0]
        inner = slice(size // 32 + 1, -(size // 32) - 1)
        expected = (torch.arange(size) + 0.5) * 256 / size
        torch.testing.assert_close(found[5, inner], expected[inner], rtol=0, atol=0.15)  # a half-pixel slip is 2 or more


@pytest.mark.parametrize("score", [identity_similarity, landmark_error])
def test_scores(random_weights: None, score: Callable[..., Tensor]) -> None:
    hr = faces(5)
    sr = (hr + 0.2 * torch.randn(hr.shape, generator=torch.Generator().manual_seed(1))).clamp(0, 1).requires_grad_()
    together = score(sr, hr)
    assert (together.shape, together.dtype, together.requires_grad) == ((5,), torch.float64, False)
    assert len(together.unique()) == 5
    alone = torch.cat([score(sr[i : i + 1], hr[i : i + 1]) for i in range(5)])
    torch.testing.assert_close(alone, together, rtol=0, atol=1e-6)
    levels = quantize(hr)
    assert torch.equal(score(levels + 0.4 / 255, levels), score(levels, levels))  # the same 8-bit image
    with torch.autocast("cpu"):
        torch.testing.assert_close(score(sr, hr), together, rtol=0, atol=1e-6)
    assert score(hr[:0], hr[:0]).shape == (0,)


def test_identical_images(random_weights: None) -> None:
    x = faces(3)
    torch.testing.assert_close(identity_similarity(x, x), torch.ones(3, dtype=torch.float64), rtol=0, atol=1e-12)
    assert not landmark_error(x, x).any()


def test_many_images_go_through_in_chunks(random_weights: None) -> None:
    x = faces(70, 12, 12)
    found = find_landmarks(x)
    assert found.shape == (70, 68, 2)
    torch.testing.assert_close(found[[0, 63, 64, 69]], find_landmarks(x[[0, 63, 64, 69]]), rtol=0, atol=1e-4)


def test_points_are_pixels_of_the_image_itself(random_weights: None) -> None:
    x = faces(1, 56, 56)
    wide = torch.nn.functional.pad(x, (28, 28))  # black bars, which the network sees either way
    tall = torch.nn.functional.pad(wide, (0, 0, 28, 28))
    torch.testing.assert_close(find_landmarks(wide) + torch.tensor([0.0, 28.0]), find_landmarks(tall), rtol=0, atol=1e-4)
    assert embed(wide).shape == (1, 128)
    torch.testing.assert_close(embed(wide), embed(tall), rtol=0, atol=1e-6)


@pytest.mark.parametrize("score", [identity_similarity, landmark_error])
def test_bad_images_are_refused(random_weights: None, score: Callable[..., Tensor]) -> None:
    x = faces(3)
    with pytest.raises(ValueError, match=r"one shape, got \(3, 3, 40, 32\) and \(2, 3, 40, 32\)"):
        score(x, x[:2])
    with pytest.raises(ValueError, match="sr: expected 3 channels"):
        score(x[:, :1], x[:, :1])
    broken = x.clone()
    broken[2, 0, 0, 0] = torch.inf
    with pytest.raises(ValueError, match=r"hr: NaN or infinity in the images at \[2\]"):
        score(x, broken)


@pytest.mark.parametrize("score", [identity_similarity, landmark_error])
def test_without_weights(score: Callable[..., Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACESR_CACHE", str(tmp_path))
    with pytest.raises(WeightsMissing, match="facesr weights fetch face-api"):
        score(faces(1), faces(1))


def test_weights_of_another_network_are_refused(converted: Path, tmp_path: Path) -> None:
    tensors, other = load_file(converted), tmp_path / "other.safetensors"
    save_file({name: value for name, value in tensors.items() if "conv64_1.conv2" not in name}, other)
    with pytest.raises(ValueError, match=r"(?s)other\.safetensors does not hold the weights of IdentityNet.*conv64_1\.conv2"):
        trained(IdentityNet, "identity", other)
    save_file({name: value for name, value in tensors.items() if name.startswith("identity.")}, other)
    with pytest.raises(ValueError, match=r"does not hold the weights of LandmarkNet"):
        trained(LandmarkNet, "landmarks", other)
    for network in (trained(IdentityNet, "identity", converted), trained(LandmarkNet, "landmarks", converted)):
        assert not network.training
        assert not any(parameter.requires_grad for parameter in network.parameters())
