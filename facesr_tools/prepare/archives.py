"""Unpack archives from elsewhere, which may decide neither where files go nor how much is written."""

import errno
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from facesr_lib.files import sync_folder
from facesr_tools.download import is_web_page

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
MAX_RATIO = 50  # unpacked size over archive size; pictures hardly shrink, lists of numbers shrink to a tenth
FREE_OF_RATIO = 64 << 20  # bytes that are always allowed
MAX_FILES = 5_000_000
_DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError)
# Of names that are too long, or a file's and a folder's at once, and of places that an archive names and does not have.
_IMPOSSIBLE = (errno.ENAMETOOLONG, errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.EINVAL)
_REMEDY = "unpack it yourself and give the folder instead"


class ArchiveError(RuntimeError):
    """An archive is damaged, not an archive, or refused for its content; the message names it and the remedy."""


class Member(NamedTuple):
    """One entry: its path as the archive spells it, its size in bytes, its kind, and how to read it."""

    name: str
    size: int
    kind: str  # "file", "folder", or words for what else it is
    read: Callable[[], IO[bytes]]


def is_archive(path: Path) -> bool:
    """Whether a file name has the ending of an archive that `unpack` reads."""
    return path.name.lower().endswith(SUFFIXES)


def stem(path: Path) -> str:
    """An archive's name without its ending: "faces" for faces.tar.gz."""
    ending = next((suffix for suffix in sorted(SUFFIXES, key=len, reverse=True) if path.name.lower().endswith(suffix)), "")
    return path.name[: len(path.name) - len(ending)]


def unpack(archive: Path, folder: Path, progress: Callable[[int], None] = lambda files: None) -> Path:
    """Unpack a zip or tar archive to `folder`, which appears only when every file is written; return `folder` if it exists.

    After an interruption, complete files are not written again. progress(files) is called every 1000 files.
    Raises ArchiveError for a damaged archive or a web page under an archive's name. Also refuses what no data set needs: absolute
    paths, "..", links, devices, encryption, an unpacked size over MAX_RATIO times the archive's or over the free disk space.
    After an error, everything written so far is removed.
    """
    if folder.is_dir():
        return folder
    compressed = archive.stat().st_size
    partial = folder.with_name(f".{folder.name}-{compressed}.unpacking")  # another archive starts from the beginning
    partial.mkdir(parents=True, exist_ok=True)
    allowed = min(MAX_RATIO * compressed + FREE_OF_RATIO, shutil.disk_usage(partial).free + _written(partial))
    written = 0
    try:
        for count, member in enumerate(_members(archive), start=1):
            target = _place(member, archive, partial)
            written += member.size
            if written > allowed or count > MAX_FILES:
                raise ArchiveError(_too_much(archive, written, count, compressed))
            if member.kind == "folder":
                target.mkdir(parents=True, exist_ok=True)
            elif not (target.is_file() and target.stat().st_size == member.size):
                target.parent.mkdir(parents=True, exist_ok=True)
                with member.read() as content, open(target, "wb") as out:
                    shutil.copyfileobj(content, out, 1 << 20)
                if target.stat().st_size != member.size:
                    raise EOFError(f"{member.name} ends early")
            if count % 1000 == 0:
                progress(count)
    except ArchiveError:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    except (*_DAMAGE, OSError) as error:
        if isinstance(error, OSError) and error.errno not in _IMPOSSIBLE:  # a full disk: what was written is kept
            raise
        shutil.rmtree(partial, ignore_errors=True)
        if isinstance(error, OSError):
            raise ArchiveError(
                f"{archive} is damaged, or holds names that no folder here can have ({error}); {_REMEDY}"
            ) from error
        raise ArchiveError(f"{archive} is damaged or cut short ({error}): delete it and download it again") from error
    except NotImplementedError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise ArchiveError(f"{archive} is packed in a way that Python cannot read ({error}); {_REMEDY}") from error
    partial.replace(folder)
    sync_folder(folder.parent)
    return folder


def _members(archive: Path) -> Iterator[Member]:
    if is_web_page(archive):
        raise ArchiveError(
            f"{archive} is a web page, not an archive (a login, a quota or a confirmation page was saved under its name): "
            "delete it, open its address in a browser and save the archive itself"
        )
    if zipfile.is_zipfile(archive):
        yield from _zip_members(archive)
    elif tarfile.is_tarfile(archive):
        yield from _tar_members(archive)
    elif _begins_as_zip(archive):
        raise ArchiveError(f"{archive} is cut short (a zip archive without its end): delete it and download it again")
    else:
        raise ArchiveError(f"{archive} is not a zip or tar archive; {_REMEDY}")


def _zip_members(archive: Path) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as content:
        infos = content.infolist()
        # The total size is known: refuse a bomb before the first byte is written.
        total = sum(info.file_size for info in infos)
        compressed = archive.stat().st_size
        if total > MAX_RATIO * compressed + FREE_OF_RATIO:
            raise ArchiveError(_too_much(archive, total, len(infos), compressed))
        for info in infos:
            mode = info.external_attr >> 16
            kind = "folder" if info.is_dir() else "a link" if stat.S_ISLNK(mode) else "file"
            if info.flag_bits & 1:
                kind = "an encrypted file"
            yield Member(info.filename, info.file_size, kind, lambda info=info: content.open(info))  # type: ignore[misc]


def _tar_members(archive: Path) -> Iterator[Member]:
    with tarfile.open(archive) as content:
        for info in content:
            kind = "folder" if info.isdir() else "file" if info.isreg() else "a link" if _links(info) else "a device"

            def read(info: tarfile.TarInfo = info) -> IO[bytes]:
                inside = content.extractfile(info)
                assert inside is not None  # it is a regular file
                return inside

            yield Member(info.name, info.size if info.isreg() else 0, kind, read)
            content.members = []  # type: ignore[attr-defined]  # tarfile would keep every header of a million files


def _begins_as_zip(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(2) == b"PK"


def _links(info: tarfile.TarInfo) -> bool:
    return info.issym() or info.islnk()


def _place(member: Member, archive: Path, folder: Path) -> Path:
    """The path of a member below `folder`. Raises ArchiveError if it may not be written."""
    name = member.name.replace("\\", "/")
    path = PurePosixPath(name)
    if member.kind not in ("file", "folder"):
        raise ArchiveError(f"{archive} is refused: {member.name!r} in it is {member.kind}, which no data set needs; {_REMEDY}")
    if path.is_absolute() or ".." in path.parts or ":" in (path.parts[0] if path.parts else ""):
        raise ArchiveError(
            f"{archive} is refused: {member.name!r} in it would be written outside its folder; delete it and download it again"
        )
    return folder.joinpath(*path.parts)


def _too_much(archive: Path, written: int, count: int, compressed: int) -> str:
    return (
        f"{archive} is refused: {compressed:,} bytes would become {written:,} and more, in {count:,} files; that is over "
        f"{MAX_RATIO} times its size, over {MAX_FILES:,} files, or over the free disk space. If the archive is right, "
        f"free space or {_REMEDY}"
    )


def _written(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
