from __future__ import annotations

import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from facesr_tools.cli.main import app

# A background job may have handed SIGINT down as ignored; a terminal does not.
COMMAND = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from facesr_tools.cli import main; main()"
SLOW = """
import os, pathlib, subprocess, time
folder = pathlib.Path(OUTPUT_DIR)
if not (folder / "go").exists():
    child = subprocess.Popen(["sleep", "60"], start_new_session=True)
    (folder / "pids.part").write_text(f"{os.getpid()} {child.pid}")
    (folder / "pids.part").rename(folder / "pids")
    time.sleep(60)
"""


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_process_and_resumes(tmp_path: Path, make_notebook, number):
    make_notebook("00_first", "print(1)")
    make_notebook("10_slow", SLOW)
    make_notebook("20_last", "print(2)")
    out = tmp_path / "out"
    arguments = ["run", "all", "--profile", "smoke", "--out", str(out), "--notebooks", str(tmp_path / "notebooks"), "--jobs", "1"]
    if number == signal.SIGTERM:
        arguments.append("--fresh")
    run = subprocess.Popen([sys.executable, "-c", COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (out / "pids").exists():
        assert run.poll() is None
        time.sleep(0.1)
    run.send_signal(number)
    text, errors = run.communicate(timeout=60)

    assert run.returncode == 130
    assert "\x1b" not in text
    assert errors == ""
    assert "✓ 00_first  done" in text
    assert "✗ 10_slow  interrupted" in text
    assert not any(alive(int(pid)) for pid in (out / "pids").read_text().split())
    assert (out / "smoke" / "10_slow" / "notebook.failed.ipynb").is_file()
    assert not (out / "smoke" / "20_last").exists()

    command = shlex.split(text.splitlines()[-1])
    assert command[:2] == ["facesr", "run"]
    assert "--fresh" not in command
    assert ("--fresh-since" in command) == (number == signal.SIGTERM)
    assert not list(out.rglob("fresh-since.txt"))
    (out / "go").touch()
    result = CliRunner().invoke(app, command[1:])
    assert result.exit_code == 0, result.output
    assert "✓ 00_first  already done" in result.output
    assert "✓ 10_slow  done" in result.output
    assert "✓ 20_last  done" in result.output
    assert not (out / "smoke" / "10_slow" / "notebook.failed.ipynb").exists()
