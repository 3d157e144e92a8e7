"""Jobs and threads change no result: a notebook of real stages, made in two ways."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from facesr_lib.files import checkout_root


def results(out: Path, jobs: int, threads: int) -> dict[str, bytes | str]:
    """What a run of notebook 10 leaves: every stage's weights and log by path, and the notebook's scores."""
    command = [
        sys.executable,
        "-c",
        "from facesr_tools.cli import main; main()",
        "run",
        "10",
        "--profile",
        "smoke",
        "--device",
        "cpu",
    ]
    env = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    run = subprocess.run(
        [*command, "--out", out, "--jobs", str(jobs)], cwd=checkout_root(), env=env, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout
    assert "2 trainings ready before the notebooks" in run.stdout
    files = [path for name in ("weights.safetensors", "log.csv") for path in (out / "stages").rglob(name)]
    scores = json.loads((out / "smoke" / "10_human_face_gan" / "result.json").read_text())["scores"]
    return {**{str(path.relative_to(out)): path.read_bytes() for path in files}, "scores": json.dumps(scores)}


@pytest.mark.slow
def test_two_jobs_and_four_threads_give_what_one_of_each_gives(tmp_path: Path):
    one, two = results(tmp_path / "one", 1, 1), results(tmp_path / "two", 2, 4)
    assert len(one) >= 5
    assert one.keys() == two.keys()
    assert [name for name in one if one[name] != two[name]] == []
