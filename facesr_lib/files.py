"""Files: written whole or not at all, known by their checksum."""

import errno
import hashlib
import os
import shutil
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

REFUSED = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "your quota is used up", errno.EROFS: "it can only be read"}
REFUSED |= dict.fromkeys((errno.EACCES, errno.EPERM), "writing is not allowed there")


class CannotWrite(OSError):
    """A folder takes no files; the message names it and what to do."""


@contextmanager
def writing(folder: Path, size: int = 0) -> Iterator[None]:
    """Say where and what to do if the block cannot write. size: bytes that it needs, if known. Raises CannotWrite."""
    try:
        yield
    except OSError as error:
        if error.errno not in REFUSED:
            raise
        there = next(place for place in (folder, *folder.parents) if place.exists())
        room = f"{shutil.disk_usage(there).free / 1e6:.1f} MB free" + (f", {size / 1e6:.1f} MB needed" if size else "")
        remedy = "What was finished is kept: make room or choose another folder, then do the same again"
        raise CannotWrite(f"cannot write to {folder}: {REFUSED[error.errno]} ({room}). {remedy}") from error


def sync_folder(folder: Path) -> None:
    """Ask the file system to keep a folder's entries (a rename) through a power cut (where folders can be opened)."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write `content` to `path`: a temporary name beside it, fsync, rename. A reader sees the old file or the new one."""
    # No longer than any name may be, and of no other process or thread.
    mark = f".{zlib.crc32(os.fsencode(path.name)):08x}"
    temporary = path.with_name(f"{mark}.{os.getpid()}.{threading.get_ident()}.tmp")
    for old in path.parent.glob(f"{mark}.*.tmp"):  # of a process killed while writing
        if not _lives(int(old.name.split(".")[2])):
            old.unlink(missing_ok=True)
    # UTF-8; names of files may hold bytes that are none, written as \\udcXX: JSON reads them back
    content = content if isinstance(content, bytes) else content.encode(errors="backslashreplace")
    with writing(path.parent, len(content)):
        try:
            with open(temporary, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def _lives(process: int) -> bool:
    """Whether a process of this number may still be there."""
    if os.name != "posix":  # elsewhere the same call would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


def make_folder(path: Path) -> None:
    """Make a folder, unless it is there. Raises FileExistsError, with the remedy, where a file has its place."""
    try:
        with writing(path):
            path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise FileExistsError(f"{path}: a file stands where this folder has to be, or one above it; move or delete it") from error


def remove(path: Path) -> None:
    """Delete a file, a link or a whole folder, if it is there."""
    shutil.rmtree(path, ignore_errors=True)  # leaves files and links alone
    path.unlink(missing_ok=True)


def file_digest(path: Path, algorithm: str = "sha256") -> str:
    """Hexadecimal digest of a file's content."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def checkout_root() -> Path | None:
    """The folder of the source checkout this package is imported from; None for an installed copy."""
    root = Path(__file__).resolve().parents[1]
    return root if (root / "pyproject.toml").is_file() else None


@contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Let one process at a time write into `folder`, which need not exist; the others wait and, after a second, say for whom.

    The lock is a file beside the folder. The system releases it when its owner ends, in whatever way.
    """
    make_folder(folder.parent)
    lock, owner = (folder.with_name(f".{folder.name}.{kind}") for kind in ("lock", "owner"))
    held = FileLock(lock)
    try:
        with writing(folder.parent):
            held.acquire(timeout=1)
    except Timeout:
        with suppress(OSError):  # its owner has just ended
            print(f"Another process ({owner.read_text()}) is writing {folder.name}: waiting for it to end", flush=True)
        held.acquire()
    try:
        with writing(folder.parent):
            owner.write_text(f"{os.getpid()}")
        yield
    finally:
        owner.unlink(missing_ok=True)
        held.release()
