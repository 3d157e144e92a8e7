from __future__ import annotations

import itertools
import os
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck

from facesr_lib.config import PROFILES
from facesr_lib.data import PairedBatches, UnpairedBatches, degrade_set, load_faces
from facesr_lib.image import Bicubic, resize_bicubic
from facesr_lib.losses import r1_penalty
from facesr_lib.metrics import psnr
from facesr_lib.papers.selfsr import Config, networks
from facesr_lib.papers.selfsr.degradation import (
    BETAS,
    Adaptation,
    CycleAdaptation,
    FlowAdaptation,
    FlowGenerator,
    ImageGenerator,
    LearnedDegradation,
    LRDiscriminator,
)
from facesr_lib.papers.selfsr.experiments import Experiments
from facesr_lib.papers.selfsr.names import (
    ALL_PARTS,
    CEILING,
    CONCATENATION,
    CYCLE,
    CYCLE_IDENTITY,
    FLOW,
    FLOW_NO_IDENTITY,
    FLOW_NOISE,
    NO_ADAPTATION,
    NO_GROWING,
    NO_R1,
    NO_RESIDUAL,
    PAIRED,
    PSNR_ORIENTED,
    UNPAIRED,
    ablated,
    on_real_faces,
    seeded,
)
from facesr_lib.papers.selfsr.networks import ConcatenationBlock, Discriminator, EqualConv2d, Generator, SelfConditionedBlock
from facesr_lib.papers.selfsr.super_resolution import SelfSR, SRConfig
from facesr_lib.training import StageCache, Trainer, TrainerOptions
from facesr_lib.training.log import CsvLog

SMALL = replace(Config.preset("smoke").paired, width=8, blocks=1, d_blocks=1, batch_size=4, steps=9, grow_at=(2, 5), fade=2)
STAGE1 = replace(Config.preset("smoke").degradation, width=8, blocks=1, steps=8, batch_size=4)


