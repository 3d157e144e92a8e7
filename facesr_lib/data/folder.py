"""Any folder of pictures as an ImageSet: decoded once, cropped square, resized, and cached as a packed set."""

import io
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import PIL
from PIL import Image, ImageCms, ImageFile, UnidentifiedImageError
from tqdm.auto import tqdm

from facesr_lib.data.images import ImageSet, PassedOver, Pixels, listed, square
from facesr_lib.data.packed import PackedWriter, cached_set, open_packed, read_manifest

SUFFIXES = frozenset({
    ".apng", ".avif", ".bmp", ".dib", ".gif", ".heic", ".heif", ".hif", ".j2k", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpf", ".jpg",
    ".jpx", ".mpo", ".pbm", ".pcx", ".pgm", ".png", ".pnm", ".ppm", ".psd", ".qoi", ".sgi", ".tga", ".tif", ".tiff", ".webp",
})  # fmt: skip
HIDDEN = (".", "__MACOSX", "@eaDir", "Thumbs.db", "desktop.ini")  # what begins so is nobody's picture
HEIC = (b"ftypheic", b"ftypheix", b"ftyphevc", b"ftypmif1", b"ftypmsf1")  # bytes 5 to 12 of a file
NEEDS = dict.fromkeys(HEIC, "pi-heif: pip install 'facesr[heif]'") | {b"ftypavif": "Pillow 11.3: pip install -U pillow"}
# EXIF orientation (TIFF 6.0): how many quarters to turn left, and the step along the columns after that.
TURNS = {2: (0, -1), 3: (2, 1), 4: (2, -1), 5: (3, -1), 6: (3, 1), 7: (1, -1), 8: (1, 1)}
SHOWN = 10  # names listed of each kind of converted file
READER = 2  # part of the cache key: to be raised when files are decoded in another way
OTHER_ENDING = "no picture's ending"
Note = Callable[[PassedOver], object]


class BadImages(ValueError):
    """Image files that cannot be used; the message names each with the reason."""


def image_folder(path: str | Path, size: int, *, bad: Literal["skip", "raise"] = "skip", min_size: int = 16) -> ImageSet:
    """Read every picture below `path`: centre square, MATLAB bicubic to `size` x `size`, 8-bit RGB, in the order of the paths.

    The group (person) is the first-level subfolder or, for pictures directly in the folder, "folder/file stem". EXIF orientation
    is applied. Grey, palette and CMYK become RGB, wide gamuts sRGB, transparency white; 16 bit is scaled to 8. One message lists
    what was passed over, as `passed_over` of the set does: files that cannot be used (damaged, no picture, not regular, a side
    below `min_size` px, more pixels than Pillow's decompression-bomb limit) and what `picture_files` notes; then the converted
    and enlarged files. bad="skip" warns and continues without the bad files; bad="raise" raises BadImages. The cache key holds
    the folder's resolved place and a stamp of each file: what was changed or replaced is read again.
    Raises FileNotFoundError if there is no such folder or no picture in it, BadImages if no file can be used, and ValueError for
    another value of `bad` or `size` < 1.
    """
    path = Path(path).expanduser()
    if bad not in ("skip", "raise"):
        raise ValueError(f"bad must be 'skip' or 'raise', got {bad!r}")
    if size < 1:
        raise ValueError(f"size must be at least 1 px, got {size}")
    passed: list[PassedOver] = []
    paths = find_images(path, passed.append)
    names = [file.relative_to(path).as_posix() for file in paths]
    folder = Path(os.path.abspath(path)).name
    stats = [file.stat() if file.exists() else file.lstat() for file in paths]
    stamps = [(stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns) for stat in stats]
    key = {"place": os.path.realpath(path), "files": list(zip(names, stamps, strict=True)), "size": size, "min_size": min_size}
    key["reader"] = [READER, PIL.__version__, find_spec("pi_heif") is not None]

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
                raise BadImages(f"{_message(folder, len(names), problems, passed, notes)}\nGive other files, or repair these.")
            writer.source = {"kind": "folder", "files": len(names), "bad": problems, "notes": notes}

    manifest = cached_set("folders", key, decode)
    source, images = read_manifest(manifest)["source"], open_packed(manifest)
    if source["bad"] or source["notes"] or passed:
        message = _message(folder, source["files"], source["bad"], passed, source["notes"])
        if source["bad"] and bad == "raise":
            raise BadImages(f"{message}\nRemove or repair these files, or pass bad='skip' to go on without them.")
        skipped = "\nThe bad files are left out; pass bad='raise' to stop instead." if source["bad"] else ""
        warnings.warn(message + skipped, stacklevel=2)
    return replace(images, passed_over=(*images.passed_over, *passed))


