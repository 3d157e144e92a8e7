"""Readers of the data sets' own lists. Errors name the file and the line; nothing is unpickled."""

import csv
import json
import re
import sqlite3
from array import array
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from facesr_lib.data.boxes import Box, Points, landmark_box, square_box
from facesr_tools.prepare.description import PrepareError

_BLOCK = 1 << 16  # characters, some dozens of entries: the rest of a block is copied for every entry


class WiderFace(NamedTuple):
    """One face of WIDER FACE: its box, blur 0 (clear) to 2 (heavy), occlusion 0 to 2, and whether it is marked invalid."""

    box: Box
    blur: int
    occlusion: int
    invalid: bool


def celeba_table(path: Path, *, header: int = 0) -> dict[str, tuple[int, ...]]:
    """Integers by file name, from rows of "000001.jpg 1 2 ..." after `header` lines.

    If the header's first line is a count, as in CelebA's lists, the number of rows must match. Raises PrepareError.
    """
    rows: dict[str, tuple[int, ...]] = {}
    width = None
    lines = _lines(path)
    declared = lines[0].strip() if header else ""
    for number, line in enumerate(lines[header:], start=header + 1):
        name, *values = line.split() or [""]
        try:
            row = tuple(map(int, values))
        except ValueError:
            row = ()
        if not row or (width is not None and len(row) != width):
            raise _malformed(path, number, "an image's name and whole numbers", line)
        width = len(row)
        rows[name] = row
    if declared.isdigit() and int(declared) != len(rows):
        raise PrepareError(f"{path} announces {int(declared):,} rows and has {len(rows):,}: it is cut short; get it again")
    return rows


def wider_faces(path: Path) -> Iterator[tuple[str, list[WiderFace]]]:
    """The photographs in wider_face_*_bbx_gt.txt with their faces: name, count, then x y w h and six flags per face.

    A photograph without a face has the count 0 and one line of zeros. Raises PrepareError for a malformed entry.
    """
    lines = _lines(path)
    place = 0
    while place < len(lines):
        name = lines[place].strip()
        try:
            count = int(lines[place + 1])
            rows = [list(map(int, line.split())) for line in lines[place + 2 : place + 2 + max(1, count)]]
            if len(rows) != max(1, count) or any(len(row) < 10 for row in rows):
                raise ValueError("cut short")
        except (ValueError, IndexError) as error:
            raise _malformed(path, place + 1, "a photograph, its number of faces, ten numbers per face", name) from error
        place += 2 + max(1, count)
        yield (
            name,
            [
                WiderFace((x, y, x + w, y + h), blur, occlusion, bool(invalid))
                for x, y, w, h, blur, _, _, invalid, occlusion, _ in (row[:10] for row in rows[:count])
                if w > 0 and h > 0
            ],
        )


def dic_boxes(path: Path) -> dict[str, Box]:
    """Boxes by image name from a JSON file {"name": {"bbox": [xmin, ymin, xmax, ymax], "landmark": [[x, y], ...]}, ...}.

    DIC's annotations have this structure, but are pickle files, which can run code when they are read: save them as JSON in an
    environment that you trust. Without a "bbox", the box is computed from the landmarks. Raises PrepareError for a bad entry.
    """
    entries = _json(path)
    if not isinstance(entries, dict) or not entries:
        raise PrepareError(f'{path} must hold {{"image name": {{"bbox": [...], "landmark": [...]}}, ...}}')
    boxes: dict[str, Box] = {}
    for name, entry in entries.items():
        try:
            if "bbox" in entry:
                left, top, right, bottom = map(float, entry["bbox"])
                boxes[name] = (left, top, right, bottom)
            else:
                boxes[name] = landmark_box(np.asarray(entry["landmark"], float), "outline")
        except (KeyError, TypeError, ValueError) as error:
            raise PrepareError(f"{path}: the entry {name!r} has neither four numbers as bbox nor landmarks ({error})") from error
    return boxes


def landmark_boxes(path: Path) -> dict[str, Box]:
    """Boxes by image name from a CSV file with the header "file,x0,y0,x1,y1,..." and one row of landmarks per image."""
    boxes: dict[str, Box] = {}
    lines = _lines(path)
    for number, row in enumerate(csv.reader(lines[1:]), start=2):
        try:
            points = np.array(row[1:], dtype=float).reshape(-1, 2)
            boxes[row[0]] = landmark_box(points, "five" if len(points) == 5 else "outline")
        except (ValueError, IndexError) as error:
            raise _malformed(path, number, "a file name and pairs of coordinates", ",".join(row)[:60]) from error
    return boxes


