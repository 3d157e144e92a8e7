"""Your own photographs as a data set: find the faces, crop them like CelebA's, split by person, and pack."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from facesr_lib.data.boxes import Box, landmark_box
from facesr_lib.data.faces import FRACTIONS, SPLIT_SEED
from facesr_lib.data.folder import BadImages, find_images, read_picture
from facesr_lib.data.images import PassedOver, Pixels
from facesr_lib.data.split import divide_groups
from facesr_lib.files import file_digest, write_atomically
from facesr_tools.prepare.description import Description, Origin, PrepareError, Sample, Samples
from facesr_tools.prepare.detector import Face
from facesr_tools.prepare.pipeline import prepare
from facesr_tools.prepare.sources import OnStep

FOUND, LEFT_OUT = "faces.json", "left_out.json"
SAVE_EVERY = 50  # photographs


def prepare_folder(
    source: Path,
    root: Path,
    find: Callable[[Pixels], list[Face]],
    *,
    size: int = 128,
    limit: int | None = None,
    workers: int | None = None,
    progress: OnStep = lambda step, done, total: None,
) -> dict[str, Any]:
    """Make the set `root`/NAME of the folder `source`, whose name is NAME, and return its facts, like `prepare`.

    find: returns the faces in an upright picture (`detector.find_faces`). A subfolder holds the pictures of one person, and the
    largest face of each picture is taken. In a picture directly in `source`, every face is taken and counts as a new person.
    Faces are cropped by their five landmarks and shrunk to `size` px; smaller ones are left out, never enlarged.
    ROOT/NAME/LEFT_OUT gives the reason for every picture without a usable face, and for what else was passed over. Detections
    are kept by the files' content, so that the same call resumes.
    Raises FileNotFoundError (no pictures), PrepareError (no usable face, or `root` and `source` inside each other) and
    ValueError (`size` below 16, fewer than three people).
    """
    if size < 16:
        raise ValueError(f"size: expected at least 16 px, got {size}")
    source, root = source.expanduser().resolve(), root.expanduser().resolve()
    if root.is_relative_to(source) or source.is_relative_to(root / source.name):
        raise PrepareError(f"{root} and {source} lie inside each other: choose another --root")
    passed: list[PassedOver] = []
    files = [path.relative_to(source).as_posix() for path in find_images(source, passed.append)]
    found = _find_all(source, files, root / "sources" / source.name / FOUND, find, progress)
    samples, left_out = _usable(source.name, {file: one["faces"] for file, one in found.items()}, size)
    left_out |= {one.what: one.reason for one in passed}
    if not samples:
        reasons = sorted(set(left_out.values()))
        raise PrepareError(f"{source}: no usable face in {len(files)} pictures ({'; '.join(reasons[:3])})")
    people = divide_groups(source.name, {sample.person for sample in samples}, FRACTIONS, SPLIT_SEED)
    parts = {part: [s for s in samples if s.person in who] for part, who in people.items()}
    contents = [found[sample.file]["sha256"] for samples in parts.values() for sample in samples]
    description = _description(source.name, parts, contents, size)
    facts = prepare(description, root, [source], limit=limit, workers=workers, progress=progress)
    write_atomically(root / source.name / LEFT_OUT, json.dumps(left_out, indent=1, ensure_ascii=False))
    return facts


def _find_all(
    source: Path, files: list[str], kept: Path, find: Callable[[Pixels], list[Face]], progress: OnStep
) -> dict[str, Any]:
    """Per file its digest and the landmarks of its faces, [] for none, or why it is bad; known content is not searched again."""
    known = _kept(kept)
    found: dict[str, Any] = {}
    for number, name in enumerate(files, start=1):
        file = source / name
        digest = file_digest(file) if file.is_file() else ""
        before = known.get(name, {"sha256": None, "faces": ""})
        if before["sha256"] != digest or isinstance(before["faces"], str):  # what was bad may be readable now
            try:
                faces: Any = [face.points.tolist() for face in find(read_picture(file)[0])]
            except BadImages as error:
                faces = str(error)
            except Exception as error:  # of the detector, on a picture that it cannot take: the others go on
                faces = f"the face detector failed ({type(error).__name__}: {error})"
            known[name] = {"sha256": digest, "faces": faces}
            if number % SAVE_EVERY == 0:
                _keep(kept, known)
        found[name] = known[name]
        progress("find faces", number, len(files))
    _keep(kept, known)
    return found


def _kept(path: Path) -> dict[str, Any]:
    """What an earlier call found; nothing where its file is missing or damaged."""
    try:
        return {name: one for name, one in json.loads(path.read_bytes()).items() if {"faces", "sha256"} <= set(one)}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _keep(path: Path, known: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(known))


def _usable(name: str, faces: dict[str, Any], size: int) -> tuple[list[Sample], dict[str, str]]:
    """The faces to crop, and why other pictures give none."""
    samples: list[Sample] = []
    left_out: dict[str, str] = {}
    for file, found in faces.items():
        if isinstance(found, str) or not found:
            left_out[file] = found or "no face found"
            continue
        boxes = sorted((landmark_box(np.array(points), "five") for points in found), key=_side, reverse=True)
        person, _, rest = file.partition("/")
        large = [box for box in (boxes[:1] if rest else boxes) if _side(box) >= size]
        if not large:
            left_out[file] = f"its largest face is {_side(boxes[0]):.0f} px, smaller than {size}"
        for number, box in enumerate(large, start=1):
            samples.append(Sample(file, person if rest else f"{name}/{Path(file).stem}-{number}", box))
    return samples, left_out


def _side(box: Box) -> float:
    return box[2] - box[0]


def _description(name: str, parts: dict[str, list[Sample]], contents: list[str], size: int) -> Description:
    digest = hashlib.sha256(json.dumps([parts, contents], sort_keys=True).encode()).hexdigest()[:12]
    origin = Origin(
        family=name,
        licence="as the owner of the photographs says",
        terms="",
        credit=f"Photographs of the folder {name}; rights as their source states",
        identities="by subfolder; a picture directly in the folder counts as a person of its own",
    )
    return Description(
        name=name,
        title=f"Faces of the folder {name}",
        kind="faces",
        origin=origin,
        protocol=(
            f"CenterFace's five landmarks, square box as of CelebA's [ours], to {size}x{size} px, Pillow's bicubic; smaller "
            f"faces left out; faces {digest}. Split: by person"
        ),
        files=(),
        ask="",
        index=lambda folder: {part: Samples(samples) for part, samples in parts.items()},
        size=size,
    )
