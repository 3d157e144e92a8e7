from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from facesr_lib.papers import (
    HUMAN_GAN,
    ISR_KD,
    PAPERS,
    SELFSR,
    TEACHER_STUDENT,
    Paper,
    human_gan,
    isr_kd,
    selfsr,
    teacher_student,
)
from facesr_lib.papers.human_gan import experiments as of_human_gan
from facesr_lib.papers.isr_kd import experiments as of_isr_kd
from facesr_lib.papers.isr_kd.names import REPLAY_2_2, SPLITS
from facesr_lib.papers.selfsr import experiments as of_selfsr
from facesr_lib.papers.selfsr.names import CYCLE_IDENTITY, FLOW
from facesr_lib.papers.teacher_student import experiments as of_teacher_student
from facesr_lib.training import Method, StageCache, Trained
from facesr_tools.trainings import faces, trainings

Kind = tuple[str, int, int]  # of method, steps, batch size


def train_all(paper: Paper, profile: str, stages: StageCache) -> None:
    """Ask a paper's experiments for its trainings, in the order of `trainings`; a stage that is there already is found again."""
    if paper is HUMAN_GAN:
        of_human_gan.Experiments(human_gan.Config.preset(profile), "", stages, 0).gan()
    elif paper is SELFSR:
        config = selfsr.Config.preset(profile)
        made = of_selfsr.Experiments(config, "", stages, 0)
        made.adaptation(FLOW)
        made.adaptation(CYCLE_IDENTITY)
        made.super_resolution(config.paired)
        made.super_resolution(config.unpaired)
        made.real(FLOW)
    elif paper is TEACHER_STUDENT:
        config = teacher_student.Config.preset(profile)
        made = of_teacher_student.Experiments(config, "", stages, 0)
        made.teacher_and_student(config)
        made.cycle_learning()
    else:
        made = of_isr_kd.Experiments(isr_kd.Config.preset(profile), "", stages, 0)
        teacher = made.teacher()
        for split in SPLITS:
            made.student(split, teacher)
        made.student(REPLAY_2_2, teacher, **of_isr_kd.EXTENSION)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[Kind]:
    """What the papers' experiments would train; nothing is trained."""
    kinds: dict[str, Kind] = {}

    def train_stage(
        cache: Any, name: str, method: Method, batches: Any, options: Any, *, key: Any, **others: Any
    ) -> Trained[Any]:
        folder = cache.folder(name, key)
        kinds[folder.name] = (type(method).__name__, options.steps, batches.batch_size)
        method.build()
        return Trained(method, folder, [], [], reused=False)

    for module in (of_human_gan, of_selfsr, of_teacher_student, of_isr_kd):
        monkeypatch.setattr(module, "train_stage", train_stage)
    return kinds  # type: ignore[return-value]


@pytest.mark.parametrize("profile", ["smoke", "quick"])
@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.key)
def test_the_list_is_what_the_papers_experiments_train(
    paper: Paper, profile: str, found: dict[str, Kind], tmp_path: Path
) -> None:
    train_all(paper, profile, StageCache(tmp_path))
    listed = [(type(training.make()).__name__, training.steps, training.batch_size) for training in trainings(paper.key, profile)]
    assert list(found.values()) == listed


def test_the_published_schedules() -> None:
    """By hand, from the papers: epochs times images over the batch size, or the steps they print."""
    steps = {training.name: training.steps for paper in PAPERS for training in trainings(paper.key, "paper")}
    assert steps["GAN"] == 80 * 63
    assert steps["with pairs x8"] == steps["real faces x4"] == 160_000
    assert steps["without pairs x8"] == 280_000
    assert steps["flow field"] == 180_000
    assert steps["DeNet"] == 50 * 20_000 // 16
    assert steps["teacher and student"] == steps["TNet, cycle only"] == 50 * 20_000 // 4
    assert steps["replay 2:1"] == 200 * 30_000 // 16
    assert steps["face-only"] == 200 * -(-162_770 // 16)


def test_a_growing_network_has_its_levels_one_after_the_other() -> None:
    (training,) = (training for training in trainings(SELFSR.key, "paper") if training.name == "with pairs x8")
    assert training.levels == {"x2": range(20_000), "x4": range(20_000, 80_000), "x8": range(80_000, 160_000)}


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.key)
def test_batches_are_of_the_presets_size_and_as_large_as_asked(paper: Paper) -> None:
    config = paper.package.Config.preset("quick")
    shapes = {shape for _, shape in paper.package.networks(config).values()}
    for training in trainings(paper.key, "quick"):
        batch = training.batches(3, torch.device("cpu"))(5)
        images = {name: value for name, value in batch.items() if value.ndim == 4}
        assert {"lr", "hr"} <= set(images)
        for name, value in images.items():
            assert len(value) == 3
            assert tuple(value.shape[1:]) in shapes or name == "hr", name  # stage 1 of SelfSR has no network at the size of HR
            assert 0 <= value.min() < value.max() <= 1


def test_faces_are_enlarged_beyond_their_own_size_only() -> None:
    small, large = faces(92).take([0, 1]), faces(200)
    assert large.size == (200, 200)
    assert len(large) == len(faces(92)) == 16
    reduced = torch.nn.functional.interpolate(large.take([0, 1]), size=(92, 92), mode="area")
    assert (reduced - small).abs().mean() < 0.02


def test_an_unknown_paper_or_profile_is_refused() -> None:
    refusals: list[tuple[Callable[[], object], str]] = [
        (lambda: trainings("gan", "quick"), "unknown paper 'gan'"),
        (lambda: trainings(ISR_KD.key, "quik"), "unknown profile 'quik'"),
    ]
    for ask, message in refusals:
        with pytest.raises(ValueError, match=message):
            ask()
