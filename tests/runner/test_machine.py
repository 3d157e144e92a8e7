from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from facesr_tools.runner.machine import ProcessTree, memory_limit, readable

CHILD = "import sys, time; block = b'x' * (150 * 1024**2); print('ready', flush=True); time.sleep(100)"
PARENT = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {CHILD!r}], start_new_session=True, stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(100)
"""


def test_a_tree_is_measured_with_its_children_and_ends_with_them():
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    tree = ProcessTree(parent.pid, "mark")
    child = psutil.Process(int(parent.stdout.readline()))
    tree.start()
    tree.end()
    parent.communicate(timeout=10)  # closes the pipe, too
    assert 150 * 1024**2 <= tree.peak < 400 * 1024**2
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_marked_orphan_that_no_sample_saw_ends_too():
    orphan = "import subprocess; print(subprocess.Popen(['sleep', '60'], start_new_session=True, stdout=-3).pid)"
    environment = dict(os.environ, FACESR_RUN="the mark of this test")
    parent = subprocess.Popen([sys.executable, "-c", orphan], stdout=subprocess.PIPE, text=True, env=environment)
    tree = ProcessTree(parent.pid, "the mark of this test")
    sleeper = psutil.Process(int(parent.communicate()[0]))
    assert sleeper.is_running()
    tree.start()
    tree.end()
    assert not sleeper.is_running() or sleeper.status() == psutil.STATUS_ZOMBIE


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells shared pages apart")
def test_pages_that_parent_and_child_share_count_once():
    fork = "import os, time; data = bytearray(os.urandom(1 << 28)); print(os.fork(), flush=True); time.sleep(60)"
    parent = subprocess.Popen([sys.executable, "-c", fork], stdout=subprocess.PIPE, text=True)
    parent.stdout.readline()  # both are there
    tree = ProcessTree(parent.pid, "mark")
    tree.start()
    time.sleep(0.5)
    tree.end()
    parent.communicate()
    assert 256 * 1024**2 <= tree.peak < 400 * 1024**2


def test_a_tree_that_is_gone_is_no_error():
    process = subprocess.Popen([sys.executable, "-c", ""])
    tree = ProcessTree(process.pid, "mark")
    process.wait()
    tree.start()
    tree.end()
    assert tree.peak == 0


def test_the_limit_is_at_most_the_machine():
    assert 0 < memory_limit() <= psutil.virtual_memory().total


def test_a_container_limit_counts(monkeypatch, tmp_path):
    files = {"/sys/fs/cgroup/memory.max": str(2 * 1024**3), "/sys/fs/cgroup/memory/memory.limit_in_bytes": "max"}
    monkeypatch.setattr(Path, "read_text", lambda self: files[str(self)])
    assert memory_limit() == min(2 * 1024**3, psutil.virtual_memory().total)


def test_readable_sizes():
    assert [readable(n) for n in (0, 300 * 1024**2, 1536 * 1024**2)] == ["0 MiB", "300 MiB", "1.5 GiB"]
