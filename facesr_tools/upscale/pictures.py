"""Picture files as they are: 8 or 16 bit, grey or colour, with or without transparency.

Bit depth, greyscale, transparency and colour profile are kept. EXIF, XMP and comments are not: the EXIF orientation is applied,
and places, times and serial numbers are left out.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from PIL.PngImagePlugin import putchunk
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from facesr_lib.data.folder import deep_pixels, is_16_bit, opened, refuse_unknown_range, upright
from facesr_lib.files import write_atomically
from facesr_lib.image import resize_bicubic, rgb_to_grey

_COLOUR_TYPE = {1: 0, 2: 4, 3: 2, 4: 6}  # PNG's number for grey, grey + alpha, RGB, RGBA


@dataclass(frozen=True, eq=False)
class PictureFile:
    """pixels: uint8 or uint16 (H, W, C), C = 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA, not premultiplied.

    profile: the ICC profile of the colours.  remarks: what reading could not keep.
    """

    pixels: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
    profile: bytes | None = None
    remarks: tuple[str, ...] = field(default=())

    @property
    def white(self) -> int:
        """The level of white: 255 or 65535."""
        return int(np.iinfo(self.pixels.dtype).max)

    @property
    def rgb(self) -> Tensor:
        """Colours (1, 3, H, W), float32 in [0, 1]; grey three times.

        Where nothing is visible, they are those of the nearest visible pixel: what is hidden there, often black, would bleed
        into the rim of what is visible when it is enlarged.
        """
        colours = self.pixels[..., : -1 if self._transparent else None]
        hidden = self.pixels[..., -1] == 0
        if self._transparent and hidden.any() and not hidden.all():
            rows, columns = distance_transform_edt(hidden, return_distances=False, return_indices=True)
            colours = colours[rows, columns]
        return _planes(colours, self.white).expand(1, 3, -1, -1)

    @property
    def _transparent(self) -> bool:
        return self.pixels.shape[2] in (2, 4)

    def enlarged(self, rgb: Tensor) -> PictureFile:
        """The same kind of picture with the colours `rgb` (1, 3, H * s, W * s) in [0, 1]; transparency is enlarged by bicubic."""
        planes = rgb_to_grey(rgb) if self.pixels.shape[2] < 3 else rgb
        if self._transparent:
            alpha = _planes(self.pixels[..., -1:], self.white)
            planes = torch.cat([planes, resize_bicubic(alpha, size=(rgb.shape[2], rgb.shape[3]))], dim=1)
        # float64: float32 cannot tell all 65536 levels apart after the multiplication
        levels = (planes[0].double().clamp(0, 1) * self.white).round().permute(1, 2, 0).numpy()
        return replace(self, pixels=np.ascontiguousarray(levels.astype(self.pixels.dtype)))


def read_picture(path: Path) -> PictureFile:
    """Read a file and apply its EXIF orientation. Raises BadImages, with the reason, if `facesr_lib.data.folder` refuses it."""
    with opened(path) as image:
        deep = is_16_bit(image)
        refuse_unknown_range(image, deep)
        remarks = ("only the first of its pictures",) if getattr(image, "n_frames", 1) > 1 else ()
        profile = image.info.get("icc_profile")
        if deep:
            pixels = deep_pixels(path, image)
        else:
            image.load()
            mode = _kept_mode(image)
            if mode == "RGB" and image.mode not in ("RGB", "P"):  # CMYK, Lab, ...: the profile speaks of other numbers
                profile, remarks = None, (*remarks, f"{image.mode} became RGB")
            pixels = np.asarray(image.convert(mode))
        return PictureFile(upright(pixels if pixels.ndim == 3 else pixels[..., None], image), profile, remarks)


def write_picture(path: Path, picture: PictureFile, texts: Mapping[str, str]) -> None:
    """Write a PNG of the picture's own depth and channels, with its profile and `texts` (keyword -> text), atomically.

    No library at hand writes them all: Pillow 13 knows no 16-bit colour, OpenCV 5 no grey with transparency and, before 4.12,
    no profile. So the pixels are packed here, and Pillow's `putchunk` frames them.
    """
    height, width, channels = picture.pixels.shape
    depth = 8 * picture.pixels.itemsize
    rows = np.ascontiguousarray(picture.pixels, picture.pixels.dtype.newbyteorder(">")).view(np.uint8).reshape(height, -1)
    differences = np.diff(rows, axis=0, prepend=np.uint8(0))  # filter 2, "up": each byte less the one above packs well
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, _COLOUR_TYPE[channels], 0, 0, 0))]
    if picture.profile:
        chunks += [(b"iCCP", b"profile\x00\x00" + zlib.compress(picture.profile))]
    chunks += [_text_chunk(keyword, text) for keyword, text in texts.items()]
    chunks += [(b"IDAT", zlib.compress(np.insert(differences, 0, 2, axis=1).tobytes())), (b"IEND", b"")]
    content = BytesIO()
    content.write(b"\x89PNG\r\n\x1a\n")
    for kind, data in chunks:
        putchunk(content, kind, data)
    write_atomically(path, content.getvalue())


def _text_chunk(keyword: str, text: str) -> tuple[bytes, bytes]:
    """PNG's tEXt, which is Latin-1, or where that lacks a character iTXt, uncompressed and of no language."""
    try:
        return b"tEXt", f"{keyword}\x00{text}".encode("latin-1")
    except UnicodeEncodeError:
        return b"iTXt", keyword.encode("latin-1") + bytes(5) + text.encode(errors="backslashreplace")


def _planes(pixels: npt.NDArray[np.integer], white: int) -> Tensor:
    return torch.from_numpy(pixels.astype(np.float32) / white).permute(2, 0, 1)[None]


def _kept_mode(image: Image.Image) -> str:
    """The one of L, LA, RGB, RGBA that holds an 8-bit image of any mode."""
    grey = image.mode in ("1", "L", "LA", "La")
    transparent = image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info
    return ("L" if grey else "RGB") + ("A" if transparent else "")
