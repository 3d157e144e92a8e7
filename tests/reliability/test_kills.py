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


CARELESS = """
def work(folder):
    folder.mkdir(exist_ok=True)
    with open(folder / "log", "a") as log:
        log.write("a line")
    (folder / "done").touch()

print(json.dumps(killed_everywhere(work, Path(sys.argv[2]), lambda folder: (folder / "log").read_text())))
"""


def test_work_that_cannot_be_done_again_is_noticed(tmp_path: Path) -> None:
    """Else the test above could not fail: killed before its third operation, this one has its line twice."""
    begin = "import json, sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); from kills import killed_everywhere"
    command = [sys.executable, "-c", begin + CARELESS, str(Path(__file__).parent), tmp_path]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=900).stdout)
    assert found == {"kills": 3, "wrong": ["operation 3: a linea line instead of a line"]}
