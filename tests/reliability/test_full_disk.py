"""A disk that is full, however much is on it: one clear error, nothing half-written, and room is all that the work lacked."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

OWN_MOUNTS = ["unshare", "--user", "--map-root-user", "--mount"]  # a small disk that only the work sees


def own_mounts() -> bool:
    """Whether this machine lets a user mount."""
    mount = [*OWN_MOUNTS, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return bool(shutil.which("unshare")) and subprocess.run(mount, capture_output=True, check=False).returncode == 0


@pytest.fixture(autouse=True)
def _mounts() -> None:
    if not own_mounts():
        pytest.skip("this system lets no user mount a small disk (unshare --mount)")


def tried(work: str, root: Path, first: int) -> Any:
    """What full_disk.py prints."""
    command = [*OWN_MOUNTS, sys.executable, Path(__file__).with_name("full_disk.py"), work, root, str(first)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout.splitlines()[-1])


@pytest.mark.parametrize(("work", "first"), [("train", 20), ("record", 4)])
def test_a_full_disk_is_named_and_nothing_is_half_written(
    tmp_path: Path, work: str, first: int, record_property: Callable[[str, object], None]
) -> None:
    *small, last = tried(work, tmp_path, first)
    assert last["error"] is None
    assert len(small) >= 3
    record_property("count", len(small))
    for found in small:
        assert found["error"]["kind"] == "CannotWrite", found
        assert re.match(r"cannot write to /.*: the disk is full \(.* MB free.*\)\..*make room or choose", found["error"]["text"])
    assert [found for found in (*small, last) if found["half"] or not found["same"]] == []


@pytest.mark.parametrize("work", ["train", "record"])
def test_a_disk_that_can_only_be_read_is_named(tmp_path: Path, work: str) -> None:
    error = tried(work, tmp_path, 0)
    assert error["kind"] == "CannotWrite"
    assert re.match(r"cannot write to /.*: it can only be read \(.*\)\..*choose", error["text"])
