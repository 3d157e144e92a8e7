"""Work that is killed before any of its file operations can be done again, and leaves what unbroken work leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork, which Windows lacks")


@pytest.mark.parametrize(("work", "every", "least"), [("train", 3, 13), ("record", 3, 10)])
def test_killed_before_any_file_operation_and_done_again(
    tmp_path: Path, work: str, every: int, least: int, record_property: Callable[[str, object], None]
) -> None:
    """In a process of its own, which forks while it has one thread."""
    script = Path(__file__).with_name("kills.py")
    command = [sys.executable, script, work, tmp_path, str(every)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout.splitlines()[-1])
    assert found["wrong"] == []
    assert found["kills"] >= least
    record_property("count", found["kills"])
