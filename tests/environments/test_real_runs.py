"""Runs of real notebooks: two at once into one folder, one whose process is killed as by the out-of-memory killer, another order.

All must leave the bytes of an unbroken run: the weights and logs of its stages, and the scores of its notebooks.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from facesr_lib.files import checkout_root

FIRST, SECOND = "10", "40"
COMMAND = [sys.executable, "-c", "from facesr_tools.cli import main; main()", "run"]
OPTIONS = ["--profile", "smoke", "--device", "cpu", "--out"]
pytestmark = pytest.mark.skipif(os.name != "posix", reason="ends a process by SIGKILL")


def begin(out: Path, *names: str, jobs: int = 1) -> subprocess.Popen[str]:
    """Start `facesr run`."""
    command = [*COMMAND, *names, *OPTIONS, str(out), "--jobs", str(jobs)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=checkout_root(), stdout=pipe, stderr=subprocess.STDOUT, text=True)


def end(run: subprocess.Popen[str]) -> str:
    """Wait for a run that must succeed; what it printed."""
    text = run.communicate(timeout=1200)[0]
    assert run.returncode == 0, text
    return text


def left(out: Path) -> dict[str, bytes | str]:
    """Weights and log of every stage, and the scores of every notebook."""
    files = [path for name in ("weights.safetensors", "log.csv") for path in (out / "stages").rglob(name)]
    scores = {path: json.loads(path.read_bytes())["scores"] for path in (out / "smoke").glob("*/result.json")}
    found: dict[str, bytes | str] = {str(path.relative_to(out)): path.read_bytes() for path in files}
    return found | {str(path.relative_to(out)): json.dumps(value) for path, value in scores.items()}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes | str]:
    out = tmp_path_factory.mktemp("unbroken")
    end(begin(out, FIRST, SECOND))
    found = left(out)
    assert len([name for name in found if name.endswith("log.csv")]) >= 4
    assert len([name for name in found if name.endswith("result.json")]) == 2
    return found


def differences(out: Path, expected: dict[str, bytes | str]) -> list[str]:
    """The files that two folders do not have in common, byte by byte."""
    found = left(out)
    return sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))


def test_two_runs_into_one_folder(
    tmp_path: Path, unbroken: dict[str, bytes | str], record_property: Callable[[str, object], None]
) -> None:
    """Started together. A stage that both want is trained by one, while the other says that it waits."""
    said = [end(run) for run in [begin(tmp_path, FIRST, SECOND) for _ in range(2)]]
    assert any("waiting for it to end" in text for text in said)
    assert differences(tmp_path, unbroken) == []
    record_property("count", 2)


def test_a_process_is_killed_and_the_order_is_another(
    tmp_path: Path, unbroken: dict[str, bytes | str], record_property: Callable[[str, object], None]
) -> None:
    """While two jobs train the second notebook's stages; then the same command again, then the first notebook."""
    run = begin(tmp_path, SECOND, jobs=2)
    killed = kill_a_training(tmp_path, run)
    text = run.communicate(timeout=1200)[0]
    assert re.search(r"its process died \(signal SIGKILL, most likely out of memory\)", text), text
    assert "not ready: " in text
    assert killed.split("-")[0].replace("_", "") in text.replace("_", "")
    end(begin(tmp_path, SECOND, jobs=2))
    end(begin(tmp_path, FIRST))
    assert differences(tmp_path, unbroken) == []
    record_property("count", 1)


def kill_a_training(out: Path, run: subprocess.Popen[str]) -> str:
    """Kill the process that has begun to write a stage's log; returns the stage's folder."""
    limit = time.monotonic() + 600
    while time.monotonic() < limit and run.poll() is None:
        for owner in (out / "stages").glob(".*.owner"):
            stage = owner.name.removeprefix(".").removesuffix(".owner")
            if (out / "stages" / stage / "log.csv").is_file() and (number := owner.read_text()):
                os.kill(int(number), signal.SIGKILL)
                return stage
        time.sleep(0.01)
    raise AssertionError("no training began")
