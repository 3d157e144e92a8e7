"""Workflows of small hand-made plans, and the programs that run them."""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import fake_facesr
import one_node_slurm
import pytest
from lacking import lacking
from small_workflow import Workflow

from facesr_tools.plan import Task
from facesr_tools.runner.execute import Settings
from facesr_tools.snakemake import write_workflow


@pytest.fixture
def snakemake() -> None:
    """Skips the test where the extra "cluster" is not installed."""
    for module in (
        "snakemake",
        "snakemake_executor_plugin_slurm",
        "snakemake_executor_plugin_kubernetes",
        "snakemake_storage_plugin_fs",
    ):
        if importlib.util.find_spec(module) is None:
            lacking("FACESR_TEST_CLUSTER", f"{module} is not installed: pip install 'facesr[cluster]'")


@pytest.fixture
def make_task(tmp_path: Path) -> Callable[..., Task]:
    """make_task(name, *needs, **changes) is a task that fake_facesr.py can do, with results in a folder with a space."""
    out = tmp_path / "my runs"

    def make(name: str, *needs: str, **changes: Any) -> Task:
        kind = "stage" if "/" in name else "notebook"
        facts = {"seed": 0, "out": out, "output": fake_facesr.output(out / "smoke", name), "done": False, "seconds": 60.0}
        return Task(name=name, kind=kind, needs=needs, **{**facts, **changes})  # type: ignore[arg-type]

    return make


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Sequence[Task]], Workflow]:
    """write(tasks) is their workflow, with fake_facesr.py as the command."""

    def written(tasks: Sequence[Task]) -> Workflow:
        out = tasks[0].out
        settings = Settings("smoke", out, device="cpu")
        file = write_workflow(tasks, settings, tmp_path / "a workflow", tmp_path / "notebooks")
        command = tmp_path / "a program" / "facesr"
        command.parent.mkdir(exist_ok=True)
        command.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, fake_facesr.__file__])} "$@"\n')
        command.chmod(0o755)
        workflow = Workflow(file.parent, out, tasks)
        (file.parent / "plan.json").write_text(json.dumps({**workflow.plan(), "facesr": str(command)}))
        return workflow

    return written


@pytest.fixture
def slurm() -> Iterator[dict[str, str]]:
    """The variables for a program that uses a one-node SLURM on this machine, which ends with the test."""
    if missing := [program for program in one_node_slurm.PROGRAMS if shutil.which(program) is None]:
        lacking("FACESR_TEST_CLUSTER", f"{', '.join(missing)} not installed: apt-get install slurm-wlm munge")
    if os.geteuid() != 0:
        lacking("FACESR_TEST_CLUSTER", "a one-node SLURM is started as root only")
    with one_node_slurm.running() as variables:
        yield variables
