"""The loss explorer: damage an image with sliders and watch every loss react; and figures that show the same without a kernel."""

import html
import math
from collections.abc import Mapping, Sequence

import ipywidgets as widgets
import matplotlib as mpl
import torch
from torch import Tensor

from facesr_lib.data.images import Pixels
from facesr_lib.explore.canvas import explorer, panels
from facesr_lib.explore.losses import DAMAGES, SCALE, Damage, Losses, LossScale, Reading, heat, image_losses, loss_gradient, wish
from facesr_lib.plot.figures import PALETTE, STYLE, NotebookFigure, image_grid

BAR_END = 3  # bars end at three times the bicubic SR
_PAPER = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}  # behind numbers, so that no line crosses them


def loss_explorer(pictures: Mapping[str, Tensor], losses: Losses | None = None, slow: Losses | None = None) -> widgets.VBox:
    """Sliders damage a picture; bars show every loss and score of it; two maps show where the chosen loss would change it.

    pictures: name -> (1, 3, S, S) in [0, 1]; the reader may add one. losses: by default `image_losses()`. slow: more losses,
    too slow for sliders (LPIPS); one gets a bar only while it is chosen. Static twins: `loss_grid`, `loss_bars`.
    """
    losses, slow = dict(image_losses() if losses is None else losses), dict(slow or {})
    controls = {
        "shift": widgets.FloatSlider(value=0, min=-4, max=4, step=0.25, description="shift (px)"),
        "blur": widgets.FloatSlider(value=0, min=0, max=4, step=0.1, description="blur sigma (px)"),
        "noise": widgets.FloatSlider(value=0, min=0, max=40, step=1, description="noise (grey levels)"),
        "contrast": widgets.FloatSlider(value=1, min=0.4, max=1.6, step=0.05, description="contrast (factor)"),
        "warmth": widgets.FloatSlider(value=0, min=-0.2, max=0.2, step=0.01, description="warmth (colour cast)"),
    }
    options = [*((name, name) for name in losses), *((f"{name} (slow)", name) for name in slow)]
    scale: LossScale | None = None  # of the picture shown: measuring its bicubic SR at every move would double the time

    def view(hr: Tensor, chosen: str, **amounts: float) -> tuple[Pixels, str]:
        nonlocal scale
        measured = {**losses, **({chosen: slow[chosen]} if chosen in slow else {})}
        if scale is None or scale.hr is not hr or scale.losses != measured:
            scale = LossScale(hr, measured)
        return loss_view(scale, Damage(**amounts), chosen)

    return explorer(view, {**controls, "chosen": widgets.Dropdown(options=options, description="gradient of")}, pictures)


def loss_view(scale: LossScale, damage: Damage, chosen: str) -> tuple[Pixels, str]:
    """What the explorer shows for one setting: HR, the damaged image and the two maps of the chosen loss; the bars as HTML."""
    damaged = damage(scale.hr)
    _, gradient = loss_gradient(scale.losses[chosen], damaged, scale.hr)
    images = {"HR": scale.hr, "damaged": damaged, "what it wants added": wish(gradient), "how much": heat(gradient)}
    return panels(images, side=192), bars_html(scale(damaged), damage.name)


def bars_html(readings: Mapping[str, Reading], title: str) -> str:
    """The readings as a table with bars: blue losses, orange scores; a line marks the bicubic SR."""
    rows = []
    for name, (text, share, score) in readings.items():
        width = 0.0 if math.isnan(share) else 100 * min(max(share, 0), BAR_END) / BAR_END
        bar = f"background:{PALETTE[1] if score else PALETTE[0]};width:{width:.1f}%;height:0.9em"
        mark = f"position:absolute;left:{100 / BAR_END:.1f}%;top:0;bottom:0;border-left:2px dashed currentColor"
        shown = "n/a" if math.isnan(share) else f"{share:.2f}"
        rows.append(
            f"<tr><td>{html.escape(name)}</td><td style='text-align:right'>{text}</td>"
            f"<td style='width:260px;position:relative'><div style='{bar}'></div><div style='{mark}'></div></td>"
            f"<td style='text-align:right'>{shown}</td></tr>"
        )
    head = f"<tr><th>{html.escape(title)}</th><th>value</th><th>0 = HR, dashed = bicubic x{SCALE}</th><th>share</th></tr>"
    return f"<table style='line-height:1.4;border-spacing:8px 0'>{head}{''.join(rows)}</table>"


def loss_grid(hr: Tensor, damages: Sequence[Damage] = DAMAGES) -> NotebookFigure:
    """Damages of one image (1, 3, H, W) as rows: the image, then the change that every one of `image_losses` asks for (`wish`).

    Below each image: the loss on the scale of `LossScale`.
    """
    scale = LossScale(hr)
    damaged = [damage(hr) for damage in damages]
    readings = [scale(image) for image in damaged]
    columns = {"damaged": torch.cat(damaged)}
    labels = {"damaged": [damage.name for damage in damages]}
    for name, loss in scale.losses.items():
        columns[name] = torch.cat([wish(loss_gradient(loss, image, hr)[1]) for image in damaged])
        labels[name] = [f"{reading[name].share:.2f} x bicubic" for reading in readings]
    return image_grid(columns, labels=labels)


def loss_bars(hr: Tensor, losses: Losses | None = None) -> NotebookFigure:
    """Every loss and score of one image (1, 3, H, W) after each of `DAMAGES`, with its value, as bars on `LossScale`'s scale."""
    scale = LossScale(hr, losses)
    with mpl.rc_context(STYLE):
        figure = NotebookFigure(figsize=(2.0 * len(DAMAGES) + 1.6, 0.3 * len(scale.losses) + 1.8), layout="constrained")
        columns = figure.subplots(1, len(DAMAGES), sharey=True)
        for axes, damage in zip(columns, DAMAGES, strict=True):
            readings = scale(damage(hr))
            colors = [PALETTE[1] if reading.score else PALETTE[0] for reading in readings.values()]
            shares = [reading.share for reading in readings.values()]
            shown = [0.0 if math.isnan(share) else min(max(share, -1.0), BAR_END) for share in shares]
            axes.barh(list(readings), shown, color=colors)
            for row, (end, reading) in enumerate(zip(shown, readings.values(), strict=True)):
                axes.text(max(end, 0) + 0.08, row, reading.text, va="center", fontsize=8, bbox=_PAPER)
            axes.axvline(1, color="black", linewidth=1, linestyle="--", zorder=1)
            axes.grid(False)
            axes.set(title=damage.name, xlim=(min([*shown, 0]), BAR_END + 1.2), xticks=range(BAR_END + 1))
        columns[0].invert_yaxis()
        figure.supxlabel(f"0: HR, 1 (dashed): its bicubic SR, x{SCALE}; bars end at {BAR_END}", fontsize=10)
    return figure
