from __future__ import annotations

import contextlib
import getpass
import inspect
import json
import platform
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import torch

import facesr_lib.evaluate.provenance as module
from facesr_lib import files
from facesr_lib.evaluate.provenance import git_state, package_versions, peak_memory_mib, provenance


def test_it_names_no_person_machine_or_folder(tmp_path: Path) -> None:
    text = json.dumps(provenance(datetime.now(UTC), 0, {"faces": "ab"}, {}), allow_nan=False)
    private = {str(Path.home()), str(tmp_path), str(Path(__file__).parents[2]), sys.prefix, platform.node()}
    with contextlib.suppress(KeyError, OSError):  # a container may know no user
        private.add(getpass.getuser())
    # A user called "root" or a host called "linux" would be found inside ordinary words: compare whole words.
    words = set(text.replace('"', " ").replace(",", " ").split())
    assert not {name for name in private if len(name) > 1} & words
    assert not [name for name in private if "/" in name and len(name) > 1 and name in text]


def test_times_versions_and_memory() -> None:
    origin = provenance(datetime.now(UTC) - timedelta(seconds=90), 0, {}, {})
    assert 90 <= origin["wall_seconds"] < 150
    assert datetime.fromisoformat(origin["finished"]).utcoffset() == timedelta(0)
    assert origin["packages"]["torch"] == torch.__version__.partition("+")[0]
    assert {"numpy", "pillow", "opencv-python-headless"} <= origin["packages"].keys()
    assert "pytest" not in package_versions()
    assert 0 < origin["peak_memory_mib"] < origin["ram_mib"] * 2


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process's own peak")
def test_peak_memory_is_this_programs_not_its_parents() -> None:
    ballast = bytearray(300 * 1024 * 1024)
    needs = "import re, sys, psutil\nfrom contextlib import suppress\nfrom pathlib import Path\nMIB = 2**20\n"
    code = f"{needs}{inspect.getsource(peak_memory_mib)}\nprint(peak_memory_mib())"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert len(ballast) / 2**20 + 10 < (peak_memory_mib() or 0)
    assert int(child.stdout) < 250


def make_checkout(folder: Path) -> None:
    package = folder / "facesr_lib" / "report"
    package.mkdir(parents=True)
    (folder / "pyproject.toml").write_text("")
    (package / "provenance.py").write_text("")


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *identity, "-C", folder, *words], check=True, capture_output=True, text=True).stdout


def test_git_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = {"sha": None, "dirty": None}
    make_checkout(tmp_path)
    monkeypatch.setattr(files, "__file__", str(tmp_path / "facesr_lib" / "files.py"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_state() == unknown  # not a repository
    git(tmp_path, "init", "-q")
    assert git_state() == unknown  # no commit yet
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    sha = git(tmp_path, "rev-parse", "HEAD").strip()
    assert git_state() == {"sha": sha, "dirty": False}
    (tmp_path / "new.py").write_text("")
    assert git_state() == {"sha": sha, "dirty": True}
    monkeypatch.setenv("PATH", "")
    assert git_state() == unknown  # no git program


def test_a_copy_inside_another_repository_does_not_take_its_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_checkout(tmp_path / "vendored")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    monkeypatch.setattr(files, "__file__", str(tmp_path / "vendored" / "facesr_lib" / "files.py"))
    assert git_state() == {"sha": None, "dirty": None}
    (tmp_path / "vendored" / "pyproject.toml").unlink()  # an installed copy has none
    assert git_state() == {"sha": None, "dirty": None}


def test_a_gpu_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    card = type("Card", (), {"name": "Fake GPU", "total_memory": 24 * 2**30})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: card)
    monkeypatch.setattr(module, "_output", lambda *command: "580.1" if command[0] == "nvidia-smi" else None)
    described = module.gpu()
    assert described == {"name": "Fake GPU", "memory_mib": 24576, "driver": "580.1", "cuda": torch.version.cuda}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert module.gpu() is None
