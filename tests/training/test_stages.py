"""Configs hash by content; stages run once per key."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from toy import ToyGAN, batches, validate

from facesr_lib.training import StageCache, Trained, TrainerOptions, config_hash, train_stage


@dataclass(frozen=True)
class Blur:
    sigma: float = 1.0


@dataclass(frozen=True)
class Noise:
    sigma: float = 1.0


@dataclass(frozen=True)
class Config:
    degradation: object = Blur()
    sizes: tuple[int, int] = (4, 8)


def test_hash_sees_values_and_types_but_not_order() -> None:
    assert config_hash(Config()) == config_hash(Config(sizes=(4, 8)))
    assert config_hash({"a": 1, "b": 2}) == config_hash({"b": 2, "a": 1})
    assert (
        len({config_hash(c) for c in (Config(), replace(Config(), sizes=(4, 9)), Config(Noise()), Config(Blur(2.0)))})
        == 4
    )


def test_hash_is_the_same_on_every_machine() -> None:
    # sha256 of {"a":[1,2.5,"x",null]} by sha256sum
    assert config_hash({"a": (1, 2.5, "x", None)}) == "a4f988f6e6aa"


def test_what_cannot_be_hashed_honestly_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        config_hash({"a": object()})


def test_stage_runs_once_per_key_and_again_after_an_interruption(tmp_path: Path) -> None:
    cache, calls = StageCache(tmp_path), []

    def produce(folder: Path) -> None:
        calls.append(folder)
        (folder / "partial").write_text("x")
        if len(calls) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.run("train", {"config": Config()}, produce)
    assert not cache.is_done("train", {"config": Config()})
    folder = cache.run("train", {"config": Config()}, produce)
    assert cache.run("train", {"config": Config()}, produce) == folder
    assert calls == [folder, folder]
    assert (folder / "partial").exists()  # what the interrupted call left is still there to go on from
    assert cache.run("train", {"config": Config(sizes=(1, 1))}, produce) != folder


def test_fresh_redoes_only_what_is_older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, calls = StageCache(tmp_path), []
    cache.run("train", {}, lambda folder: calls.append("first"))
    monkeypatch.setenv("FACESR_FRESH", str(time.time() + 0.01))
    time.sleep(0.02)
    cache.run("train", {}, lambda folder: calls.append("again"))
    cache.run("train", {}, lambda folder: calls.append("not again"))
    assert calls == ["first", "again"]


def test_train_stage_trains_once_and_loads_the_same_weights(tmp_path: Path) -> None:
    def run() -> Trained:
        options = TrainerOptions(steps=12, log_every=3, checkpoint_every=5, validate_every=4, device="cpu")
        return train_stage(
            StageCache(tmp_path), "toy", ToyGAN(), batches, options, seed=7, key={"toy": 1}, validate=validate
        )

    first, second = run(), run()
    assert (first.reused, second.reused) == (False, True)
    assert first.log == second.log
    assert [row["step"] for row in second.validation] == [4, 8, 12]
    lr = batches(99)["lr"]
    torch.testing.assert_close(first.method.super_resolve(lr), second.method.super_resolve(lr), rtol=0, atol=0)
