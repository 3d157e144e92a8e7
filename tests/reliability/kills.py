"""Does a piece of work again and again, ended at its first file operation, its second, ...; also run as a script.

Python reports every file operation before it is carried out (PEP 578). A forked copy of this process counts them and ends, as by
kill -9, before a chosen one. What is flushed to the disk is not reported, so `os.fsync` counts too.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.link", "os.symlink"}
Work = Callable[[Path], object]


def changes(event: str, details: tuple[Any, ...]) -> bool:
    """Whether an audit event is about to change a file or folder."""
    if event != "open":
        return event in CHANGES
    path, mode, flags = details
    changing = bool(set(mode or "") & set("wax+")) or bool(isinstance(flags, int) and flags & WRITING)
    return changing and isinstance(path, str | bytes) and not os.fsdecode(path).startswith(("/dev/", "/proc/"))


def at_operation(act: Callable[[], object], number: int) -> None:
    """From now on, call `act` before the file operation with this number, counted from 1."""
    seen = 0

    def count() -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            act()

    def hook(event: str, details: tuple[Any, ...]) -> None:
        if changes(event, details):
            count()

    flush = os.fsync

    def fsync(handle: int) -> None:
        count()
        flush(handle)

    os.fsync = fsync
    sys.addaudithook(hook)


def die() -> None:
    """End this process as kill -9 does."""
    os.kill(os.getpid(), signal.SIGKILL)


def in_a_copy(work: Work, folder: Path, before: Callable[[], object] = lambda: None) -> int:
    """Do the work in a forked copy of this process; return 0, the number of the signal that ended it, or 256 for an error."""
    if (child := os.fork()) == 0:
        code = 1
        try:
            before()
            work(folder)
            code = 0
        finally:
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status) * 256


def killed_everywhere(work: Work, root: Path, left: Callable[[Path], object], every: int = 1) -> dict[str, Any]:
    """Kill the work before its operation 1, 1 + `every`, ... until it gets through, each time in a new folder, and repeat it.

    left: what the work should have left, in a form that can be compared. Returns the number of kills and, for each repetition
    that failed or left something else than unbroken work, a line.
    """
    whole = root / "whole"
    assert in_a_copy(work, whole) == 0, "the work fails even when nobody kills it"
    expected, number, wrong = left(whole), 1, list[str]()
    while True:
        folder = root / f"killed-{number}"
        ended = in_a_copy(work, folder, lambda number=number: at_operation(die, number))
        if ended == 0:
            return {"kills": len(range(1, number, every)), "wrong": wrong}
        if ended != signal.SIGKILL:
            wrong.append(f"operation {number}: ended with {ended} instead of the kill")
        elif in_a_copy(work, folder):
            wrong.append(f"operation {number}: the repetition failed")
        elif (found := left(folder)) != expected:
            wrong.append(f"operation {number}: {found} instead of {expected}")
        number += every


if __name__ == "__main__":
    import works

    name, root, every = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    print(json.dumps(killed_everywhere(works.WORKS[name], root, works.files, every)))
