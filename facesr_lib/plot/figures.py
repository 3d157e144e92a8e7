"""Figures in one style (style.mplstyle): readable sizes, colours that colour-blind readers can tell apart."""

import io
import itertools
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

STYLE: Any = mpl.rc_params_from_file(Path(__file__).with_name("style.mplstyle"), use_default_template=False)
PALETTE: tuple[str, ...] = tuple(STYLE["axes.prop_cycle"].by_key()["color"])
_DASHES = ("-", "--", "-.", ":")
BOX_COLOR = PALETTE[5]
DPI = 150  # of saved figures
Rows = Sequence[Mapping[str, Any]]


class NotebookFigure(Figure):
    """A figure that pyplot does not list as open: a notebook shows it once, when it is a cell's last value."""

    def _repr_png_(self) -> bytes:
        content = io.BytesIO()
        self.savefig(content, format="png", dpi=100, bbox_inches="tight")
        return content.getvalue()


def style() -> None:
    """Make this module's style the default of all later figures in this process. A notebook calls it once."""
    mpl.rcParams.update(STYLE)


def image_grid(
    columns: Mapping[str, torch.Tensor],
    *,
    rows: Sequence[int] | None = None,
    labels: Mapping[str, Sequence[str]] | None = None,
    row_labels: Sequence[str] = (),
    zoom: tuple[float, float, float] | None = None,
    cell: float = 1.8,
) -> NotebookFigure:
    """Compare pictures: one column per entry (say LR, bicubic, SR, HR), one row per image, everything drawn equally large.

    columns: title -> (N, C, H, W) in [0, 1], C = 1 or 3. Sizes may differ between columns; smaller images show their pixels.
    rows: which of the N images (default: all). labels: title -> one text per image of the batch, as "27.3 dB", below it.
    row_labels: one text per row drawn, at its left. zoom: (top, left, side) as fractions of the image; the square is framed, and
    shown enlarged below its row. cell: an image's width in inches. Raises ValueError for unequal batches, other shapes, no row,
    or a zoom outside the image.
    """
    arrays = {title: _pictures(title, images) for title, images in columns.items()}
    counts = {title: len(images) for title, images in arrays.items()}
    if len(set(counts.values())) != 1:
        raise ValueError(f"every column needs the same number of images, and there must be a column; got {counts}")
    chosen = list(range(min(counts.values())) if rows is None else rows)
    if not chosen:
        raise ValueError("no image to show: rows is empty")
    if zoom is not None and not (min(zoom) >= 0 and zoom[2] > 0 and max(zoom[0], zoom[1]) + zoom[2] <= 1):
        raise ValueError(f"zoom {zoom}: give top, left and side as fractions with top + side <= 1 and left + side <= 1")
    largest = max(arrays.values(), key=lambda images: images.shape[1])
    aspect = largest.shape[1] / largest.shape[2]
    per_row = (aspect, 1.0) if zoom else (aspect,)
    heights = [*per_row] * len(chosen)
    with mpl.rc_context(STYLE):
        size = (cell * len(arrays), cell * sum(heights) + 0.3 + (0.2 * len(chosen) if labels else 0))
        figure = NotebookFigure(figsize=size, layout="compressed")
        axes = figure.subplots(len(heights), len(arrays), squeeze=False, gridspec_kw={"height_ratios": heights})
        for column, (title, images) in enumerate(arrays.items()):
            axes[0, column].set_title(title)
            small = images.shape[1] < largest.shape[1]
            for index, chosen_row in enumerate(chosen):
                cells, image = axes[index * len(per_row) : (index + 1) * len(per_row), column], images[chosen_row]
                _show(cells[0], image, small)
                if zoom:
                    tall, wide = image.shape[:2]
                    y, x = round(zoom[0] * tall), round(zoom[1] * wide)
                    height, width = (max(1, round(zoom[2] * side)) for side in (tall, wide))
                    frame = Rectangle((x - 0.5, y - 0.5), width, height, fill=False, edgecolor=BOX_COLOR, linewidth=1.5)
                    cells[0].add_patch(frame)
                    _show(cells[1], image[y : y + height, x : x + width], small)
                if labels and title in labels:
                    cells[-1].set_xlabel(labels[title][chosen_row])
        for first, label in zip(axes[:: len(per_row), 0], row_labels, strict=False):
            first.set_ylabel(label)
    return figure


