"""What all explorers share: pictures in a row as 8-bit pixels, and controls whose every move redraws one picture.

Matplotlib takes a tenth of a second for a figure; pasting pixels takes a few milliseconds, so a slider can be followed.
Widgets use what ipywidgets 7 and 8 share.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import ipywidgets as widgets
import matplotlib as mpl
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from facesr_lib.data.images import Pixels
from facesr_lib.image import to_uint8
from facesr_lib.plot.figures import Picture

GAP, TITLE, FONT = 8, 24, 14  # pixels: between panels, the height of the titles' strip, the letters
LABEL, CONTROL = "11em", "27em"  # widths: of the controls' labels, which ipywidgets cuts if they are longer, and of all
# The controls' values by name -> the picture, and HTML to read below it.
View = Callable[..., tuple[Pixels | Picture, str]]


def panels(images: Mapping[str, Tensor], side: int = 256) -> Pixels:
    """Pictures (1, 1 or 3, h, w) in [0, 1] in a row below their titles -> uint8 (H, W, 3).

    The largest is enlarged by the whole factor that brings it nearest to `side` pixels, the others to the same size, all
    without smoothing: what is seen are their own pixels.
    """
    height, width = max((tuple(image.shape[2:]) for image in images.values()), key=lambda size: size[0])
    factor = max(1, round(side / max(height, width)))
    height, width = factor * height, factor * width
    row = Image.new("RGB", (len(images) * (width + GAP) - GAP, TITLE + height), "white")
    pen = ImageDraw.Draw(row)
    for column, (title, image) in enumerate(images.items()):
        left = column * (width + GAP)
        pixels = to_uint8(image.detach().expand(-1, 3, -1, -1))[0].permute(1, 2, 0).cpu().numpy()
        row.paste(Image.fromarray(pixels).resize((width, height), Image.Resampling.NEAREST), (left, TITLE))
        pen.text((left + width // 2, TITLE // 2), title, fill="black", font=_font(), anchor="mm")
    return np.asarray(row)


def png(picture: Pixels | Picture) -> bytes:
    """A figure, or uint8 pixels (H, W, 3), as a PNG; pixels with little compression, since that is quicker."""
    if isinstance(picture, Picture):
        return picture._repr_png_()
    content = io.BytesIO()
    Image.fromarray(picture).save(content, format="png", compress_level=1)
    return content.getvalue()


def explorer(
    view: View, controls: Mapping[str, widgets.Widget], above: Sequence[widgets.Widget] | None = None
) -> widgets.VBox:
    """Controls, a picture, and a line to read: `view(**values)` is called once at the start and once for every change.

    controls: argument of `view` -> the widget whose value it gets. above: what stands above the picture, where that is not
    just the controls one below the other.
    """
    # Left to itself, the picture would be stretched to the width of the page, and its pixels and titles blurred.
    picture, readout = widgets.Image(format="png", layout=widgets.Layout(align_self="flex-start")), widgets.HTML()

    def draw(_: object = None) -> None:
        shown, text = view(**{name: control.value for name, control in controls.items()})
        picture.value, readout.value = png(shown), text

    for control in controls.values():
        control.style.description_width, control.layout.width = LABEL, CONTROL
        control.observe(draw, names="value")
    draw()
    return widgets.VBox([*(controls.values() if above is None else above), picture, readout])


def show_used(
    choice: widgets.Dropdown, settings: Mapping[str, widgets.Widget], uses: Mapping[str, Sequence[str]]
) -> None:
    """Hide the settings that `choice` makes no use of, now and on every change; uses: value of `choice` -> names of settings."""

    def update(_: object = None) -> None:
        for name, setting in settings.items():
            setting.layout.display = "flex" if name in uses[choice.value] else "none"

    choice.observe(update, names="value")
    update()


@lru_cache(maxsize=1)
def _font() -> ImageFont.FreeTypeFont:
    """The letters of the static figures: matplotlib brings them along."""
    return ImageFont.truetype(Path(mpl.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"), FONT)
