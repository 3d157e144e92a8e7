"""Every preset starts sane: on real faces, what its networks make, its first gradients, and one whole step at the published size.

An untrained network cannot make faces, but it must not start at hundreds of times their contrast either: then a training spends
itself on coming back, or never does. SelfSR's third level at the `paper` preset, with 128 px and 256 channels, is left to
`facesr rehearse`: it takes too long here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from facesr_lib.config import PROFILES
from facesr_lib.papers import HUMAN_GAN, ISR_KD, PAPERS, SELFSR, Paper, human_gan
from facesr_lib.papers.isr_kd.names import EXTENDED, FACE_ONLY, REPLAY_2_1
from facesr_lib.papers.selfsr.super_resolution import from_signed, to_signed
from facesr_lib.training import Batch
from facesr_tools.trainings import Training, faces, trainings

PRESETS = [(paper, profile) for paper in PAPERS for profile in PROFILES]
LEVEL = 2  # of SelfSR's networks at the `paper` preset
STEEPEST = {ISR_KD.key: 3e4}  # norm of a first gradient; its discriminator may be given grey levels, 255 times ours


def real_faces(count: int, size: int) -> Tensor:
    return faces(size).take(range(0, 2 * count, 2))


def as_given(paper: Paper, name: str, image: Tensor) -> Tensor:
    """Faces in [0, 1] in the range in which a method gives them to its network."""
    if paper is HUMAN_GAN:
        return human_gan.normalise(image)
    return to_signed(image) if paper is SELFSR and name.startswith(("generator", "discriminator")) else image


def as_seen(paper: Paper, name: str, image: Tensor) -> Tensor:
    """The inverse."""
    if paper is HUMAN_GAN:
        return human_gan.denormalise(image)
    return from_signed(image) if paper is SELFSR and name.startswith("generator") else image


def run(paper: Paper, profile: str, name: str, network: nn.Module, shape: tuple[int, int, int]) -> list[Tensor]:
    """What a network makes of real faces, in training mode; two faces, one at the `paper` preset."""
    count, size = (1 if profile == "paper" else 2), shape[1]
    grows = profile == "paper" and paper is SELFSR and name.startswith(("generator", "discriminator"))
    if grows and name.startswith("discriminator"):
        size = 16 * 2**LEVEL
    given = as_given(paper, name, real_faces(count, size))
    return tree_leaves(network(given, LEVEL) if grows else network(given))


@pytest.mark.parametrize(("paper", "profile"), PRESETS, ids=[f"{paper.key}-{profile}" for paper, profile in PRESETS])
def test_every_network_starts_at_the_scale_of_its_task(paper: Paper, profile: str) -> None:
    torch.manual_seed(0)
    found = paper.package.networks(paper.package.Config.preset(profile))
    while found:  # one after another, and gone before the next
        name = next(iter(found))
        network, shape = found.pop(name)
        outputs = run(paper, profile, name, network, shape)
        for output in outputs:
            about = f"{name}: mean {output.mean():.3g}, std {output.std(correction=0):.3g} of {tuple(output.shape)}"
            assert output.isfinite().all(), about
            if output.ndim == 4 and output.shape[1] == 3:
                image = as_seen(paper, name, output)
                assert abs(image.mean() - 0.5) < 1, about
                assert image.std() < 2, about
            else:  # scores, flows, edge maps, features
                assert output.abs().max() < 20, about

        torch.stack([output.square().mean() for output in outputs]).sum().backward()
        slopes = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
        assert slopes, name
        norm = torch.stack([slope.norm() for slope in slopes]).norm()
        assert norm.isfinite(), name
        assert 1e-6 < norm < STEEPEST.get(paper.key, 1e3), f"{name}: the first gradient's norm is {norm:.3g}"


# -- one step at the published size ---------------------------------------------------------------------------------------------

LARGEST = {ISR_KD.key: 3e5}  # of a loss term; its squared errors count grey levels, 255^2 times ours
HEAVY = {"replay 2:0", "replay 2:2", "replay 5:1", EXTENDED}  # one student stands for all


def published() -> Iterator[Any]:
    """The trainings of the `paper` presets, with a step in the middle of a level's fade-in."""
    for training in itertools.chain.from_iterable(trainings(paper.key, "paper") for paper in PAPERS):
        if training.name in HEAVY:
            continue
        levels = list(training.levels.items())[: LEVEL if training.name.startswith("with pairs") else 1]
        for level, steps in levels:
            fading = 5_000 if steps[0] else 0
            yield pytest.param(training, steps[fading], id=f"{training.paper}, {training.name} {level}".rstrip())


def smallest(training: Training) -> Batch:
    """The first batch of as few images as there can be; if it needs two, both kinds of image are in it."""
    batches = training.batches(training.least_batch, torch.device("cpu"))
    drawn = (batches(step) for step in itertools.count())
    return next(batch for batch in drawn if training.least_batch == 1 or "new" not in batch or 0 < batch["new"].sum() < 2)


@pytest.mark.parametrize(("training", "step"), list(published()))
def test_one_step_at_the_published_size(training: Training, step: int) -> None:
    torch.manual_seed(0)
    method = training.make()
    method.build()
    before = {name: [parameter.detach().clone() for parameter in net.parameters()] for name, net in method.networks.items()}
    method.begin_step(step)
    terms = method.step(smallest(training))

    assert terms
    for name, value in terms.items():
        assert value.isfinite(), name
        assert abs(value) < LARGEST.get(training.paper, 30), f"{name}: {value:.4g}"
    for name, network in method.networks.items():
        parameters = list(network.parameters())
        assert all(parameter.isfinite().all() for parameter in parameters), name
        assert any(not torch.equal(old, new) for old, new in zip(before[name], parameters, strict=True)), f"{name} did not move"


def test_the_published_steps_are_of_every_kind_of_training() -> None:
    names = {case.values[0].name for case in published()}
    assert {FACE_ONLY, REPLAY_2_1} <= names
    assert names | HEAVY == {training.name for paper in PAPERS for training in trainings(paper.key, "paper")}
