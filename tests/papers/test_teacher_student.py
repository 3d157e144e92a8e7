"""Teacher and student against the paper's numbers, hand computation and their own objective."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facesr_lib.data import load_faces
from facesr_lib.image import Bicubic, average_pool, quantize, resize_bicubic
from facesr_lib.papers.teacher_student import (
    Config,
    CycleLearning,
    LearnDegradation,
    TeacherStudent,
    low_pass,
    mean_squared_error,
    names,
    networks,
)
from facesr_lib.papers.teacher_student.experiments import Experiments
from facesr_lib.papers.teacher_student.networks import Canny, DoG, DownsamplingNet, NoEdges, RecurrentSR
from facesr_lib.training import Method, StageCache, SuperResolver, Trainer, TrainerOptions

SMOKE = replace(Config.preset("smoke"), adversarial=Config().adversarial, average_decay=0.0)  # as published, but small
NOISY = replace(SMOKE, noise=3)


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def pictures(n: int, size: int = 64, seed: int = 0) -> Tensor:
    """Smooth random pictures with edges in them."""
    generator = torch.Generator().manual_seed(seed)
    smooth = resize_bicubic(torch.rand(n, 3, size // 8, size // 8, generator=generator), 8).clamp(0, 1)
    return quantize(torch.where(smooth > 0.55, smooth, 0.5 * smooth))


def batch(step: int = 0, n: int = 2) -> dict[str, Tensor]:
    hr, others = pictures(n, seed=2 * step), pictures(n, seed=2 * step + 1)
    return {"hr": hr, "lr": Bicubic(4)(hr), "real_lr": (Bicubic(4)(others) + 0.1).clamp(0, 1)}


def denet(config: Config = SMOKE) -> DownsamplingNet:
    torch.manual_seed(5)
    return DownsamplingNet(config.down_width, config.down_blocks, config.noise)


def pair(config: Config = SMOKE, **fields: object) -> TeacherStudent:
    config = replace(config, **fields)
    method = TeacherStudent(config, steps_per_epoch=10, denet=denet(config) if config.needs_stage_1 else None)
    torch.manual_seed(0)
    method.build()
    return method


def snapshot(method: Method) -> dict[str, list[Tensor]]:
    return {name: [p.detach().clone() for p in network.parameters()] for name, network in method.networks.items()}


def moved(method: Method, before: dict[str, list[Tensor]]) -> set[str]:
    return {
        name
        for name, network in method.networks.items()
        if any(not torch.equal(a, b) for a, b in zip(before[name], network.parameters(), strict=True))
    }


# -- configuration ------------------------------------------------------------------------------------------------------------


def test_paper_preset_is_the_paper() -> None:
    config = Config.preset("paper")
    assert config.hr_size == 64
    assert config.content == (1, 1, 1)
    assert config.adversarial == (0.05, 0.001, 0.001)
    assert config.cycle == 1
    assert config.batch_sizes == (16, 4)
    assert config.learning_rates == (1e-4, 1e-4, 1e-4)
    assert config.halving == (10, 10)
    assert [type(edges) for edges in config.edges] == [Canny, DoG]
    assert config.learned_lr


def test_small_presets_shrink_networks_and_schedules_only() -> None:
    shrinking = {
        "faces",
        "width",
        "groups",
        "down_width",
        "down_blocks",
        "discriminator_width",
        "batch_sizes",
        "epochs",
        "ablation_epochs",
        "halving",
        "tested",
    }
    for profile in ("smoke", "quick", "evening", "workshop"):
        paper, small = Config.preset("paper"), Config.preset(profile)
        kept = {
            name: getattr(paper, name)
            for name in (*shrinking, "learning_rates", "prepared_dsnet", "average_decay", "adversarial")
        }
        assert replace(small, **kept) == paper
        assert small.learning_rates[0] > paper.learning_rates[0]
    with pytest.raises(ValueError, match="smoke, quick, evening, workshop, paper"):
        Config.preset("fast")


# -- networks -----------------------------------------------------------------------------------------------------------------


def test_parameters_by_hand() -> None:
    with torch.device("meta"):
        found = {name: count(network) for name, (network, _) in networks(Config.preset("paper")).items()}
    conv = lambda i, o, k=3: i * o * k * k + o  # noqa: E731
    n = 48
    feedback = 1_102_439  # tests/nn/test_feedback.py
    recurrent = conv(3, 4 * n) + 1 + conv(2 * n + 1, n, 1) + 1 + conv(n, n) + 1 + feedback + conv(n, n, 6) + 1 + conv(n, 3)
    assert found["tnet"] == found["snet"] == recurrent == 1_217_598
    down = conv(3, 64) + 1 + 16 * (2 * conv(64, 64) + 1) + 2 * (conv(64, 64) + 1) + conv(64, 3)
    assert found["denet"] == found["dsnet"] == down == 1_259_094
    assert found["tnet_discriminator"] == found["snet_discriminator"] == 2_340_193  # tests/nn/test_lightcnn.py
    assert found["denet_discriminator"] == found["dsnet_discriminator"] == 1_357_153


def test_sizes() -> None:
    for name, (network, shape) in networks(SMOKE).items():
        out = network(torch.rand(2, *shape))
        if name in ("tnet", "snet"):
            assert [tuple(o.shape) for o in out] == 3 * [(2, 3, 64, 64)]
        else:
            assert out.shape == ((2, 1) if name.endswith("discriminator") else (2, 3, 16, 16))


def test_an_untrained_network_enlarges_bilinearly() -> None:
    lr = torch.rand(2, 3, 8, 6)
    for output in RecurrentSR(4, 1)(lr):
        torch.testing.assert_close(output, F.interpolate(lr, scale_factor=4, mode="bilinear"))


def lively(width: int = 4, groups: int = 2) -> RecurrentSR:
    """An untrained network whose last layer is not zero, so that its residuals are not."""
    torch.manual_seed(1)
    network = RecurrentSR(width, groups)
    nn.init.normal_(network.reconstruct[-1].weight, std=0.05)
    return network


def test_the_recurrence_written_out() -> None:
    network, lr = lively(), torch.rand(2, 3, 16, 16)
    shallow, up = network.shallow(lr), F.interpolate(lr, scale_factor=4, mode="bilinear")
    nothing = torch.zeros(2, 4, 32, 32)
    r1, state = network.step(shallow, nothing, nothing[:, :1])
    r2, state = network.step(shallow, state, average_pool(Canny(100, 200)(up + r1), 2))
    r3, _ = network.step(shallow, state, average_pool(DoG(1.0, 1.6)(up + r2), 2))
    for output, residual in zip(network(lr), (r1, r2, r3), strict=True):
        torch.testing.assert_close(output, up + residual)


def test_no_state_is_left_behind() -> None:
    network, lr = lively(), torch.rand(1, 3, 16, 16)
    first = network(lr)
    network(torch.rand(1, 3, 16, 16))
    for a, b in zip(first, network(lr), strict=True):
        assert torch.equal(a, b)


def test_edges_are_opencvs() -> None:
    image = pictures(1)
    levels = (255 * image[0]).round().byte().permute(1, 2, 0).numpy()
    grey = cv2.cvtColor(levels, cv2.COLOR_RGB2GRAY)
    found = Canny(60, 120)(image)[0, 0].numpy()
    assert found.sum() > 100
    assert (found != cv2.Canny(grey, 60, 120) / 255).mean() < 0.01  # a grey level may round the other way
    plane = (levels / 255).astype(np.float32) @ np.float32([0.299, 0.587, 0.114])
    expected = cv2.GaussianBlur(plane, (0, 0), 1.0) - cv2.GaussianBlur(plane, (0, 0), 1.6)
    np.testing.assert_allclose(DoG(1.0, 1.6, gain=1.0)(image)[0, 0].numpy(), expected, atol=1e-5)
    assert NoEdges()(image).abs().sum() == 0


@dataclass(frozen=True)
class Ones:
    name: str = "ones"

    def __call__(self, sr: Tensor) -> Tensor:
        return torch.ones_like(sr[:, :1])


def test_priors_are_used_and_only_by_later_steps() -> None:
    network, lr = lively(), Bicubic(4)(pictures(2))
    plain = network(lr)
    for edges, changed in (
        ((Ones(), DoG()), (False, True, True)),
        ((Canny(), Ones()), (False, False, True)),
        ((DoG(), Canny()), (False, True, True)),  # swapped
        ((NoEdges(), NoEdges()), (False, True, True)),
    ):
        found = tuple(not torch.equal(a, b) for a, b in zip(plain, network(lr, edges), strict=True))
        assert found == changed
    assert len(network(lr, ())) == 1


def test_priors_pass_no_gradient() -> None:
    network = lively()
    sr = pictures(1).requires_grad_()
    for edges in network.edges:
        assert not edges(sr).requires_grad
    # What remains is the path through the state: cutting that leaves SR_1's own head without a gradient from SR_3.
    lr = Bicubic(4)(pictures(1))
    shallow = network.shallow(lr)
    residual, state = network.step(shallow, torch.zeros_like(shallow), torch.zeros_like(shallow[:, :1]))
    residual.retain_grad()
    prior = average_pool(network.edges[0](residual + F.interpolate(lr, scale_factor=4, mode="bilinear")), 2)
    network.step(shallow, state, prior)[0].sum().backward()
    assert residual.grad is None
    assert network.shallow[0].weight.grad.abs().sum() > 0


def test_one_batch_is_learnt_by_heart() -> None:
    torch.manual_seed(0)
    hr = pictures(1, size=32)
    lr = Bicubic(4)(hr)
    network = RecurrentSR(16, 1)
    optimizer = torch.optim.Adam(network.parameters(), lr=4e-3)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=400)
    for _ in range(400):
        optimizer.zero_grad()
        mean_squared_error(network(lr), hr).backward()
        optimizer.step()
        rate.step()
    with torch.no_grad():
        assert -10 * math.log10(F.mse_loss(network(lr)[-1].clamp(0, 1), hr)) > 35


# -- stage 1 ------------------------------------------------------------------------------------------------------------------


def stage1(noise: int = 0) -> LearnDegradation:
    torch.manual_seed(0)
    method = LearnDegradation(replace(SMOKE, noise=noise), steps_per_epoch=10)
    method.build()
    return method


def test_stage_1_logs_the_terms_of_equation_4_and_trains_denet_and_its_discriminator() -> None:
    method, images = stage1(), batch()
    before = snapshot(method)
    with torch.no_grad():
        generated = method.networks["denet"](images["hr"])
        real = method.networks["denet_discriminator"](images["real_lr"]).sigmoid()
        fake = method.networks["denet_discriminator"](generated).sigmoid()
    terms = method.step(images)
    assert terms["content"].item() == pytest.approx((generated - images["lr"]).abs().mean().item(), rel=1e-4)
    assert terms["denet_discriminator_real"].item() == pytest.approx(-real.log().mean().item(), rel=1e-4)
    assert terms["denet_discriminator_fake"].item() == pytest.approx(-(1 - fake).log().mean().item(), rel=1e-4)
    fake = method.networks["denet_discriminator"](generated).sigmoid()  # after its step, before DeNet's
    assert terms["adversarial"].item() == pytest.approx(0.05 * (1 - fake).log().mean().item(), rel=1e-4)
    assert moved(method, before) == {"denet", "denet_discriminator"}


def test_the_published_denet_starts_sane_and_learns() -> None:
    """At the paper's size and rate, on faces. With full branches and no sigmoid L1 starts at 530, its gradient at 30,000."""
    faces = load_faces("", "train", 64)
    hr, others = faces.take([0, len(faces) // 2]), faces.take([len(faces) // 4, 3 * len(faces) // 4])
    images = {"hr": hr, "lr": Bicubic(4)(hr), "real_lr": Bicubic(4)(others)}
    method = LearnDegradation(Config.preset("paper"), steps_per_epoch=10)
    torch.manual_seed(0)
    method.build()
    network = method.networks["denet"]
    generated = network(hr)
    assert generated.min() >= 0
    assert generated.max() <= 1
    start = F.l1_loss(generated, images["lr"])
    assert start < 0.5
    start.backward()
    slopes = [p.grad.norm().item() for p in network.parameters()]
    assert 0.01 < math.hypot(*slopes) < 20
    assert min(slopes[0], slopes[-2]) > 1e-3  # the first layer learns, and so does the last
    for _ in range(4):
        terms = method.step(images)
    assert terms["content"] < start


@pytest.mark.parametrize("profile", ["smoke", "quick", "evening", "workshop"])
def test_every_profile_starts_within_the_range_of_images(profile: str) -> None:
    config = Config.preset(profile)
    for hr in (pictures(2), torch.ones(1, 3, 64, 64), torch.zeros(1, 3, 64, 64)):
        lr = denet(config)(hr)
        assert 0 <= lr.min() <= lr.max() <= 1
    assert F.l1_loss(denet(config)(pictures(2)), Bicubic(4)(pictures(2))) < 0.5


def test_degrade_gives_files_and_is_no_super_resolver() -> None:
    method = stage1()
    lr = method.degrade(batch()["hr"])
    assert lr.shape == (2, 3, 16, 16)
    assert torch.equal(lr, quantize(lr))
    assert not lr.requires_grad
    assert not isinstance(method, SuperResolver)


# -- stage 2 ------------------------------------------------------------------------------------------------------------------

TRAINED = {"tnet", "tnet_discriminator", "snet", "snet_discriminator", "dsnet", "dsnet_discriminator"}


def test_the_joint_step_trains_exactly_the_networks_of_the_paper() -> None:
    method = pair()
    before, kept = snapshot(method), [p.clone() for p in method.denet.parameters()]
    method.step(batch())
    method.step(batch(1))  # the last layers start at zero: what lies before them moves from the second step on
    assert moved(method, before) == TRAINED == set(method.networks)
    assert all(torch.equal(a, b) for a, b in zip(kept, method.denet.parameters(), strict=True))
    assert not any(p.requires_grad for p in method.denet.parameters())


@pytest.mark.parametrize("only", sorted(TRAINED))
def test_each_update_moves_only_its_own_networks(only: str) -> None:
    method = pair()
    assert set(method.optimizers) == TRAINED
    method.step(batch())
    before = snapshot(method)
    for name, optimizer in method.optimizers.items():
        if name != only:
            optimizer.param_groups[0]["lr"] = 0.0
    method.step(batch(1))
    assert moved(method, before) == {only}


def test_terms_of_equations_5_to_8() -> None:
    method, images = pair(), batch()
    for _ in range(3):
        method.step(batch(1))
    tnet, snet, dsnet = (method.networks[name] for name in ("tnet", "snet", "dsnet"))
    with torch.no_grad():
        supervised = mean_squared_error(tnet(quantize(method.denet(images["hr"]))), images["hr"])
        sr = snet(images["real_lr"])
        cycle = F.mse_loss(dsnet(sr[-1]), images["real_lr"])
    method.optimizers["tnet"].param_groups[0]["lr"] = 0.0  # so that the pseudo-HR below is the one that the student sees
    pseudo_hr = method.super_resolve_with("tnet", images["real_lr"])
    terms = method.step(images)
    assert terms["teacher_content"].item() == pytest.approx(supervised.item(), rel=1e-4)
    assert terms["student_content"].item() == pytest.approx(mean_squared_error(sr, pseudo_hr).item(), rel=1e-4)
    assert terms["cycle"].item() == pytest.approx(cycle.item(), rel=1e-4)
    fake = method.networks["snet_discriminator"](sr[-1]).sigmoid()  # after its step, before SNet's
    assert terms["student_adversarial"].item() == pytest.approx(0.001 * (1 - fake).log().mean().item(), rel=1e-4)
    assert {name for name in terms if not name.endswith(("real", "fake"))} == {
        "teacher_content",
        "teacher_adversarial",
        "student_content",
        "student_adversarial",
        "cycle",
        "dsnet_cycle",
        "dsnet_adversarial",
    }


def test_mean_squared_error_is_the_mean_over_outputs() -> None:
    target = torch.zeros(1, 3, 2, 2)
    assert mean_squared_error([target + 1, target + 2, target + 3], target).item() == pytest.approx((1 + 4 + 9) / 3)


def test_the_cycle_alone_teaches_snet() -> None:
    method = pair(content=(1.0, 1.0, 0.0), adversarial=(0.05, 0.001, 0.0))
    before = snapshot(method)
    method.step(batch())
    assert "snet" in moved(method, before)
    assert all(p.requires_grad for p in method.networks["dsnet"].parameters())


def test_student_never_sees_the_pairs() -> None:
    """Other LR and HR for the teacher: the student's weights stay the same, but for its discriminator's HR faces."""
    found = []
    for shift in (0.0, 0.2):
        method = pair(adversarial=(0.05, 0.001, 0.0), learned_lr=False, cycle=0.0)
        method.optimizers["tnet"].param_groups[0]["lr"] = 0.0
        images = batch()
        images["lr"] = (images["lr"] + shift).clamp(0, 1)
        method.step(images)
        found.append([p.clone() for p in method.networks["snet"].parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def weights(network: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


def test_dsnet_starts_afresh_at_the_papers_size_and_prepared_in_small_presets() -> None:
    assert not Config.preset("paper").prepared_dsnet
    assert all(Config.preset(profile).prepared_dsnet for profile in ("smoke", "quick", "evening", "workshop"))
    afresh, prepared = pair(prepared_dsnet=False), pair()
    torch.manual_seed(0)
    drawn, _ = networks(SMOKE)["dsnet"]
    assert torch.equal(weights(afresh.networks["dsnet"]), weights(drawn))
    assert torch.equal(weights(prepared.networks["dsnet"]), weights(prepared.denet))
    assert not torch.equal(weights(drawn), weights(prepared.denet))


def test_bicubic_data_never_see_denet() -> None:
    """At the paper's size the variant takes no network of stage 1; in small presets one that real LR has not touched."""
    published = replace(SMOKE, prepared_dsnet=False).with_bicubic_lr()
    assert pair(published).denet is None
    with pytest.raises(ValueError, match="denet: expected the network of a finished stage 1"):
        TeacherStudent(published, 10, denet())
    for config in (SMOKE, SMOKE.with_bicubic_lr()):
        with pytest.raises(ValueError, match="denet"):
            TeacherStudent(config, 10, None)

    def stage_1(config: Config, brighter: float) -> Tensor:
        method = LearnDegradation(config, steps_per_epoch=10)
        torch.manual_seed(0)
        method.build()
        for step in range(2):
            images = batch(step)
            method.step(images | {"real_lr": (images["real_lr"] + brighter).clamp(0, 1)})
        return weights(method.networks["denet"])

    assert torch.equal(stage_1(SMOKE.with_bicubic_lr(), 0.0), stage_1(SMOKE.with_bicubic_lr(), 0.3))
    assert not torch.equal(stage_1(SMOKE, 0.0), stage_1(SMOKE, 0.3))


def test_variants_of_table_3() -> None:
    without_cycle = pair(replace(SMOKE, cycle=0.0))
    assert set(without_cycle.networks) == TRAINED - {"dsnet", "dsnet_discriminator"}
    assert "cycle" not in without_cycle.step(batch())
    images = batch()
    assert torch.equal(pair(SMOKE.with_bicubic_lr()).teacher_lr(images), images["lr"])
    learned = pair().teacher_lr(images)
    assert torch.equal(learned, quantize(learned))
    assert not torch.equal(learned, images["lr"])
    variants = (SMOKE, replace(SMOKE, edges=(NoEdges(), NoEdges())), replace(SMOKE, cycle=0.0), NOISY)
    first = [snapshot(pair(c)) for c in variants]
    for other in first[1:]:
        assert all(torch.equal(a, b) for a, b in zip(first[0]["snet"], other["snet"], strict=True))


# -- ours: noise for DeNet, and the ceiling ------------------------------------------------------------------------------------


def test_a_denet_with_noise_draws_another_picture_every_time_and_its_dsnet_does_not() -> None:
    method, hr = pair(NOISY), batch()["hr"]
    assert method.denet is not None
    assert not torch.equal(method.denet(hr), method.denet(hr))
    dsnet = method.networks["dsnet"]
    assert torch.equal(dsnet(hr), dsnet(hr))
    silent = F.conv2d(F.pad(hr, (0, 0, 0, 0, 0, 3)), method.denet.layers[0].weight, dsnet.layers[0].bias, padding=1)
    torch.testing.assert_close(dsnet(hr), method.denet.layers[1:](silent))  # what DeNet makes of HR beside noise of 0


def test_with_noise_equations_2_and_7_compare_what_is_coarse_and_the_discriminator_sees_the_rest() -> None:
    lr = batch()["real_lr"]
    checkerboard = 0.1 * (-1.0) ** torch.arange(16).add(torch.arange(16)[:, None])
    inner = (..., slice(4, -4), slice(4, -4))
    torch.testing.assert_close(low_pass(lr + checkerboard)[inner], low_pass(lr)[inner], atol=1e-3, rtol=0)

    method, images = stage1(noise=3), batch()
    torch.manual_seed(7)
    with torch.no_grad():
        generated = method.networks["denet"](images["hr"])
        judged = method.networks["denet_discriminator"](images["real_lr"] - low_pass(images["real_lr"])).sigmoid()
    torch.manual_seed(7)
    terms = method.step(images)
    expected = (low_pass(generated) - low_pass(images["lr"])).abs().mean().item()
    assert terms["content"].item() == pytest.approx(expected, rel=1e-4)
    assert terms["denet_discriminator_real"].item() == pytest.approx(-judged.log().mean().item(), rel=1e-4)

    noisy, plain = pair(NOISY), pair()
    assert noisy.cycle_error(lr + checkerboard, lr).item() < 0.1 * plain.cycle_error(lr + checkerboard, lr).item()


def test_the_ceiling_is_tnet_on_the_pairs_that_it_is_given() -> None:
    method = pair(student=False, learned_lr=False, prepared_dsnet=False)
    before, images = snapshot(method), batch()
    assert all(torch.equal(a, b) for a, b in zip(before["tnet"], snapshot(pair())["tnet"], strict=True))
    outputs = method.networks["tnet"](images["lr"])
    terms = method.step(images)
    assert set(terms) == {"tnet_discriminator_real", "tnet_discriminator_fake", "teacher_content", "teacher_adversarial"}
    assert terms["teacher_content"].item() == pytest.approx(mean_squared_error(outputs, images["hr"]).item(), rel=1e-4)
    assert moved(method, before) == {"tnet", "tnet_discriminator"}
    assert torch.equal(method.super_resolve(images["lr"]), method.super_resolve_with("tnet", images["lr"]))


def test_an_average_is_tested_where_one_is_kept() -> None:
    method, lr = pair(average_decay=0.5), batch()["real_lr"]
    trained = method.networks["snet"](lr)[-1].clamp(0, 1)
    torch.testing.assert_close(method.super_resolve(lr), trained)  # both start as the same
    method.step(batch())
    assert not torch.allclose(method.super_resolve(lr), method.networks["snet"](lr)[-1].clamp(0, 1))


# -- cycle learning alone (Table 3) ---------------------------------------------------------------------------------------------


def cycle_gan(**fields: object) -> CycleLearning:
    method = CycleLearning(replace(SMOKE, **fields), steps_per_epoch=10)
    torch.manual_seed(0)
    method.build()
    return method


def test_cycle_learning_is_cyclegans_both_ways() -> None:
    method, images = cycle_gan(), batch()
    method.step(batch(1))  # TNet leaves the bilinear enlargement
    tnet, dsnet = method.networks["tnet"], method.networks["dsnet"]
    with torch.no_grad():
        there_and_back = F.mse_loss(dsnet(tnet(images["real_lr"])[-1]), images["real_lr"])
        back_and_there = torch.stack([F.mse_loss(sr, images["hr"]) for sr in tnet(dsnet(images["hr"]))]).mean()
        real = {"tnet": images["hr"], "dsnet": images["real_lr"]}
        caught = {name: -method.networks[f"{name}_discriminator"](x).sigmoid().log().mean() for name, x in real.items()}
    terms = method.step(images)
    assert terms["cycle_lr"].item() == pytest.approx(there_and_back.item(), rel=1e-4)
    assert terms["cycle_hr"].item() == pytest.approx(back_and_there.item(), rel=1e-4)
    for name, expected in caught.items():
        assert terms[f"{name}_discriminator_real"].item() == pytest.approx(expected.item(), rel=1e-4)
    assert {name for name in terms if not name.endswith(("real", "fake"))} == {
        "cycle_lr",
        "cycle_hr",
        "adversarial_lr",
        "adversarial_hr",
    }


def test_cycle_learning_has_no_teacher_and_needs_no_pairs() -> None:
    method, images = cycle_gan(), batch()
    del images["lr"]
    before = snapshot(method)
    method.step(images)
    method.step(images)
    assert moved(method, before) == set(method.networks) == {"tnet", "tnet_discriminator", "dsnet", "dsnet_discriminator"}
    assert not hasattr(method, "denet")
    sr = method.super_resolve(images["real_lr"])
    assert torch.equal(sr, method.networks["tnet"](images["real_lr"])[-1].detach().clamp(0, 1))


@pytest.mark.parametrize(("cycle", "adversarial"), [(1.0, 0.0), (0.0, 0.001)])
def test_each_of_its_terms_reaches_both_generators(cycle: float, adversarial: float) -> None:
    method = cycle_gan(cycle=cycle, adversarial=(0.05, 0.001, adversarial))
    before = snapshot(method)
    method.step(batch())
    assert {"tnet", "dsnet"} <= moved(method, before)


def test_learning_rates_halve_every_ten_epochs() -> None:
    method = LearnDegradation(replace(SMOKE, learning_rates=(1e-4, 1e-4, 1e-4), halving=(10, 10)), steps_per_epoch=7)
    method.build()
    for rate in method.learning_rates.values():
        assert [rate(step) for step in (0, 69, 70, 139, 140)] == [1e-4, 1e-4, 5e-5, 5e-5, 2.5e-5]


def test_super_resolve_is_the_students_last_output_in_range() -> None:
    method = pair()
    method.step(batch())
    lr = batch()["real_lr"]
    sr = method.super_resolve(lr)
    assert sr.shape == (2, 3, 64, 64)
    assert sr.min() >= 0
    assert sr.max() <= 1
    assert torch.equal(sr, method.super_resolve_with("snet", lr, step=3))
    assert torch.equal(sr, method.networks["snet"](lr)[-1].detach().clamp(0, 1))
    assert not torch.equal(sr, method.super_resolve_with("tnet", lr))
    assert all(network.training for network in method.networks.values())


@pytest.mark.parametrize("config", [SMOKE, NOISY], ids=["published", "noise input"])
@pytest.mark.parametrize("stage", [1, 2])
def test_a_stopped_run_resumed_equals_the_unbroken_one(stage: int, config: Config, tmp_path: Path) -> None:
    def fit(folder: str, steps: int) -> dict[str, Tensor]:
        method = LearnDegradation(config, 2) if stage == 1 else TeacherStudent(config, 2, denet(config))
        options = TrainerOptions(steps=steps, checkpoint_every=1, log_every=1, device="cpu")
        Trainer(method, batch, tmp_path / folder, options, seed=3).train()
        return {f"{name}.{k}": v for name, net in method.networks.items() for k, v in net.state_dict().items()}

    unbroken = fit("unbroken", 3)
    fit("stopped", 1)
    resumed = fit("stopped", 3)
    assert set(unbroken) == set(resumed)
    assert all(torch.equal(unbroken[key], resumed[key]) for key in unbroken)


# -- the stages ---------------------------------------------------------------------------------------------------------------

JOINTLY = names.trained_jointly(names.FULL)


def test_stages_are_trained_once_and_variants_apart(tmp_path: Path) -> None:
    config = replace(SMOKE, faces=(8, 6))
    experiments = Experiments(config, "", StageCache(tmp_path), seed=0, device="cpu")
    real_faces = experiments.real_faces
    assert (len(real_faces.hr), len(real_faces.real_lr), len(real_faces.test)) == (8, 6, 4)
    people = [set(images.groups) for images in (real_faces.hr, real_faces.real_lr, real_faces.test)]
    assert len(set.union(*people)) == sum(map(len, people))

    first = experiments.trained(JOINTLY)
    assert not first.reused
    assert set(first.validation[-1]) == {"step", "teacher, bicubic LR", "student, real LR"}
    again = Experiments(config, "", StageCache(tmp_path), seed=0, device="cpu")
    assert again.trained(names.DENET).reused
    assert again.trained(JOINTLY).reused
    lr = real_faces.real_lr.take([0, 1])
    assert torch.equal(first.method.super_resolve(lr), again.trained(JOINTLY).method.super_resolve(lr))
    other = experiments.trained(names.CYCLE_ONLY)
    assert other.folder != first.folder
    assert set(other.validation[-1]) == {"step", "teacher, bicubic LR"}


def test_ablations_are_as_short_as_the_whole_method_beside_them(tmp_path: Path) -> None:
    config = replace(SMOKE, faces=(8, 6), epochs=(1, 6), ablation_epochs=2, halving=(1, 3))
    experiments = Experiments(config, "", StageCache(tmp_path), seed=0, device="cpu")
    epoch = 8 // config.batch_sizes[1]
    steps = {stage.name: stage.options.steps for stage in experiments.stages()}
    ablations = {names.trained_jointly(name) for name in (names.EDGELESS, names.CANNY, names.CYCLELESS)} | {names.CYCLE_ONLY}
    assert {steps[name] for name in ablations} == {steps[experiments.whole]} == {2 * epoch}
    main = {names.trained_jointly(name) for name in (names.FULL, names.BICUBIC, names.NOISE)} | {names.CEILING}
    assert {steps[name] for name in main} == {6 * epoch}
    assert config.ablated.halving == (1, 1)  # as often

    paper = replace(experiments, config=Config.preset("paper"))
    assert paper.whole == names.trained_jointly(names.FULL)  # not trained twice


def test_the_ceiling_learns_from_the_hidden_degradation(tmp_path: Path) -> None:
    experiments = Experiments(replace(SMOKE, faces=(8, 6)), "", StageCache(tmp_path), seed=0, device="cpu")
    pairs, others = experiments.stage(names.CEILING).batches(), experiments._batches(1)
    assert torch.equal(pairs(3)["hr"], others(3)["hr"])
    assert not torch.equal(pairs(3)["lr"], others(3)["lr"])
    assert (pairs(3)["lr"] - Bicubic(4)(pairs(3)["hr"])).std() > 0.02


def test_neither_bicubic_data_nor_cycle_learning_meet_denet(tmp_path: Path) -> None:
    config = replace(SMOKE, faces=(8, 6))
    experiments = Experiments(config, "", StageCache(tmp_path / "small"), seed=0, device="cpu")
    experiments.trained(names.trained_jointly(names.BICUBIC))
    (stage_1,) = (tmp_path / "small").glob("teacher_student-denet-*")
    assert experiments.trained(names.DENET_BICUBIC).folder == stage_1
    assert not any(row["adversarial"] for row in experiments.trained(names.DENET_BICUBIC).log)
    assert experiments.stage(names.DENET).folder(experiments.cache) != stage_1

    published = replace(config, prepared_dsnet=False)
    experiments = Experiments(published, "", StageCache(tmp_path / "published"), seed=0, device="cpu")
    experiments.trained(names.trained_jointly(names.BICUBIC))
    experiments.trained(names.CYCLE_ONLY)
    assert not list((tmp_path / "published").glob("*denet-*"))
