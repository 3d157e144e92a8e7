"""Does a piece of work again and again, each time ended at another of its file operations; also run as a script.

Python reports every file operation before it is carried out (PEP 578). A forked copy of this process counts them and ends, as by
kill -9, before a chosen one. What is flushed to the disk is not reported, so `os.fsync` counts too.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
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


def before_operations(act: Callable[[int], object]) -> None:
    """From now on, call `act` before every file operation, with its number, counted from 1."""
    seen = 0

    def count() -> None:
        nonlocal seen
        seen += 1
        act(seen)

    def hook(event: str, details: tuple[Any, ...]) -> None:
        if changes(event, details):
            count()

    flush = os.fsync

    def fsync(handle: int) -> None:
        count()
        flush(handle)

    os.fsync = fsync
    sys.addaudithook(hook)


def die(number: int) -> Callable[[int], object]:
    """End this process as kill -9 does, before the operation with this number."""
    return lambda seen: os.kill(os.getpid(), signal.SIGKILL) if seen == number else None


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


def operations(work: Work, folder: Path) -> int:
    """Do the work in a copy of this process; return the number of its file operations."""
    read, write = os.pipe()
    assert in_a_copy(work, folder, lambda: before_operations(lambda seen: os.write(write, b"."))) == 0, "the work fails unkilled"
    os.close(write)
    with open(read, "rb") as pipe:
        return len(pipe.read())


def killed(work: Work, root: Path, left: Callable[[Path], object], choose: Callable[[int], Iterable[int]]) -> dict[str, Any]:
    """Kill the work before some of its file operations, each time in a new folder, and repeat it.

    left: what the work should have left, in a form that can be compared. choose: of so many operations, the numbers to kill at.
    Returns the number of kills and, for each repetition that failed or left something else than unbroken work, a line.
    """
    count = operations(work, root / "whole")
    expected, wrong, kills = left(root / "whole"), list[str](), 0
    for number in choose(count):
        folder = root / f"killed-{number}"
        ended = in_a_copy(work, folder, lambda number=number: before_operations(die(number)))
        if ended == 0:  # the first time it wrote to a cache besides, and so had more operations
            continue
        kills += 1
        if ended != signal.SIGKILL:
            wrong.append(f"operation {number}: ended with {ended} instead of the kill")
        elif in_a_copy(work, folder):
            wrong.append(f"operation {number}: the repetition failed")
        elif (found := left(folder)) != expected:
            wrong.append(f"operation {number}: {found} instead of {expected}")
    return {"kills": kills, "wrong": wrong}


def every(step: int) -> Callable[[int], Iterable[int]]:
    """The first operation, and every `step`th after it."""
    return lambda count: range(1, count + 1, step)


def at_random(times: int, seed: str) -> Callable[[int], Iterable[int]]:
    """So many different ones."""
    return lambda count: Random(seed).sample(range(1, count + 1), times)


if __name__ == "__main__":
    import works

    root, how, number, *names = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), *sys.argv[4:]
    found = dict[str, Any]()
    for name in names:
        choose = every(number) if how == "every" else at_random(number, name)
        found[name] = killed(works.work(name), root / name, works.files, choose)
    print(json.dumps(found))
