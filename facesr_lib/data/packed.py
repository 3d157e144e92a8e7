"""Packed sets: all images of a set in one uint8 .npy file (opened as a memory map) beside a JSON manifest.

`train.json` describes `train-<first digits of the checksum>.npy`. The manifest is renamed into place last, and the array's
name depends on its content, so a reader (or a second writer) sees either the complete old set or the complete new one.
"""

import hashlib
import json
import os
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np

from facesr_lib.data.cache import cache_dir
from facesr_lib.data.images import ImageSet, PassedOver, Pixels, hash_pixels
from facesr_lib.files import write_atomically

FORMAT = "facesr packed images"
VERSION = 1
Facts = Mapping[str, Any]  # as JSON
HEADER_BYTES = 128  # of the .npy file: numpy makes its header as long for every set of images, so it can be written last


class PackedError(RuntimeError):
    """A packed set is missing, incomplete, damaged, or of a newer version; the message names the file and what to do."""


def pack(images: ImageSet, path: str | Path, source: Facts | None = None) -> Path:
    """Write a set to `path` (`.json` is added if absent) and return the manifest's path. `source`: JSON facts to store."""
    with PackedWriter(path, images.name, images.size, images.credit, source) as writer:
        for start in range(0, len(images), 64):
            writer.append(images.pixels[start : start + 64], images.groups[start : start + 64])
    return writer.path


def open_packed(path: str | Path, verify: bool = False) -> ImageSet:
    """Open a packed set by its manifest; the images stay on disk until they are used.

    `verify=True` reads everything once and compares it with the checksum. Raises PackedError if the manifest or the array is
    missing or damaged, if they disagree, or if the format is newer than this version reads.
    """
    path = _manifest_path(path)
    manifest = read_manifest(path)
    array_path = path.with_name(manifest["array"])
    try:
        pixels = np.load(array_path, mmap_mode="r", allow_pickle=False)
        if not isinstance(pixels, np.ndarray):
            raise ValueError("a zip archive, no array")
    except FileNotFoundError as error:
        raise PackedError(f"{path} is there, its images {array_path.name} are missing: copy both files, or pack again") from error
    except (ValueError, EOFError, OSError, OverflowError) as error:
        raise PackedError(f"{array_path} is damaged or cut short ({error}): copy it again, or pack again") from error
    shape, groups = tuple(manifest["shape"]), tuple(map(str, manifest["groups"]))
    if pixels.shape != shape or pixels.dtype != np.uint8 or len(groups) != len(pixels):
        promised = f"{path.name} promises uint8 {shape} with {len(groups)} groups"
        wrong = f"{array_path} holds {pixels.dtype} {pixels.shape}, but {promised}"
        raise PackedError(f"{wrong}: the two files are not from the same packing; pack again")
    if verify and (found := hash_pixels(pixels)) != manifest["sha256"]:
        changed = f"sha256 {found[:12]}…, expected {manifest['sha256'][:12]}…"
        raise PackedError(f"{array_path} has changed since it was packed ({changed}): copy it again, or pack again")
    passed = tuple(PassedOver(file, str(reason)) for file, reason in dict(manifest["source"].get("bad", {})).items())
    return ImageSet(manifest["name"], pixels, groups, manifest["credit"], sha256=manifest["sha256"], passed_over=passed)


def read_manifest(path: str | Path) -> dict[str, Any]:
    """Read and check a manifest: name, array, shape, sha256, groups, credit, source. Raises PackedError as open_packed does."""
    path = _manifest_path(path)
    try:
        manifest = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        orphans = sorted(path.parent.glob(f"{path.stem}-*.npy"))
        found = f"only its images {orphans[0].name} are there: copy both files" if orphans else "there is no such file"
        raise PackedError(f"the manifest {path} is missing, {found}, or pack again") from error
    except (ValueError, RecursionError) as error:
        raise PackedError(f"{path} is not readable JSON ({error}): copy it again, or pack again") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise PackedError(f"{path} is not the manifest of a packed image set: copy it again, or pack again")
    if not isinstance(version := manifest.get("version"), int) or version > VERSION:
        raise PackedError(f"{path} has packed format {version}, this facesr reads up to {VERSION}: update facesr, or pack again")
    kinds = {"name": str, "array": str, "shape": list, "sha256": str, "groups": list, "credit": str, "source": dict}
    wrong = [key for key, kind in kinds.items() if not isinstance(manifest.get(key), kind)]
    # A manifest may come from anyone: it must not point outside its own folder.
    if wrong or Path(manifest["array"]).name != manifest["array"]:
        raise PackedError(f"{path} has a missing or wrong entry ({', '.join(wrong) or 'array'}): copy it again, or pack again")
    return manifest


