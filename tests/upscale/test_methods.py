"""From a checkpoint alone comes the very network that was saved."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from small_methods import CONFIGS, SCALES, fresh, save_stage, shake

from facesr_lib.config import plain, restore
from facesr_lib.papers import PAPERS, human_gan, selfsr
from facesr_lib.training import load_weights
from facesr_tools.upscale import bicubic, choose, from_checkpoint, trained_checkpoints
from facesr_tools.upscale.methods import _config_classes


@pytest.mark.parametrize("paper", [paper.key for paper in PAPERS])
def test_rebuilt_network_is_the_saved_one(paper: str, stages: Path) -> None:
    found = choose("", paper, stages)
    upscaler = from_checkpoint(found, "cpu")
    method = fresh(paper)
    method.build()
    load_weights(found.path, method)
    lr = torch.rand(1, 3, 16, 24, generator=torch.Generator().manual_seed(0))
    assert upscaler.scale == SCALES[paper]
    torch.testing.assert_close(upscaler(lr), method.super_resolve(lr), rtol=0, atol=0)


@pytest.mark.parametrize("paper", [paper.key for paper in PAPERS])
def test_configs_survive_json(paper: str) -> None:
    config = CONFIGS[paper]
    assert restore(json.loads(json.dumps(plain(config))), _config_classes(paper)) == config


def test_every_preset_survives_json() -> None:
    for profile in ("smoke", "quick", "evening", "workshop", "paper"):
        config = human_gan.Config.preset(profile)
        assert restore(json.loads(json.dumps(plain(config))), _config_classes("human_gan")) == config


def test_restore_names_what_it_does_not_know() -> None:
    @dataclass(frozen=True)
    class Old:
        width: int

    classes = {"Old": Old}
    assert restore({"type": "Old", "width": 3}, classes) == Old(3)
    assert restore({"a": [1, [2]], "b": None}, {}) == {"a": (1, (2,)), "b": None}
    with pytest.raises(ValueError, match="the setting 'New' is unknown"):
        restore({"type": "New"}, classes)
    with pytest.raises(ValueError, match="'Old' is unknown or has other fields"):
        restore({"type": "Old", "width": 3, "depth": 4}, classes)
    with pytest.raises(ValueError, match="'Old' is unknown or has other fields"):
        restore({"type": "Old"}, classes)


class TestChoose:
    def test_all_super_resolvers_are_found(self, stages: Path) -> None:
        assert {one.paper for one in trained_checkpoints(stages)} == {paper.key for paper in PAPERS}

    @pytest.mark.parametrize("levels_up", [0, 1, 2])
    def test_folder_of_checkpoint_checkpoints_or_stage(self, stages: Path, levels_up: int) -> None:
        path = choose("isr", "", stages).path
        given = [path, *path.parents][levels_up]
        assert choose(str(given), "", Path("nowhere")).path.resolve() == path.resolve()

    def test_beginning_of_a_name(self, stages: Path) -> None:
        found = choose("human", "", stages)
        assert (found.paper, found.step, found.stage) == ("human_gan", 100, "human-gan-0123456789ab")

    def test_the_newest_whole_checkpoint(self, stages: Path, tmp_path: Path) -> None:
        method = fresh("human_gan")
        method.build()
        save_stage(tmp_path, "gan", method, 100)
        newest = save_stage(tmp_path, "gan", method, 200)
        assert choose("gan", "", tmp_path).step == 200
        (newest / "weights.safetensors").write_bytes(b"damaged")
        assert choose("gan", "", tmp_path).step == 100
        assert choose(str(tmp_path / "gan"), "", tmp_path).step == 100

    def test_what_is_there_is_listed(self, stages: Path) -> None:
        with pytest.raises(ValueError, match=r"(?s)no checkpoint 'nothing'.*isr-kd-0123.*human-gan-0123"):
            choose("nothing", "", stages)

    def test_nothing_there(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=r"There is none in .* facesr run 10"):
            choose("", "", tmp_path)

    def test_unknown_method(self, stages: Path) -> None:
        with pytest.raises(ValueError, match=r"no method is called 'esrgan'.*human_gan.*bicubic"):
            choose("", "esrgan", stages)

    def test_checkpoint_of_another_paper(self, stages: Path) -> None:
        with pytest.raises(ValueError, match="is a checkpoint of isr_kd, not of selfsr"):
            choose(str(stages / "isr-kd-0123456789ab"), "selfsr", stages)

    def test_a_part_of_a_training(self, stages: Path) -> None:
        with pytest.raises(ValueError, match="FlowAdaptation is a part of a training"):
            choose(str(stages / "selfsr-degradation-0123456789ab"), "", stages)

    def test_empty_folder(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="no usable checkpoint"):
            choose(str(tmp_path), "", tmp_path)


def changed(stages: Path, tmp_path: Path, **facts: object) -> Path:
    """A copy of a checkpoint with other facts."""
    copy = tmp_path / "step-00000100"
    shutil.copytree(choose("human", "", stages).path, copy)
    old = json.loads((copy / "checkpoint.json").read_text())
    kept = {key: value for key, value in (old | facts).items() if value is not None}
    (copy / "checkpoint.json").write_text(json.dumps(kept))
    return copy


def test_checkpoint_of_an_earlier_version(stages: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"earlier version.*train again"):
        choose(str(changed(stages, tmp_path, method=None)), "", stages)


def test_config_that_does_not_fit_the_weights(stages: Path, tmp_path: Path) -> None:
    wider = plain(replace(CONFIGS["human_gan"], width=16))
    found = choose(str(changed(stages, tmp_path, config=wider)), "", stages)
    with pytest.raises(ValueError, match=r"(?s)of another version.*size mismatch"):
        from_checkpoint(found, "cpu")


def test_a_growing_network_is_as_large_as_it_got(tmp_path: Path) -> None:
    """Saved at step 3 of a schedule that adds a level at 2 and at 4: x4, not the untrained x8."""
    config = replace(selfsr.Config.preset("smoke").paired, grow_at=(2, 4), fade=0)
    method = selfsr.SelfSR(config)
    method.build()
    shake(method)
    save_stage(tmp_path, "growing", method, 3)
    upscaler = from_checkpoint(choose("growing", "", tmp_path), "cpu")
    lr = torch.rand(1, 3, 8, 8)
    assert upscaler.scale == 4
    torch.testing.assert_close(upscaler(lr), method.super_resolve(lr, level=2), rtol=0, atol=0)


def test_bicubic_is_refused_below_two() -> None:
    with pytest.raises(ValueError, match="from 2 on"):
        bicubic(1)
