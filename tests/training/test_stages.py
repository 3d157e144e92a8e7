"""Configs hash by content; stages run once per key."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from toy import ToyGAN, batches, validate

from facesr_lib.config import config_hash, fingerprint
from facesr_lib.training import StageCache, Trained, TrainerOptions, train_stage


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
    assert len({config_hash(c) for c in (Config(), replace(Config(), sizes=(4, 9)), Config(Noise()), Config(Blur(2.0)))}) == 4


def test_hash_is_the_same_on_every_machine() -> None:
    # sha256 of {"a":[1,2.5,"x",null]} by sha256sum
    assert config_hash({"a": (1, 2.5, "x", None)}) == "a4f988f6e6aa"


def test_what_cannot_be_hashed_honestly_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        config_hash({"a": object()})


def test_stage_is_done_once_its_block_ends_and_keeps_what_an_interruption_left(tmp_path: Path) -> None:
    cache, key = StageCache(tmp_path), {"config": Config()}
    folder = cache.folder("train", key)

    def interrupted() -> None:
        with cache.stage("train", key) as there:
            (there / "partial").write_text("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not cache.is_done("train", key)
    with cache.stage("train", key) as again:
        assert again == folder
        assert (folder / "partial").exists()  # to go on from
        assert not cache.is_done("train", key)
    assert cache.is_done("train", key)
    marker = (folder / "done.json").read_bytes()
    with cache.stage("train", key):
        assert (folder / "partial").exists()
    assert (folder / "done.json").read_bytes() == marker
    assert not cache.is_done("train", {"config": Config(sizes=(1, 1))})


def test_fresh_redoes_only_what_is_older(tmp_path: Path) -> None:
    def work(cache: StageCache) -> bool:
        with cache.stage("train", {}) as folder:
            found = (folder / "result").exists()
            (folder / "result").touch()
        return found

    assert not work(StageCache(tmp_path))
    time.sleep(0.02)
    fresh = StageCache(tmp_path, fresh_since=time.time())
    assert not work(fresh)
    assert work(fresh)
    assert work(StageCache(tmp_path))


def write_package(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


SOURCE = '''"""A module."""

import torch


class Network(torch.nn.Module):
    """A network."""

    def forward(self, x):
        """Twice x."""
        # because
        return 2 * x
'''


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("A module.", "Another story.", True),
        ('    """A network."""\n\n', "", True),
        ("Twice x.", "x, doubled.", True),
        ("# because", "# for another reason", True),
        ("return 2 * x", "return (2 *\n                x)", True),
        ("return 2 * x", "return 3 * x", False),
        ("Network(", "Net(", False),
        ('"""Twice x."""', 'note = """Twice x."""', False),
    ],
)
def test_fingerprint_sees_code_but_no_words_about_it(tmp_path: Path, old: str, new: str, same: bool) -> None:
    assert old in SOURCE
    before = write_package(tmp_path / "before", {"nn/network.py": SOURCE})
    after = write_package(tmp_path / "after", {"nn/network.py": SOURCE.replace(old, new)})
    assert (fingerprint(before) == fingerprint(after)) == same


def test_fingerprint_sees_names_of_files_but_not_what_trains_nothing(tmp_path: Path) -> None:
    files = {"papers/x/__init__.py": "a = 1", "papers/x/claims.toml": "b = 1", "plot/figures.py": "c = 1"}
    plain = fingerprint(write_package(tmp_path / "plain", files))
    others = {"papers/x/claims.toml": "b = 2", "plot/figures.py": "c = 2"}
    assert fingerprint(write_package(tmp_path / "others", files | others)) == plain
    moved = {"papers/x/moved.py" if name.endswith("__init__.py") else name: text for name, text in files.items()}
    assert fingerprint(write_package(tmp_path / "moved", moved)) != plain
    assert fingerprint(write_package(tmp_path / "changed", files | {"papers/x/__init__.py": "a = 2"})) != plain


def test_train_stage_trains_once_and_loads_the_same_weights(tmp_path: Path) -> None:
    def run() -> Trained:
        options = TrainerOptions(steps=12, log_every=3, checkpoint_every=5, validate_every=4, device="cpu")
        return train_stage(StageCache(tmp_path), "toy", ToyGAN(), batches, options, seed=7, key={"toy": 1}, validate=validate)

    first, second = run(), run()
    assert (first.reused, second.reused) == (False, True)
    assert first.log == second.log
    assert [row["step"] for row in second.validation] == [4, 8, 12]
    lr = batches(99)["lr"]
    torch.testing.assert_close(first.method.super_resolve(lr), second.method.super_resolve(lr), rtol=0, atol=0)
