"""A progressive network at its levels and between them: what each new level changes in one face."""

import math

import ipywidgets as widgets
from torch import Tensor

from facesr_lib.data.images import Pixels
from facesr_lib.explore.canvas import explorer, panels
from facesr_lib.papers.selfsr import SelfSR
from facesr_lib.plot.figures import NotebookFigure, image_grid


def growth_strip(method: SelfSR, lr: Tensor, hr: Tensor) -> NotebookFigure:
    """LR (N, 3, h, w), SR at every factor of the trained network, HR, all in [0, 1], in their own pixels: a row per face."""
    columns = {_title("LR", lr): lr}
    for level in range(1, method.config.levels + 1):
        sr = faded(method, lr, level, 1.0)
        columns[_title(f"x{2**level}", sr)] = sr
    return image_grid({**columns, _title("HR", hr): hr})


def growth_fade(method: SelfSR, lr: Tensor, level: int) -> NotebookFigure:
    """SR of LR (N, 3, h, w) in [0, 1] while a level fades in: alpha 0 (the level below, enlarged) to 1, a row per face."""
    return image_grid({f"alpha {alpha:g}": faded(method, lr, level, alpha) for alpha in (0.0, 0.25, 0.5, 0.75, 1.0)})


def growth_explorer(method: SelfSR, lr: Tensor) -> widgets.VBox:
    """One slider through all levels: the first of the LR faces (N, 3, h, w) in [0, 1] and its SR.

    At a whole t level t is finished; between t - 1 and t it fades in by the fraction. Twins: `growth_strip`, `growth_fade`.
    """
    levels = method.config.levels
    late = {"continuous_update": False}  # a network is slower than a moving slider
    slider = widgets.FloatSlider(value=1.0, min=1.0, max=levels, step=0.05, description="level", readout_format=".2f", **late)

    def view(t: float) -> tuple[Pixels, str]:
        level, alpha = growth(t)
        sr = faded(method, lr[:1], level, alpha)
        return panels({"LR": lr[:1], _title(f"x{2**level}", sr): sr}), f"Level {level} at alpha {alpha:.2f}."

    return explorer(view, {"t": slider})


def growth(t: float) -> tuple[int, float]:
    """A slider position t >= 1 -> level, alpha: 2 -> (2, 1.0), 2.25 -> (3, 0.25)."""
    t = round(t, 6)  # a slider's steps are not exact
    level = math.ceil(t)
    return level, round(t - level + 1, 6)


def faded(method: SelfSR, lr: Tensor, level: int, alpha: float) -> Tensor:
    """SR (N, 3, 2^level h, 2^level w) in [0, 1] of a level at alpha, without gradients; LR may be on any device."""
    return method.super_resolve(lr.to(next(method.networks["generator"].parameters()).device), level, alpha)


def _title(name: str, images: Tensor) -> str:
    return f"{name} ({images.shape[-1]} px)"
