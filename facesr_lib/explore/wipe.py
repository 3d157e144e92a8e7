"""Two versions of one picture in the same place, and a line to move between them: differences show where it passes."""

import ipywidgets as widgets
import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.colors import to_rgb
from torch import Tensor

from facesr_lib.data.images import Pixels
from facesr_lib.explore.canvas import TITLE, explorer, panels
from facesr_lib.image import check_images
from facesr_lib.plot.figures import BOX_COLOR, NotebookFigure, image_grid

TITLES = ("before", "after")


def wiped(before: Tensor, after: Tensor, share: float) -> Tensor:
    """`before` left of the line, `after` right of it, the line at `share` (0 to 1) of the width: (N, 1 or 3, H, W) in [0, 1].

    The smaller of the two (an LR image) is enlarged to the other's size, each pixel to a square. Raises ValueError if the
    larger size is no multiple of the smaller one, or for unequal batches.
    """
    before, after = _equally_large(before, after)
    column = round(share * before.shape[3])
    return torch.cat([before[..., :column], after[..., column:]], dim=3)


def wipe(before: Tensor, after: Tensor, titles: tuple[str, str] = TITLES) -> widgets.VBox:
    """Move the line between two versions of the same pictures (N, 1 or 3, H, W) in [0, 1]; static twin: `wipe_grid`.

    Sizes may differ by a whole factor (LR and HR). A slider chooses among several pictures. Raises ValueError as `wiped` does.
    """
    before, after = _equally_large(before, after)
    line = widgets.IntSlider(value=50, min=0, max=100, description="line at %")
    picture = widgets.IntSlider(value=0, min=0, max=len(before) - 1, description="picture")
    picture.layout.display = "flex" if len(before) > 1 else "none"

    def view(picture: int, percent: int) -> tuple[Pixels, str]:
        share = percent / 100
        image = wiped(before[picture : picture + 1], after[picture : picture + 1], share)
        shown = panels({" | ".join(titles): image}, side=384).copy()
        at = round(share * image.shape[3]) * (shown.shape[1] // image.shape[3])
        shown[TITLE:, max(at - 1, 0) : at + 1] = np.round(255 * np.array(to_rgb(BOX_COLOR)))
        return shown, f"{titles[0]} on the left {share:.0%}, {titles[1]} on the right."

    return explorer(view, {"picture": picture, "percent": line})


def wipe_grid(before: Tensor, after: Tensor, titles: tuple[str, str] = TITLES) -> NotebookFigure:
    """The line at several positions (columns), a row per picture; arguments as in `wipe`."""
    columns, shares = {}, (1, 0.75, 0.5, 0.25, 0)
    for share in shares:
        name = f"{share:.0%} {titles[0]}" if 0 < share < 1 else titles[0 if share else 1]
        columns[name] = wiped(before, after, share)
    figure = image_grid(columns)
    for axes, share in zip(figure.axes, shares * len(before), strict=True):
        if 0 < share < 1:
            axes.axvline(share * next(iter(columns.values())).shape[3] - 0.5, color=BOX_COLOR, linewidth=1.5)
    return figure


def _equally_large(before: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
    """Both at the size of the larger one, in colour, on the CPU."""
    pair = []
    height, width = (max(before.shape[side], after.shape[side]) for side in (2, 3))
    for name, images in (("before", before), ("after", after)):
        check_images(images, name)
        factor = height // images.shape[2]
        if (factor * images.shape[2], factor * images.shape[3]) != (height, width) or len(before) != len(after):
            found = f"before {tuple(before.shape)} and after {tuple(after.shape)}"
            raise ValueError(f"expected as many pictures, of sizes that differ by a whole factor, got {found}")
        pair.append(F.interpolate(images.detach().float().cpu().expand(-1, 3, -1, -1), scale_factor=factor))
    return pair[0], pair[1]
