"""Crop decoded pictures to squares and resize them, by the protocols. Arrays are uint8 (H, W, 3)."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from facesr_lib.data.boxes import Box
from facesr_lib.data.folder import BadImages, read_picture
from facesr_lib.data.images import Pixels
from facesr_tools.prepare.description import Sample


class Cropped(NamedTuple):
    """The usable pictures of a chunk, the people in them, and the reasons why others are missing, by file."""

    pixels: Pixels
    people: list[str]
    bad: dict[str, str]


def crop_chunk(source: str, samples: Sequence[Sample], size: int, without_box: str, resize: str = "bicubic") -> Cropped:
    """Decode, crop and resize a few pictures. Keep samples of one file together: then it is decoded once.

    Runs in a worker process: takes and returns plain data, and raises nothing for a bad file.
    """
    pixels = np.empty((len(samples), size, size, 3), np.uint8)
    people: list[str] = []
    bad: dict[str, str] = {}
    for file, faces in groupby(samples, key=lambda sample: sample.file):
        try:
            picture, _ = read_picture(Path(source, file))
        except (BadImages, OSError) as error:
            bad[file] = str(error)
            continue
        for face in faces:
            if face.reason:
                bad[file] = face.reason
                continue
            try:
                pixels[len(people)] = cut(picture, face.box, size, without_box, resize)
                people.append(face.person)
            except BadImages as error:
                bad[f"{file} {face.box}"] = str(error)
    return Cropped(pixels[: len(people)], people, bad)


def cut(picture: Pixels, box: Box | None, size: int, without_box: str = "centre", resize: str = "bicubic") -> Pixels:
    """Crop a picture and resize the crop to `size` px, in 8 bit.

    box: rounded to whole pixels; outside the picture, the border is repeated [ours]. Without a box, "whole" squashes the
    picture and "centre" takes its centre square. resize: "bicubic", Pillow's with antialiasing, or "linear", OpenCV's without.
    Raises BadImages for a box outside the picture or absurdly large.
    """
    height, width = picture.shape[:2]
    if box is not None:
        picture = _padded_crop(picture, box)
    elif without_box == "centre":
        side = min(height, width)
        left, top = (width - side) // 2, (height - side) // 2
        picture = picture[top : top + side, left : left + side]
    if picture.shape[:2] == (size, size):
        return picture
    if resize == "linear":
        return np.asarray(cv2.resize(np.ascontiguousarray(picture), (size, size), interpolation=cv2.INTER_LINEAR))
    return np.asarray(Image.fromarray(np.ascontiguousarray(picture)).resize((size, size), Image.Resampling.BICUBIC))


def _padded_crop(picture: Pixels, box: Box) -> Pixels:
    """Crop a box of whole pixels, repeating the border outside the picture. Raises BadImages for a box that misses it."""
    height, width = picture.shape[:2]
    left, top = round(box[0]), round(box[1])
    # The side is rounded once, so that a square stays a square wherever it lies.
    right, bottom = left + max(1, round(box[2] - box[0])), top + max(1, round(box[3] - box[1]))
    if left >= width or top >= height or right <= 0 or bottom <= 0:
        raise BadImages(f"its box {left, top, right, bottom} lies outside the {width}x{height} px picture")
    if right - left > 4 * width + 4 or bottom - top > 4 * height + 4:
        raise BadImages(f"its box {left, top, right, bottom} is absurdly large for a {width}x{height} px picture")
    columns = np.clip(np.arange(left, right), 0, width - 1)
    rows = np.clip(np.arange(top, bottom), 0, height - 1)
    if columns[0] == left and columns[-1] == right - 1 and rows[0] == top and rows[-1] == bottom - 1:
        return picture[top:bottom, left:right]
    return picture[rows[:, None], columns[None]]
