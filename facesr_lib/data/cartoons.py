"""DiceBear cartoon faces: any number of seeded colour avatars, drawn on this machine, that show no person."""

import colorsys
import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from facesr_lib.data.images import ImageSet, Pixels
from facesr_lib.data.packed import PackedWriter, cached_set, open_packed
from facesr_lib.data.split import Split

if TYPE_CHECKING:
    from dicebear import Style

# Released under CC0 1.0 (avataaars: free for personal and commercial use).
FREE_STYLES = ("avataaars", "lorelei", "notionists", "open-peeps", "pixel-art")
PACKAGES = ("dicebear-core", "dicebear-styles", "resvg-py")


def dicebear_cartoons(
    count: int, size: int, seed: int = 0, style: str | Sequence[str] = FREE_STYLES, split: Split = "train"
) -> ImageSet:
    """Return `count` cartoon faces of `size` x `size` px, on seeded pastel backgrounds, from the cache after the first call.

    The text "{seed}-{split}-{i}" seeds avatar i and is its group: no avatar is in two splits or two seeds, and a larger
    `count` begins with the same avatars. `style` is one style of dicebear-styles or several, which take turns. The default
    ones are free for any use. A style under CC BY is allowed too, since the set's credit holds every style's licence text.
    The same arguments and package versions give identical bytes on the same kind of machine.
    (DiceBear draws a few seeds of open-peeps alike: about 1 in 100 of 3,000. The backgrounds still differ.)
    Raises ValueError for an unknown style or split, or numbers below 1, and ModuleNotFoundError if a package is missing.
    """
    names = (style,) if isinstance(style, str) else tuple(style)
    if split not in get_args(Split):
        raise ValueError(f"unknown split {split!r}: choose one of {', '.join(get_args(Split))}")
    if count < 1 or size < 1 or not names:
        raise ValueError(f"count, size and the number of styles must be at least 1, got {count}, {size} and {len(names)}")
    try:
        versions = {package: version(package) for package in PACKAGES}
    except PackageNotFoundError as error:
        raise ModuleNotFoundError(f"cartoons need {error.name}, which is absent: pip install {' '.join(PACKAGES)}") from error
    for name in names:
        _definition(name)
    set_name = f"cartoons-{'+'.join(names) if names != FREE_STYLES else 'free'}/{split}"

    def render(path: Path) -> None:
        styles = [_style(name) for name in names]
        licences = "; ".join(style.meta().license().text() or "licence not stated" for style in styles)
        credit = f"Drawn with DiceBear (code MIT, dicebear.com). {licences}"
        with PackedWriter(path, set_name, (size, size), credit, {"kind": "dicebear", **key}) as writer:
            for i in tqdm(range(count), desc="cartoons", disable=count <= 200, leave=False):
                avatar = f"{seed}-{split}-{i}"
                writer.append(_draw(styles[i % len(styles)], avatar, size)[None], [avatar])

    key = {"count": count, "size": size, "seed": seed, "styles": names, "split": split, "versions": versions}
    return replace(open_packed(cached_set("cartoons", key, render, verify=True)), role="cartoons")


def _definition(style: str) -> Traversable:
    folder = files("dicebear_styles")
    known = sorted(item.name.removesuffix(".json") for item in folder.iterdir() if item.name.endswith(".json"))
    if style not in known:
        free = f"{', '.join(FREE_STYLES)} (free for any use)"
        raise ValueError(f"unknown DiceBear style {style!r}: choose one of {free} or, with its credit, any of {', '.join(known)}")
    return folder.joinpath(f"{style}.json")


@lru_cache(maxsize=8)  # checking a definition takes half a second, drawing an avatar from it milliseconds
def _style(name: str) -> "Style":
    from dicebear import Style

    return Style(json.loads(_definition(name).read_text("utf-8")))


def _draw(style: "Style", avatar: str, size: int) -> Pixels:
    """Draw one avatar on its pastel background: uint8 (size, size, 3)."""
    import resvg_py
    from dicebear import Avatar

    svg = Avatar(style, {"seed": avatar}).to_string()
    # System fonts would make the picture depend on the machine; the free styles have no text.
    png = resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size, skip_system_fonts=True)
    drawing = Image.open(io.BytesIO(png)).convert("RGBA")
    hue, saturation = hashlib.sha256(avatar.encode()).digest()[:2]
    pastel = colorsys.hsv_to_rgb(hue / 256, 0.15 + 0.25 * saturation / 255, 0.95)
    paper = Image.new("RGBA", drawing.size, (*(round(255 * level) for level in pastel), 255))
    return np.asarray(Image.alpha_composite(paper, drawing).convert("RGB"))
