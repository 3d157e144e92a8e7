"""Every notebook runs top to bottom in the smoke profile, by nbval, in a folder of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from facesr_lib.papers import PAPERS
from facesr_tools.plan import plan
from facesr_tools.runner.execute import Settings
from facesr_tools.runner.notebooks import read_notebooks, select

FOLDER = Path(__file__).parents[2] / "notebooks"
PAPER_KEYS = tuple(paper.key for paper in PAPERS)  # the names of their stages begin so; lessons train small things besides


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


def finished(runs: Path) -> set[Path]:
    """The folders of all stages that are done."""
    return {marker.parent for marker in runs.glob("stages/*/done.json")}


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.ipynb")))
def test_runs_in_smoke(name: str, runs: Path, tmp_path: Path) -> None:
    notebook = load_notebook_node(str(FOLDER / f"{name}.ipynb"))
    smoke = parameterize_notebook(notebook, {"PROFILE": "smoke", "DEVICE": "cpu", "OUTPUT_DIR": str(runs)})
    nbformat.write(smoke, tmp_path / f"{name}.ipynb")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbval-lax",
        "--nbval-current-env",
        "-q",
        "-p",
        "no:cacheprovider",
        f"{name}.ipynb",
    ]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}  # two threads wait for each other as soon as anything else runs
    before = finished(runs)
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    result = runs / "smoke" / name / "result.json"
    assert result.exists() or (runs / "smoke" / "report.html").exists()
    if result.exists():  # captions, tables and notes are for people: no Python object as the interpreter prints it
        printed = re.findall(r" object at 0x|\b[A-Z]\w*\(\w+=", result.read_text(encoding="utf-8"))
        assert printed == []
    # What the plan says that this notebook needs is there, and it trained nothing of a paper that the plan does not know.
    planned = plan(select(read_notebooks(FOLDER), [name]), Settings("smoke", runs, device="cpu"))
    stages = {task.output.parent for task in planned if task.kind == "stage"}
    assert stages <= finished(runs)
    assert {folder for folder in finished(runs) - before if folder.name.startswith(PAPER_KEYS)} <= stages