def helen_points(folder: Path) -> dict[str, Points]:
    """Helen's 194 landmarks by image name, from one .txt per image: its name, then one "x , y" per line."""
    found: dict[str, Points] = {}
    for path in sorted(folder.glob("*.txt")):
        lines = _lines(path)
        try:
            points = np.array([line.split(",") for line in lines[1:] if line.strip()], dtype=float)
            if points.ndim != 2 or points.shape[1] != 2:
                raise ValueError(f"shape {points.shape}")
        except ValueError as error:
            raise _malformed(path, 2, "x , y on every line after the first", lines[1] if lines[1:] else "") from error
        found[lines[0].strip()] = points
    return found


class BoxTable:
    """A look-up table of boxes by name: a row takes 32 bytes plus the longest name, in place of 310 in a dictionary.

    Of two rows with the same name, the later one counts.
    """

    def __init__(self, names: Sequence[bytes], boxes: Sequence[float]) -> None:
        unsorted = np.array(names, dtype=bytes)
        order = np.argsort(unsorted, kind="stable")
        self._names, self._boxes = unsorted[order], np.asarray(boxes).reshape(-1, 4)[order]

    def get(self, name: str) -> Box | None:
        """The box of a name, or None if it has no row."""
        key = name.encode("utf-8", "surrogatepass")
        if len(key) > self._names.itemsize:
            return None
        # The key has the type of the names: for any other, numpy would copy the whole table.
        row = int(np.searchsorted(self._names, np.array(key, self._names.dtype), side="right")) - 1
        if row < 0 or self._names[row] != key:
            return None
        left, top, right, bottom = self._boxes[row].tolist()
        return left, top, right, bottom


def detector_boxes(path: Path) -> BoxTable:
    """VGGFace2's loose boxes by "identity/image" without ending, from a CSV file with NAME_ID, X, Y, W, H."""
    names: list[bytes] = []
    boxes = array("d")
    with open(path, newline="", encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file, skipinitialspace=True), start=2):
            try:
                x, y, w, h = (float(row[column]) for column in ("X", "Y", "W", "H"))
                names.append(row["NAME_ID"].strip('" ').encode())
                boxes.extend(square_box((x, y, x + w, y + h)))
            except (KeyError, TypeError, ValueError) as error:
                raise _malformed(path, number, "the columns NAME_ID, X, Y, W, H", str(row)[:80]) from error
    return BoxTable(names, boxes)


def aflw_faces(path: Path) -> list[tuple[str, str, Box]]:
    """AFLW's faces from aflw.sqlite, ordered by path: relative path of the photograph, face id, square box."""
    query = (
        "SELECT i.filepath, f.face_id, r.x, r.y, r.w, r.h FROM Faces f JOIN FaceImages i ON i.file_id = f.file_id "
        "JOIN FaceRect r ON r.face_id = f.face_id ORDER BY i.filepath, f.face_id"
    )
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as base:
            rows = base.execute(query).fetchall()
    except sqlite3.Error as error:
        raise PrepareError(f"{path} is not AFLW's data base ({error}): get aflw.sqlite again") from error
    return [(file, str(face), square_box((x, y, x + w, y + h))) for file, face, x, y, w, h in rows]


def ffhq_entries(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The 70,000 entries of ffhq-dataset-v2.json, one at a time: all of them together would take gigabytes of memory."""
    decoder = json.JSONDecoder()
    with open(path, encoding="utf-8") as file:
        text = file.read(_BLOCK).lstrip().removeprefix("{")
        while True:
            text = text.lstrip(" \t\r\n,")
            if text.startswith("}"):
                return
            try:
                key, end = decoder.raw_decode(text)
                colon = re.compile(r"\s*:\s*").match(text, end)
                if colon is None:
                    raise ValueError("no value after a key")
                entry, end = decoder.raw_decode(text, colon.end())
            except ValueError as error:  # the block ends in the middle of an entry: read on
                more = file.read(_BLOCK)
                if not more:
                    raise PrepareError(f"{path} is cut short or not FFHQ's list ({error}): get it again") from error
                text += more
                continue
            yield int(key), entry
            text = text[end:]


def _lines(path: Path) -> list[str]:
    """The lines of a text file, without empty lines at its end. Raises PrepareError for an empty file or a web page."""
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise PrepareError(f"{path} is not a text file: get it again") from error
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines or lines[0].lstrip().lower().startswith(("<!doctype", "<html")):
        what = "a web page, not the list it is named after" if lines else "empty"
        raise PrepareError(f"{path} is {what}: delete it and get it again")
    return lines


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise PrepareError(f"{path} is not readable JSON ({error}): get the file again") from error


def _malformed(path: Path, line: int, expected: str, found: str) -> PrepareError:
    return PrepareError(f"{path}, line {line}: expected {expected}, found {found.strip()[:80]!r}; get the file again")