class PackedWriter:
    """Writes a packed set a few images at a time, so that it need not fit in memory.

    with PackedWriter(path, name, (H, W), credit) as writer:
        writer.append(images, groups)        # uint8 (n, H, W, 3) and n ids, as often as needed

    The set appears under `writer.path` if the block ends without an exception; otherwise nothing of it is left.
    """

    def __init__(self, path: str | Path, name: str, size: tuple[int, int], credit: str, source: Facts | None = None) -> None:
        self.path = _manifest_path(path)
        self.name, self.size, self.credit = name, size, credit
        self.source = dict(source or {})
        self.groups: list[str] = []

    def __enter__(self) -> "PackedWriter":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{self.path.stem}-", suffix=".tmp", dir=self.path.parent)
        self._temporary = Path(name)
        self._file: IO[bytes] = os.fdopen(handle, "wb")
        self._file.write(bytes(HEADER_BYTES))
        self._digest = hashlib.sha256()
        return self

    def append(self, images: Pixels, groups: Sequence[str]) -> None:
        """Add n images, uint8 (n, H, W, 3), and their n group ids. Raises ValueError for another dtype or shape."""
        if images.dtype != np.uint8 or images.shape != (len(groups), *self.size, 3):
            expected = f"uint8 images of shape ({len(groups)}, {self.size[0]}, {self.size[1]}, 3)"
            raise ValueError(f"{self.name!r} takes {expected}, got {images.dtype} {images.shape}")
        content = images.tobytes()
        self._file.write(content)
        self._digest.update(content)
        self.groups += map(str, groups)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self._commit()
        finally:
            self._file.close()
            self._temporary.unlink(missing_ok=True)

    def _commit(self) -> None:
        if not self.groups:
            raise ValueError(f"nothing was added to {self.name!r}: a packed set needs at least one image")
        shape, sha256 = (len(self.groups), *self.size, 3), self._digest.hexdigest()
        self._file.seek(0)
        np.lib.format.write_array_header_1_0(self._file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._temporary.chmod(0o644)  # mkstemp's 0600 would lock colleagues out of a shared folder
        array = self.path.with_name(f"{self.path.stem}-{sha256[:12]}.npy")
        manifest = {
            "format": FORMAT, "version": VERSION, "name": self.name, "array": array.name, "shape": shape, "sha256": sha256,
            "credit": self.credit, "source": self.source, "groups": self.groups,
        }  # fmt: skip
        old = self._replaced_array()
        self._temporary.replace(array)
        write_atomically(self.path, json.dumps(manifest, allow_nan=False).encode())
        if old is not None and old != array:
            old.unlink(missing_ok=True)

    def _replaced_array(self) -> Path | None:
        try:
            manifest = read_manifest(self.path)
        except PackedError:
            return None
        # A manifest may come from anyone: delete only a file whose name this class has made.
        own_name = f"{self.path.stem}-{manifest['sha256'][:12]}.npy"
        return self.path.with_name(own_name) if manifest["array"] == own_name else None


def cached_set(kind: str, key: Facts, build: Callable[[Path], object], verify: bool = False) -> Path:
    """Return the manifest of a set in the cache, after a call of `build(manifest path)` if it is not there yet.

    `key` (JSON facts) must determine the content completely. Two processes that build at once write the same content.
    A damaged entry (`verify`: by its checksum, too) is built again, with a warning. Raises OSError if it cannot be written.
    """
    digest = hashlib.sha256(json.dumps([VERSION, dict(key)], sort_keys=True).encode()).hexdigest()
    path = cache_dir() / kind / f"{digest[:24]}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            open_packed(path, verify)
        except PackedError as error:
            if path.exists():
                warnings.warn(f"cached images are made again, because {error}", stacklevel=3)
            build(path)
    except OSError as error:
        raise OSError(f"cannot use the cache folder {path.parent} ({error}): set FACESR_CACHE to one with room") from error
    return path


def _manifest_path(path: str | Path) -> Path:
    path = Path(path).expanduser()
    return path if path.suffix == ".json" else path.with_name(f"{path.name}.json")
