"""Memory and CPU limits of this machine, and the memory of a process tree."""

import os
import signal
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

GIB = 1024**3


def memory_limit() -> int:
    """Bytes that this process may use: the machine's memory, or its container's limit (cgroup v2, v1) if that is lower."""
    limit = psutil.virtual_memory().total
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            limit = min(limit, int(Path(file).read_text()))
        except (OSError, ValueError):  # absent, or "max"
            continue
    return limit


def usable_cores() -> int:
    """CPU cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_limit() -> float | None:
    """CPUs the container may use at once (cgroup v2), or None where nothing limits it."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return int(quota) / int(period)
    except (OSError, ValueError):
        return None


def readable(size: int) -> str:
    """Bytes as MiB or GiB."""
    return f"{size / GIB:.1f} GiB" if size >= GIB else f"{size / 1024**2:.0f} MiB"


def death(what: str, status: int) -> str:
    """How a process ended on its own, in words: "the kernel died (signal SIGKILL, most likely out of memory)"."""
    if status >= 0:
        return f"{what} died (exit status {status})"
    name = signal.Signals(-status).name
    likely = ", most likely out of memory" if name == "SIGKILL" else ""
    return f"{what} died (signal {name}{likely})"


def end_marked(variable: str, value: str, also: Iterable[psutil.Process] = ()) -> None:
    """Kill every process that was started with `variable`=`value` in its environment, and those of `also`."""
    remaining = {process for process in psutil.process_iter() if _is_marked(process, variable, value)} | set(also)
    for process in remaining:
        with suppress(psutil.Error):  # it is gone; psutil never kills another process that has the same id now
            process.kill()
    psutil.wait_procs(remaining, timeout=3)


def _is_marked(process: psutil.Process, variable: str, value: str) -> bool:
    try:
        return bool(process.environ().get(variable) == value)
    except (psutil.Error, OSError):  # another user's, or gone
        return False


class ProcessTree(threading.Thread):
    """Watches a process and its descendants, and records the peak of their total resident memory in bytes.

    Samples every 0.1 s, so a shorter peak can be missed. On Linux, pages that several processes share count once. Descendants
    with the environment variable FACESR_RUN=`mark` are found even if they started between two samples and lost their parent.
    """

    def __init__(self, pid: int, mark: str) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._mark = mark
        self._root = psutil.Process(pid)
        self._seen = {self._root}
        self._stop_asked = threading.Event()

    def run(self) -> None:
        while True:
            self._sample()
            if self._stop_asked.wait(0.1):
                return

    def end(self) -> None:
        """Stop watching and kill every process of the tree that is still running."""
        self._stop_asked.set()
        self.join()
        end_marked("FACESR_RUN", self._mark, self._seen)

    def _sample(self) -> None:
        with suppress(psutil.Error):  # the root is gone
            self._seen.update(self._root.children(recursive=True))
        alive = [process for process in self._seen if process.is_running()]
        total = 0
        for process in alive:
            with suppress(psutil.Error):
                total += process.memory_info().rss if len(alive) == 1 else _share(process)
        self.peak = max(self.peak, total)


def _share(process: psutil.Process) -> int:
    """Resident bytes, with this process's share of shared pages where the system reports it (Linux)."""
    sizes = process.memory_full_info()
    return int(getattr(sizes, "pss", sizes.rss))
