"""Files: written whole or not at all, known by their checksum."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


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


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` to `path`: a temporary name beside it, fsync, rename. A reader sees the old file or the new one."""
    temporary = path.with_name(f".{path.name[:50]}.{os.getpid()}.tmp")  # cut, since a name may be as long as is allowed
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


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
    """Let one process at a time write into `folder`, which need not exist; the others wait and say for whom.

    The lock is a file beside the folder. The system releases it when its owner ends, in whatever way.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock, owner = (folder.with_name(f".{folder.name}.{kind}") for kind in ("lock", "owner"))
    held = FileLock(lock)
    try:
        held.acquire(blocking=False)
    except Timeout:
        who = owner.read_text() if owner.is_file() else "another one"
        print(f"Another process ({who}) is writing {folder.name}: waiting for it to end", flush=True)
        held.acquire()
    try:
        owner.write_text(f"{os.getpid()}")
        yield
    finally:
        owner.unlink(missing_ok=True)
        held.release()
