from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from facesr_lib.papers import HUMAN_GAN, ISR_KD, PAPERS, SELFSR, TEACHER_STUDENT, Paper
from facesr_lib.papers.human_gan.names import GAN
from facesr_lib.papers.isr_kd.names import EXTENDED, FACE_ONLY, SPLITS
from facesr_lib.papers.selfsr.names import CYCLE_IDENTITY, FLOW, PAIRED, UNPAIRED, on_real_faces
from facesr_lib.papers.teacher_student.names import CYCLE_ONLY, DENET, DENET_NOISE, FULL, trained_jointly
from facesr_lib.training import Stage, StageCache, Trained
from facesr_tools.trainings import faces, trainings

LISTED = {  # the stages that are trainings of a kind of their own
    HUMAN_GAN: (GAN,),
    SELFSR: (FLOW, CYCLE_IDENTITY, PAIRED, UNPAIRED, on_real_faces(FLOW)),
    TEACHER_STUDENT: (DENET, DENET_NOISE, trained_jointly(FULL), CYCLE_ONLY),
    ISR_KD: (FACE_ONLY, *SPLITS, EXTENDED),
}


def untrained(stage: Stage[Any]) -> Trained[Any]:
    """What a stage would leave if it were made without taking a step."""
    method = stage.method(*map(untrained, stage.needs))
    method.build()
    return Trained(method, Path(), [], [], reused=False)


@pytest.mark.parametrize("profile", ["smoke", "quick"])
@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.key)
def test_the_list_is_what_the_papers_experiments_train(paper: Paper, profile: str, tmp_path: Path) -> None:
    setting = paper.experiments(paper.package.Config.preset(profile), "", StageCache(tmp_path), 0, "cpu")
    found = []
    for stage in (setting.stage(name) for name in LISTED[paper]):
        batches = stage.batches(*map(untrained, stage.needs))
        found.append((type(untrained(stage).method).__name__, stage.options.steps, batches.batch_size))
    listed = [(type(training.make()).__name__, training.steps, training.batch_size) for training in trainings(paper.key, profile)]
    assert found == listed


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
