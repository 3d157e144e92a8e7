"""The description of a data set: rights, files, protocol, and how to list its pictures."""

import hashlib
import math
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, overload

from facesr_lib.data.boxes import Box
from facesr_tools.download import RemoteFile

Kind = Literal["faces", "cartoons", "real LR"]
REAL_LR = "real_lr/"  # parts below this folder hold LR pictures, the others HR
REFERENCE = "reference/"  # below this one, the HR originals of the LR pictures of the same part; "pool": HR pictures of others


class PrepareError(RuntimeError):
    """A set cannot be prepared; the message names the file or entry, what was expected, and what to do."""


class EntryMissing(PrepareError):
    """A file or folder of a set is not below its source folder."""


class Sample(NamedTuple):
    """One picture to make: a file below the source folder, the person in it, and the box to crop.

    box None: the description's `without_box` says what is taken.  reason: why a picture that should have a box has none; it is
    then left out.
    """

    file: str
    person: str
    box: Box | None = None
    reason: str = ""


class Samples(Sequence[Sample]):
    """A growing sequence of samples, stored in columns, since VGGFace2 has 3.3 million.

    A sample takes 48 bytes plus its file name, in place of 400 as a tuple; each person's name is stored once.
    """

    def __init__(self, samples: Iterable[Sample] = ()) -> None:
        self._files = bytearray()  # all names, one after the other
        self._ends = array("Q")  # of each name in there
        self._boxes = array("d")  # four per sample, NaN for none
        self._people, self._reasons = array("I"), array("I")  # places in _texts
        self._texts: list[str] = []
        self._places: dict[str, int] = {}
        for sample in samples:
            self.append(sample)

    def append(self, sample: Sample) -> None:
        """Add a sample at the end. Raises PrepareError if its box is not finite."""
        if sample.box is not None and not all(map(math.isfinite, sample.box)):
            raise PrepareError(f"{sample.file}: its box {sample.box} is not four finite numbers: get the list of boxes again")
        self._files += sample.file.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._files))
        self._boxes.extend(sample.box or (math.nan,) * 4)
        self._people.append(self._place(sample.person))
        self._reasons.append(self._place(sample.reason))

    def people(self) -> list[str]:
        """The person in each sample, in order."""
        return [self._texts[place] for place in self._people]

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, key: int) -> Sample: ...
    @overload
    def __getitem__(self, key: slice) -> list[Sample]: ...
    def __getitem__(self, key: int | slice) -> Sample | list[Sample]:
        if isinstance(key, slice):
            return [self[row] for row in range(len(self))[key]]
        row = range(len(self))[key]
        name = self._files[self._ends[row - 1] if row else 0 : self._ends[row]]
        left, top, right, bottom = self._boxes[4 * row : 4 * row + 4]
        box = None if math.isnan(left) else (left, top, right, bottom)
        file = name.decode("utf-8", "surrogatepass")
        return Sample(file, self._texts[self._people[row]], box, self._texts[self._reasons[row]])

    def _place(self, text: str) -> int:
        place = self._places.setdefault(text, len(self._texts))
        if place == len(self._texts):
            self._texts.append(text)
        return place


Parts = dict[str, Samples]  # "train", "val", "test", "real_lr/train", ...


@dataclass(frozen=True)
class Origin:
    """The origin of a set, the same for all its protocols.

    family: the folder of its sources.  licence: in a few words.  terms: the page that states it.  credit: for every manifest.
    identities: how people are identified, and so what a split guarantees.
    """

    family: str
    licence: str
    terms: str
    credit: str
    identities: str


@dataclass(frozen=True)
class Description:
    """One data set under one paper's protocol.

    name: what the command line, DATA_ROOT and `facesr_lib.papers` call it.
    files: what `index` needs. Files without addresses must be requested; `ask` says where and how.
    protocol: how the pictures are cropped, in words, for the manifest; our own numbers are marked [ours].
    index: lists the pictures below a source folder; raises EntryMissing if a part of the set is missing.
    size, lr_size: sides of the packed pictures in pixels.
    without_box: what to take of a picture without a box: all of it, squashed, or its centre square.
    resize: how crops are resized, see `crop.cut`.
    limits: pictures per part that the paper uses, if it uses few: the first that `index` lists of each part.  pictures: lists
    these as files to download one by one.
    """

    name: str
    title: str
    kind: Kind
    origin: Origin
    protocol: str
    files: tuple[RemoteFile, ...]
    ask: str
    index: Callable[[Path], Parts]
    size: int
    lr_size: int = 16
    without_box: Literal["whole", "centre"] = "centre"
    resize: Literal["bicubic", "linear"] = "bicubic"
    limits: Mapping[str, int] | None = None
    pictures: Callable[[Path, Mapping[str, int]], list[RemoteFile]] | None = None

    def size_of(self, part: str) -> int:
        """Side in pixels of a part's pictures."""
        return self.lr_size if part.startswith(REAL_LR) or self.kind == "real LR" else self.size

    @property
    def downloadable(self) -> bool:
        """Whether every file has an address."""
        return all(file.urls for file in self.files)


def drawn_place(text: str) -> float:
    """A number in [0, 1) as if drawn at random, the same on every machine: the first 8 bytes of the text's SHA-256."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64


def drawn_split(person: str, shares: Mapping[str, float]) -> str:
    """The part of a person where nobody published a split: the same on every machine, whoever else is in the set.

    shares: fractions that add up to 1; `drawn_place` gives the person's place among them.
    """
    place, edge = drawn_place(person), 0.0
    for part, share in shares.items():
        edge += share
        if place < edge:
            return part
    return part


def look_for(source: Path, name: str, *, folder: bool, depth: int = 4) -> Path | None:
    """The shallowest file or folder `name` at most `depth` levels below `source`, or None.

    Archives of the same set differ in the folders around their content.
    """
    level = [source]
    for _ in range(depth):
        below: list[Path] = []
        for place in level:
            candidate = place / name
            if candidate.is_dir() if folder else candidate.is_file():
                return candidate
            below += sorted(entry for entry in place.iterdir() if entry.is_dir() and not entry.name.startswith("."))
        level = below
    return None


def find_entry(source: Path, name: str, *, folder: bool) -> Path:
    """`look_for`, but raises EntryMissing if there is none."""
    found = look_for(source, name, folder=folder)
    if found is None:
        kind = "folder" if folder else "file"
        raise EntryMissing(f"there is no {kind} {name} in {source} or the folders below it: put it or its archive there")
    return found