def rand(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


# --- stage 1


def awake(generator: nn.Module) -> nn.Module:
    """Give the zero-initialised heads some weights, as a first training step would."""
    torch.manual_seed(1)
    for parameter in generator.parameters():
        nn.init.normal_(parameter, std=0.1)
    return generator


def test_the_flow_network_is_the_identity_at_the_start() -> None:
    z = rand(2, 3, 16, 16)
    noisy, intermediate, flow = FlowGenerator(8, 2)(z)
    assert torch.equal(intermediate, z)
    assert flow.abs().max() == 0
    assert torch.allclose(noisy, z, atol=1e-6)


def test_the_noisy_image_is_the_intermediate_one_seen_through_the_flow() -> None:
    generator = awake(FlowGenerator(8, 2, max_flow=1.5))
    noisy, intermediate, flow = generator(rand(2, 3, 16, 16))
    assert 0.01 < flow.abs().max() <= 1.5
    y, x, image = 5, 7, 1
    at_x = (x + flow[image, 0, y, x]).clamp(0, 15)
    at_y = (y + flow[image, 1, y, x]).clamp(0, 15)
    across = (1 - (at_x - torch.arange(16)).abs()).clamp(min=0)
    down = (1 - (at_y - torch.arange(16)).abs()).clamp(min=0)
    expected = torch.einsum("cnm,n,m->c", intermediate[image], down, across)  # eq. 1
    assert torch.allclose(noisy[image, :, y, x], expected, atol=1e-5)


def test_the_warp_sends_gradients_to_both_heads() -> None:
    generator = awake(FlowGenerator(4, 1)).double()
    z = rand(1, 3, 6, 6, dtype=torch.float64)
    generator(z)[0].square().sum().backward()
    for head in (generator.image_head, generator.flow_head):
        assert head.weight.grad.abs().sum() > 0
    assert gradcheck(lambda image: generator(image)[0], z.requires_grad_())


def test_parameters_of_stage_1_counted_by_hand() -> None:
    encoder = (3 * 9 + 1) * 8 + 2 * 2 * (8 * 9 + 1) * 8
    assert count(FlowGenerator(8, 2)) == encoder + (8 * 9 + 1) * (3 + 2)
    assert count(ImageGenerator(8, 2)) == encoder + (8 * 9 + 1) * 3
    assert count(LRDiscriminator(8)) == (6 * 9 + 1) * 8 + 73 * 16 + 145 * 16 + 145


def test_the_lr_discriminator_sees_thirteen_pixels() -> None:
    """Nine by its four convolutions, two more on either side by the means that it subtracts."""
    discriminator = LRDiscriminator(4)
    x = rand(1, 3, 20, 20).requires_grad_()
    discriminator(x)[0, 0, 10, 10].backward()
    rows = x.grad.abs().sum(dim=(0, 1, 3)).nonzero().flatten()
    assert (rows.min(), rows.max()) == (4, 16)


def test_the_lr_discriminator_sees_each_pixel_as_it_is_and_less_the_mean_around_it() -> None:
    discriminator = LRDiscriminator(4)
    x = rand(2, 3, 7, 7)
    seen: list[torch.Tensor] = []
    discriminator[0].register_forward_pre_hook(lambda _layer, inputs: seen.extend(inputs))
    discriminator(x)
    assert torch.equal(seen[0][:, :3], 4 * x - 2)
    middle = 10 * (x[..., 3, 3] - x[..., 1:6, 1:6].mean(dim=(2, 3)))
    assert torch.allclose(seen[0][:, 3:, 3, 3], middle, atol=1e-5)
    flat = torch.full((1, 3, 7, 7), 0.3)
    seen.clear()
    discriminator(flat)
    assert seen[0][:, 3:].abs().max() < 1e-5, "also at the border"


@pytest.mark.parametrize("kind", [FlowAdaptation, CycleAdaptation])
def test_the_discriminators_of_stage_1_take_as_many_steps_as_the_config_says(kind: type[Adaptation]) -> None:
    method = kind(replace(STAGE1, d_steps=3))
    method.build()
    z, x = (rand(2, 3, 16, 16, seed=seed) for seed in (1, 2))
    method.step({"lr": z, "real_lr": x})
    taken = {name: {int(state["step"]) for state in method.optimizers[name].state.values()} for name in method.optimizers}
    assert sorted(taken.items()) in ([("discriminator", {3}), ("generator", {1})], [("discriminators", {3}), ("generators", {1})])


@pytest.fixture(scope="module")
def unpaired() -> UnpairedBatches:
    faces = load_faces("", "train", 32).limit(30)
    real = degrade_set(faces.subset(range(15, 30)), Bicubic(4))
    return UnpairedBatches(faces.subset(range(15)), real, Bicubic(4), 4, seed=0)


@pytest.mark.parametrize("kind", [FlowAdaptation, CycleAdaptation])
def test_stage_1_resumed_equals_unbroken(kind: type[Adaptation], unpaired: UnpairedBatches, tmp_path: Path) -> None:
    whole, broken = kind(STAGE1), kind(STAGE1)
    options = TrainerOptions(steps=8, device="cpu", checkpoint_every=4)
    Trainer(whole, unpaired, tmp_path / "a", options).train()
    Trainer(broken, unpaired, tmp_path / "b", replace(options, steps=4)).train()
    resumed = kind(STAGE1)
    Trainer(resumed, unpaired, tmp_path / "b", options).train()
    lr = unpaired(99)["lr"]
    assert torch.equal(whole.translate(lr), resumed.translate(lr))
    assert not torch.equal(broken.translate(lr), resumed.translate(lr))


@pytest.mark.parametrize("kind", [FlowAdaptation, CycleAdaptation])
def test_stage_1_learns_a_visible_difference(kind: type[Adaptation]) -> None:
    """Real LR is brighter by 0.2: the translation must move most of the way, whatever the faces."""
    config = replace(STAGE1, width=16, steps=150, batch_size=8, identity=0.5, cycle=1.0, learning_rate=2e-3, brightness=0.0)
    method = kind(config)
    torch.manual_seed(0)
    method.build()
    for step in range(config.steps):
        z, x = (0.6 * rand(8, 3, 8, 8, seed=2 * step + k) + 0.1 for k in range(2))
        method.step({"lr": z, "real_lr": x + 0.2})
    z = 0.6 * rand(16, 3, 8, 8, seed=999) + 0.1
    assert (method.translate(z) - z).mean() > 0.1


def test_the_identity_loss_of_both_adaptations_is_equation_3() -> None:
    """|z~ - z| of the flow field, |G(z) - z| of the CycleGAN: of the step's own forward pass, so before its update."""
    z, x = (rand(4, 3, 16, 16, seed=seed) for seed in (1, 2))
    for kind, output in ((FlowAdaptation, lambda made: made[1]), (CycleAdaptation, lambda made: made)):
        for weight in (0.0, 3.0):
            torch.manual_seed(0)
            method = kind(replace(STAGE1, identity=weight))
            method.build()
            generator = awake(method.networks["generator" if kind is FlowAdaptation else "to_real"])
            expected = weight * (output(generator(z)) - z).abs().mean()
            assert torch.allclose(method.step({"lr": z, "real_lr": x})["g_identity"], expected, rtol=1e-5)


def test_the_cyclegans_identity_loss_pulls_the_output_to_the_input_in_one_direction() -> None:
    torch.manual_seed(0)
    method = CycleAdaptation(replace(STAGE1, adversarial=0.0, cycle=0.0, identity=1.0, brightness=0.0, learning_rate=1e-3))
    method.build()
    awake(method.networks["to_real"])
    back = {name: value.clone() for name, value in method.networks["to_synthetic"].state_dict().items()}
    batch = {"lr": rand(4, 3, 8, 8), "real_lr": rand(4, 3, 8, 8, seed=1)}
    losses = [method.step(batch)["g_identity"].item() for _ in range(40)]
    assert losses[-1] < 0.5 * losses[0]
    assert all(torch.equal(value, back[name]) for name, value in method.networks["to_synthetic"].state_dict().items())


def test_the_adaptations_of_table_iii(tmp_path: Path) -> None:
    experiments = Experiments(Config.preset("smoke"), "", StageCache(tmp_path), seed=0, device="cpu")
    kinds = {
        CYCLE: (CycleAdaptation, 0),
        CYCLE_IDENTITY: (CycleAdaptation, 1),
        FLOW: (FlowAdaptation, 1),
        FLOW_NO_IDENTITY: (FlowAdaptation, 0),
        FLOW_NOISE: (FlowAdaptation, 1),
    }
    folders = set()
    for name, (kind, held) in kinds.items():
        trained = experiments.trained(name)
        assert isinstance(trained.method, kind)
        stage1 = experiments.config.degradation
        assert trained.method.config == replace(stage1, identity=held * stage1.identity, noise=name == FLOW_NOISE)
        assert (trained.log[-1]["g_identity"] > 0) == held
        folders.add(trained.folder)
    assert len(folders) == 5  # none is another's training, found again


def test_the_noise_input_gives_one_face_many_pictures() -> None:
    method = FlowAdaptation(replace(STAGE1, noise=True))
    method.build()
    awake(method.networks["generator"])
    z = rand(2, 3, 16, 16)
    drawn = [method.translate(z, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert torch.equal(drawn[0], drawn[1])
    assert (drawn[0] - drawn[2]).abs().mean() > 0.01
    with pytest.raises(ValueError, match=r"generator: .* pass a torch\.Generator"):
        method.translate(z)
    plain = FlowAdaptation(STAGE1)
    plain.build()
    assert count(method.networks["generator"]) - count(plain.networks["generator"]) == 3 * 9 * STAGE1.width


def test_a_noise_input_learns_noise_and_the_published_generator_cannot() -> None:
    """Real LR is grey and noisy: how far two translations of one grey face lie apart, in standard deviations of that noise."""
    apart = {}
    for noise in (False, True):
        config = replace(STAGE1, noise=noise, width=16, steps=200, batch_size=8, identity=0.2, learning_rate=2e-3)
        method = FlowAdaptation(config)
        torch.manual_seed(0)
        method.build()
        for step in range(config.steps):
            draw = torch.Generator().manual_seed(step)
            z = (0.3 + 0.4 * torch.rand(8, 3, 1, 1, generator=draw)).expand(8, 3, 8, 8)
            white = [torch.randn(8, 3, 8, 8, generator=draw) for _ in range(2)]
            method.step({"lr": z, "real_lr": z.flip(0) + 0.1 * white[0], **({"noise": white[1]} if noise else {})})
        z = torch.full((4, 3, 8, 8), 0.5)
        first, second = (method.translate(z, torch.Generator().manual_seed(seed)) for seed in (1, 2))
        apart[noise] = (first - second).std().item() / (2**0.5 * 0.1)
    assert apart[False] == 0
    assert 0.3 < apart[True] < 2


def test_the_brightness_term_holds_local_means_and_lets_noise_pass() -> None:
    z, grain = 0.5 * rand(2, 3, 8, 8), rand(2, 3, 8, 8, seed=1)
    for y, x in itertools.product((0, 4), repeat=2):
        grain[..., y : y + 4, x : x + 4] -= grain[..., y : y + 4, x : x + 4].mean(dim=(2, 3), keepdim=True)
    method = FlowAdaptation(STAGE1)
    assert method.brightness(z + grain, z).item() == pytest.approx(0, abs=1e-6)
    assert method.brightness(z - 0.1, z).item() == pytest.approx(0.1, rel=1e-5)


@pytest.mark.parametrize("kind", [FlowAdaptation, CycleAdaptation])
def test_the_brightness_term_is_in_the_small_presets_only(kind: type[Adaptation]) -> None:
    batch = {"lr": rand(2, 3, 16, 16), "real_lr": rand(2, 3, 16, 16, seed=1)}
    for config, there in ((STAGE1, True), (replace(STAGE1, brightness=Config.preset("paper").degradation.brightness), False)):
        method = kind(config)
        method.build()
        assert ("g_brightness" in method.step(batch)) == there


def test_the_ceiling_learns_from_the_hidden_degradation_itself(tmp_path: Path) -> None:
    experiments = Experiments(Config.preset("smoke"), "", StageCache(tmp_path), seed=0, device="cpu")
    hidden, hr = experiments.real_faces.hidden, experiments.real_faces.hr
    for name, degradation in ((CEILING, hidden), (NO_ADAPTATION, Bicubic(4))):
        stage = experiments.stage(on_real_faces(name))
        expected = PairedBatches(hr, degradation, experiments.config.real.batch_size, 0)(3)["lr"]
        assert torch.equal(stage.batches()(3)["lr"], expected)
    assert experiments.stage(on_real_faces(CEILING)).key != experiments.stage(on_real_faces(NO_ADAPTATION)).key


def test_a_learned_degradation_is_bicubic_before_training() -> None:
    method = FlowAdaptation(STAGE1)
    method.build()
    hr = rand(2, 3, 32, 32)
    degradation = LearnedDegradation(method, 4)
    assert torch.equal(degradation(hr), Bicubic(4)(hr))
    assert degradation.scale == 4


# --- stage 2: blocks


def test_equalized_convolution_keeps_the_variance() -> None:
    torch.manual_seed(0)
    layer = EqualConv2d(64, 64, gain=1)
    out = layer(torch.randn(4, 64, 16, 16))[:, :, 1:-1, 1:-1]
    assert out.var().item() == pytest.approx(1, rel=0.1)
    assert layer.weight.var().item() == pytest.approx(1, rel=0.05)


def test_the_self_conditioned_block_is_equation_6() -> None:
    torch.manual_seed(0)
    block = SelfConditionedBlock(6)
    features, image = torch.randn(2, 6, 5, 7), rand(2, 3, 5, 7)
    h = block.conv(features)
    mean = h.flatten(2).mean(2)[..., None, None]
    deviation = h.flatten(2).var(2, unbiased=False).add(1e-5).sqrt()[..., None, None]
    expected = nn.functional.leaky_relu(block.condition(image) * (h - mean) / deviation, 0.2)
    assert torch.allclose(block(features, image), expected, atol=1e-5)


def test_the_blocks_statistics_are_each_samples_own() -> None:
    torch.manual_seed(0)
    block = SelfConditionedBlock(6)
    features, image = torch.randn(3, 6, 5, 5), rand(3, 3, 5, 5)
    alone = block(features[1:2], image[1:2])
    assert torch.allclose(block(features, image)[1:2], alone, atol=1e-5)


def test_gradcheck_of_the_self_conditioned_block() -> None:
    torch.manual_seed(0)
    block = SelfConditionedBlock(4).double()
    features = torch.randn(1, 4, 4, 4, dtype=torch.float64, requires_grad=True)
    assert gradcheck(block, (features, rand(1, 3, 4, 4, dtype=torch.float64).requires_grad_()))


def test_gradcheck_of_r1_through_the_discriminator() -> None:
    """The double backward, with respect to the parameters, away from the kinks of the leaky ReLU."""
    torch.manual_seed(0)
    discriminator = Discriminator(width=2, blocks=1, levels=1).double()
    real = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    names, values = zip(*discriminator.named_parameters(), strict=True)

    def penalty(*parameters: Tensor) -> Tensor:
        given = dict(zip(names, parameters, strict=True))
        return r1_penalty(lambda image: torch.func.functional_call(discriminator, given, (image,)), real)

    assert gradcheck(penalty, values, eps=1e-7, atol=1e-5)


# --- stage 2: networks


def test_parameters_of_the_paper_preset_counted_by_hand() -> None:
    width, levels, per_level = 256, 3, 5
    block = (width * 9 + 1) * width + (3 * 9 + 1) * 128 + (128 * 9 + 1) * width
    expected = (3 * 9 + 1) * width + (levels + 1) * per_level * block + levels * (width + 1) * 3
    found = networks(Config.preset("paper"))
    assert count(found["generator, pairs x8"][0]) == expected == 17_786_121
    assert abs(expected / 17.89e6 - 1) < 0.006  # Table I
    assert count(found["generator, real faces x4"][0]) == expected - per_level * block - (width + 1) * 3
    assert found["generator, pairs x8"][1] == (3, 16, 16)
    assert found["discriminator, pairs x8"][1] == (3, 128, 128)


def test_concatenation_differs_in_the_conditioning_only() -> None:
    ours, theirs = Generator(8, 2, 2), Generator(8, 2, 2, conditioning="concatenation")
    assert count(theirs) - count(ours) == 6 * (3 * 9 * 8 + 8 - count(SelfConditionedBlock(8).condition))
    assert isinstance(theirs.body[0][0], ConcatenationBlock)


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("conditioning", ["self-conditioned", "concatenation"])
def test_one_network_serves_every_factor(conditioning: str, residual: bool) -> None:
    generator = Generator(4, 1, 3, conditioning, residual)
    lr = rand(2, 3, 5, 7)
    for level in (1, 2, 3):
        assert generator(lr, level).shape == (2, 3, 5 * 2**level, 7 * 2**level)
    assert torch.equal(generator(lr), generator(lr, 3))
    with pytest.raises(ValueError, match="levels 1 to 3"):
        generator(lr, 4)


@pytest.mark.parametrize("level", [2, 3])
def test_growing_changes_nothing_at_alpha_0_and_everything_is_there_at_1(level: int) -> None:
    torch.manual_seed(0)
    generator, discriminator = Generator(6, 1, 3), Discriminator(6, 1, 3)
    lr = rand(2, 3, 4, 4)
    before = generator(lr, level - 1)
    assert torch.equal(generator(lr, level, 0.0), nn.functional.interpolate(before, scale_factor=2))
    half = 0.5 * (generator(lr, level, 0.0) + generator(lr, level))
    assert torch.allclose(generator(lr, level, 0.5), half, atol=1e-6)

    image = rand(2, 3, 4 * 2**level, 4 * 2**level)
    small = nn.functional.avg_pool2d(image, 2)
    assert torch.allclose(discriminator(image, level, 0.0), discriminator(small, level - 1), atol=1e-6)
    assert not torch.allclose(discriminator(image, level), discriminator(small, level - 1), atol=1e-3)


def test_the_residual_form_starts_at_bicubic_and_the_papers_does_not() -> None:
    lr = rand(1, 3, 6, 6)
    assert torch.allclose(Generator(4, 1, 2, residual=True)(lr), resize_bicubic(lr, 4))
    assert not torch.allclose(Generator(4, 1, 2)(lr), resize_bicubic(lr, 4), atol=0.05)


def test_condition_maps_depend_on_the_image_and_cover_every_block() -> None:
    generator = Generator(4, 2, 2)
    maps = generator.scales(rand(1, 3, 5, 5))
    assert [tuple(m.shape) for m in maps] == [(1, 4, s, s) for s in (5, 5, 10, 10, 20, 20)]
    assert not torch.allclose(maps[0], generator.scales(rand(1, 3, 5, 5, seed=1))[0])


# --- stage 2: training


def test_the_schedule_grows_and_fades() -> None:
    config = SRConfig(grow_at=(10, 20), fade=4)
    assert [config.stage(step) for step in (0, 9, 10, 12, 14, 20, 21, 24)] == [
        (1, 1.0), (1, 1.0), (2, 0.0), (2, 0.5), (2, 1.0), (3, 0.0), (3, 0.25), (3, 1.0),
    ]  # fmt: skip
    assert {config.ablations()[NO_GROWING].stage(step) for step in (0, 500)} == {(3, 1.0)}
    paper = Config.preset("paper")
    assert paper.paired.stage(159_999) == paper.unpaired.stage(279_999) == (3, 1.0)
    assert paper.real.stage(0) == (1, 1.0)
    assert paper.real.stage(159_999) == (2, 1.0)


def test_presets_shrink_sizes_and_keep_every_term() -> None:
    for profile in PROFILES:
        config = Config.preset(profile)
        for sr in (config.paired, config.unpaired, config.real):
            assert min(sr.adversarial, sr.reconstruction, sr.r1_gamma) > 0
            assert sr.stage(0) == (1, 1.0)
            assert sr.stage(sr.steps - 1) == (sr.levels, 1.0)
        stage1 = config.degradation
        assert min(stage1.adversarial, stage1.identity, stage1.smoothness, stage1.cycle) > 0
        assert (config.paired.paired, config.unpaired.paired, config.real.paired) == (True, False, True)
        assert (config.paired.scale, config.unpaired.scale, config.real.scale) == (8, 8, 4)
    assert not Config.preset("paper").paired.residual


@pytest.mark.parametrize("profile", PROFILES)
def test_all_models_have_one_pair_of_betas(profile: str) -> None:
    """[paper] "All models are trained by Adam" with one pair; its numbers are lost."""
    config = Config.preset(profile)
    methods = (
        SelfSR(config.paired),
        SelfSR(config.unpaired),
        SelfSR(config.real),
        *(kind(config.degradation) for kind in (FlowAdaptation, CycleAdaptation)),
    )
    for method in methods:
        with torch.device("meta"):
            method.build()
        assert {group["betas"] for o in method.optimizers.values() for group in o.param_groups} == {BETAS}


def test_small_presets_change_what_the_docs_say_and_no_more() -> None:
    """Beside sizes, steps and learning rates: residuals, jitter and weights. README and the docstring name them."""
    sizes = {
        "lr_size",
        "width",
        "blocks",
        "d_blocks",
        "batch_size",
        "steps",
        "grow_at",
        "fade",
        "average_decay",
        "max_flow",
        "learning_rate",
    }
    paper = Config.preset("paper")
    for profile in PROFILES[:-1]:
        small = Config.preset(profile)
        pairs = [
            (small.paired, paper.paired),
            (small.unpaired, paper.unpaired),
            (small.real, paper.real),
            (small.degradation, paper.degradation),
        ]
        changed = {
            f.name for ours, theirs in pairs for f in fields(ours) if getattr(ours, f.name) != getattr(theirs, f.name)
        } - sizes
        weights = {"adversarial", "identity", "smoothness", "brightness"}
        assert changed == {"residual", "cycle_residual", "jitter", "d_steps"} | weights


def test_ablations_change_one_thing() -> None:
    full = Config.preset("quick").paired
    for variant, field in (
        (full.ablations()[CONCATENATION], "conditioning"),
        (full.ablations()[NO_GROWING], "grow_at"),
        (full.ablations()[NO_R1], "r1_gamma"),
        (full.psnr_oriented(), "adversarial"),
    ):
        assert [f.name for f in fields(full) if getattr(full, f.name) != getattr(variant, f.name)] == [field]


def test_table_iv_compares_equals() -> None:
    """Every row is trained as long as its full model, which is Table I's network where nothing is shortened."""
    for profile in PROFILES:
        config = Config.preset(profile)
        for full, name in ((config.paired, PAIRED), (config.unpaired, UNPAIRED)):
            rows = {row: sr for row, sr in config.table_4().items() if row.startswith(f"{name}, ")}
            parts = {ALL_PARTS, CONCATENATION, NO_GROWING, NO_R1} | ({NO_RESIDUAL} if name == PAIRED and full.residual else set())
            assert set(rows) == {ablated(name, part) for part in parts}
            assert {sr.steps for sr in rows.values()} == {config.ablation_steps or full.steps}
            equal = rows[ablated(name, ALL_PARTS)]
            assert (equal == full) == (config.ablation_steps is None)
            assert config.trained_as(ablated(name, ALL_PARTS)) == (ablated(name, ALL_PARTS) if config.ablation_steps else name)
            assert equal.stage(equal.steps - 1) == (equal.levels, 1.0)


def test_a_shortened_training_grows_at_the_same_shares() -> None:
    short = SRConfig(steps=1000, grow_at=(100, 300), fade=80).shortened(100)
    assert (short.steps, short.grow_at, short.fade) == (100, (10, 30), 8)


def test_each_training_is_declared_for_the_notebooks_that_show_it(tmp_path: Path) -> None:
    for ablation_steps, used in ((None, {PAIRED: ("21", "22")}), (5, {PAIRED: ("21",), ablated(PAIRED, ALL_PARTS): ("22",)})):
        config = replace(Config.preset("smoke"), ablation_steps=ablation_steps)
        stages = {stage.name: stage for stage in Experiments(config, "", StageCache(tmp_path), 0, "cpu").stages()}
        used |= {PSNR_ORIENTED: ("21",), ablated(UNPAIRED, NO_R1): ("22",)}
        assert {name: stages[name].used_by for name in used} == used
        assert (ablated(PAIRED, ALL_PARTS) in stages) == (ablation_steps is not None)


def paired_faces() -> PairedBatches:
    return PairedBatches(load_faces("", "train", SMALL.hr_size).limit(12), Bicubic(8), 4, seed=0)


@pytest.fixture(scope="module")
def pairs() -> PairedBatches:
    return paired_faces()


def test_stage_2_killed_while_growing_equals_unbroken(pairs: PairedBatches, tmp_path: Path) -> None:
    options = TrainerOptions(steps=9, device="cpu", checkpoint_every=3)  # step 6 lies in the fade of the last level
    whole, resumed = SelfSR(SMALL), SelfSR(SMALL)
    Trainer(whole, pairs, tmp_path / "a", options).train()
    Trainer(SelfSR(SMALL), pairs, tmp_path / "b", replace(options, steps=6)).train()
    Trainer(resumed, pairs, tmp_path / "b", options).train()
    lr = pairs(50)["lr"]
    assert torch.equal(whole.super_resolve(lr), resumed.super_resolve(lr))
    for one, other in itertools.pairwise([whole, resumed]):
        for name, network in one.networks.items():
            mine, theirs = network.state_dict(), other.networks[name].state_dict()
            assert all(torch.equal(mine[key], theirs[key]) for key in mine)


def test_two_processes_grow_as_one(pairs: PairedBatches, tmp_path: Path) -> None:
    """Levels without gradients, the double backward of R1, three forwards per backward: all of it under DDP."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    script = Path(__file__).with_name("selfsr_distributed.py")
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run([*command, script, tmp_path / "two"], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    Trainer(SelfSR(SMALL), pairs, tmp_path / "one", TrainerOptions(steps=SMALL.steps, device="cpu")).train()
    one, two = (CsvLog(tmp_path / name / "log.csv").rows() for name in ("one", "two"))
    for term in ("g_reconstruction", "g_adversarial", "d_real", "d_r1"):
        assert [row[term] for row in two] == pytest.approx([row[term] for row in one], rel=1e-3, abs=1e-5)


def test_growing_adds_optimizer_state_and_keeps_the_old(pairs: PairedBatches) -> None:
    torch.manual_seed(0)
    method = SelfSR(SMALL)
    method.build()
    new = set(method.networks["generator"].body[2].parameters()) | set(method.networks["generator"].to_rgb[1].parameters())
    for step in range(5):  # levels 1 and 2
        method.begin_step(step)
        method.step(pairs(step))
    state = method.optimizers["generator"].state
    assert all(parameter in state for parameter in new)
    assert state[method.networks["generator"].stem.weight]["step"] == 5
    assert state[next(iter(method.networks["generator"].body[2].parameters()))]["step"] == 3
    untouched = method.networks["generator"].body[3][0].conv.weight
    assert untouched not in method.optimizers["generator"].state
    method.begin_step(5)
    method.step(pairs(5))
    assert method.optimizers["generator"].state[untouched]["step"] == 1
    assert method.optimizers["generator"].state[method.networks["generator"].stem.weight]["step"] == 6


def test_each_step_trains_both_networks_with_their_own_terms(pairs: PairedBatches) -> None:
    torch.manual_seed(0)
    method = SelfSR(replace(SMALL, grow_at=()))
    method.build()
    terms = method.step(pairs(0))
    assert set(terms) == {"g_reconstruction", "g_adversarial", "d_real", "d_fake", "d_r1"}
    for config, left in ((SMALL.ablations()[NO_R1], set(terms) - {"d_r1"}), (SMALL.psnr_oriented(), {"g_reconstruction"})):
        variant = SelfSR(config)
        variant.build()
        assert set(variant.step(pairs(0))) == left


def test_without_pairs_the_loss_compares_with_the_input_only() -> None:
    torch.manual_seed(0)
    method = SelfSR(replace(SMALL, paired=False, residual=True, grow_at=()))
    method.build()
    lr, hr = rand(4, 3, 8, 8), rand(4, 3, 64, 64, seed=1)
    sr = method.networks["generator"](2 * lr - 1)
    down = resize_bicubic(sr, 1 / 8)
    expected = SMALL.reconstruction * (down - (2 * lr - 1)).abs().mean()
    terms = method.step({"real_lr": lr, "hr": hr, "lr": torch.zeros_like(lr)})
    assert torch.allclose(terms["g_reconstruction"], expected, rtol=1e-4)  # eq. 11: hr and its own lr are not in it


def test_one_batch_can_be_learnt_by_heart(pairs: PairedBatches) -> None:
    config = replace(
        SMALL, width=32, blocks=2, residual=False, levels=1, grow_at=(), average_decay=0.9, steps=250
    ).psnr_oriented()
    torch.manual_seed(0)
    method = SelfSR(config)
    method.build()
    hr = resize_bicubic(pairs(0)["hr"][:2], 0.25).clamp(0, 1)
    batch = {"lr": Bicubic(2)(hr), "hr": hr}
    for _ in range(config.steps):
        method.step(batch)
        method.averages["generator"].update_parameters(method.networks["generator"])
    assert psnr(method.super_resolve(batch["lr"]), hr).min() > 30  # the paper's own form, without the residual


def test_experiments_refuse_a_stage_that_does_not_exist(tmp_path: Path) -> None:
    experiments = Experiments(Config.preset("smoke"), "", StageCache(tmp_path), seed=0, device="cpu")
    with pytest.raises(ValueError, match=r"'flow': choose one of .*'flow field', "):
        experiments.trained("flow")


def test_ablations_of_several_seeds_are_trainings_of_notebook_22(tmp_path: Path) -> None:
    once = replace(Config.preset("smoke"), ablation_steps=None)
    experiments = Experiments(replace(once, ablation_seeds=2), "", StageCache(tmp_path), seed=3, device="cpu")
    stages = {stage.name: stage for stage in experiments.stages()}
    assert len(stages) == 2 * len({stage.name for stage in replace(experiments, config=once).stages()})
    assert (stages[PAIRED].seed, stages[PAIRED].used_by) == (3, ("21", "22"))
    other = stages[seeded(PAIRED, 1)]
    assert (other.seed, other.used_by) == (4, ("22",))
    real = stages[seeded(on_real_faces(FLOW), 1)]
    assert [(need.name, need.seed, need.used_by) for need in real.needs] == [(seeded(FLOW, 1), 4, ())]
    own = replace(experiments, seed=4).stage(PAIRED)  # of a run with that seed: the same training under its plain name
    assert {**own.key, "seed": own.seed} == {**other.key, "seed": other.seed}
