"""Does a piece of work on a disk that is too small, then larger, until it fits; run inside `unshare --map-root-user --mount`.

Prints one JSON line per size: the error that the work ended with, what it left half-written, and whether it could be done after
the disk had grown.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import traceback
from pathlib import Path

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
            works.WORKS[name](folder)
        except BaseException as error:
            lines = [line for line in traceback.format_exception(error) if "Traceback" not in line]
            told.write_text(json.dumps({"kind": type(error).__name__, "text": str(error), "where": lines[-3:]}))
            raise

    return in_a_copy(work, folder) == 0


if __name__ == "__main__":
    name, root, first = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    disk, told = root / "disk", root / "told.json"
    disk.mkdir()
    mount(disk, LARGE)
    assert attempt(name, disk / "whole", told), "the work fails even with room"
    expected = works.files(disk / "whole")
    size, fits = first, False
    while not fits:
        mount(disk, f"{size}k")  # on top of the one before
        fits = attempt(name, disk / "out", told)
        half = [str(path.relative_to(disk)) for path in disk.rglob("*.tmp")]
        mount_options = f"remount,size={LARGE}"
        subprocess.run(["mount", "-o", mount_options, disk], check=True)
        again = attempt(name, disk / "out", root / "again.json")
        same = again and works.files(disk / "out") == expected
        print(
            json.dumps(
                {"size": size, "fits": fits, "half": half, "same": same, "error": None if fits else json.loads(told.read_text())}
            )
        )
        shutil.rmtree(disk / "out")
        size += max(4, size // 8)
