"""A result is made again by someone who has nothing but its provenance.json, this repository and its files of versions."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
START = "from facesr_tools.cli import main; main()"
FIRST = "facesr run 10 --profile smoke --seed 3 --device cpu"


def run(command: str, code: Path, out: Path) -> dict[str, Any]:
    """Carry out a command with the package of `code`; the result that it leaves."""
    words = [sys.executable, "-c", START, *shlex.split(command)[1:], "--out", str(out)]
    environment = os.environ | {"PYTHONPATH": str(code)}
    done = subprocess.run(words, cwd=code, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (result,) = out.glob("smoke/*/result.json")
    return json.loads(result.read_bytes())


def checkout(facts: dict[str, Any], folder: Path) -> Path:
    """The code of a provenance's commit, unpacked; of a changed tree, which no commit holds, the tree itself."""
    if facts["git"]["sha"] is None or facts["git"]["dirty"]:
        return ROOT
    folder.mkdir()
    archive = subprocess.run(["git", "-C", str(ROOT), "archive", facts["git"]["sha"]], capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    return folder


def pinned(lock: Path) -> dict[str, set[str]]:
    """The versions that a file with hashes installs, by package."""
    found: dict[str, set[str]] = {}
    for line in lock.read_text().replace("\\\n", " ").splitlines():
        need = Requirement(line.partition(" --hash")[0].strip())
        found.setdefault(need.name, set()).add(str(need.specifier).removeprefix("=="))
    return found


def test_a_result_is_made_again_from_its_provenance_alone(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    first = run(FIRST, ROOT, tmp_path / "first")
    facts = json.loads(next((tmp_path / "first").glob("smoke/*/provenance.json")).read_bytes())
    code = checkout(facts, tmp_path / "code")
    versions = pinned(code / "requirements.lock")
    other = {name: version for name, version in facts["packages"].items() if version not in versions.get(name, {version})}
    assert other == {}, "make setup LOCKED=1 at that commit would install others"
    again = run(facts["command"], code, tmp_path / "again")
    assert again["scores"] == first["scores"]
    assert again["config_hash"] == first["config_hash"]
    assert [one["checksum"] for one in again["data"]] == list(facts["data"].values())
    record_property("count", 1)
