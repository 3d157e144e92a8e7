"""ISR-KD against the released sizes, hand computation and its own objective: who feeds which term, what the teacher may do."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from facesr_lib.data import ImageSet
from facesr_lib.image import average_pool, canny, edge_residual, rgb_to_yuv, to_uint8
from facesr_lib.papers.isr_kd import (
    ISRKD,
    Config,
    Discriminator,
    Generator,
    Halvings,
    js_divergence,
    networks,
    squared_error,
    start_from,
)
from facesr_lib.papers.isr_kd import experiments as experiments_module
from facesr_lib.papers.isr_kd.experiments import ABLATIONS, EXTENSION, Experiments, augment
from facesr_lib.papers.isr_kd.names import FACE_ONLY, NO_EDGE_BLOCK, NO_KD, REPLAY_2_0, REPLAY_2_1, SPLITS, WHOLE, ablated
from facesr_lib.training import StageCache, Trainer, TrainerOptions, evaluating

TINY = replace(Config.preset("smoke"), width=1 / 32, discriminator_width=1 / 32)
NEW_TERMS = ("reconstruction", "edge", "luma_chroma", "adversarial", "d_real", "d_fake")
KD_TERMS = ("kd_output", "kd_bottleneck")


def pictures(count: int, seed: int = 0, size: int = 32) -> torch.Tensor:
    """Random blocks with hard edges, 8 bit."""
    generator = torch.Generator().manual_seed(seed)
    blocks = torch.randint(0, 256, (count, 3, size // 4, size // 4), generator=generator) / 255
    return blocks.repeat_interleave(4, 2).repeat_interleave(4, 3)


def batch(new: list[bool], seed: int = 0) -> dict[str, torch.Tensor]:
    hr = pictures(len(new), seed)
    return {"hr": hr, "lr": TINY.degradation(hr), "new": torch.tensor(new)}


def built(config: Config = TINY, teacher: torch.nn.Module | None = None, seed: int = 0) -> ISRKD:
    torch.manual_seed(seed)
    method = ISRKD(config, teacher)
    method.build()
    return method


def teacher(config: Config = TINY) -> torch.nn.Module:
    """A generator that has learnt a little, so that its edge heads and features are not those of a fresh one."""
    method = built(config, seed=1)
    for step in range(3):
        method.step(batch([True] * 4, seed=step))
    return method.networks["generator"]


def gradients(method: ISRKD, examples: dict[str, torch.Tensor]) -> dict[str, dict[str, torch.Tensor]]:
    """What a step would add to every parameter, per network: the optimizers are kept from stepping."""
    found: dict[str, dict[str, torch.Tensor]] = {}
    for name, optimizer in method.optimizers.items():
        network = method.networks[name]

        def keep(*_: object, name: str = name, network: torch.nn.Module = network) -> None:
            found[name] = {n: p.grad.clone() for n, p in network.named_parameters()}

        optimizer.register_step_pre_hook(keep)
        for group in optimizer.param_groups:
            group["lr"] = 0.0
    method.step(examples)
    return found


# -- sizes --------------------------------------------------------------------------------------------------------------


def test_parameters_are_the_released_networks() -> None:
    with torch.device("meta"):
        found = {n: sum(p.numel() for p in net.parameters()) for n, (net, _) in networks(Config.preset("paper")).items()}
    assert found == {"generator": 11_912_582, "discriminator": 64_149_889}


@pytest.mark.parametrize(("size", "width"), [(128, 1.0), (64, 1 / 8), (48, 1 / 8), (88, 1 / 4), (32, 1 / 64)])
def test_sizes(size: int, width: float) -> None:
    with torch.device("meta"):
        config = Config(hr_size=size, width=width, discriminator_width=width)
        (generator, shape), (discriminator, image) = networks(config).values()
        out = generator(torch.empty(2, *shape))
        assert out.sr.shape == (2, *image) == (2, 3, size, size)
        assert [edge.shape for edge in out.edges] == [(2, 1, size // s, size // s) for s in (4, 2, 1)]
        assert out.bottleneck.shape[2:] == (size // 8, size // 8)
        assert discriminator(torch.empty(2, *image)).shape == (2, 1)
        assert discriminator.features(torch.empty(2, *image)).shape == (2, out.bottleneck.shape[1])


def test_paper_preset_has_the_released_numbers_and_small_ones_shrink_sizes_and_steps_only() -> None:
    paper = Config.preset("paper")
    weights = (paper.edge_weight, paper.luma_chroma_weight, paper.adversarial_weight)
    assert weights == (0.3, 1.0, 5e-3)
    assert (paper.output_weight, paper.bottleneck_weight, paper.discriminator_weight) == (15.0, 0.08, 1000.0)
    assert (paper.learning_rate, paper.betas, paper.epochs) == (1e-4, (0.9, 0.999), (200, 200))
    assert [2 * paper.unit, 5 * paper.unit] == [20_000, 50_000]
    starting = ("bilinear_start", "constant_part")  # a short training starts and ends more gently
    shrinking = (
        *starting,
        "discriminator_width",
        "hr_size",
        "width",
        "learning_rate",
        "batch_size",
        "epochs",
        "ablation_epochs",
        "faces",
        "tested",
        "unit",
    )
    for profile in ("smoke", "quick", "evening", "workshop"):
        small = Config.preset(profile)
        assert replace(small, **{name: getattr(paper, name) for name in shrinking}) == paper


def test_weights_are_xavier_and_biases_zero() -> None:
    torch.manual_seed(0)
    for network in (Generator(1 / 4), Discriminator(32, 1 / 4)):
        for name, parameter in network.named_parameters():
            if name.endswith("bias"):
                assert (parameter == 0).all()
            elif parameter.numel() > 5000:
                taps = parameter[0, 0].numel() if parameter.ndim == 4 else 1
                fans = (parameter.shape[0] + parameter.shape[1]) * taps
                assert parameter.std().item() == pytest.approx(math.sqrt(2 / fans), rel=0.1)


def test_bilinear_start_enlarges_the_first_channels_bilinearly_and_changes_nothing_else() -> None:
    torch.manual_seed(0)
    plain = Generator(1 / 16)
    torch.manual_seed(0)
    network, x = Generator(1 / 16, bilinear_start=True), torch.rand(2, 32, 6, 6)
    expected = F.interpolate(x[:, :16], scale_factor=2, mode="bilinear", align_corners=False)
    torch.testing.assert_close(network.step1.up(x)[..., 1:-1, 1:-1], expected[..., 1:-1, 1:-1])
    others = dict(plain.named_parameters())
    changed = {name for name, p in network.named_parameters() if not torch.equal(p, others[name])}
    assert changed == {f"step{i}.up.weight" for i in (1, 2, 3)}


def test_the_learning_rate_stays_then_falls_to_zero_over_a_known_stage() -> None:
    config = replace(TINY, learning_rate=1e-3, constant_part=0.25)
    rate = config.schedule(100)
    assert [rate(step) for step in (0, 25, 50, 75, 99)] == pytest.approx([1e-3, 1e-3, 2e-3 / 3, 1e-3 / 3, 1e-3 / 75])
    assert {replace(config, constant_part=1.0).schedule(100)(step) for step in (0, 99)} == {1e-3}
    method = ISRKD(config, steps=100)
    method.build()
    assert {name: r(75) for name, r in method.learning_rates.items()} == pytest.approx(
        {"generator": 1e-3 / 3, "discriminator": 1e-3 / 3}
    )


# -- degradation and augmentation ---------------------------------------------------------------------------------------


def test_halvings_are_opencvs_bit_for_bit_and_average_pooling_without_the_rounding() -> None:
    hr = torch.randint(0, 256, (3, 3, 64, 64), generator=torch.Generator().manual_seed(0)) / 255
    pyramid = Halvings(8).pyramid(hr)
    assert [image.shape[-1] for image in pyramid] == [64, 32, 16, 8]
    for larger, smaller in itertools.pairwise(pyramid):
        for image, found in zip(to_uint8(larger), to_uint8(smaller), strict=True):
            size = (image.shape[2] // 2, image.shape[1] // 2)
            expected = cv2.resize(image.permute(1, 2, 0).numpy(), size, interpolation=cv2.INTER_LINEAR)
            np.testing.assert_array_equal(found.permute(1, 2, 0).numpy(), expected)
        assert torch.equal(smaller, to_uint8(smaller) / 255)
    error = (pyramid[-1] - average_pool(hr, 8)).abs().max() * 255
    assert 0 < error <= 1.5  # three roundings of half a grey level each
    tile = torch.tensor([[0, 1], [1, 1]]) / 255  # mean 0.75 -> 1; pooled in one go with zeros around it would vanish
    grid = torch.zeros(1, 1, 4, 4)
    grid[..., :2, :2] = tile
    assert to_uint8(Halvings(4)(grid)).item() == 0
    assert to_uint8(Halvings(2)(grid)).flatten().tolist() == [1, 0, 0, 0]
    with pytest.raises(ValueError, match="2, 4, 8"):
        Halvings(3)


def test_augment_gives_the_released_shares_of_mirrored_and_turned_images() -> None:
    corner = torch.zeros(4000, 1, 2, 2)
    corner[:, 0, 0, 0], corner[:, 0, 0, 1] = 1.0, 0.5  # all eight symmetries of the square look different
    found = augment(corner, torch.Generator().manual_seed(0))
    shares: dict[tuple[float, ...], float] = {}
    for image in found:
        key = tuple(image.flatten().tolist())
        shares[key] = shares.get(key, 0) + 1 / 4000
    assert len(shares) == 8
    upright, mirrored = (1.0, 0.5, 0.0, 0.0), (0.5, 1.0, 0.0, 0.0)
    for key, share in shares.items():  # half of all stay upright, half of each kind mirrored; a sixth each quarter turn
        assert share == pytest.approx(1 / 4 if key in (upright, mirrored) else 1 / 12, abs=0.03)


# -- networks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bilinear_start", [False, True])
def test_generator_by_hand(bilinear_start: bool) -> None:
    """The data flow written out once more, with functions only; the released one knows no mid-grey."""
    torch.manual_seed(3)
    network, lr = Generator(1 / 16, bilinear_start=bilinear_start), torch.rand(2, 3, 6, 6)
    black = 0.5 if bilinear_start else 0.0
    w = dict(network.named_parameters())

    def conv(name: str, x: torch.Tensor, padding: int = 1) -> torch.Tensor:
        return F.conv2d(x, w[f"{name}.weight"], w[f"{name}.bias"], padding=padding)

    def up(name: str, x: torch.Tensor) -> torch.Tensor:
        return F.conv_transpose2d(x, w[f"{name}.up.weight"], w[f"{name}.up.bias"], stride=2, padding=1).relu()

    shortcut = x = conv("first", lr - black)
    edges, features = [], []
    for name, window in (("step1", 5), ("step2", 7), ("step3", 10)):
        features.append(conv(f"{name}.conv2", conv(f"{name}.conv1", x).relu()).relu() + shortcut)
        shortcut = up(name, features[-1])
        residual = edge_residual(shortcut, window)
        edges.append(conv(f"{name}.edge", residual, padding=0).relu())
        x = torch.cat([shortcut, residual], dim=1)
    out = network(lr)
    torch.testing.assert_close(out.sr, conv("last", x, padding=0) + black)
    torch.testing.assert_close(out.bottleneck, features[0])
    for found, expected in zip(out.edges, edges, strict=True):
        torch.testing.assert_close(found, expected)


def test_extended_network_is_the_teacher_until_it_is_trained() -> None:
    old = teacher()
    student = built(replace(TINY, **EXTENSION), old).networks["generator"]
    lr = batch([True] * 3)["lr"]
    for found, expected in zip(student(lr), old(lr), strict=True):
        torch.testing.assert_close(found, expected)
    extra = sum(p.numel() for n, p in student.named_parameters() if ".extra." in n)
    assert extra == sum(p.numel() for p in student.parameters()) - sum(p.numel() for p in old.parameters()) > 0
    found = gradients(built(replace(TINY, **EXTENSION), old), batch([True, False]))["generator"]
    assert all(found[f"step{i}.extra.0.last.weight"].abs().sum() > 0 for i in (1, 2, 3))  # and it can leave the identity
    with pytest.raises(ValueError, match="another network"):
        start_from(Generator(TINY.width), student)


def test_without_the_edge_block_sizes_and_parameters_stay() -> None:
    torch.manual_seed(0)
    plain = Generator(1 / 16, edge_block=False)
    torch.manual_seed(0)
    whole = Generator(1 / 16)
    assert [p.shape for p in plain.parameters()] == [p.shape for p in whole.parameters()]
    lr = torch.rand(1, 3, 4, 4)
    torch.testing.assert_close(plain(lr).bottleneck, whole(lr).bottleneck)
    assert not torch.allclose(plain(lr).sr, whole(lr).sr)


def test_edge_discriminator_is_given_six_planes() -> None:
    discriminator = Discriminator(32, 1 / 16, edge_input=True)
    assert discriminator.convolutions[0].in_channels == 6
    flat = torch.full((1, 3, 32, 32), 0.5)
    with torch.no_grad():
        discriminator.convolutions[0].weight[:, :3] = 0  # blind to the image itself: a flat one has no edges
        torch.testing.assert_close(discriminator(flat), discriminator(0.2 * flat))


# -- objective ----------------------------------------------------------------------------------------------------------


def test_step_logs_the_released_objective_in_grey_levels() -> None:
    """Every term, computed from images on [0, 255] with the released weights, for a batch of two old and two new images."""
    old = teacher()
    student = built(replace(TINY, identity_weight=2.0), old, seed=5)
    generator, discriminator = student.networks["generator"], student.networks["discriminator"]
    with torch.no_grad():  # let the student differ from its teacher
        for parameter in generator.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    examples = batch([True, False, True, False])
    new, hr = [0, 2], 255 * examples["hr"][[0, 2]]
    with torch.no_grad():
        out, taught = generator(examples["lr"]), old(examples["lr"])
        real, fake = released_scores(discriminator, hr), released_scores(discriminator, 255 * out.sr[new])
        features = discriminator.features(out.sr[new]), discriminator.features(hr / 255)
    sr = 255 * out.sr[new]
    reduced = [average_pool(average_pool(hr / 255, 2), 2), average_pool(hr / 255, 2), hr / 255]
    maps = [255 * canny((image * 255).round() / 255, 50, 255) for image in reduced]

    def mse(a: torch.Tensor, b: torch.Tensor) -> float:
        return (a - b).square().mean().item()  # over the two images of one domain, whatever else the batch holds

    p, q = (f.double().softmax(1) for f in features)
    entropy = lambda t: -(t * t.log()).sum(1)  # noqa: E731
    expected = {
        "reconstruction": mse(sr, hr),
        "edge": 0.3 * sum(mse(255 * e[new], m) for e, m in zip(out.edges, maps, strict=True)),
        "luma_chroma": mse(rgb_to_yuv(sr), rgb_to_yuv(hr)),
        "adversarial": 5e-3 * -F.logsigmoid(fake).mean().item(),
        "identity": 2.0 * (entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2).mean().item(),
        "kd_output": 15 * mse(255 * out.sr[[1, 3]], 255 * taught.sr[[1, 3]]),
        "kd_bottleneck": 0.08 * mse(255 * out.bottleneck[[1, 3]], 255 * taught.bottleneck[[1, 3]]),
        "d_real": 1000 * -F.logsigmoid(real).mean().item(),
        "d_fake": 1000 * -F.logsigmoid(-fake).mean().item(),
    }
    student.optimizers["discriminator"].param_groups[0]["lr"] = 0.0  # the generator's terms meet an updated one
    found = {name: term.item() for name, term in student.step(examples).items()}
    assert found == pytest.approx(expected, rel=1e-3)


def test_faces_alone_feed_only_distillation_and_cartoons_alone_everything_else() -> None:
    old = teacher()
    student = built(TINY, old, seed=5)
    with torch.no_grad():
        for parameter in student.networks["generator"].parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    for new, fed, silent in ((False, KD_TERMS, NEW_TERMS), (True, NEW_TERMS, KD_TERMS)):
        for weights in (dict.fromkeys(("output_weight", "bottleneck_weight"), 0.0), {}):
            one = ISRKD(replace(TINY, **weights), old)
            one.build()
            one.networks["generator"].load_state_dict(student.networks["generator"].state_dict())
            terms_and_gradients = gradients(one, batch([new] * 4))
            moved = any(g.abs().sum() > 0 for g in terms_and_gradients["generator"].values())
            assert moved == (new or not weights)
            judged = any(g.abs().sum() > 0 for g in terms_and_gradients["discriminator"].values())
            assert judged == new
        terms = {name: term.item() for name, term in one.step(batch([new] * 4)).items()}
        assert all(terms[name] == 0 for name in silent)
        assert all(terms[name] > 0 for name in fed)


def moved_student() -> tuple[ISRKD, torch.nn.Module]:
    """A student that has left its teacher, so that distillation has a gradient, and the teacher."""
    old = teacher()
    student = built(replace(TINY, discriminator_weight=0.0), old, seed=5)  # a D that all steps share
    with torch.no_grad():
        for parameter in student.networks["generator"].parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return student, old


def assert_same(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    for name, value in found.items():
        torch.testing.assert_close(value, expected[name], rtol=1e-3, atol=1e-3 * expected[name].abs().max().item() + 1e-6)


def test_a_batch_is_the_mean_of_its_cartoons_plus_the_mean_of_its_faces() -> None:
    """Its gradient, from the gradients of its images taken one by one, as with the released batch of one."""
    student, _ = moved_student()
    whole, new = batch([True, False, False, True, False]), [True, False, False, True, False]
    together = gradients(student, whole)["generator"]
    single = [gradients(student, {k: v[i : i + 1] for k, v in whole.items()})["generator"] for i in range(5)]
    for name in together:
        cartoons, faces = ([g[name] for g, n in zip(single, new, strict=True) if n is kind] for kind in (True, False))
        single[0][name] = torch.stack(cartoons).mean(0) + torch.stack(faces).mean(0)
    assert_same(together, single[0])


def test_distillation_weighs_the_same_however_many_faces_a_batch_holds() -> None:
    student, _ = moved_student()
    few = batch([True, True, False])
    many = {name: torch.cat([value, value[2:], value[2:], value[2:]]) for name, value in few.items()}
    assert many["new"].tolist() == [True, True, False, False, False, False]
    assert_same(gradients(student, many)["generator"], gradients(student, few)["generator"])
    one, two = (student.step(examples) for examples in (few, many))
    assert {n: t.item() for n, t in one.items()} == pytest.approx({n: t.item() for n, t in two.items()}, rel=1e-4)


def test_discriminator_learns_nothing_from_old_images() -> None:
    """Other faces in their place, even broken ones, change neither its gradient nor its terms."""
    found = []
    for seed in (0, 1):
        examples, others = batch([True, False, True, False]), batch([True, False, True, False], seed=7 + seed)
        for name in ("hr", "lr"):
            examples[name][1::2] = others[name][1::2] * (1 + 1e6 * seed)
        student = built(TINY, teacher())
        found.append((gradients(student, examples)["discriminator"], student.step(examples)))
    for name, value in found[0][0].items():
        assert torch.equal(value, found[1][0][name])
        assert value.abs().sum() > 0
    assert all(torch.equal(found[0][1][name], found[1][1][name]) for name in ("d_real", "d_fake"))


def test_a_step_waits_for_no_data() -> None:
    """No operation whose shape or whose Python value depends on data: on a GPU it would stop the host, and torch.compile."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Refuse(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            name = str(function)
            masks = (
                [i for i in args[1] if i is not None and i.dtype == torch.bool]
                if name.startswith(("aten.index.", "aten.index_put"))
                else []
            )
            waits = masks or any(word in name for word in ("_local_scalar_dense", "nonzero", "masked_select"))
            assert not waits, f"{name} needs data on the host"
            return function(*args, **(kwargs or {}))

    with Refuse(), pytest.raises(AssertionError, match="needs data"):  # it sees what a mask does
        torch.ones(3)[torch.tensor([True, False, True])]
    student = built(replace(TINY, identity_weight=1.0), teacher())

    def backward_only(name: str, terms: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        torch.stack(list(terms.values())).sum().backward()
        return terms

    student.update = backward_only  # type: ignore[method-assign,assignment]
    for new in ([True, False, True], [False] * 3, [True] * 3):
        with Refuse():
            terms = student.step(batch(new))
        assert all(term.isfinite() for term in terms.values())


def released_scores(discriminator: Discriminator, image: torch.Tensor) -> torch.Tensor:
    """The released discriminator written out with functions: an image in [0, 255] -> (N,), with our weights."""
    w = dict(discriminator.named_parameters())
    x = image
    for place, stride in zip(range(0, 14, 2), (1, 2, 1, 2, 1, 2, 1), strict=True):
        x = F.conv2d(x, w[f"convolutions.{place}.weight"], w[f"convolutions.{place}.bias"], stride, padding=2 - stride)
        x = F.leaky_relu(x, 0.2) if place < 12 else x
    x = F.leaky_relu(F.linear(x.flatten(1), w["hidden.weight"], w["hidden.bias"]), 0.2)
    return F.linear(x, w["score.weight"], w["score.bias"])[:, 0]


def test_adversarial_gradient_on_the_image_is_the_released_one() -> None:
    """On its own, and beside that of the reconstruction: the ratio that decides how much of a GAN this is."""
    torch.manual_seed(0)
    discriminator, hr = Discriminator(32, 1 / 16), pictures(3, seed=1)
    start = (pictures(3, seed=2) + hr) / 2
    with torch.no_grad():
        for name, parameter in discriminator.named_parameters():
            if name.endswith("bias"):
                parameter.normal_()  # without biases a leaky network would not see the scale in the gradient's direction

    ours, grey = start.clone().requires_grad_(), (255 * start).requires_grad_()
    torch.testing.assert_close(discriminator(ours)[:, 0], released_scores(discriminator, grey), rtol=1e-4, atol=1e-3)
    (adversarial,) = torch.autograd.grad(5e-3 * F.softplus(-discriminator(ours)).mean(), ours)
    (released,) = torch.autograd.grad(5e-3 * -F.logsigmoid(released_scores(discriminator, grey)).mean(), grey)
    torch.testing.assert_close(adversarial / 255, released, rtol=1e-3, atol=1e-9)
    (pixel,) = torch.autograd.grad(squared_error(ours, hr).mean(), ours)
    (released_pixel,) = torch.autograd.grad(F.mse_loss(grey, 255 * hr), grey)
    ratio, expected = adversarial.norm() / pixel.norm(), released.norm() / released_pixel.norm()
    assert ratio.item() == pytest.approx(expected.item(), rel=1e-3)
    assert released.norm() > 0


def test_js_divergence_is_symmetric_bounded_and_zero_for_equal_distributions() -> None:
    @settings(max_examples=30, deadline=None)
    @given(st.integers(0, 2**32), st.floats(0.01, 300.0))
    def check(seed: int, spread: float) -> None:
        generator = torch.Generator().manual_seed(seed)
        p, q = (spread * torch.randn(3, 8, generator=generator, dtype=torch.float64) for _ in range(2))
        divergence = js_divergence(p, q)
        torch.testing.assert_close(divergence, js_divergence(q, p))
        assert (divergence >= -1e-12).all()
        assert (divergence <= math.log(2) + 1e-12).all()
        torch.testing.assert_close(js_divergence(p, p + 3.0), torch.zeros(3, dtype=torch.float64), atol=1e-7, rtol=0)

    check()
    apart = torch.tensor([[0.0, 200.0]])
    assert js_divergence(apart, apart.flip(1)).item() == pytest.approx(math.log(2))


def test_identity_term_is_off_by_default_and_an_ablation_turns_it_on() -> None:
    assert "identity" not in built().step(batch([True, True]))
    assert "identity" in built(replace(TINY, **ABLATIONS["identity loss"])).step(batch([True, True]))


# -- the teacher --------------------------------------------------------------------------------------------------------


def test_student_starts_as_the_teacher_so_that_distillation_starts_at_zero() -> None:
    old = teacher()
    terms = built(TINY, old).step(batch([False] * 4))
    assert terms["kd_output"].item() == terms["kd_bottleneck"].item() == 0
    mixed = built(TINY, old).step(batch([True, False, False]))
    assert mixed["kd_output"].item() < 1e-4
    assert mixed["kd_bottleneck"].item() < 1e-4
    for extended in (built(replace(TINY, **EXTENSION), old), built(TINY, old)):
        later = [extended.step(batch([True, False, False], seed=i)) for i in range(2)]
        assert later[1]["kd_output"] > 1


def test_teacher_is_a_frozen_copy_in_evaluation_mode_outside_the_checkpoint(tmp_path: Path) -> None:
    old = teacher()
    student = ISRKD(TINY, old)
    start = {name: value.clone() for name, value in old.state_dict().items()}
    Trainer(student, lambda step: batch([True, False], seed=step), tmp_path, TrainerOptions(2, device="cpu"), seed=0).train()
    copied = student.teacher
    assert copied is not None
    assert copied is not old
    assert not any(module.training for module in copied.modules())
    assert not any(parameter.requires_grad or parameter.grad is not None for parameter in copied.parameters())
    assert all(torch.equal(value, start[name]) for name, value in copied.state_dict().items())
    assert all(torch.equal(value, start[name]) for name, value in old.state_dict().items())
    assert all(parameter.requires_grad for parameter in student.networks["generator"].parameters())
    from safetensors.torch import load_file

    (weights,) = tmp_path.glob("checkpoints/*/weights.safetensors")
    prefixes = {name.split("/")[0] for name in load_file(weights)}
    assert prefixes == {"network.generator", "network.discriminator"}
    count = sum(p.numel() for n in student.networks.values() for p in n.parameters())
    assert sum(value.numel() for value in load_file(weights).values()) == count


# -- stages -------------------------------------------------------------------------------------------------------------


def image_set(name: str, count: int, seed: int) -> ImageSet:
    pixels = to_uint8(pictures(count, seed)).permute(0, 2, 3, 1).numpy().copy()
    return ImageSet(name, pixels, tuple(f"{name}{i // 2}" for i in range(count)), "made by a test")


FACES = {("train", "faces"): (8, 1), ("val", "faces"): (2, 3), ("test", "faces"): (2, 5)}
CARTOONS = {("train", "cartoons"): (20, 2), ("val", "cartoons"): (4, 4), ("test", "cartoons"): (2, 6)}


@pytest.fixture(autouse=True)
def small_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random pictures in place of every data root's: (number, seed) by split and domain."""

    def load(domain: str, split: str) -> ImageSet:
        count, seed = (FACES | CARTOONS)[split, domain]
        return image_set(f"{split} {domain}", count, seed)

    monkeypatch.setattr(experiments_module, "load_faces", lambda root, split, *_: load("faces", split))
    monkeypatch.setattr(experiments_module, "load_cartoons", lambda root, split, *_: load("cartoons", split))


def experiments(root: Path, **changes: object) -> Experiments:
    config = replace(TINY, batch_size=4, unit=4, epochs=(2, 4), faces=None, **changes)
    return Experiments(config, "", StageCache(root), seed=0, device="cpu")


def test_stages_are_made_once_and_splits_have_the_released_ratios(tmp_path: Path) -> None:
    here = experiments(tmp_path)
    taught = here.trained(FACE_ONLY)
    assert not taught.reused
    assert len(taught.log) == 2 * 2
    for split in SPLITS:
        cartoons, faces = (4 * int(part) for part in split.removeprefix("replay ").split(":"))
        found = {domain.name: len(domain.images) for domain in here.domains(split)}
        assert found == {"cartoons": cartoons} | ({"faces": faces} if faces else {})
    student = here.trained(REPLAY_2_1)
    assert len(student.log) == 4 * 3
    assert experiments(tmp_path).trained(REPLAY_2_1).reused
    assert here.stage(ablated(NO_KD)).folder(here.cache) != student.folder
    assert here.whole == ablated(WHOLE)  # ablations, and the whole student beside them, train for less
    assert {here.stage(ablated(name)).options.steps for name in (WHOLE, NO_KD, NO_EDGE_BLOCK)} == {1 * 3}
    assert experiments(tmp_path, ablation_epochs=4).whole == REPLAY_2_1
    with pytest.raises(ValueError, match="needs 28 cartoons, there are 20"):
        here.domains("replay 7:1")


def test_a_students_discriminator_goes_on_from_the_teachers_unless_it_has_another_shape(tmp_path: Path) -> None:
    here = experiments(tmp_path)
    teacher, taught = here.stage(FACE_ONLY), here.trained(FACE_ONLY)
    still = {"learning_rate": 1e-30}  # so that a student is what it started from
    edge_discriminator = {**ABLATIONS["edge discriminator"], **still}
    weights = lambda trained: trained.method.networks["discriminator"].state_dict()  # noqa: E731
    student = here._stage("still", (), still, REPLAY_2_1, teacher).train(here.cache)
    torch.testing.assert_close(weights(student), weights(taught), rtol=0, atol=1e-20)
    fresh = built(replace(here.config, **ABLATIONS["edge discriminator"]), taught.method.networks["generator"], seed=0)
    stage = here._stage("edge", (), edge_discriminator, REPLAY_2_1, teacher)
    edge = stage.train(here.cache)
    torch.testing.assert_close(weights(edge), fresh.networks["discriminator"].state_dict(), rtol=0, atol=1e-20)
    further = here._stage("further", (), edge_discriminator, REPLAY_2_1, stage).train(here.cache)  # of one shape again
    torch.testing.assert_close(weights(further), weights(edge), rtol=0, atol=1e-20)


@pytest.mark.parametrize(("asked", "given"), [(2, 2), (4, 4), (10_000, 4)])
def test_fewer_images_than_a_split_needs_shrink_its_unit(tmp_path: Path, asked: int, given: int) -> None:
    """Eight faces are two units of four at most, twenty cartoons five."""
    here = replace(experiments(tmp_path), config=replace(TINY, unit=asked))
    assert here.unit == given
    assert {split: len(here.domains(split)[0].images) for split in SPLITS} == {
        split: given * int(split.removeprefix("replay ").split(":")[0]) for split in SPLITS
    }


def test_previews_show_every_validation_and_ends_with_the_final_student(tmp_path: Path) -> None:
    here = experiments(tmp_path)
    student = here.trained(REPLAY_2_0)
    frames = student.previews()
    assert [step for step, _ in frames] == [int(row["step"]) for row in student.validation]
    assert frames[-1][0] == len(student.log)
    hr = here.previewed
    assert len(hr) == 2 + 3  # all of the two faces, three of the cartoons
    final = student.method.super_resolve(here.config.degradation(hr))
    assert torch.equal(to_uint8(frames[-1][1]), to_uint8(final))
    assert not torch.equal(frames[0][1], frames[-1][1])


@pytest.mark.parametrize("stop", [3, 7])
def test_a_stopped_student_goes_on_as_if_nothing_had_happened(tmp_path: Path, stop: int) -> None:
    whole, parts = experiments(tmp_path / "whole"), experiments(tmp_path / "parts")
    expected = whole.trained(REPLAY_2_1)

    class Killed(Exception):
        pass

    parts.trained(FACE_ONLY)
    step, calls = ISRKD.step, []

    def dying(self: ISRKD, examples: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        calls.append(1)
        if len(calls) == stop:
            raise Killed
        return step(self, examples)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ISRKD, "step", dying)
        with pytest.raises(Killed):
            parts.trained(REPLAY_2_1)
    found = parts.trained(REPLAY_2_1)
    for name, network in expected.method.networks.items():
        other = found.method.networks[name].state_dict()
        assert all(torch.equal(value, other[key]) for key, value in network.state_dict().items())
    assert (expected.log, expected.validation) == (found.log, found.validation)
    for (_, a), (_, b) in zip(expected.previews(), found.previews(), strict=True):
        assert torch.equal(a, b)


def test_one_batch_of_both_domains_is_learnt_without_leaving_the_teacher() -> None:
    """Forgetting and its cure on four images: fine-tuned on cartoons the faces change, distilled they change much less."""
    old, config = teacher(), replace(TINY, width=1 / 32, learning_rate=1e-3)
    examples = batch([True, True, False, False])
    with evaluating(old):
        before = old(examples["lr"]).sr
    found = {}
    for name, weights in (("fine-tuned", ABLATIONS["no KD"]), ("distilled", {})):
        student = built(replace(config, **weights), old)
        for _ in range(60):
            terms = student.step(examples)
        after = student.outputs(examples["lr"]).sr
        found[name] = (after - before)[2:].square().mean().item(), terms["reconstruction"].item()
    start = built(config, old).step(examples)["reconstruction"].item()
    assert found["distilled"][0] < 0.1 * found["fine-tuned"][0]
    assert max(found["fine-tuned"][1], found["distilled"][1]) < 0.9 * start


def test_super_resolve_is_in_range_repeatable_and_leaves_training_mode() -> None:
    method = built()
    lr = torch.from_numpy(np.random.default_rng(0).random((2, 3, 4, 4), np.float32))
    first = method.super_resolve(lr)
    assert first.shape == (2, 3, 32, 32)
    assert 0 <= first.min() <= first.max() <= 1
    assert torch.equal(first, method.super_resolve(lr))
    assert all(network.training for network in method.networks.values())
