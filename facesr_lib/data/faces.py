"""load_faces: the images that a notebook's DATA_ROOT names."""

import os
import re
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

from facesr_lib.data.folder import image_folder, subfolders
from facesr_lib.data.images import ImageSet, PassedOver, square
from facesr_lib.data.olivetti import olivetti_faces
from facesr_lib.data.packed import PackedWriter, cached_set, open_packed, read_manifest
from facesr_lib.data.prepared import face_set
from facesr_lib.data.split import Split, refuse_shared_groups, split_by_group

SPLITS: tuple[Split, ...] = get_args(Split)
OTHER_PARTS = {"real_lr", "reference", "sources"}  # of a prepared set
SPELLINGS = {"train": {"train", "training"}, "val": {"val", "valid", "validation", "dev"}, "test": {"test", "testing"}}
FRACTIONS = {"train": 0.625, "val": 0.125, "test": 0.25}  # of the people; the shares of the Olivetti split
VAL_OF_TRAIN = {"val": 1 / 6, "train": 5 / 6}  # the same shares, if the test set is separate already
LEAST = {"train": 4, "val": 1, "test": 2}  # pictures, to train of two people; with fewer, a notebook has nothing to compare
SPLIT_SEED = 0  # fixed, so that changing a run's seed never moves a person into the training set
LAYOUTS = """DATA_ROOT may be
  "" (empty): the packaged Olivetti faces;
  a folder with train/ and test/ (and val/, if you have it), each full of images, best in one subfolder per person; Training/,
    validation/, valid/, dev/ and testing/ mean the same;
  a folder with packed sets train.json and test.json (and val.json), as `facesr data prepare` makes them;
  a folder of such folders (--root of `facesr data prepare`);
  any other folder of images, best in one subfolder per person, which is then split by person."""


def load_faces(data_root: str | Path, split: Split, size: int | None, preferred: Sequence[str] = ()) -> ImageSet:
    """Return a split's faces as square images of `size` px. No person is in two splits.

    data_root: "" for the Olivetti faces, or a folder in one of these layouts, tried in this order: prepared sets in folders of
    their own (`face_set` chooses one, by `preferred`); packed sets `train.json`, `test.json`; subfolders `train/`, `test/`, in
    any of SPELLINGS; any folder of images, split by person into 62.5 % train, 12.5 % val and 25 % test. If packed sets or
    subfolders have no val set, a sixth of the training people is val.
    size=None keeps the native size, which only Olivetti (112 x 92) and packed sets have.
    Raises FileNotFoundError (missing folder or split; the message lists the layouts), ValueError (unknown split, a size that the
    images do not have, a person in two splits, unclear names, too few pictures), and those of `image_folder` and `open_packed`.
    """
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}: choose one of {', '.join(SPLITS)}")
    role = "validation faces" if split == "val" else "faces"
    if str(data_root) == "":
        return replace(olivetti_faces(split, size), role=role)
    root = Path(data_root).expanduser()
    if not root.is_dir():
        raise FileNotFoundError(f"DATA_ROOT {root} is not a folder. {LAYOUTS}")
    root = face_set(root, size, preferred)

    sets = {name: root / f"{name}.json" for name in SPLITS if (root / f"{name}.json").is_file()}
    if found := sets or _split_folders(root):
        if missing := sorted({"train", "test"} - set(found)):
            raise FileNotFoundError(f"DATA_ROOT {root} has {', '.join(found)} but no {' and no '.join(missing)}. {LAYOUTS}")
        people = {name: read_manifest(path)["groups"] if sets else subfolders(path) for name, path in found.items()}
        refuse_shared_groups(people)
        images = _read(found.get(split, found["train"]), size)
        if "val" not in found and split != "test":
            images = split_by_group(images, VAL_OF_TRAIN, SPLIT_SEED)[split]
        if not sets and (beside := sorted({*subfolders(root)} - {path.name for path in found.values()} - OTHER_PARTS)):
            passed = PassedOver(", ".join(beside), "beside the splits")
            warnings.warn(f"Passed over in {root.name}: {', '.join(beside)}, beside {', '.join(found)}", stacklevel=2)
            images = replace(images, passed_over=(*images.passed_over, passed))
    else:
        images = split_by_group(_read(root, size), FRACTIONS, SPLIT_SEED)[split]
    images = replace(images, name=f"{Path(os.path.abspath(root)).name}/{split}", role=role)
    if len(images) < LEAST[split] or (split == "train" and len({*images.groups}) < 2):
        need = f"{', '.join(f'{name} {count}' for name, count in LEAST.items())}; 4 people with 2 pictures each, or 7 people"
        raise ValueError(f"{images.name}: {len(images)} pictures of {len({*images.groups})} people, too few ({need}). Give more")
    return images


def _split_folders(root: Path) -> dict[str, Path]:
    """The subfolders that are ready-made splits, in any of SPELLINGS. Raises ValueError where the names leave that open."""
    names = subfolders(root)
    meant = {split: [name for name in names if name.casefold() in SPELLINGS[split]] for split in SPLITS}
    words = {word for name in names for word in re.split(r"[\W\d_]+", name.casefold())}
    if not meant["train"] + meant["test"] and len(names) > 1:  # people, one of whom may be called Val or Dev
        meant = {}
    alike = not meant and words & SPELLINGS["train"] and words & SPELLINGS["test"]
    if alike or any(len(found) > 1 for found in meant.values()):
        raise ValueError(f"DATA_ROOT {root} has {', '.join(names[:9])}: which are splits? Call these train, val and test")
    return {split: root / found[0] for split, found in meant.items() if found}


def load_packed(manifest: Path, size: int | None) -> ImageSet:
    """A packed set as square images of `size` px, made once and kept in the cache, or at its own size.

    Raises ValueError if `size` is larger than that, and the errors of `open_packed`.
    """
    images = open_packed(manifest)
    if size is None or images.size == (size, size):
        return images
    if size > min(images.size):
        packed = f"{images.name} is packed at {images.size[0]}x{images.size[1]} px, which cannot give true {size} px images"
        raise ValueError(f"{packed}: choose a size up to {min(images.size)}, or pack larger images")

    def shrink(path: Path) -> None:
        source = {"kind": "resized", "sha256": images.checksum, "size": list(images.size)}
        with PackedWriter(path, images.name, (size, size), images.credit, source) as writer:
            for start in range(0, len(images), 64):
                writer.append(square(images.pixels[start : start + 64], size), images.groups[start : start + 64])

    described = {"name": images.name, "credit": images.credit, "groups": images.groups}
    key = {"sha256": images.checksum, "size": size, **described}
    return replace(open_packed(cached_set("resized", key, shrink)), passed_over=images.passed_over)


def _read(path: Path, size: int | None) -> ImageSet:
    """A packed set, given by its manifest, or a folder of images."""
    if path.is_file():
        return load_packed(path, size)
    if size is None:
        raise ValueError(f"size=None: the images in {path} may differ in size, so give a size in pixels")
    return image_folder(path, size)
