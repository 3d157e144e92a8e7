"""Does a piece of work on a disk that is too small, then larger, until it fits; run inside `unshare --map-root-user --mount`.

Prints what `sizes` finds, or what the work says of a disk that can only be read.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import works
from kills import in_a_copy

LARGE = "1g"


def mount(disk: Path, size: str, *more: str) -> None:
    """Give the disk a size in memory."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join((f"size={size}", *more)), "tmpfs", disk], check=True)


def attempt(name: str, folder: Path, told: Path) -> bool:
    """Do the work in a copy of this process; write what it raised to `told`. Returns whether it succeeded."""

    def work(folder: Path) -> None:
        try:
            works.work(name)(folder)
        except BaseException as error:
            told.write_text(json.dumps({"kind": type(error).__name__, "text": str(error)}))
            raise

    return in_a_copy(work, folder) == 0


def sizes(name: str, root: Path, size: int) -> Iterator[dict[str, Any]]:
    """From `size` KiB on until the work fits: its error, what it left half-written, and whether room was all that it lacked."""
    disk, told = root / "disk", root / "told.json"
    disk.mkdir()
    mount(disk, LARGE)
    assert attempt(name, disk / "whole", told), "the work fails even with room"
    expected, fits = works.files(disk / "whole"), False
    while not fits:
        mount(disk, f"{size}k")  # on top of the one before
        fits = attempt(name, disk / "out", told)
        half = [str(path.relative_to(disk)) for path in disk.rglob("*.tmp")]
        mount(disk, LARGE, "remount")
        same = attempt(name, disk / "out", root / "again.json") and works.files(disk / "out") == expected
        yield {"size": size, "half": half, "same": same, "error": None if fits else json.loads(told.read_text())}
        size += max(4, size // 4)


def only_read(name: str, root: Path) -> dict[str, Any]:
    """The error of the work on a disk that nothing can be written to."""
    disk, told = root / "disk", root / "told.json"
    disk.mkdir()
    mount(disk, LARGE, "ro")
    assert not attempt(name, disk, told), "the work wrote to a disk that can only be read"
    found: dict[str, Any] = json.loads(told.read_text())
    return found


if __name__ == "__main__":
    name, root, size = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    print(json.dumps(list(sizes(name, root, size)) if size else only_read(name, root)))
