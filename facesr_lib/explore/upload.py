"""The pictures that an explorer offers, and the reader's own among them."""

import html
import io
from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets
import torch
from torch import Tensor

from facesr_lib.data.folder import BadImages, read_picture
from facesr_lib.data.images import square
from facesr_lib.image import check_square, to_float

SMALLEST = 64  # enlarged twofold at most
MOST_PIXELS = 25_000_000  # a phone's photograph; more would take half a gigabyte on the way


class Gallery:
    """Named pictures (1, 3, S, S) in [0, 1], a menu to choose one, and a button that adds one of the reader's own.

    `menu` is the widget to observe: its value is a key of `pictures`. `box` is what to show: menu, button, message. A reader's
    picture is cropped and rotated as by `image_folder`, and resized to the first one's size; of a file that cannot be used (below
    64 px, above 25 million pixels) the message says why, and what to do. Raises ValueError without pictures, or for one that is
    not a single square.
    """

    def __init__(self, pictures: Mapping[str, Tensor]) -> None:
        if not pictures:
            raise ValueError("pictures: expected at least one, by name")
        for name, picture in pictures.items():
            check_square(picture, name, channels=3)
        self.pictures = {name: picture.detach().float().cpu() for name, picture in pictures.items()}
        self.menu = widgets.Dropdown(options=list(pictures), value=next(iter(pictures)), description="picture")
        button = widgets.FileUpload(accept="image/*", multiple=False, description="Your own picture")
        button.layout.width = "auto"
        button.observe(self._read, names="value")
        self._message = widgets.HTML("A portrait works best. It stays on the machine that runs this notebook.")
        self.box = widgets.VBox([self.menu, widgets.HBox([button, self._message])])

    @property
    def chosen(self) -> Tensor:
        """The picture that the menu names."""
        return self.pictures[self.menu.value]

    def add(self, name: str, picture: Tensor) -> None:
        """Put a reader's picture on the menu, in place of an earlier one of that name, and choose it."""
        own = f"{name} (yours)"  # so that no file of the reader's replaces one of ours
        # Replacing an own picture that is shown leaves the menu's value as it is: turn away first, or nobody would redraw.
        self.menu.value = next(iter(self.pictures))
        self.pictures[own] = picture
        self.menu.options = list(self.pictures)
        self.menu.value = own

    def _read(self, change: Any) -> None:
        size = next(iter(self.pictures.values())).shape[3]
        for name, content in uploaded_files(change["new"]):
            shown = html.escape(name)
            try:
                picture, note = own_picture(content, size)
            except BadImages as error:
                self._message.value = f"<b>{shown} cannot be used:</b> {html.escape(str(error))}."
            else:
                self._message.value = f"{shown}: {note}."
                self.add(name, picture)


def own_picture(content: bytes, size: int) -> tuple[Tensor, str]:
    """An image file's content -> its centre square, float32 RGB (1, 3, size, size) in [0, 1], and a note on what was done.

    Raises BadImages, with the reason and what to do, if the file cannot be used.
    """
    try:
        pixels, remarks = read_picture(io.BytesIO(content), SMALLEST, MOST_PIXELS)
    except BadImages as error:
        raise BadImages(f"{error}; choose a JPEG or PNG photograph of {SMALLEST} px to 25 million pixels") from error
    height, width = pixels.shape[:2]
    side = min(height, width)
    change = "enlarged" if side < size else "resized" if side > size else "kept"
    note = ", ".join([f"the centre {side}x{side} of {width}x{height} px, {change} to {size} px", *remarks])
    picture = torch.from_numpy(square(pixels[None], size)).permute(0, 3, 1, 2)
    return to_float(picture.contiguous()), note


def uploaded_files(value: Any) -> list[tuple[str, bytes]]:
    """Names and contents in the value of a FileUpload: {name: {"content", ...}} in ipywidgets 7, a tuple of dicts in 8."""
    named = value.items() if isinstance(value, Mapping) else ((file["name"], file) for file in value)
    return [(name, bytes(file["content"])) for name, file in named]
