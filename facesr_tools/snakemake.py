"""A plan as a Snakemake workflow: the same graph on this machine, a SLURM cluster or Kubernetes.

The workflow is a fixed Snakefile, the plan as data beside it (`plan.json`), and a profile per place to run. Snakemake decides
when a job starts; whether its work is still to be done is decided by `facesr stage` and `facesr run`, which know config hashes.
So the workflow only lets Snakemake look whether an output is there, and never lets it delete one.
"""

from __future__ import annotations

import json
import math
import os
import shlex
import sys
import time
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from facesr_lib.config import code_fingerprint
from facesr_lib.files import write_atomically
from facesr_tools.plan import Task
from facesr_tools.runner.execute import Settings
from facesr_tools.runner.machine import memory_limit

MARGIN = 3  # a cluster's core may be that much slower than the one that the estimates are from
MEMORY_MARGIN = 1.5  # a limit must not cut the peak, which is an estimate
START_MINUTES = 10  # to start Python on a slow file system, and to save a last checkpoint


def write_workflow(tasks: Sequence[Task], settings: Settings, folder: Path, notebooks: Path) -> Path:
    """Write a Snakemake workflow that does `tasks` into `folder`, and return the path of its Snakefile.

    Snakefile and plan.json are written anew each time. A profile that is already there stays as you adapted it.
    A job may take `MARGIN` times its estimated time and `START_MINUTES` more, and `MEMORY_MARGIN` times its estimated memory;
    where nothing is known, the profile's default counts.

    settings: profile, device and data root of every task. notebooks: the folder of the notebooks.
    Raises ValueError for a plan that Snakemake cannot run: an unknown need, two tasks of one name, braces in a path.
    """
    folder, notebooks = folder.absolute(), notebooks.absolute()
    written = [*(_job(task, tasks, settings, notebooks, folder) for task in tasks), *_reports(tasks, settings)]
    _check(written, tasks, folder)
    plan = {
        "code": code_fingerprint(),
        "written": time.strftime("%Y-%m-%d %H:%M:%S"),
        "facesr": str(Path(sys.executable).with_name("facesr")),
        "folder": str(folder),
        "jobs": written,
    }
    mount = os.path.commonpath([folder, *(task.out.absolute() for task in tasks)])
    for place, text in _profiles(mount).items():
        profile = folder / "profiles" / place / "config.yaml"
        if not profile.exists():
            profile.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(profile, (text + COMMON))
    write_atomically(folder / "plan.json", json.dumps(plan, indent=2, ensure_ascii=False))
    write_atomically(folder / "Snakefile", SNAKEFILE)
    return folder / "Snakefile"


def next_step(folder: Path) -> str:
    """What to type once a workflow is in `folder`; where Snakemake is missing, how to install it."""
    install = "" if find_spec("snakemake") else "Snakemake is not installed here: pip install 'facesr[tools,cluster]'\n"
    return f"{install}Next: cd {shlex.quote(str(folder))} && snakemake --profile profiles/local (or slurm, kubernetes)"


def _job(task: Task, tasks: Sequence[Task], settings: Settings, notebooks: Path, folder: Path) -> dict[str, Any]:
    """What Snakemake has to know of a task: its rule's name, the command's arguments, files and resources.

    again: the output may be there and older than what it needs. A notebook that older code ran needs the plan that found it so.
    """
    outputs = {other.name: str(other.output.absolute()) for other in tasks}
    if missing := sorted(set(task.needs) - outputs.keys()):
        raise ValueError(f"task {task.name} needs {', '.join(missing)}, which the plan does not have: plan them together")
    arguments = ["stage" if task.kind == "stage" else "run", task.target, "--profile", settings.profile]
    arguments += ["--seed", str(task.seed), "--out", str(task.out.absolute()), "--device", settings.device]
    arguments += ["--jobs", "1", "--notebooks", str(notebooks)] if task.kind == "notebook" else []
    arguments += ["--data-root", settings.data_root] if settings.data_root else []
    stale = not task.done and task.output.exists()
    return {
        "name": _rule(task.name),
        "arguments": arguments,
        "needs": [*(outputs[need] for need in task.needs), *([str(folder / "plan.json")] if stale else [])],
        "output": outputs[task.name],
        "resources": _resources(task),
        "processes": max(task.gpus, 1) if task.kind == "stage" else 1,
        "again": stale,
    }


def _reports(tasks: Sequence[Task], settings: Settings) -> Iterable[dict[str, Any]]:
    """The job that writes the page of each folder of results, once its notebooks have run."""
    for out in dict.fromkeys(task.out.absolute() for task in tasks if task.kind == "notebook"):
        ours = [task for task in tasks if task.kind == "notebook" and task.out.absolute() == out]
        yield {
            "name": _rule("report", *ours[0].name.partition("@")[1:]),
            "arguments": ["report", "--profile", settings.profile, "--out", str(out)],
            "needs": [str(task.output.absolute()) for task in ours],
            "output": str(out / settings.profile / "report.html"),
            "resources": {},
            "processes": 1,
            "again": True,
        }


def _rule(*parts: str) -> str:
    """A name that can also be a file's: letters, digits, "_" and "-"."""
    return "".join(letter if letter.isalnum() or letter in "_-" else "_" for letter in "".join(parts).replace("@", "_seed"))


def _resources(task: Task) -> dict[str, int]:
    found = {}
    if task.memory:
        found["mem_mb"] = math.ceil(MEMORY_MARGIN * task.memory / 1e6)
    if task.seconds is not None:
        found["runtime"] = START_MINUTES + math.ceil(MARGIN * task.seconds / 60)
    if task.gpus:
        found["gpu"] = task.gpus
    return found


