"""ImageSet: a stack of equally large 8-bit pictures, with who is on them and where they come from."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:  # `take` and `square` import torch themselves: packing needs neither, and torch takes 500 MB
    from torch import Tensor

LISTED = 100  # lines: who has more bad files has one cause, not a hundred
ROLES = ("faces", "cartoons", "real LR faces", "validation faces")  # what a set can stand for in a paper's claims
Pixels = npt.NDArray[np.uint8]
Indices: TypeAlias = "Sequence[int] | npt.NDArray[np.integer] | Tensor"


@dataclass(frozen=True, eq=False)
class Rows:
    """Chosen images of a memory map, read from disk only when indexed along the first axis."""

    source: Pixels
    rows: npt.NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.rows), *self.source.shape[1:])

    @property
    def dtype(self) -> np.dtype[np.uint8]:
        return self.source.dtype

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: int | slice | npt.NDArray[np.integer]) -> Pixels:
        return self.source[self.rows[key]]

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        return self.source[self.rows].astype(dtype or self.dtype, copy=False)


@dataclass(frozen=True)
class PassedOver:
    """What a reader of pictures did not take: a file, a folder or several, relative to the folder that was read; and why."""

    what: str
    reason: str


def listed(passed: Sequence[PassedOver]) -> list[str]:
    """One line of printable text for each of the first LISTED, and one for how many more there are."""
    lines = [f"{one.what}: {one.reason}".encode("utf-8", "backslashreplace").decode() for one in passed[:LISTED]]
    return [*lines, f"and {len(passed) - LISTED} more"] if len(passed) > LISTED else lines


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Equally large RGB pictures: 8-bit at rest, float only for the images a caller takes.

    name: what tables call it.  pixels: uint8 (N, H, W, 3), N >= 1; an array, a memory map, or chosen rows of one.
    groups: N person or character ids; a split never puts one group on both sides.  credit: source and licence, one line, shown
    in notebooks.  sha256: the pixels' digest if known.  role: what the set stands for in a paper's claims, one of ROLES.
    passed_over: what was not taken of the files behind it.
    Raises ValueError for other pixels, a missing group, an empty name or an unknown role.
    """

    name: str
    pixels: Pixels | Rows
    groups: tuple[str, ...]
    credit: str
    sha256: str | None = field(default=None, repr=False)
    role: str = ROLES[0]
    passed_over: tuple[PassedOver, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        shape = self.pixels.shape
        if self.pixels.dtype != np.uint8 or len(shape) != 4 or shape[3] != 3 or 0 in shape:
            expected = "pixels must be uint8 of shape (N, H, W, 3) with at least one image"
            raise ValueError(f"image set {self.name!r}: {expected}, got {self.pixels.dtype} {shape}")
        if len(self.groups) != len(self.pixels):
            raise ValueError(f"image set {self.name!r}: {len(self.pixels)} images, {len(self.groups)} groups; give one id each")
        if not self.name:
            raise ValueError("image set: the name is empty; say what tables shall call it")
        if self.role not in ROLES:
            raise ValueError(f"image set {self.name!r}: unknown role {self.role!r}; choose one of {', '.join(ROLES)}")

    def __len__(self) -> int:
        return len(self.pixels)

    def __repr__(self) -> str:
        height, width = self.size
        return f"ImageSet({self.name!r}, {len(self)} images {width}x{height} px, {len(set(self.groups))} groups)"

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.pixels.shape[1], self.pixels.shape[2]

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of the pixel bytes in order, hexadecimal; read from the manifest or computed once."""
        return self.sha256 or hash_pixels(self.pixels)

    def take(self, indices: Indices) -> Tensor:
        """Return the images at `indices` (any order, repeats allowed) as float32 RGB (n, 3, H, W) in [0, 1].

        Raises IndexError for an index outside the set; only the images asked for are read.
        """
        import torch

        from facesr_lib.image import to_float

        chosen = self.pixels[self._rows(indices)]
        return to_float(torch.from_numpy(np.ascontiguousarray(chosen.transpose(0, 3, 1, 2))))

    def subset(self, indices: Indices, name: str | None = None) -> ImageSet:
        """Return the images at `indices` as a set. Rows of a memory map stay on disk; images in memory are copied."""
        rows, pixels = self._rows(indices), self.pixels
        if isinstance(pixels, Rows):
            pixels = Rows(pixels.source, pixels.rows[rows])
        else:
            pixels = Rows(pixels, rows) if isinstance(pixels, np.memmap) else pixels[rows]
        return replace(self, name=name or self.name, pixels=pixels, groups=tuple(self.groups[i] for i in rows), sha256=None)

    def named(self, name: str, role: str | None = None) -> ImageSet:
        """Return the same images under another name (and role): another data set, such as these faces at another scale."""
        return replace(self, name=name, role=role or self.role, sha256=self.checksum)

    def limit(self, n: int | None) -> ImageSet:
        """Return `n` images (all, if there are fewer or `n` is None) spread evenly over the groups, in their old order.

        Takes the first image of every group, then the second of every group, and so on.
        """
        if n is not None and n < 1:
            raise ValueError(f"limit must be at least 1, got {n}")
        return self if n is None or n >= len(self) else self.subset(spread(self.groups, n))

    def _rows(self, indices: Indices) -> npt.NDArray[np.int64]:
        rows = np.asarray(indices)
        rows = rows if rows.size else rows.astype(np.int64)
        if rows.ndim != 1 or rows.dtype.kind not in "iu":
            raise TypeError(f"indices must be a flat sequence of whole numbers, got {rows.dtype} of shape {rows.shape}")
        outside = rows[(rows < 0) | (rows >= len(self))]
        if outside.size:
            raise IndexError(f"image {outside[0]} asked of {self.name!r}, which has images 0 to {len(self) - 1}")
        return rows.astype(np.int64)


def spread(groups: Sequence[str], n: int) -> npt.NDArray[np.int64]:
    """Places of `n` entries, in order: the first of every group, then the second of every group, and so on."""
    seen: Counter[str] = Counter()
    rank = []
    for group in groups:
        rank.append(seen[group])
        seen[group] += 1
    return np.sort(np.argsort(rank, kind="stable")[:n])


def hash_pixels(pixels: Pixels | Rows) -> str:
    """SHA-256 of the pixel bytes, read a few images at a time."""
    digest = hashlib.sha256()
    for start in range(0, len(pixels), 64):
        digest.update(np.ascontiguousarray(pixels[start : start + 64]).data)
    return digest.hexdigest()


def square(pixels: Pixels, size: int) -> Pixels:
    """Cut the centre square out of (n, H, W, 3) uint8 images and resize it to (n, size, size, 3) with MATLAB's bicubic.

    Computed in float64 and rounded once, so that the result does not depend on the machine's float32 kernels.
    """
    import torch

    from facesr_lib.image import resize_bicubic, to_uint8

    if size < 1:
        raise ValueError(f"size must be at least 1 px, got {size}")
    height, width = pixels.shape[1:3]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    crop = np.ascontiguousarray(pixels[:, top : top + side, left : left + side])
    if side == size:
        return crop
    # One colour plane at a time: a phone photograph in float64 would otherwise take half a gigabyte.
    planes = [resize_bicubic(torch.from_numpy(crop[:, None, :, :, c] / 255.0), size=(size, size)) for c in range(3)]
    resized = to_uint8(torch.cat(planes, dim=1))
    return np.ascontiguousarray(resized.permute(0, 2, 3, 1).numpy())
