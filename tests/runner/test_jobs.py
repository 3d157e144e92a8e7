from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import fake_work
import pytest
from fake_work import events, write_plan
from rich.console import Console

from facesr_tools import pool
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

    def run(self, *names: str, jobs: int | None = 2, terminal: bool = False, seeds: Sequence[int] = ()) -> Outcomes:
        papers = {name: None if name.startswith("0") else "p" for name in names}
        notebooks = [Notebook(self._make(name), name, paper=papers[name], always=name.startswith("90")) for name in names]
        file = io.StringIO()
        console = Console(file=file, width=120, force_terminal=terminal)
        ended = run.run_notebooks(notebooks, Settings("smoke", self.out, device="cpu"), console, "code", "resume", jobs, seeds)
        self.text = file.getvalue()
        return ended

    def begun(self, folder: str = "") -> list[str]:
        return [line.split()[1] for line in events(self.out / folder) if line.startswith("begin")]


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


def test_what_this_project_warns_of_is_printed_and_what_others_do_is_not(fake):
    write_plan(fake.out, ("warns", []), **{"10_x": ["warns"]})
    fake.run("10_x", jobs=1)
    assert "  warns  warning: step-10 is damaged\n" in fake.text
    assert "scheduler" not in fake.text


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


# -- several seeds --------------------------------------------------------------------------------------------------------------


def test_every_seed_runs_in_its_folder_lessons_once_and_the_report_last_on_all(fake):
    for seed in (3, 5):
        write_plan(fake.out / f"seed-{seed}", ("a", []), ("b", ["a"]), **{"00_l": [], "10_x": ["b"]})
    ended = fake.run("00_l", "10_x", "90_report", seeds=[3, 5], jobs=1)
    assert fake.begun("seed-3") == ["00_l", "a", "b", "10_x"]
    assert fake.begun("seed-5") == ["a", "b", "10_x"]
    assert fake.begun("pooled") == ["90_report"]
    assert list(ended.notebooks) == ["00_l@3", "10_x@3", "10_x@5", "90_report"]
    assert ended.stages == {"a@3": "", "b@3": "", "a@5": "", "b@5": ""}
    assert not (fake.out / "events").exists()
    assert "✓ 10_x@5  done" in fake.text
    assert "✓ b@3  trained" in fake.text


def test_all_seeds_share_one_pool_of_jobs(fake, monkeypatch):
    """Two stages that wait for each other, of two seeds: they end only if both run at the same time."""
    for seed in (0, 1):
        write_plan(fake.out / f"seed-{seed}", ("meets", []), **{"10_x": ["meets"], "20_y": []})
    (fake.out / "seed-0" / "events").touch()
    (fake.out / "seed-1" / "events").symlink_to(fake.out / "seed-0" / "events")
    ended = fake.run("10_x", "20_y", "90_report", seeds=[0, 1])
    assert (ended.exit_code, len(ended.notebooks)) == (0, 5)


def test_a_failure_of_one_seed_leaves_the_other_alone(fake):
    write_plan(fake.out / "seed-0", ("fails", []), ("next", ["fails"]), **{"10_x": ["next"]})
    write_plan(fake.out / "seed-1", ("good", []), ("next", ["good"]), **{"10_x": ["next"]})
    ended = fake.run("10_x", "90_report", seeds=[0, 1], jobs=1)
    assert ended.stages["fails@0"] == "ValueError: not a number"
    assert (ended.stages["next@0"], ended.stages["next@1"]) == ("fails@0 failed", "")
    assert fake.begun("seed-1") == ["good", "next", "10_x"]


def test_without_the_reports_notebook_the_results_are_pooled_at_the_end(fake, monkeypatch):
    def pooled_report(out, profile):
        assert {name for seed in (0, 1) for name in fake.begun(f"seed-{seed}")} == {"10_x"}
        (out / "pooled" / profile).mkdir(parents=True)
        (out / "pooled" / profile / "report.html").touch()
        return ["a remark"]

    monkeypatch.setattr(pool, "pooled_report", pooled_report)
    fake.run("10_x", seeds=[0, 1])
    assert fake.text.splitlines()[-2:] == ["a remark", str(fake.out / "pooled" / "smoke" / "report.html")]
