"""Any folder of pictures as an ImageSet: decoded once, cropped square, resized, and cached as a packed set."""

import io
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError
from tqdm.auto import tqdm

from facesr_lib.data.images import ImageSet, Pixels, square
from facesr_lib.data.packed import PackedWriter, cached_set, open_packed, read_manifest

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})
HIDDEN = (".", "__MACOSX")
SHOWN = 10  # names listed of each kind of converted file


class BadImages(ValueError):
    """Image files that cannot be used; the message names each with the reason."""


def image_folder(path: str | Path, size: int, *, bad: Literal["skip", "raise"] = "skip", min_size: int = 16) -> ImageSet:
    """Read every picture below `path`: centre square, MATLAB bicubic to `size` x `size`, 8-bit RGB, in the order of the paths.

    The group (person) is the first-level subfolder or, for pictures directly in the folder, "folder/file stem". Hidden files and
    other endings than SUFFIXES are ignored. EXIF orientation is applied. Grey, palette and CMYK become RGB, transparency becomes
    white, 16 bit is scaled to 8. One message lists the files that cannot be used (damaged, no picture, a side below `min_size`
    px, more pixels than Pillow's decompression-bomb limit), and below them the CMYK, 16-bit and enlarged files. bad="skip" warns
    and continues without the bad files; bad="raise" raises BadImages. The cache key holds the files' relative paths, sizes and
    modification times: a changed file is read again. Raises FileNotFoundError if there is no such folder or no picture in it,
    BadImages if no file can be used, and ValueError for another value of `bad` or `size` < 1.
    """
    path = Path(path).expanduser()
    if bad not in ("skip", "raise"):
        raise ValueError(f"bad must be 'skip' or 'raise', got {bad!r}")
    if size < 1:
        raise ValueError(f"size must be at least 1 px, got {size}")
    paths = find_images(path)
    names = [file.relative_to(path).as_posix() for file in paths]
    folder = Path(os.path.abspath(path)).name
    stats = [(file.stat().st_size, file.stat().st_mtime_ns) for file in paths]
    key = {"folder": folder, "files": list(zip(names, stats, strict=True)), "size": size, "min_size": min_size}

    def decode(manifest: Path) -> None:
        problems: dict[str, str] = {}
        notes: dict[str, list[str]] = {}
        credit = f"Images of the folder {folder}; rights as their source states"
        with PackedWriter(manifest, folder, (size, size), credit) as writer:
            for file, name in zip(tqdm(paths, desc=folder, disable=len(paths) <= 200, leave=False), names, strict=True):
                try:
                    picture, remarks = read_picture(file, min_size)
                except BadImages as error:
                    problems[name] = str(error)
                    continue
                if min(picture.shape[:2]) < size:
                    remarks.append(f"enlarged to {size} px")
                for remark in remarks:
                    notes.setdefault(remark, []).append(name)
                first, _, rest = name.partition("/")  # the folder's name keeps train/0001.png and test/0001.png apart
                person = first if rest else f"{folder}/{file.stem}"
                writer.append(square(picture[None], size), [person])
            if not writer.groups:
                raise BadImages(_message(folder, len(names), problems, notes))
            writer.source = {"kind": "folder", "files": len(names), "bad": problems, "notes": notes}

    manifest = cached_set("folders", key, decode)
    source = read_manifest(manifest)["source"]
    if source["bad"] or source["notes"]:
        message = _message(folder, source["files"], source["bad"], source["notes"])
        if source["bad"] and bad == "raise":
            raise BadImages(f"{message}\nRemove or repair these files, or pass bad='skip' to go on without them.")
        skipped = "\nThe bad files are left out; pass bad='raise' to stop instead." if source["bad"] else ""
        warnings.warn(message + skipped, stacklevel=2)
    return open_packed(manifest)


def find_images(path: Path) -> list[Path]:
    """The picture files (by ending) below a folder, without hidden ones, sorted. Raises FileNotFoundError if there are none."""
    if not path.is_dir():
        raise FileNotFoundError(f"{path} is not a folder: give a folder of images")
    found = []
    for place, folders, files in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(HIDDEN)]
        found += [Path(place, name) for name in files if Path(name).suffix.lower() in SUFFIXES and not name.startswith(HIDDEN)]
    if not found:
        raise FileNotFoundError(f"no images below {path}: expected files ending in {', '.join(sorted(SUFFIXES))}")
    return sorted(found, key=lambda file: file.relative_to(path).parts)


