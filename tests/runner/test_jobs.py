from __future__ import annotations

import io
import re
from collections import Counter
from pathlib import Path

import fake_work
import pytest
from fake_work import events, write_plan
from rich.console import Console

from facesr_tools.runner import run
from facesr_tools.runner.execute import Settings
from facesr_tools.runner.machine import GIB
from facesr_tools.runner.notebooks import Notebook
from facesr_tools.runner.run import Outcomes


class Fake:
    """Runs of made-up tasks: notebooks of these names, `write_plan` for the rest."""

    def __init__(self, root: Path, make_notebook) -> None:
        self.out, self._make = root / "out", make_notebook
        self.text = ""

    def run(self, *names: str, jobs: int | None = 2, terminal: bool = False) -> Outcomes:
        notebooks = [Notebook(self._make(name), name, paper="p", always=name.startswith("90")) for name in names]
        file = io.StringIO()
        console = Console(file=file, width=120, force_terminal=terminal)
        ended = run.run_notebooks(notebooks, Settings("smoke", self.out, device="cpu"), console, "code", "resume", jobs)
        self.text = file.getvalue()
        return ended

    def begun(self) -> list[str]:
        return [line.split()[1] for line in events(self.out) if line.startswith("begin")]


@pytest.fixture
def fake(tmp_path: Path, make_notebook, monkeypatch) -> Fake:
    for name in ("make_plan", "load", "train", "run_notebook"):
        monkeypatch.setattr(run, name, getattr(fake_work, name))
    return Fake(tmp_path, make_notebook)


def test_one_job_is_one_process_in_the_notebooks_order_with_one_thread(fake, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    write_plan(fake.out, ("b", []), ("a", []), ("a2", ["a"]), **{"10_x": ["a2"], "20_y": ["b"], "90_report": []})
    ended = fake.run("10_x", "20_y", "90_report", jobs=1)
    assert fake.begun() == ["a", "a2", "10_x", "b", "20_y", "90_report"]
    assert len({line.split()[2] for line in events(fake.out)}) == 1
    assert "begin a " in events(fake.out)[0] + " "
    assert events(fake.out)[0].split()[3:] == ["1", "-"]
    assert (ended.exit_code, ended.interrupted) == (0, False)
    assert list(ended.notebooks) == ["10_x", "20_y", "90_report"]
    assert ended.stages == {"a": "", "a2": "", "b": ""}
    assert "✓ a2  trained  0:0" in fake.text
    assert "  a2  this is a2\n" in fake.text
    assert "a warning" not in fake.text
    assert "3 trainings ready before the notebooks" in fake.text


def test_two_jobs_work_at_the_same_time_and_never_more(fake):
    stages = [("meets1", []), ("meets2", []), *((f"s{i}", []) for i in range(6))]
    write_plan(fake.out, *stages, **{"10_x": ["s1", "meets1"], "20_y": [], "90_report": []})
    assert fake.run("10_x", "20_y", "90_report").exit_code == 0
    running, most = 0, 0
    for line in events(fake.out):
        running += {"begin": 1, "end": -1}[line.split()[0]]
        most = max(most, running)
    assert most == 2
    assert len({line.split()[2] for line in events(fake.out)}) == 2
    order = [" ".join(line.split()[:2]) for line in events(fake.out)]
    assert order.index("end s1") < order.index("begin 10_x")
    assert order[-2:] == ["begin 90_report", "end 90_report"]
    assert Counter(fake.begun()).most_common(1)[0][1] == 1


@pytest.mark.parametrize(
    ("stage", "reason"),
    [("fails", "ValueError: not a number"), ("dies", "its process died (signal SIGKILL, most likely out of memory)")],
)
def test_a_stage_that_fails_is_left_to_its_notebook(fake, stage, reason):
    write_plan(
        fake.out, (stage, []), ("next", [stage]), ("third", ["next"]), ("good", []), **{"10_x": ["third"], "20_y": ["good"]}
    )
    ended = fake.run("10_x", "20_y", jobs=1)
    assert fake.begun() == [stage, "10_x", "good", "20_y"]
    assert ended.exit_code == 0
    assert f"✗ {stage}  failed" in fake.text
    assert f"    {reason}\n" in fake.text
    assert f"- next  not trained: {stage} failed" in fake.text
    assert f"not ready: {stage}, next, third" in fake.text
    processes = {line.split()[1]: line.split()[2] for line in events(fake.out)}
    assert (processes[stage] == processes["good"]) == (stage == "fails")


def test_a_notebook_whose_process_dies_has_failed_and_the_next_one_runs(fake):
    (fake.out / "smoke" / "10_dies").mkdir(parents=True)
    (fake.out / "smoke" / "10_dies" / "notebook.running.ipynb").write_text("as far as it came")
    ended = fake.run("10_dies", "20_y", jobs=1)
    assert {name: outcome.status for name, outcome in ended.notebooks.items()} == {"10_dies": "failed", "20_y": "done"}
    assert "its process died (signal SIGKILL" in "".join(ended.notebooks["10_dies"].failure.lines())
    assert [path.name for path in (fake.out / "smoke" / "10_dies").iterdir()] == ["notebook.failed.ipynb"]
    assert ended.exit_code == 1


def test_without_a_plan_the_notebooks_run(fake):
    fake.out.mkdir()
    (fake.out / "plan.json").write_text("fail")
    assert list(fake.run("10_x", "20_y", jobs=1).notebooks) == ["10_x", "20_y"]
    assert "each notebook makes its own: ValueError: the faces are gone" in fake.text


def test_every_gpu_gets_a_job_and_leaves_the_threads_as_they_are(fake, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,7")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    write_plan(fake.out, ("meets1", []), ("meets2", []), gpus=2, **{"10_x": []})
    fake.run("10_x", jobs=None)
    seen = [line.split()[3:] for line in events(fake.out) if line.startswith("begin meets")]
    assert sorted(seen) == [["-", "5"], ["-", "7"]]


@pytest.mark.parametrize(("memory", "processes"), [(2, 2), (8, 1)])
def test_where_memory_is_short_a_worker_gives_its_own_back_before_a_notebook(fake, monkeypatch, memory, processes):
    monkeypatch.setattr(run, "memory_limit", lambda: memory * GIB)
    write_plan(fake.out, ("a", []), **{"10_x": ["a"], "20_y": []})
    fake.run("10_x", "20_y", jobs=1)
    assert len({line.split()[2] for line in events(fake.out)}) == processes


def test_a_terminal_shows_live_lines_that_are_gone_in_the_end(fake):
    write_plan(fake.out, ("a", []), **{"10_x": ["a"]})
    fake.run("10_x", terminal=True)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", fake.text)
    assert "… planning: which trainings" in plain
    assert "✓ a  trained" in plain
    assert "starting the kernel" not in plain.splitlines()[-1]
