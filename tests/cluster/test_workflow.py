"""A plan as a Snakemake workflow: the same graph, each job once, and a killed job goes on from its checkpoint."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from small_workflow import Workflow

from facesr_tools.plan import Task
from facesr_tools.snakemake import next_step

Make = Callable[..., Task]
Write = Callable[[Sequence[Task]], Workflow]


@pytest.fixture
def tasks(make_task: Make) -> list[Task]:
    """Two papers: a teacher and its student, a GAN, a notebook each, and the report."""
    return [
        make_task("isr_kd/teacher", memory=10**9, gpus=1),
        make_task("isr_kd/student", "isr_kd/teacher"),
        make_task("human_gan/gan", seconds=None),
        make_task("10_human", "human_gan/gan"),
        make_task("40_isr_kd", "isr_kd/student", "isr_kd/teacher"),
        make_task("90_report", "10_human", "40_isr_kd"),
    ]


def starts(events: list[str]) -> dict[str, list[int]]:
    """The steps from which each job was started."""
    found: dict[str, list[int]] = {}
    for name, step in re.findall(r"start (\S+) from (\d+)", "\n".join(events)):
        found.setdefault(name, []).append(int(step))
    return found


def steps(task: Task) -> int:
    """How many steps of a job are in its checkpoint."""
    file = task.output.with_name("done.steps")
    return len(file.read_text()) if file.exists() else 0


def in_the_middle(tasks: list[Task]) -> bool:
    """Whether a job has ended, and another has begun but is far from its end."""
    return any(task.output.exists() for task in tasks) and any(2 <= steps(task) <= 4 for task in tasks)


@pytest.mark.usefixtures("snakemake")
@pytest.mark.parametrize("profile", ["local", "slurm", "kubernetes"])
def test_the_graph_is_the_plans(tasks: list[Task], write: Write, profile: str) -> None:
    """With every profile: its options are known, and Snakemake sees these jobs and needs, and no others."""
    drawn = write(tasks).run("--dag", "dot", profile=profile)
    names = dict(re.findall(r'^\s*(\d+)\[label = "([^"\\]+)', drawn, re.MULTILINE))
    edges = {(names[end], names[start]) for start, end in re.findall(r"^\s*(\d+) -> (\d+)", drawn, re.MULTILINE)}
    rule = {task.name: task.name.replace("/", "_") for task in tasks}
    expected = {(rule[task.name], rule[need]) for task in tasks for need in task.needs}
    expected |= {("report", notebook) for notebook in ("10_human", "40_isr_kd", "90_report")}
    expected |= {("all", name) for name in (*rule.values(), "report")}
    assert edges == expected


@pytest.mark.usefixtures("snakemake")
def test_a_pod_gets_its_gpu_memory_and_command(tasks: list[Task], write: Write) -> None:
    """Kubernetes, as far as a dry run goes: the image's own facesr, and the file that ends a job goes into the storage."""
    tasks[1] = replace(tasks[1], gpus=2)
    said = write(tasks).run("--dry-run", profile="kubernetes")
    teacher = said[said.index("rule isr_kd_teacher:") :].partition("\n\n")[0]
    assert {"mem_mb=1500", "gpu=1", "gpu_manufacturer=nvidia", "scale=0", "runtime=13"} <= set(re.findall(r"\w+=\w+", teacher))
    assert "Shell command: facesr stage isr_kd/teacher --profile smoke --seed 0 --out " in teacher
    assert "accelerate launch --multi_gpu --num_processes 2 " in said
    assert "--no_python facesr stage isr_kd/student --profile" in said
    assert re.search(r"cp -p --remove-destination '\S+/my runs/smoke/isr_kd-teacher/done.json' '.snakemake/storage/fs/", teacher)


@pytest.mark.usefixtures("snakemake")
def test_killed_in_the_middle_and_resumed(tasks: list[Task], write: Write) -> None:
    """SIGKILL of Snakemake and its jobs: nothing finished is done again, what was begun goes on, everything ends."""
    workflow = write(tasks)
    slow = {"FAKE_STEPS": "10", "FAKE_SECONDS": "0.2"}
    with workflow.start("--cores", "2", **slow) as process:
        end = time.monotonic() + 60
        while not in_the_middle(tasks):
            assert time.monotonic() < end, process.communicate(timeout=5)
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
    before = workflow.events()
    finished = {task.name for task in tasks if task.output.exists()}
    assert len(finished) < len(tasks)
    workflow.run("--unlock")
    workflow.run("--cores", "2", **slow)
    after = starts(workflow.events())
    begun = set(starts(before)) - finished
    assert begun
    for name, at in after.items():
        assert at[0] == 0
        assert len(at) == (2 if name in begun else 1), name
        assert all(step > 0 for step in at[1:]), f"{name} began anew"
    assert set(after) == {*(task.name for task in tasks), "report"}
    assert all(steps(task) == 10 for task in tasks)