def subfolders(path: Path) -> list[str]:
    """The names of the first-level subfolders, which `image_folder` takes for people, without hidden ones."""
    return sorted(entry.name for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith(HIDDEN))


def read_picture(file: Path | io.BytesIO, min_size: int = 1, max_pixels: int | None = None) -> tuple[Pixels, list[str]]:
    """Decode one file, or its content, to upright 8-bit RGB (H, W, 3), with remarks on lossy conversions ("CMYK", "16 bit").

    Raises BadImages, with the reason, if it cannot be used; with more than `max_pixels`, before decoding.
    """
    with opened(file, min_size, max_pixels) as image:
        deep = is_16_bit(image)
        image.load()
        upright = ImageOps.exif_transpose(image)
    return _to_rgb(upright, deep), ["16 bit"] if deep else ["CMYK"] if upright.mode == "CMYK" else []


@contextmanager
def opened(file: Path | io.BytesIO, min_size: int = 1, max_pixels: int | None = None) -> Iterator[ImageFile.ImageFile]:
    """Open a file with Pillow; any error there or inside the block becomes BadImages with the reason."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(file)
        with image:
            width, height = image.size
            if min(width, height) < min_size:
                raise BadImages(f"{width}x{height} px, smaller than the minimum of {min_size} px")
            if max_pixels is not None and width * height > max_pixels:
                raise BadImages(f"{width}x{height} px, more than {max_pixels / 1e6:.0f} million pixels")
            yield image
    except BadImages:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise BadImages("too many pixels to be a photograph (a decompression bomb?)") from error
    except UnidentifiedImageError as error:
        length = file.stat().st_size if isinstance(file, Path) else len(file.getbuffer())
        raise BadImages("not an image that Pillow can read" if length else "empty file") from error
    except Exception as error:  # Pillow's decoders raise many kinds of error on damaged files
        raise BadImages(f"damaged or cut short ({error})") from error


def is_16_bit(image: ImageFile.ImageFile) -> bool:
    """Whether an opened file that is not decoded yet holds 16 bit per channel."""
    if image.mode == "I":  # also the mode of true 32-bit files, but not in these formats
        return image.format in ("PNG", "PPM")
    # Pillow reduces 16-bit colour to 8 bit while it decodes; only the decoder's own mode shows it.
    decoder = next((tile[3] for tile in image.tile), "")
    raw_mode = decoder if isinstance(decoder, str) else str(decoder[0]) if decoder else ""
    return image.mode.startswith("I;16") or (image.format in ("PNG", "TIFF") and ";16" in raw_mode)


def refuse_unknown_range(image: Image.Image, deep: bool) -> None:
    """Raise BadImages for pixels whose white level is unknown; deep: whether the file holds 16 bit per channel."""
    if image.mode == "F" or (image.mode.startswith("I") and not deep):
        raise BadImages(f"pixels of {'floating-point' if image.mode == 'F' else '32-bit'} type, whose range is not known")


def _to_rgb(image: Image.Image, deep: bool) -> Pixels:
    """8-bit RGB (H, W, 3) of a Pillow image of any mode."""
    refuse_unknown_range(image, deep)
    if image.mode.startswith("I"):
        levels = np.asarray(image).astype(np.int64)
        grey = ((levels * 255 + 32767) // 65535).astype(np.uint8)  # round(v / 257): 65535 becomes 255
        return np.repeat(grey[..., None], 3, axis=2)
    try:
        if image.mode.endswith(("A", "a")) or "transparency" in image.info:
            rgba = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
        return np.asarray(image.convert("RGB"))
    except ValueError as error:
        raise BadImages(f"no way to turn its colours ({image.mode}) into RGB; save it as RGB") from error


def _message(folder: str, total: int, bad: Mapping[str, str], notes: Mapping[str, Sequence[str]]) -> str:
    lines = []
    if bad:
        lines.append(f"{len(bad)} of {total} image files in {folder} cannot be used:")
        lines += [f"  {name}: {reason}" for name, reason in bad.items()]
    if notes:
        lines.append(f"Used after a conversion in {folder}:")
    for remark, names in notes.items():
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        lines.append(f"  {remark}: {', '.join(names[:SHOWN])}{more}")
    return "\n".join(lines)
