"""Work that is killed before any of its file operations can be done again, and leaves what unbroken work leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork, which Windows lacks")
# One training of each kind, and what it starts from: the papers' methods, as works.py makes them.
METHODS = (
    "human_gan/gan", "selfsr/flow-field", "selfsr/cyclegan-adaptation", "selfsr/selfsr", "selfsr/selfsr-unpaired",
    "teacher_student/denet", "teacher_student/tnet-and-snet", "teacher_student/tnet-cycle-only", "isr_kd/replay-2-1",
)  # fmt: skip


def kill(root: Path, how: str, number: int, *works: str) -> dict[str, Any]:
    """In a process of its own, which forks while it has one thread."""
    command = [sys.executable, Path(__file__).with_name("kills.py"), root, how, str(number), *works]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert answer.returncode == 0, answer.stderr
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize(("work", "every", "least"), [("train", 3, 13), ("record", 3, 10), ("report", 12, 4)])
def test_killed_before_any_file_operation_and_done_again(
    tmp_path: Path, work: str, every: int, least: int, record_property: Callable[[str, object], None]
) -> None:
    found = kill(tmp_path, "every", every, work)[work]
    assert found["wrong"] == []
    assert found["kills"] >= least
    record_property("count", found["kills"])


def test_every_method_is_killed_at_random_and_done_again(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    found = kill(tmp_path, "random", 2, *METHODS)
    assert {method: one["wrong"] for method, one in found.items()} == {method: [] for method in METHODS}
    assert min(one["kills"] for one in found.values()) >= 1
    record_property("count", sum(one["kills"] for one in found.values()))


CARELESS = """
def work(folder):
    folder.mkdir(exist_ok=True)
    with open(folder / "log", "a") as log:
        log.write("a line")
    (folder / "done").touch()

print(json.dumps(killed(work, Path(sys.argv[2]), lambda folder: (folder / "log").read_text(), every(1))))
"""


def test_work_that_cannot_be_done_again_is_noticed(tmp_path: Path) -> None:
    """Else the test above could not fail: killed before its third operation, this one has its line twice."""
    begin = "import json, sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); from kills import every, killed"
    command = [sys.executable, "-c", begin + CARELESS, str(Path(__file__).parent), tmp_path]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=900).stdout)
    assert found == {"kills": 3, "wrong": ["operation 3: a linea line instead of a line"]}
