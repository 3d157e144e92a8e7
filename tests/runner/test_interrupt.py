from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import fake_work
import psutil
import pytest
from fake_work import events, wait_for, write_plan

# A background job may have handed SIGINT down as ignored; a terminal does not. What `faked` names is made up.
FAKED = ("make_plan", "load", "train")
COMMAND = """
import signal, sys
sys.path.insert(0, {folder!r})
import fake_work
from facesr_tools.runner import run
for name in {faked!r}:
    setattr(run, name, getattr(fake_work, name))
signal.signal(signal.SIGINT, signal.default_int_handler)
from facesr_tools.cli import main
main()
"""
SLOW = """
import os, pathlib, subprocess, time
folder = pathlib.Path(OUTPUT_DIR)
if not (folder / "go").exists():
    child = subprocess.Popen(["sleep", "60"], start_new_session=True)
    (folder / "pids.part").write_text(f"{os.getpid()} {child.pid}")
    (folder / "pids.part").rename(folder / "pids")
    time.sleep(60)
"""


class Terminal:
    """`facesr run all` of the notebooks in `root`, in processes that signals can hit."""

    def __init__(self, root: Path) -> None:
        self.root, self.out = root, root / "out"

    def arguments(self, *more: str) -> list[str]:
        return ["run", "all", "--profile", "smoke", "--out", str(self.out), "--notebooks", str(self.root / "notebooks"), *more]

    def start(self, arguments: list[str], *faked: str) -> subprocess.Popen[str]:
        code = COMMAND.format(folder=str(Path(fake_work.__file__).parent), faked=faked)
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def until(self, run: subprocess.Popen[str], condition: Callable[[], bool]) -> None:
        wait_for(lambda: condition() or run.poll() is not None)
        assert run.poll() is None, run.communicate()

    def pids(self) -> list[int]:
        return [int(pid) for pid in (self.out / "pids").read_text().split()]


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_process_and_resumes(terminal, make_notebook, number):
    make_notebook("00_first", "print(1)")
    make_notebook("10_slow", SLOW)
    make_notebook("20_last", "print(2)")
    out = terminal.out
    run = terminal.start(terminal.arguments("--jobs", "1", *(["--fresh"] if number == signal.SIGTERM else [])))
    terminal.until(run, (out / "pids").exists)
    run.send_signal(number)
    text, errors = run.communicate(timeout=60)

    assert run.returncode == 130
    assert "\x1b" not in text
    assert errors == ""
    assert "✓ 00_first  done" in text
    assert "✗ 10_slow  interrupted" in text
    assert not any(alive(pid) for pid in terminal.pids())
    assert (out / "smoke" / "10_slow" / "notebook.failed.ipynb").is_file()
    assert not (out / "smoke" / "20_last").exists()

    command = shlex.split(text.splitlines()[-1])
    assert command[:2] == ["facesr", "run"]
    assert command[command.index("--jobs") + 1] == "1"
    assert "--fresh" not in command
    assert ("--fresh-since" in command) == (number == signal.SIGTERM)
    assert not list(out.rglob("fresh-since.txt"))
    (out / "go").touch()
    run = terminal.start(command[1:])
    text, _ = run.communicate(timeout=120)
    assert run.returncode == 0, text
    assert "✓ 00_first  already done" in text
    assert "✓ 10_slow  done" in text
    assert "✓ 20_last  done" in text
    assert not (out / "smoke" / "10_slow" / "notebook.failed.ipynb").exists()


def started(terminal: Terminal) -> list[str]:
    return [line for line in events(terminal.out) if line.startswith("started")]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_all_jobs_save_before_an_interrupted_run_ends(terminal, make_notebook, number):
    make_notebook("10_x", paper="p")
    write_plan(terminal.out, ("saves1", []), ("saves2", []), ("saves3", []), **{"10_x": ["saves1", "saves2", "saves3"]})
    run = terminal.start(terminal.arguments("--jobs", "2"), *FAKED, "run_notebook")
    terminal.until(run, lambda: len(started(terminal)) == 2)
    run.send_signal(number)
    text, errors = run.communicate(timeout=60)
    assert (run.returncode, errors) == (130, "")
    assert sorted(line.split()[1] for line in events(terminal.out) if line.startswith("saved")) == ["saves1", "saves2"]
    assert "stopping: trainings save, kernels end (Ctrl-C again kills them)" in text
    assert "✗ saves1  interrupted" in text
    assert "10_x" not in [line.split()[1] for line in events(terminal.out)]
    assert text.splitlines()[-1].startswith("facesr run all --profile smoke")
    assert not any(alive(int(line.split()[2])) for line in events(terminal.out))


def test_a_second_interrupt_kills(terminal, make_notebook):
    make_notebook("10_x", paper="p")
    write_plan(terminal.out, ("saves-stubborn", []), **{"10_x": []})
    run = terminal.start(terminal.arguments("--jobs", "2"), *FAKED, "run_notebook")
    terminal.until(run, lambda: len(started(terminal)) == 1)
    run.send_signal(signal.SIGINT)
    time.sleep(1)
    assert run.poll() is None
    run.send_signal(signal.SIGINT)
    text, errors = run.communicate(timeout=20)
    assert (run.returncode, errors) == (130, "")
    assert "✗ saves-stubborn  interrupted" in text
    (line,) = started(terminal)
    assert not any(alive(int(pid)) for pid in line.split()[2:])


def test_what_a_killed_run_started_saves_and_ends(terminal, make_notebook):
    make_notebook("10_slow", SLOW, paper="p")
    write_plan(terminal.out, ("saves", []), **{"10_slow": []})
    run = terminal.start(terminal.arguments("--jobs", "2"), *FAKED)
    terminal.until(run, lambda: (terminal.out / "pids").exists() and len(started(terminal)) == 1)
    processes = psutil.Process(run.pid).children(recursive=True)
    assert len(processes) >= 5  # two workers, a kernel, and what kernel and stage started
    run.kill()
    run.communicate()
    assert psutil.wait_procs(processes, timeout=60)[1] == []
    assert not any(alive(pid) for pid in terminal.pids())
    assert "saved" in [line.split()[0] for line in events(terminal.out)]


def test_two_runs_into_one_folder_run_each_notebook_once(terminal, make_notebook):
    counts = "import os, pathlib, time\nwith open(pathlib.Path(OUTPUT_DIR) / 'count', 'a') as file:\n    file.write('x')"
    waits = "while not (pathlib.Path(OUTPUT_DIR) / 'go').exists():\n    time.sleep(0.05)"
    make_notebook("10_x", counts, waits)
    first = terminal.start(terminal.arguments("--jobs", "1"))
    terminal.until(first, (terminal.out / "count").exists)
    second = terminal.start(terminal.arguments("--jobs", "1"))
    assert second.stdout is not None
    lines: list[str] = []
    while "waiting" not in "".join(lines[-1:]):
        lines.append(second.stdout.readline())
        assert lines[-1], lines
    (terminal.out / "go").touch()
    text, _ = first.communicate(timeout=120)
    later, _ = second.communicate(timeout=120)
    assert (first.returncode, second.returncode) == (0, 0)
    assert (terminal.out / "count").read_text() == "x"
    assert lines[-1].startswith("  10_x  Another process (")
    assert "✓ 10_x  done" in text
    assert "✓ 10_x  already done" in later
    assert os.listdir(terminal.out / "smoke" / "10_x")
