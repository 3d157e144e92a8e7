"""Download one file: try mirrors in order, resume partial transfers, rename into place only after the checksum matches."""

import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO

from facesr_lib.files import file_digest, sync_folder

OnProgress = Callable[[int, int | None], None]  # called with what is done and, where known, the total (bytes, pictures)
TIMEOUT = 30  # seconds without a byte
CHUNK = 1 << 18
_PAGE = re.compile(rb"\s*(<!doctype html|<html|<head|<\?xml[^>]*>\s*<html)", re.IGNORECASE)


class DownloadFailed(RuntimeError):
    """A download failed; the message says why, and whether running the command again resumes it."""


@dataclass(frozen=True)
class RemoteFile:
    """A file to download or to place by hand. urls: mirrors in order of preference; empty if it cannot be downloaded.

    size (bytes), md5 and sha256 (hexadecimal): as published; empty where nobody published them.
    """

    name: str
    urls: tuple[str, ...] = ()
    size: int | None = None
    md5: str = ""
    sha256: str = ""

    def mismatch(self, path: Path) -> str:
        """How a file differs from its published size and checksums; "" when all of them match."""
        if self.size is not None and (found := path.stat().st_size) != self.size:
            return f"{found:,} bytes, not {self.size:,}"
        for algorithm in ("md5", "sha256"):
            expected = getattr(self, algorithm)
            if expected and (digest := file_digest(path, algorithm)) != expected:
                return f"{'SHA-256' if algorithm == 'sha256' else 'MD5'} {digest}, not {expected}"
        return ""


def download(file: RemoteFile, folder: Path, progress: OnProgress = lambda done, total: None, attempts: int = 1) -> Path:
    """Download `file` to `folder` and return its path; an intact copy that is there already is returned without a request.

    A partial transfer stays as NAME.part. This call resumes it up to `attempts` times per mirror, as long as bytes arrive; later
    calls resume it too. The file gets its name only after its size and checksums match.
    Raises DownloadFailed if no mirror delivers the file, the content is wrong, or it is a web page; OSError if the disk is full.
    """
    path = folder / file.name
    if path.is_file() and not file.mismatch(path):
        return path
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{file.name}.part"
    if not file.urls:
        raise DownloadFailed(f"{file.name} has no download address: request it from its authors")
    reasons: list[str] = []
    for url in file.urls:
        for _ in range(attempts):
            before = _size(part)
            try:
                _resume(url, file, part, progress)
                accept(part, file, path)
                return path
            except (urllib.error.URLError, HTTPException, ConnectionError, TimeoutError) as error:
                reasons.append(network_reason(error))
            except DownloadFailed as error:
                reasons.append(str(error))
            if _size(part) <= before:  # no byte arrived: another try would not help
                break
    raise DownloadFailed("; ".join(dict.fromkeys(reasons)))


def is_web_page(path: Path) -> bool:
    """Whether a file begins like an HTML page, as a login or quota page does that was saved under an archive's name."""
    with open(path, "rb") as file:
        return bool(_PAGE.match(file.read(512)))


def copy_at_most(source: IO[bytes] | HTTPResponse, out: IO[bytes], done: int, total: int | None, progress: OnProgress) -> int:
    """Append `source` to `out`, which holds `done` bytes; return how many it holds then.

    Reads at most one byte more than `total`, which is enough to show that the content is too long.
    """
    while chunk := source.read(CHUNK if total is None else min(CHUNK, total + 1 - done)):
        out.write(chunk)
        done += len(chunk)
        progress(done, total)
    out.flush()
    os.fsync(out.fileno())
    return done


def accept(part: Path, file: RemoteFile, path: Path) -> None:
    """Rename a complete file to `path`. Raises DownloadFailed, and deletes the file, if its content is wrong."""
    if wrong := file.mismatch(part):
        part.unlink()
        raise DownloadFailed(f"{file.name} is not the expected file ({wrong}) and was deleted")
    part.replace(path)
    sync_folder(path.parent)


def network_reason(error: Exception) -> str:
    """Why a request failed, in one sentence."""
    if isinstance(error, urllib.error.HTTPError):
        return f"{error.url} answered {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError):
        return f"the host cannot be reached ({error.reason})"
    if isinstance(error, TimeoutError):
        return f"no byte arrived for {TIMEOUT} s; run the command again to resume"
    return f"the connection broke ({error!r}); run the command again to resume"


def _resume(url: str, file: RemoteFile, part: Path, progress: OnProgress) -> None:
    """Download what `part` lacks. Raises DownloadFailed if the host ends early or sends a web page."""
    have = _size(part)
    if file.size is not None and have > file.size:  # cannot be the beginning of this file
        part.unlink()
        have = 0
    if file.size is not None and have == file.size:
        return
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # all bytes are here, or they are not of this file: the checksum tells
            return
        raise
    with answer:
        resumed = answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        have = have if resumed else 0
        length = answer.headers.get("Content-Length")
        total = file.size if file.size is not None else have + int(length) if length else None
        with open(part, "ab" if resumed else "wb") as out:
            have = copy_at_most(answer, out, have, total, progress)
    if is_web_page(part) and not file.name.endswith((".html", ".htm")):
        part.unlink()
        raise DownloadFailed(
            f"{url} sent a web page instead of {file.name} (a login, a quota or a confirmation?): open it in a browser and "
            f"save the file as {part.with_name(file.name)}"
        )
    if total is not None and have < total:
        raise DownloadFailed(f"the connection ended after {have:,} of {total:,} bytes; run the command again to resume")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
