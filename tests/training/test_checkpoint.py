"""Checkpoints: damage is named and passed over, nothing half-written counts, nothing executes on loading."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from toy import ToyGAN, toy_trainer

from facesr_lib.training import load_latest, load_weights, save_checkpoint
from facesr_lib.training.checkpoint import checkpoints


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    toy_trainer(tmp_path, steps=10).train()
    return tmp_path / "checkpoints"


def fresh() -> ToyGAN:
    method = ToyGAN()
    method.build()
    return method


def identity(folder: Path) -> str:
    return json.loads((checkpoints(folder)[-1] / "checkpoint.json").read_text())["identity"]


def test_two_newest_are_kept(trained: Path) -> None:
    assert [path.name for path in sorted(trained.iterdir())] == ["step-00000005", "step-00000010"]


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGES = {
    "flipped weight byte": lambda c: flip_a_byte(c / "weights.safetensors"),
    "flipped optimizer byte": lambda c: flip_a_byte(c / "state.pt"),
    "cut short": lambda c: (c / "state.pt").write_bytes((c / "state.pt").read_bytes()[:100]),
    "missing weights": lambda c: (c / "weights.safetensors").unlink(),
    "broken json": lambda c: (c / "checkpoint.json").write_text("{"),
    "json of something else": lambda c: (c / "checkpoint.json").write_text("{}"),
    "newer format": lambda c: (c / "checkpoint.json").write_text('{"format": 99}'),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_damaged_checkpoint_is_named_and_the_previous_one_used(trained: Path, damage) -> None:
    run = identity(trained)
    damage(trained / "step-00000010")
    with pytest.warns(UserWarning, match="step-00000010 is damaged"):
        assert load_latest(trained, fresh(), run) == 5


def test_resumed_after_damage_equals_unbroken(trained: Path, tmp_path: Path) -> None:
    flip_a_byte(trained / "step-00000010" / "weights.safetensors")
    with pytest.warns(UserWarning, match="damaged"):
        resumed = toy_trainer(tmp_path, steps=15).train().method
    whole = toy_trainer(tmp_path / "whole", steps=15).train().method
    for key, value in whole.networks["generator"].state_dict().items():
        assert torch.equal(value, resumed.networks["generator"].state_dict()[key])


def test_all_damaged_starts_from_nothing(trained: Path) -> None:
    run = identity(trained)
    for path in checkpoints(trained):
        (path / "state.pt").unlink()
    with pytest.warns(UserWarning, match="damaged"):
        assert load_latest(trained, fresh(), run) == 0


def test_crash_while_writing_leaves_the_old_checkpoint(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = identity(trained)

    def crash(*args: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", crash)
    with pytest.raises(OSError, match="disk full"):
        save_checkpoint(trained, fresh(), 15, run)
    assert load_latest(trained, fresh(), run) == 10


def test_state_needs_no_pickle_beyond_tensors(trained: Path) -> None:
    state = torch.load(trained / "step-00000010" / "state.pt", weights_only=True)
    assert set(state) == {"optimizers", "rng"}


def test_load_weights_restores_the_averaged_network(trained: Path, tmp_path: Path) -> None:
    source = toy_trainer(tmp_path, steps=10).train().method
    method = fresh()
    load_weights(trained / "step-00000010", method)
    weights, loaded = (each.inference_network("generator").state_dict() for each in (source, method))
    assert not torch.equal(weights["0.weight"], source.networks["generator"].state_dict()["0.weight"])  # the average
    for key, value in weights.items():
        assert torch.equal(value, loaded[key]), key
    lr = torch.rand(2, 3, 8, 8)
    # Close, not bit for bit: passes through equal weights have been seen to round differently, by up to 9e-8.
    torch.testing.assert_close(method.super_resolve(lr), source.super_resolve(lr))