def _check(jobs: Sequence[dict[str, Any]], tasks: Sequence[Task], folder: Path) -> None:
    names = [job["name"] for job in jobs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"two tasks are called {', '.join(twice)}: give every task of a plan its own name")
    for path in (*(task.output for task in tasks), folder):
        if set("{}") & set(str(path)):
            raise ValueError(f"{path}: Snakemake takes braces in a path for a wildcard; choose a folder without them")


SNAKEFILE = '''\
# Written by `facesr plan --snakemake`, which writes it anew: adapt the profiles, not this file.
#
# One rule per stage, notebook and report of plan.json. Run it in this folder:
#     snakemake --profile profiles/local        (or profiles/slurm, profiles/kubernetes; -n shows what would run)
# The plan holds for the code that it was written from. After a change of code, data or settings, write it again.
#
# Only the file that ends a job is an output: the checkpoints beside it stay when a job is killed, and it goes on from them.
# `update` keeps Snakemake from deleting that file first, `ancient` from comparing times: a stage knows by hashes if it is done.
# Where a job is to be done "again", times do count: a report, or a notebook that was run with other code before.
import os
from pathlib import Path

configfile: "plan.json"

FACESR = config["facesr"]  # an absolute path, or the name of a program that a container has
# In a container {output} is a copy of what the job made, which Snakemake then stores.
STORE = " && cp -p --remove-destination {params.made:q} {output:q}" if "root" in config else ""


def place(path):
    """Where a job finds `path`: as it is, or, in a container, in the storage that begins at config["root"]."""
    return os.path.relpath(path, config["root"]) if "root" in config else path


def command(job):
    """The words of a job's command. A stage that asks for several GPUs becomes one process per GPU."""
    words = [FACESR, *job["arguments"]]
    if job["processes"] > 1:
        launch = [str(Path(FACESR).with_name("accelerate")), "launch", "--multi_gpu", "--num_processes", str(job["processes"])]
        words = [*launch, "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no", "--no_python", *words]
    # Without a GPU in the plan, `--device auto` must not find one on the node.
    return words if "gpu" in job["resources"] else ["env", "CUDA_VISIBLE_DEVICES=", *words]


rule all:
    input: [place(job["output"]) for job in config["jobs"]]

for job in config["jobs"]:
    rule:
        name: job["name"]
        input: [place(need) if job["again"] else ancient(place(need)) for need in job["needs"]]
        output: place(job["output"]) if job["again"] else update(place(job["output"]))
        log: place(f"{config['folder']}/logs/{job['name']}.log")
        params:
            command=command(job),
            made=job["output"],
        threads: 1
        resources: **job["resources"]
        shell: "{params.command:q} > {log:q} 2>&1" + STORE
'''

COMMON = """
# The same everywhere: file times and Snakemake's own notes do not decide what runs again; facesr's hashes do.
rerun-triggers: [mtime]
rerun-incomplete: true  # what a killed run left goes on from its checkpoint
keep-going: true        # a failed job stops only what needs it
show-failed-logs: true
printshellcmds: true
"""


def _profiles(mount: str) -> dict[str, str]:
    """The text of each profile, by the name of its folder. mount: the folder that holds the results and the workflow."""
    memory = memory_limit() // 10**6
    local = f"""\
# This machine: as many jobs of one thread each as there are cores, and as their memory allows.
executor: local
cores: all
resources:
  mem_mb: {memory}  # megabytes for all jobs together
  gpu: 1  # jobs that ask for a GPU, at a time; they all take the first. For a box of GPUs: facesr run all --jobs
default-resources:
  - mem_mb=2000
"""
    slurm = """\
# SLURM, for a login node: Snakemake submits each job with sbatch. The results' folder must be on a shared file system.
executor: slurm
jobs: 100  # submitted at a time
default-resources:
  - mem_mb=4000  # where a job states none
  - runtime=1440  # minutes; a stage that is cut off goes on from its checkpoint, as often as `retries` says
  # - slurm_partition=gpu  # adapt: your cluster's partition and account
  # - slurm_account=project
  # - cpus_per_gpu=1
retries: 3
latency-wait: 60  # seconds until a file shows on a slow shared file system
slurm-keep-successful-logs: true  # in .snakemake/slurm_logs; facesr's own output is in logs/
slurm-init-seconds-before-status-checks: 20
# slurm-no-account: true  # where the cluster has no accounts
# slurm-status-command: squeue  # where it keeps no accounts of jobs (sacct does not answer)
# slurm-partition-config: partitions.yaml  # limits of partitions, from which the executor chooses one for each job
"""
    kubernetes = f"""\
# Kubernetes: a pod per job. The volume must be mounted at the same path in the pods and where Snakemake runs.
executor: kubernetes
jobs: 20
container-image: facesr:adapt  # adapt: an image with Python, rsync and facesr[tools,cluster] of this very version
kubernetes-namespace: default
kubernetes-persistent-volumes:
  - "facesr-results:{mount}"  # adapt: claim:path, no spaces; holds the results, this folder, your data
default-storage-provider: fs
default-storage-prefix: "{mount}"
config:
  - facesr=facesr  # the program's name in the image
  - "root={mount}"
default-resources:
  - mem_mb=4000
  - runtime=1440
  - disk_mb=1000  # of the pod's own disk
  - scale=0  # requests become limits too, which a GPU needs
  - gpu_manufacturer='nvidia'
retries: 3
"""
    return {"local": local, "slurm": slurm, "kubernetes": kubernetes}