def curves(rows: Rows, *keys: str, **how: Any) -> NotebookFigure:
    """Plot columns of a training log in a figure of their own; the rest as in `draw_curves`."""
    with mpl.rc_context(STYLE):
        figure = NotebookFigure(figsize=(6.4, 3.6), layout="constrained")
        draw_curves(figure.subplots(), rows, *keys, **how)
    return figure


def draw_curves(
    axes: Any, rows: Rows, *keys: str, x: str = "step", ylabel: str = "", title: str = "", log: bool = False, average: int = 1
) -> None:
    """Plot columns of a training log against its column `x`.

    rows: mappings to numbers, or to texts read from CSV. A curve leaves out the rows that lack its key or have an empty text.
    average: width, in points, of a running mean, drawn over the pale raw curve. Raises ValueError for a key that no row has.
    """
    with mpl.rc_context(STYLE):
        for key, color, dash in zip(keys, itertools.cycle(PALETTE), itertools.cycle(_DASHES), strict=False):
            points = [(float(row[x]), float(row[key])) for row in rows if row.get(key) not in (None, "")]
            if not points:
                has = ", ".join(dict.fromkeys(k for row in rows for k in row))
                raise ValueError(f"no row of the log has {key!r}; it has {has}")
            steps, values = np.array(points).T
            if average > 1 and len(values) >= average:
                axes.plot(steps, values, color=color, alpha=0.25, linewidth=1)
                steps = steps[average - 1 :]
                values = np.convolve(values, np.full(average, 1 / average), mode="valid")
            axes.plot(steps, values, color=color, linestyle=dash, marker="o" if len(values) == 1 else None, label=key)
        axes.set(xlabel=x, ylabel=ylabel or (keys[0] if len(keys) == 1 else ""), title=title)
        if log:
            axes.set_yscale("log")
        if len(keys) > 1:
            axes.legend()


def png_html(png: bytes, alt: str) -> str:
    """A PNG saved at `DPI` as an <img> that holds it, in its drawn size (96 CSS pixels an inch). ValueError if it is none."""
    if not png.startswith(b"\x89PNG\r\n\x1a\n"):
        raise ValueError("not a PNG file")
    width, height = (round(int.from_bytes(png[start : start + 4], "big") * 96 / DPI) for start in (16, 20))
    source = f"data:image/png;base64,{b64encode(png).decode()}"
    return f'<img src="{source}" width="{width}" height="{height}" alt="{escape(alt)}">'


@dataclass(frozen=True)
class SavedFigure:
    """A saved figure; a notebook shows it, with caption and alt text, when it is a cell's last value."""

    name: str
    caption: str
    alt: str
    path: Path = field(repr=False)

    def _repr_html_(self) -> str:
        picture = png_html(self.path.read_bytes(), self.alt)
        return f"<figure>{picture}<figcaption>{escape(self.caption)}</figcaption></figure>"


def _pictures(title: str, images: torch.Tensor) -> np.ndarray:
    """(N, C, H, W) -> (N, H, W, 3), clipped to [0, 1]."""
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise ValueError(f"column {title!r}: expected images of shape (N, 1 or 3, H, W), not {tuple(images.shape)}")
    array = images.detach().float().clamp(0, 1).cpu().permute(0, 2, 3, 1).numpy()
    return np.repeat(array, 3, axis=3) if array.shape[3] == 1 else array


def _show(axes: Any, picture: np.ndarray, small: bool) -> None:
    axes.imshow(picture, interpolation="nearest" if small else "antialiased")  # pixels are square
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    axes.spines[:].set_visible(False)
