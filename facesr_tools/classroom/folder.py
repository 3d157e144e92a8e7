"""Write a folder completely or not at all, and never delete anybody's files."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from facesr_lib.files import file_digest, sync_folder, write_atomically

MARKER = ".facesr-classroom.json"  # what was written, with its SHA-256


def replace_folder(out: Path, contents: Mapping[str, bytes], *, overwrite: bool = False) -> Path | None:
    """Make `out` a folder with exactly these files (relative path -> content) and a MARKER that lists them.

    Replaces an empty folder, and one that this function wrote and nobody changed since. Any other folder needs `overwrite`; it is
    renamed to OUT.before, and that path is returned. Nothing changes at `out` until all files are on disk.
    Raises FileExistsError without `overwrite`, and ValueError if `out` is a file or contains the current folder.
    """
    out = out.resolve()
    if out.is_file():
        raise ValueError(f"OUT {out} is a file: name a folder")
    if Path.cwd().is_relative_to(out):
        raise ValueError(f"OUT {out} contains the current folder: name a new folder")
    strange = strange_files(out)
    if strange and not overwrite:
        some = ", ".join(strange[:3]) + (f" and {len(strange) - 3} more" if len(strange) > 3 else "")
        raise FileExistsError(
            f"OUT {out} holds files that this command did not write, or that changed since: {some}; choose another folder, or "
            "add --overwrite, which keeps the old one beside it"
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    staged = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        for name, content in {**contents, MARKER: _marker(contents)}.items():
            (staged / name).parent.mkdir(parents=True, exist_ok=True)
            write_atomically(staged / name, content)
        before = _free_name(out) if out.exists() else None
        if before:
            out.rename(before)
        try:
            staged.rename(out)
        except OSError:
            if before:
                before.rename(out)
            raise
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    sync_folder(out.parent)
    if before and not strange:
        shutil.rmtree(before)
        return None
    return before


def strange_files(folder: Path) -> list[str]:
    """Files below `folder` that its MARKER does not list with their present content, sorted; [] for no folder or an empty one."""
    if not folder.is_dir():
        return []
    try:
        known = json.loads((folder / MARKER).read_bytes())["files"]
    except (OSError, ValueError, KeyError, TypeError):
        known = {}
    there = sorted(path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())
    names = {path.relative_to(folder).as_posix(): path for path in there}
    if known:
        names.pop(MARKER)
    return [name for name, path in names.items() if path.is_symlink() or known.get(name) != file_digest(path)]


def _marker(contents: Mapping[str, bytes]) -> bytes:
    hashes = {name: hashlib.sha256(contents[name]).hexdigest() for name in sorted(contents)}
    return (json.dumps({"files": hashes}, indent=1) + "\n").encode()


def _free_name(out: Path) -> Path:
    names = (out.with_name(f"{out.name}.before{'' if n == 1 else f'-{n}'}") for n in count(1))
    return next(name for name in names if not name.exists())
