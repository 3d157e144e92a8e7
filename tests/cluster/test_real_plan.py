"""A real notebook with its real stages, from `facesr plan --snakemake` to the report."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.usefixtures("snakemake")
def test_a_notebook_in_smoke(tmp_path: Path) -> None:
    """Two stages, the notebook that finds them trained, the report; then facesr finds everything done."""
    out, folder = tmp_path / "my runs", tmp_path / "workflow"

    def run(program: str, *arguments: str) -> str:
        command = [str(Path(sys.executable).with_name(program)), *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    folder.mkdir()
    plan = ("facesr", "plan", "10", "--profile", "smoke", "--device", "cpu", "--out", str(out))
    said = run(*plan, "--snakemake", str(folder))
    assert "snakemake --profile profiles/local" in said
    run("snakemake", "--profile", "profiles/local", "--cores", "2")
    assert json.loads((out / "smoke" / "10_human_face_gan" / "result.json").read_text())["profile"] == "smoke"
    assert (out / "smoke" / "report.html").is_file()
    assert {task["done"] for task in json.loads(run(*plan, "--json"))["tasks"]} == {True}
