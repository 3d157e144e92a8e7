"""What is to be known of a data set before its first byte: rights, files, protocol, and how its pictures are listed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from facesr_lib.download import RemoteFile

Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels; right and bottom are outside
Kind = Literal["faces", "cartoons", "real LR"]
REAL_LR = "real_lr/"  # parts below this folder hold LR pictures, the others HR


class PrepareError(RuntimeError):
    """A set cannot be prepared; the message names the file or entry, what was expected, and what to do."""


class Sample(NamedTuple):
    """One picture to be: a file below the source folder, whom it shows, and what to cut out of it.

    box None: the description's `without_box` says what is taken. reason: why a picture that ought to have a box has none.
    """

    file: str
    person: str
    box: Box | None = None
    reason: str = ""


Parts = dict[str, list[Sample]]  # "train", "val", "test", "real_lr/train", ...


@dataclass(frozen=True)
class Description:
    """One data set under one paper's protocol.

    name: what the command line and DATA_ROOT call it.  family: the folder of its sources, shared by protocols of one set.
    licence, terms: in a few words, and the page that states them.  credit: for manifests.
    files: what `index` needs. Those without addresses must be asked for; `ask` says where and how.
    protocol: how the pictures are cut, in words, for the manifest; numbers of our own are marked [choice] there.
    index: lists the pictures below a source folder.  size, lr_size: sides of the packed pictures in pixels.
    without_box: what is taken of a picture without a box: the whole of it, squashed; its centre square; nothing.
    identities: how people are known, for the manifest.  limits: pictures per part that the paper uses, where it uses few.
    """

    name: str
    title: str
    kind: Kind
    family: str
    licence: str
    terms: str
    credit: str
    used_by: str
    protocol: str
    identities: str
    files: tuple[RemoteFile, ...]
    ask: str
    index: Callable[[Path], Parts]
    size: int
    lr_size: int = 16
    without_box: Literal["whole", "centre", "refuse"] = "centre"
    limits: Mapping[str, int] | None = None

    def size_of(self, part: str) -> int:
        """Side in pixels of a part's pictures."""
        return self.lr_size if part.startswith(REAL_LR) or self.kind == "real LR" else self.size

    @property
    def downloadable(self) -> bool:
        """Whether every file has an address."""
        return all(file.urls for file in self.files)


def drawn_split(person: str, shares: Mapping[str, float]) -> str:
    """The part that a person is in, where nobody published a split: the same on every machine, whoever else is there.

    `shares` add up to 1; a person's place in [0, 1) is the beginning of the SHA-256 of the id.
    """
    place = int.from_bytes(hashlib.sha256(person.encode()).digest()[:8], "big") / 2**64
    edge = 0.0
    for part, share in shares.items():
        edge += share
        if place < edge:
            return part
    return part


def find_entry(source: Path, name: str, *, folder: bool, depth: int = 4) -> Path:
    """The file or folder `name` at most `depth` levels below `source`, the shallowest first, since archives differ in
    how they wrap their content. Raises PrepareError when there is none."""
    level = [source]
    for _ in range(depth):
        below: list[Path] = []
        for place in level:
            candidate = place / name
            if candidate.is_dir() if folder else candidate.is_file():
                return candidate
            below += sorted(entry for entry in _folders(place))
        level = below
    kind = "folder" if folder else "file"
    raise PrepareError(
        f"there is no {kind} {name} in {source} or the folders below it: put it there, or unpack its archive there"
    )


def _folders(place: Path) -> Sequence[Path]:
    return [entry for entry in place.iterdir() if entry.is_dir() and not entry.name.startswith(".")]
