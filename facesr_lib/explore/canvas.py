"""What all explorers share: pictures in a row as 8-bit pixels, and controls whose every move redraws one picture.

Matplotlib takes 0.1 s for a figure; pasting pixels takes milliseconds, so the picture follows a slider. ipywidgets 7.7 or 8.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import ipywidgets as widgets
import matplotlib as mpl
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from facesr_lib.data.images import Pixels
from facesr_lib.explore.upload import Gallery
from facesr_lib.image import to_uint8
from facesr_lib.plot.figures import NotebookFigure

GAP, TITLE = 8, 24  # pixels: between panels, the height of the titles' strip
FONT = ImageFont.truetype(Path(mpl.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"), 14)  # the static figures', in pixels
LABEL, CONTROL = ("11em", "27em")  # widths of a control's label, which ipywidgets cuts if it is longer, and of the control
# The controls' values by name -> the picture, and HTML to read below it.
View = Callable[..., tuple[Pixels | NotebookFigure, str]]
Uses = tuple[str, Mapping[str, Sequence[str]]]


def panels(images: Mapping[str, Tensor], side: int = 256) -> Pixels:
    """Images (1, 1 or 3, h, w) in [0, 1] in a row below their titles -> uint8 (H, W, 3).

    The largest is enlarged by the whole factor that brings it nearest to `side` px, the others to the same size, unsmoothed.
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
        pen.text((left + width // 2, TITLE // 2), title, fill="black", font=FONT, anchor="mm")
    return np.asarray(row)


def png(picture: Pixels | NotebookFigure) -> bytes:
    """A figure, or uint8 pixels (H, W, 3), as a PNG; pixels with little compression, which is faster."""
    if isinstance(picture, NotebookFigure):
        return picture._repr_png_()
    content = io.BytesIO()
    Image.fromarray(picture).save(content, format="png", compress_level=1)
    return content.getvalue()


def explorer(
    view: View, controls: Mapping[str, widgets.Widget], pictures: Mapping[str, Tensor] | None = None, uses: Uses | None = None
) -> widgets.VBox:
    """Controls, a picture, and a line to read: calls `view(**values)` once at the start and once for every change.

    controls: argument of `view` -> the widget that gives its value, from top to bottom. pictures: name -> (1, 3, S, S) in
    [0, 1]; a `Gallery` of them, with its errors, stands first, and `view` gets the chosen one as `hr`. uses: the name of a menu
    among the controls, and for each of its values the names of the settings that it needs; the other settings are hidden.
    """
    gallery = None if pictures is None else Gallery(pictures)
    # Left to itself, the picture would be stretched to the width of the page, and its pixels and titles blurred.
    picture, readout = widgets.Image(format="png", layout=widgets.Layout(align_self="flex-start")), widgets.HTML()

    def draw(_: object = None) -> None:
        if uses:
            menu, settings = uses
            for name in {name for names in settings.values() for name in names}:
                controls[name].layout.display = "flex" if name in settings[controls[menu].value] else "none"
        values = {name: control.value for name, control in controls.items()}
        shown, text = view(**values, **({"hr": gallery.chosen} if gallery else {}))
        picture.value, readout.value = png(shown), text

    for control in (*controls.values(), *([gallery.menu] if gallery else [])):
        control.style.description_width, control.layout.width = LABEL, CONTROL
        control.observe(draw, names="value")
    draw()
    return widgets.VBox([*([gallery.box] if gallery else []), *controls.values(), picture, readout])
