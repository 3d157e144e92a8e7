"""Forgetting made visible: the same faces at any moment of two trainings, and what the distillation weights buy.

Every widget has a static twin that draws the same without a kernel.
"""

from collections.abc import Mapping, Sequence

import ipywidgets as widgets
import numpy as np
import torch
from torch import Tensor

from facesr_lib.data.images import Pixels
from facesr_lib.explore.canvas import explorer, panels
from facesr_lib.plot.figures import PALETTE, NotebookFigure, image_grid

SIDE = 96  # pixels of a picture in the widget: six rows fit on one screen below the slider
Snapshots = Sequence[tuple[int, Tensor]]  # (step, SR of the same few pictures (n, 3, H, W) after that many steps), in order
KDResult = Mapping[str, float]  # "output KD", "bottleneck KD", "faces (dB)", "cartoons (dB)" of one trained student


def snapshot(snapshots: Snapshots, teacher: Tensor, share: float) -> tuple[int, Tensor]:
    """The last snapshot at or before `share` (0 to 1) of the training; before the first, the teacher's SR at step 0."""
    end = snapshots[-1][0]
    return [(0, teacher), *((step, sr) for step, sr in snapshots if step <= share * end)][-1]


def forgetting_view(trainings: Mapping[str, Snapshots], teacher: Tensor, hr: Tensor, share: float) -> tuple[Pixels, str]:
    """All pictures at one moment, a row per picture: HR, the teacher's SR, and a column per training; and their steps."""
    moments = {name: snapshot(snapshots, teacher, share) for name, snapshots in trainings.items()}
    columns = {"HR": hr, "teacher": teacher, **{name: sr for name, (_, sr) in moments.items()}}
    rows = [{title: images[n : n + 1] for title, images in columns.items()} for n in range(len(hr))]
    steps = ", ".join(f"{name} at step {step}" for name, (step, _) in moments.items())
    return np.concatenate([panels(row, side=SIDE) for row in rows]), f"{steps[:1].upper()}{steps[1:]}."


def forgetting_strip(trainings: Mapping[str, Snapshots], teacher: Tensor, picture: int, moments: int = 5) -> NotebookFigure:
    """The slider's static twin: one picture, a row per training, from the teacher (left) to the last step (right)."""
    columns, steps = {}, {}
    for share in (moment / (moments - 1) for moment in range(moments)):
        shown = [snapshot(snapshots, teacher, share) for snapshots in trainings.values()]
        title = f"{share:.0%} of training" if share else "teacher"
        columns[title] = torch.stack([sr[picture] for _, sr in shown])
        steps[title] = [f"{name}, step {step}" for name, (step, _) in zip(trainings, shown, strict=True)]
    return image_grid(columns, labels=steps, cell=1.9)


def forgetting_slider(trainings: Mapping[str, Snapshots], teacher: Tensor, hr: Tensor) -> widgets.VBox:
    """Move through the trainings; teacher, hr: SR and HR of the same pictures, (n, 3, H, W); twin: `forgetting_strip`."""
    slider = widgets.IntSlider(value=100, min=0, max=100, step=10, description="training %", continuous_update=False)
    return explorer(lambda percent: forgetting_view(trainings, teacher, hr, percent / 100), {"percent": slider})


def kd_map(results: Sequence[KDResult], chosen: tuple[float, float] | None = None) -> NotebookFigure:
    """Students' PSNR on cartoons (right) and faces (up), labelled by the weights of both distillations; a ring marks `chosen`."""
    figure = NotebookFigure(figsize=(6.4, 4.0))
    # A layout engine would draw everything twice at each move of a slider.
    axes = figure.add_axes((0.12, 0.15, 0.85, 0.76))
    for result in results:
        weights = result["output KD"], result["bottleneck KD"]
        point = result["cartoons (dB)"], result["faces (dB)"]
        axes.scatter(*point, color=PALETTE[0] if any(weights) else PALETTE[1], zorder=3)
        # Students that differ in the bottleneck term alone lie close together: their labels go to either side.
        offset, side = ((9, 5), "left") if weights[1] else ((-9, -13), "right")
        axes.annotate(f"{weights[0]:g}, {weights[1]:g}", point, xytext=offset, textcoords="offset points", ha=side)
        if weights == chosen:
            axes.scatter(*point, s=260, facecolors="none", edgecolors=PALETTE[5], linewidths=2.5)
    axes.margins(0.22)
    axes.set(xlabel="cartoons, PSNR (dB)", ylabel="faces, PSNR (dB)", title="Weights of output KD, bottleneck KD")
    axes.grid(alpha=0.3)
    return figure


def kd_explorer(results: Sequence[KDResult]) -> widgets.VBox:
    """Choose the two distillation weights among those of the trained students; twin: `kd_map`."""
    outputs, bottlenecks = (sorted({result[name] for result in results}) for name in ("output KD", "bottleneck KD"))
    output = widgets.SelectionSlider(options=outputs, value=outputs[-1], description="output KD")
    bottleneck = widgets.SelectionSlider(options=bottlenecks, value=bottlenecks[-1], description="bottleneck")

    def view(output: float, bottleneck: float) -> tuple[NotebookFigure, str]:
        chosen = output, bottleneck
        text = "these weights were not trained"
        if found := [r for r in results if (r["output KD"], r["bottleneck KD"]) == chosen]:
            text = f"faces <b>{found[0]['faces (dB)']:.2f} dB</b>, cartoons <b>{found[0]['cartoons (dB)']:.2f} dB</b>"
        return kd_map(results, chosen), text

    return explorer(view, {"output": output, "bottleneck": bottleneck})