def find_images(path: Path, note: Note) -> list[Path]:
    """The files of `picture_files`, sorted by their path's parts. Raises FileNotFoundError if there are none."""
    if not path.is_dir():
        raise FileNotFoundError(f"{path} is not a folder: give a folder of images")
    found = [path / name for name in picture_files(path, note)]
    if not found:
        raise FileNotFoundError(f"no images below {path}: give a folder with files ending in {', '.join(sorted(SUFFIXES))}")
    return sorted(found, key=lambda file: file.relative_to(path).parts)


def picture_files(path: Path, note: Note) -> Iterator[str]:
    """Yield the files below a folder that end in SUFFIXES, as relative paths, folder by folder; hidden ones are left out.

    Follows links, after all else. Notes files of other endings, folders that cannot be opened, and links to a folder that is read
    already. Of a file, only the name is looked at: a link to nowhere is a matter for `opened`.
    """
    others: dict[str, list[str]] = {}
    seen: dict[str, str] = {}
    links = [path]
    for top in links:  # which grows on the way
        for place, folders, files in os.walk(top, onerror=lambda error: note(PassedOver(error.filename, str(error.strerror)))):
            below = Path(place).relative_to(path).as_posix()
            if (first := seen.setdefault(os.path.realpath(place), below)) != below:
                note(PassedOver(below, f"the same folder as {first}"))
                folders.clear()
            folders[:] = sorted(name for name in folders if not name.startswith(HIDDEN))
            links += [Path(place, name) for name in folders if Path(place, name).is_symlink()]
            for name in sorted(name for name in files if first == below and not name.startswith(HIDDEN)):
                file, ending = f"{below}/{name}".removeprefix("./"), os.path.splitext(name)[1].lower()
                if ending in SUFFIXES:
                    yield file
                else:
                    others.setdefault(ending, []).append(file)
    for ending, found in sorted(others.items()):
        note(PassedOver(_some(found, 3), f"{OTHER_ENDING} ({ending or 'none'})"))


def _some(names: list[str], n: int) -> str:
    return ", ".join(names[:n]) + (f" and {len(names) - n} more" if len(names) > n else "")


def subfolders(path: Path) -> list[str]:
    """The names of the first-level subfolders, which `image_folder` takes for people, without hidden ones."""
    return sorted(entry.name for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith(HIDDEN))


