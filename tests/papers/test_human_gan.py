"""The human-face GAN against the paper's numbers, hand computation and its own objective."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from facesr_lib.image import quantize, resize_bicubic
from facesr_lib.papers.human_gan import Config, Discriminator, Generator, HumanGAN, denormalise, networks, normalise
from facesr_lib.papers.human_gan.experiments import Experiments
from facesr_lib.papers.human_gan.names import GAN, WITH_PIXEL_TERM
from facesr_lib.training import StageCache


def count(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_paper_preset_is_the_paper() -> None:
    config = Config.preset("paper")
    assert config.hr_size == 1024
    assert config.images == (250, 100, 150)
    assert (config.degradation.scale, config.degradation.kernel_size, config.degradation.sigma) == (2, 7, 5.0)
    assert config.epochs == (60, 20)
    assert config.learning_rates == (0.02, 0.005)
    assert config.pixel_weight == 0


def test_small_presets_shrink_sizes_and_epochs_only() -> None:
    shrinking = {"hr_size", "images", "width", "epochs"}
    for profile in ("smoke", "quick", "evening", "workshop"):
        paper, small = Config.preset("paper"), Config.preset(profile)
        assert replace(small, **{name: getattr(paper, name) for name in shrinking}) == paper
    with pytest.raises(ValueError, match="smoke, quick, evening, workshop, paper"):
        Config.preset("fast")


def test_parameters_by_hand() -> None:
    with torch.device("meta"):
        found = {name: count(network) for name, (network, _) in networks(Config.preset("paper")).items()}
    conv = lambda i, o, k=3: i * o * k * k + o  # noqa: E731
    main = conv(3, 64, 2) + conv(64, 128) + conv(128, 64) + 2 * conv(64, 256) + conv(64, 3)
    assert found["generator"] == main + 1 == 445_636  # and the learned scale
    widths = (3, 12, 48, 72, 48, 12, 3)
    convs = sum(conv(i, o) for i, o in itertools.pairwise(widths))
    assert found["discriminator"] == convs + 2 * sum(widths[2:]) + (3 * 16 * 16 + 1) == 74_554


@pytest.mark.parametrize("size", [1024, 92, 64, 36])
def test_sizes(size: int) -> None:
    with torch.device("meta"):
        config = replace(Config.preset("paper"), hr_size=size)
        for name, (network, shape) in networks(config).items():
            out = network(torch.empty(2, *shape))
            assert out.shape == ((2, 3, size, size) if name == "generator" else (2, 1))


def test_odd_input_is_refused() -> None:
    with pytest.raises(ValueError, match="must be even"):
        Generator(8)(torch.zeros(1, 3, 7, 8))


def test_with_a_silent_main_path_the_output_is_the_scaled_bilinear_enlargement() -> None:
    generator = Generator(8)
    torch.nn.init.zeros_(generator.main[-1].weight)
    torch.nn.init.zeros_(generator.main[-1].bias)
    lr = torch.randn(2, 3, 8, 6)
    for value, used in ((0.5, 0.5), (0.1, 0.2), (3.0, 0.8)):
        torch.nn.init.constant_(generator.residual_scale, value)
        expected = used * F.interpolate(lr, scale_factor=2, mode="bilinear")
        torch.testing.assert_close(generator(lr), expected)


def test_clamp_stops_the_gradient_outside_its_range() -> None:
    generator, lr = Generator(8), torch.randn(1, 3, 8, 8)
    for value, moves in ((0.5, True), (0.79, True), (0.81, False), (0.1, False)):
        torch.nn.init.constant_(generator.residual_scale, value)
        generator.residual_scale.grad = None
        generator(lr).square().mean().backward()
        assert (generator.residual_scale.grad != 0) == moves


def test_discriminator_drops_whole_maps_and_normalises_all_but_the_first_block() -> None:
    layers = list(Discriminator(64).features)
    assert [type(layer).__name__ for layer in layers[:3]] == ["Conv2d", "LeakyReLU", "Dropout2d"]
    assert sum(isinstance(layer, torch.nn.BatchNorm2d) for layer in layers) == 5
    assert not isinstance(layers[3], torch.nn.BatchNorm2d)


def test_normalisation_is_imagenets_and_invertible() -> None:
    image = torch.rand(2, 3, 4, 4)
    torch.testing.assert_close(denormalise(normalise(image)), image)
    grey = normalise(torch.full((1, 3, 1, 1), 0.5)).flatten()
    torch.testing.assert_close(grey, torch.tensor([(0.5 - 0.485) / 0.229, (0.5 - 0.456) / 0.224, (0.5 - 0.406) / 0.225]))


def toy_batch(count: int = 4) -> dict[str, torch.Tensor]:
    """Smooth random pictures and their blurred halves, as the degradation makes them."""
    generator = torch.Generator().manual_seed(1)
    hr = resize_bicubic(torch.rand(count, 3, 8, 8, generator=generator), 4).clamp(0, 1)
    return {"hr": hr, "lr": Config().degradation(hr)}


def built(config: Config) -> HumanGAN:
    torch.manual_seed(0)
    method = HumanGAN(config, steps_per_epoch=10)
    method.build()
    return method


def test_step_logs_the_cross_entropies_of_the_networks_before_their_update() -> None:
    method = built(replace(Config.preset("smoke"), dropout=0.0))
    generator, discriminator = method.networks["generator"], method.networks["discriminator"]
    batch = toy_batch()
    with torch.no_grad():
        real = discriminator(normalise(batch["hr"])).sigmoid()
        fake = discriminator(generator(normalise(batch["lr"]))).sigmoid()
    terms = method.step(batch)
    assert terms["d_real"].item() == pytest.approx(-real.log().mean().item(), rel=1e-4)
    assert terms["d_fake"].item() == pytest.approx(-(1 - fake).log().mean().item(), rel=1e-4)
    assert set(terms) == {"d_real", "d_fake", "g_adversarial"}


def test_each_update_moves_only_its_own_network() -> None:
    method = built(Config.preset("smoke"))
    start = {name: [p.clone() for p in network.parameters()] for name, network in method.networks.items()}
    for frozen_rate, moving in (("discriminator", "generator"), ("generator", "discriminator")):
        for name, optimizer in method.optimizers.items():
            optimizer.param_groups[0]["lr"] = 0.0 if name == frozen_rate else 0.1
        method.step(toy_batch())
        for name, network in method.networks.items():
            moved = any(not torch.equal(a, b) for a, b in zip(start[name], network.parameters(), strict=True))
            assert moved == (name == moving)
            with torch.no_grad():
                for parameter, value in zip(network.parameters(), start[name], strict=True):
                    parameter.copy_(value)
    assert all(p.requires_grad for p in method.networks["discriminator"].parameters())


def test_learning_rate_drops_after_the_first_epochs() -> None:
    method = built(Config.preset("paper"))
    rate = method.learning_rates["generator"]
    assert (rate(0), rate(599), rate(600), rate(799)) == (0.02, 0.02, 0.005, 0.005)
    assert method.steps == 800


def test_one_batch_with_a_pixel_term_is_learnt_past_bicubic() -> None:
    batch = toy_batch(2)
    method = built(replace(Config.preset("smoke"), pixel_weight=20.0, width=24))
    bicubic = resize_bicubic(batch["lr"], 2)

    def psnr(sr: torch.Tensor) -> float:
        return -10 * math.log10((sr - batch["hr"]).square().mean().item())

    for _ in range(400):
        method.step(batch)
    assert psnr(method.super_resolve(batch["lr"])) > psnr(bicubic) + 2


def test_super_resolve_is_in_range_repeatable_and_leaves_training_mode() -> None:
    method = built(Config.preset("smoke"))
    lr = torch.rand(2, 3, 16, 16)
    first = method.super_resolve(lr)
    assert first.shape == (2, 3, 32, 32)
    assert first.min() >= 0
    assert first.max() <= 1
    assert torch.equal(first, method.super_resolve(lr))
    assert all(network.training for network in method.networks.values())


def test_experiments_train_once_and_score_every_epoch(tmp_path: Path) -> None:
    config = replace(Config.preset("smoke"), images=(8, 4, 4), epochs=(1, 1))
    experiments = Experiments(config, "", StageCache(tmp_path), seed=0, device="cpu")
    assert [len(images) for images in (experiments.train, experiments.val, experiments.test)] == [8, 4, 4]
    people = [set(images.groups) for images in (experiments.train, experiments.val, experiments.test)]
    assert len(set.union(*people)) == sum(map(len, people))

    gan = experiments.trained(GAN)
    assert (len(gan.log), [row["step"] for row in gan.validation]) == (4, [2, 4])
    last, val = gan.validation[-1], experiments.val.take(range(4))
    sr = quantize(gan.method.super_resolve(config.degradation(val)))
    expected = [-10 * math.log10(error) for error in (sr - val).square().mean(dim=(1, 2, 3)).tolist()]
    assert [last[f"psnr_{i}"] for i in range(4)] == pytest.approx(expected, rel=1e-4)
    assert last["psnr"] == pytest.approx(sum(expected) / 4, rel=1e-4)
    assert last["s"] == pytest.approx(gan.method.networks["generator"].residual_scale.item())

    pixel = experiments.trained(WITH_PIXEL_TERM)
    assert "g_pixel" in pixel.log[0]
    again = Experiments(config, "", StageCache(tmp_path), seed=0, device="cpu")
    assert (gan.reused, pixel.reused, again.trained(GAN).reused) == (False, False, True)


@pytest.mark.parametrize("size", [1, 0, -4])
def test_a_batch_of_one_is_refused_before_the_training(size):
    with pytest.raises(ValueError, match=r"^batch_size .*choose 2 or more"):
        Config(batch_size=size)
