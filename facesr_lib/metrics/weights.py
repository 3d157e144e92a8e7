"""The pretrained networks and parameters that some scores need: which files, from where, and whether they are here and intact.

Nothing here touches the network: `facesr_tools.weights` and its command `facesr weights fetch` do that, when asked.
"""

import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeVar

from facesr_lib.data.cache import cache_dir
from facesr_lib.files import file_digest, write_atomically

State = Literal["ready", "missing", "damaged"]
T = TypeVar("T")


@dataclass(frozen=True)
class WeightFile:
    """One file: its name in the cache, size in bytes, SHA-256, and, for a package, its path inside the archive."""

    name: str
    size: int
    sha256: str
    member: str = ""


@dataclass(frozen=True)
class Weights:
    """What one backend of a metric needs.

    metric: what it measures.  backend: what tables call the result.  source: the address of a file on its official host, or a
    release in a package index, such as "npm: NAME@VERSION", of which single files are taken; nothing in it is installed or run.
    by_default: whether `facesr weights fetch`, which looks
    for one backend of each metric, considers it; the others are fetched by name.  made_from: files of the package that are
    converted to `files` when they are fetched (`facesr_tools.convert`); empty where the package's own files are kept.
    """

    name: str
    metric: str
    backend: str
    licence: str
    source: str
    files: tuple[WeightFile, ...]
    by_default: bool = True
    made_from: tuple[WeightFile, ...] = ()

    @property
    def folder(self) -> Path:
        """Where the files belong; it may not exist yet."""
        if "://" not in self.source:
            return cache_dir() / "weights" / self.name
        import torch  # here, since the command line lists weights without loading torch elsewhere

        # torch hub's cache, where torchvision and others look too
        return Path(torch.hub.get_dir()) / "checkpoints"

    @property
    def path(self) -> Path:
        """The file, or the folder of several files."""
        return self.folder / self.files[0].name if len(self.files) == 1 else self.folder

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


class WeightsMissing(RuntimeError):
    """A metric's weights are not on this machine; the message names the metric and the command that fetches them."""


def _read_table() -> dict[str, Weights]:
    """The entries of weights.toml, in its order."""
    table = tomllib.loads(files("facesr_lib.metrics").joinpath("weights.toml").read_text(encoding="utf-8"))
    found = {}
    for name, entry in table.items():
        folder = entry.pop("folder", "")  # of the files inside the package
        for kind in ("files", "made_from"):
            listed = entry.pop(kind, ())
            entry[kind] = tuple(WeightFile(member=folder and f"{folder}/{file['name']}", **file) for file in listed)
        found[name] = Weights(name, **entry)
    return found


WEIGHTS: Mapping[str, Weights] = MappingProxyType(_read_table())


def named(name: str) -> Weights:
    """The table's entry. Raises KeyError, listing the valid names, for another one."""
    try:
        return WEIGHTS[name]
    except KeyError:
        raise KeyError(f"no weights are called {name!r}; valid: {', '.join(WEIGHTS)}") from None


def find(name: str) -> Path | None:
    """Path of the intact weights on this machine (the file, or the folder of several files), else None. Never downloads.

    Size and SHA-256 are checked once per file; after that, its size and modification time. Raises KeyError for a bad name.
    """
    weights = named(name)
    return weights.path if state(weights) == "ready" else None


def require(name: str) -> Path:
    """Path of the intact weights, as `find` gives it. Raises WeightsMissing, with the command to run, without them."""
    weights = named(name)
    if (found := state(weights)) == "ready":
        return weights.path
    where = f"the weights {name} are {found} ({weights.path})"
    raise WeightsMissing(f"{weights.backend}: {where}; run: facesr weights fetch {name}")


def if_available(make: Callable[[], T], note: Callable[[str], object]) -> T | None:
    """Return `make()`, or None if its weights are missing. Then `note` is called with the reason, and the score is "n/a"."""
    try:
        return make()
    except WeightsMissing as missing:
        note(f"n/a: {missing}")
        return None


def state(weights: Weights, *, rehash: bool = False) -> State:
    """Whether all files are there and have the right content; with `rehash` every byte is read again."""
    paths = [(weights.folder / file.name, file) for file in weights.files]
    if not all(path.is_file() for path, _ in paths):
        return "missing"
    return "ready" if all(_intact(path, file, rehash) for path, file in paths) else "damaged"


def _intact(path: Path, file: WeightFile, rehash: bool) -> bool:
    """Compare a file with the table; a stamp in the cache remembers which file, as it was then, had the right content."""
    facts = path.stat()
    if facts.st_size != file.size:
        return False
    stamp = cache_dir() / "weights" / "verified" / file.sha256
    seen = f"{path}\n{facts.st_size}\n{facts.st_mtime_ns}\n"
    with suppress(OSError):
        if not rehash and stamp.read_text(encoding="utf-8") == seen:
            return True
    if file_digest(path) != file.sha256:
        return False
    with suppress(OSError):  # a cache that cannot be written to costs time, not the score
        stamp.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(stamp, seen.encode())
    return True
