"""Forgetting made visible: the same faces at any moment of two trainings, and what the distillation weights buy.

Every widget has a static twin that draws the same without a kernel. Widgets use what ipywidgets 7 and 8 share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ipywidgets as widgets
import numpy as np
import torch
from torch import Tensor

from facesr_lib.data.images import Pixels
from facesr_lib.explore.canvas import explorer, panels
from facesr_lib.plot.figures import PALETTE, Picture, image_grid

SIDE = 96  # pixels, of a picture in the widget: six rows stand below the slider on one screen
Film = Sequence[tuple[int, Tensor]]  # (steps done, what the model made of the filmed pictures (n, 3, H, W)), in order
Run = Mapping[str, float]  # "output KD", "bottleneck KD", "faces (dB)", "cartoons (dB)" of one trained student


def frame(film: Film, teacher: Tensor, share: float) -> tuple[int, Tensor]:
    """The last frame at or before `share` (0 to 1) of the training, and its step; before the first, the teacher at step 0."""
    end = film[-1][0]
    shown = (0, teacher)
    for step, pictures in film:
        if step <= share * end:
            shown = (step, pictures)
    return shown


def forgetting_view(films: Mapping[str, Film], teacher: Tensor, hr: Tensor, share: float) -> tuple[Pixels, str]:
    """All filmed pictures at one moment, a row per picture: HR, the teacher's, and one column per training; and their steps."""
    moments = {name: frame(film, teacher, share) for name, film in films.items()}
    columns = {"HR": hr, "teacher": teacher, **{name: pictures for name, (_, pictures) in moments.items()}}
    rows = [{title: images[n : n + 1] for title, images in columns.items()} for n in range(len(hr))]
    steps = ", ".join(f"{name} at step {step}" for name, (step, _) in moments.items())
    return np.concatenate([panels(row, side=SIDE) for row in rows]), f"{steps[:1].upper()}{steps[1:]}."


def forgetting_strip(films: Mapping[str, Film], teacher: Tensor, picture: int, moments: int = 5) -> Picture:
    """The slider's static twin: one filmed picture, a row per training, from the teacher (left) to the last step (right)."""
    shares = [moment / (moments - 1) for moment in range(moments)]
    columns, steps = {}, {}
    for share in shares:
        shown = [frame(film, teacher, share) for film in films.values()]
        title = f"{share:.0%} of training" if share else "teacher"
        columns[title] = torch.stack([pictures[picture] for _, pictures in shown])
        steps[title] = [f"{name}, step {step}" for name, (step, _) in zip(films, shown, strict=True)]
    return image_grid(columns, labels=steps, cell=1.9)


def forgetting_slider(films: Mapping[str, Film], teacher: Tensor, hr: Tensor) -> widgets.VBox:
    """Slide through the trainings; twin: `forgetting_strip`."""
    slider = widgets.IntSlider(value=100, min=0, max=100, step=10, description="training %", continuous_update=False)

    def view(percent: int) -> tuple[Pixels, str]:
        return forgetting_view(films, teacher, hr, percent / 100)

    return explorer(view, {"percent": slider})


def kd_map(runs: Sequence[Run], chosen: tuple[float, float] | None = None) -> Picture:
    """Both domains' PSNR of every run, to the right better on cartoons, up better on faces; `chosen` weights are ringed.

    The labels are the weights of output and bottleneck distillation.
    """
    figure = Picture(figsize=(6.4, 4.0))
    axes = figure.add_axes(
        (0.12, 0.15, 0.85, 0.76)
    )  # a layout engine would draw everything twice at each move of a slider
    for run in runs:
        weights = run["output KD"], run["bottleneck KD"]
        point = run["cartoons (dB)"], run["faces (dB)"]
        axes.scatter(*point, color=PALETTE[0] if any(weights) else PALETTE[1], zorder=3)
        # Students that differ in the bottleneck term alone lie close together.
        beside = (11, 4) if weights[1] else (11, -13)
        axes.annotate(f"{weights[0]:g}, {weights[1]:g}", point, xytext=beside, textcoords="offset points")
        if weights == chosen:
            axes.scatter(*point, s=260, facecolors="none", edgecolors=PALETTE[5], linewidths=2.5)
    axes.margins(0.15)
    axes.set(xlabel="cartoons, PSNR (dB)", ylabel="faces, PSNR (dB)")
    axes.set_title("Weights of output KD, bottleneck KD")
    axes.grid(alpha=0.3)
    return figure


def kd_explorer(runs: Sequence[Run]) -> widgets.VBox:
    """Choose the two distillation weights among the runs that were trained; twin: `kd_map`."""
    outputs, bottlenecks = (sorted({run[name] for run in runs}) for name in ("output KD", "bottleneck KD"))
    output = widgets.SelectionSlider(options=outputs, value=outputs[-1], description="output KD")
    bottleneck = widgets.SelectionSlider(options=bottlenecks, value=bottlenecks[-1], description="bottleneck")

    def view(output: float, bottleneck: float) -> tuple[Picture, str]:
        chosen = output, bottleneck
        found = [run for run in runs if (run["output KD"], run["bottleneck KD"]) == chosen]
        text = (
            f"faces <b>{found[0]['faces (dB)']:.2f} dB</b>, cartoons <b>{found[0]['cartoons (dB)']:.2f} dB</b>"
            if found
            else "these weights were not trained"
        )
        return kd_map(runs, chosen), text

    return explorer(view, {"output": output, "bottleneck": bottleneck}, [widgets.HBox([output, bottleneck])])