def read_picture(file: Path | io.BytesIO, min_size: int = 1, max_pixels: int | None = None) -> tuple[Pixels, list[str]]:
    """Decode one file, or its content, to upright 8-bit sRGB (H, W, 3), with remarks on lossy conversions ("CMYK", "16 bit").

    Raises BadImages, with the reason, if it cannot be used; with more than `max_pixels`, before decoding.
    """
    with opened(file, min_size, max_pixels) as image:
        deep = is_16_bit(image)
        refuse_unknown_range(image, deep)
        if deep:
            levels = deep_pixels(file, image).astype(np.uint32)
            whole = Image.fromarray(((levels * 255 + 32767) // 65535).astype(np.uint8))  # round(v / 257): 65535 becomes 255
        else:
            image.load()
            whole = image
        rgb, remarks = _to_rgb(whole, image.info.get("icc_profile"))
        return upright(rgb, image), (["16 bit"] if deep else []) + remarks


@contextmanager
def opened(file: Path | io.BytesIO, min_size: int = 1, max_pixels: int | None = None) -> Iterator[ImageFile.ImageFile]:
    """Open a regular file with Pillow; any error there or inside the block becomes BadImages with the reason."""
    try:
        if isinstance(file, Path) and not file.is_file():  # a pipe would be waited for, a device never end
            raise BadImages("a folder, pipe, socket or device" if file.exists() else "no such file, or a link to nowhere")
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            if find_spec("pi_heif"):
                import_module("pi_heif").register_heif_opener()
            image = Image.open(file)
        with image:
            width, height = image.size
            if image.format in ("EPS", "WMF"):
                raise BadImages(f"a drawing ({image.format}), not a picture of pixels")
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
        content = file.read_bytes() if isinstance(file, Path) else file.getvalue()
        needs = NEEDS.get(content[4:12])
        unknown = "not an image that Pillow can read" if content else "empty file"
        raise BadImages(f"damaged, or needs {needs}" if needs else unknown) from error
    except Exception as error:  # Pillow's decoders raise many kinds of error on damaged files
        denied = isinstance(error, OSError) and error.strerror
        raise BadImages(f"cannot be read ({denied})" if denied else f"damaged or cut short ({error})") from error


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


def deep_pixels(file: Path | io.BytesIO, image: ImageFile.ImageFile) -> np.ndarray:
    """Pixels of a 16-bit file that Pillow has opened but not read: uint16 (H, W) grey, (H, W, C) grey + alpha, RGB or RGBA."""
    if image.mode.startswith("I"):
        image.load()
        return np.asarray(image).astype(np.uint16)
    # Pillow reads 16-bit colour as 8 bit; OpenCV keeps it, as BGR, and grey with transparency as BGRA.
    content = file.read_bytes() if isinstance(file, Path) else file.getvalue()
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16:
        raise BadImages("16-bit colour of a kind that OpenCV cannot read; save it as a PNG")
    grey = str(image.tile[0][3]).startswith("LA")  # which Pillow calls RGBA
    return pixels[..., [0, 3] if grey else [2, 1, 0, 3][: pixels.shape[2]]]


def upright(pixels: np.ndarray, image: Image.Image) -> np.ndarray:
    """Pixels (H, W, C) of a decoded file, turned as its EXIF orientation says. Malformed EXIF data say nothing."""
    turn: Any = 0
    with suppress(Exception):  # of many kinds, as for damaged files
        turn = image.getexif().get(0x0112)
    quarters, step = TURNS.get(turn, (0, 1))
    return np.ascontiguousarray(np.rot90(pixels, quarters)[:, ::step])


def _to_rgb(image: Image.Image, profile: bytes | None) -> tuple[Pixels, list[str]]:
    """8-bit sRGB (H, W, 3) of an 8-bit Pillow image of any mode, with remarks."""
    remarks = ["CMYK"] if image.mode == "CMYK" else []
    try:
        if image.mode.endswith(("A", "a")) or "transparency" in image.info:
            rgba = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
        if image.mode not in ("L", "CMYK"):
            image = image.convert("RGB")
        rgb = np.asarray(image.convert("RGB"))
        if profile:
            with suppress(ImageCms.PyCMSError, OSError, ImportError):  # a damaged profile, or one for another kind of colours
                srgb = ImageCms.createProfile("sRGB")
                meant = np.asarray(ImageCms.profileToProfile(image, io.BytesIO(profile), srgb, outputMode="RGB"))
                if cv2.absdiff(rgb, meant).max() > 2:  # less is rounding: the profile says sRGB
                    return meant, [*remarks, "colours beyond sRGB"]
        return rgb, remarks
    except ValueError as error:
        raise BadImages(f"no way to turn its colours ({image.mode}) into RGB; save it as RGB") from error


def _message(folder: str, total: int, bad: dict[str, str], passed: list[PassedOver], notes: dict[str, list[str]]) -> str:
    parts = {f"{len(bad)} of {total} image files in {folder} cannot be used:": listed([PassedOver(*one) for one in bad.items()])}
    parts[f"Passed over in {folder}:"] = listed(passed)
    parts[f"Used after a conversion in {folder}:"] = [f"{remark}: {_some(names, SHOWN)}" for remark, names in notes.items()]
    return "\n".join(line for title, lines in parts.items() if lines for line in (title, *(f"  {line}" for line in lines)))