@pytest.mark.usefixtures("snakemake")
def test_a_failed_job_keeps_its_checkpoint_and_stops_only_what_needs_it(tasks: list[Task], write: Write) -> None:
    workflow = write(tasks)
    said = workflow.run("--cores", "2", code=1, FAKE_FAILS="human_gan/gan")
    assert "human_gan/gan: as asked, this fails" in said
    assert set(starts(workflow.events())) == {"isr_kd/teacher", "isr_kd/student", "human_gan/gan", "40_isr_kd"}
    workflow.run("--cores", "2")
    once = starts(workflow.events())
    assert once["human_gan/gan"] == [0, 1]
    order = [line.split()[:2] for line in workflow.events()]
    for task in tasks:
        for need in task.needs:
            assert order.index(["end", need]) < order.index(["start", task.name])

    # Snakemake goes by times and by its notes on commands; whether a stage is done, facesr knows. A report is made again.
    text = (workflow.folder / "plan.json").read_text()
    (workflow.folder / "plan.json").write_text(text.replace('"cpu"', '"auto"'))
    for done in (tasks[0].output, tasks[3].output):
        done.write_text("made elsewhere, meanwhile")
    workflow.run("--cores", "2")
    assert starts(workflow.events()) == {**once, "report": [0, 2]}

    # A plan that finds a notebook with older code has it run again.
    again = [replace(task, done=task.name != "10_human") for task in tasks]
    write(again).run("--cores", "2")
    assert starts(workflow.events()) == {**once, "10_human": [0, 2], "report": [0, 2, 2]}


def test_several_seeds_are_one_workflow_with_a_report_each(make_task: Make, write: Write, tmp_path: Path) -> None:
    tasks = [
        make_task(f"{name}@{seed}", *(f"{need}@{seed}" for need in needs), seed=seed, out=tmp_path / str(seed), output=done)
        for seed in (0, 1)
        for name, needs in {"human_gan/gan": (), "10_human": ("human_gan/gan",)}.items()
        for done in [tmp_path / str(seed) / name / "done.json"]
    ]
    jobs = {job["name"]: job for job in write(tasks).plan()["jobs"]}
    assert set(jobs) == {f"{name}_seed{seed}" for name in ("human_gan_gan", "10_human", "report") for seed in (0, 1)}
    assert jobs["10_human_seed1"]["needs"] == [str(tmp_path / "1" / "human_gan" / "gan" / "done.json")]
    assert jobs["report_seed1"]["needs"] == [str(tmp_path / "1" / "10_human" / "done.json")]
    words = jobs["human_gan_gan_seed1"]["arguments"]
    assert words[:2] == ["stage", "human_gan/gan"]
    assert words[words.index("--seed") + 1 : words.index("--seed") + 4] == ["1", "--out", str(tmp_path / "1")]


def test_adapted_profiles_stay(tasks: list[Task], write: Write) -> None:
    workflow = write(tasks)
    adapted = workflow.folder / "profiles" / "slurm" / "config.yaml"
    assert yaml.safe_load(adapted.read_text())["executor"] == "slurm"
    adapted.write_text("executor: slurm\njobs: 5\n")
    (workflow.folder / "Snakefile").write_text("")
    write(tasks)
    assert adapted.read_text() == "executor: slurm\njobs: 5\n"
    assert "rule all" in (workflow.folder / "Snakefile").read_text()


def test_without_snakemake_the_next_step_is_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facesr_tools.snakemake.find_spec", lambda name: None)
    said = next_step(Path("/a folder"))
    assert "pip install 'facesr[tools,cluster]'" in said
    assert "cd '/a folder' && snakemake --profile profiles/local" in said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"needs": ("isr_kd/other",)}, "isr_kd/student needs isr_kd/other, which the plan does not have"),
        ({"output": Path("/{braces}/done.json")}, "/{braces}/done.json: Snakemake takes braces in a path for a wildcard"),
        ({"name": "isr_kd/teacher"}, "two tasks are called isr_kd_teacher"),
    ],
)
def test_a_plan_that_cannot_be_run_is_refused(make_task: Make, write: Write, changes: dict[str, object], said: str) -> None:
    student = Task(**{**vars(make_task("isr_kd/student", "isr_kd/teacher")), **changes})
    with pytest.raises(ValueError, match=said):
        write([make_task("isr_kd/teacher"), student])
