"""The same graph on a real SLURM: one node, started by the test on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from small_workflow import Workflow

from facesr_tools.plan import Task

# This SLURM keeps no accounts. A short time until Snakemake first looks after a job; each further look comes 10 s later.
OPTIONS = ("--slurm-status-command", "squeue", "--slurm-no-account", "--slurm-init-seconds-before-status-checks", "8")
OPTIONS += ("--retries", "0", "--latency-wait", "5")


@pytest.mark.usefixtures("snakemake")
def test_slurm_runs_the_graph(
    make_task: Callable[..., Task], write: Callable[[Sequence[Task]], Workflow], slurm: dict[str, str], tmp_path: Path
) -> None:
    """Every job once, through sbatch, after what it needs. FACESR_SLURM_LOG: a file for Snakemake's words and SLURM's log."""
    tasks = [make_task("isr_kd/teacher"), make_task("human_gan/gan"), make_task("40_isr_kd", "isr_kd/teacher", "human_gan/gan")]
    workflow = write(tasks)
    said = workflow.run(*OPTIONS, profile="slurm", **slurm)
    controller = Path(slurm["SLURM_CONF"]).with_name("slurmctld.log").read_text()
    Path(os.environ.get("FACESR_SLURM_LOG") or tmp_path / "slurm.log").write_text(f"{said}\n\n{controller}")
    events = [line.removesuffix(" from 0") for line in workflow.events()]
    assert sorted(events[:4]) == ["end human_gan/gan", "end isr_kd/teacher", "start human_gan/gan", "start isr_kd/teacher"]
    assert events[4:] == ["start 40_isr_kd", "end 40_isr_kd", "start report", "end report"]
    assert controller.count("_slurm_rpc_submit_batch_job: JobId=") == 4
