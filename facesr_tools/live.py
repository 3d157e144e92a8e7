"""What a long training shows in a notebook while it lasts: one figure of its curves and its sample, updated in place."""

from __future__ import annotations

import io
import itertools
import time
from base64 import b64encode
from typing import Any

import matplotlib as mpl
from IPython import get_ipython
from IPython.display import DisplayHandle, display
from matplotlib.ticker import LogLocator, NullFormatter

from facesr_lib.plot.figures import STYLE, NotebookFigure, draw_curves
from facesr_lib.training import StageCache, Trained, Trainer
from facesr_lib.training.log import Row
from facesr_tools.tensorboard import board

SECONDS = 3.0  # at least, between two pictures
SHARE = 0.03  # of the time, at most, is spent on pictures; on the last one of a training besides
_POINTS = 40  # of a smoothed loss curve


def live(cache: StageCache, seconds: float = SECONDS) -> StageCache:
    """`cache`, whose trainings show their course where a notebook asks for them: in a figure per cell, every few seconds.

    The last picture stays when the cell ends. What is found in the cache, or trained in less than `seconds`, shows nothing;
    outside of a notebook nothing does. A training computes the same with and without. They also write for TensorBoard if that
    is asked for; raises as `board` does.
    """
    shell = get_ipython()
    in_notebook = getattr(shell, "kernel", None) is not None  # not in a script, a test, a terminal
    shows = [show for show in (board(), LiveFigure(shell, seconds) if in_notebook else None) if show]
    if not shows:
        return cache

    def show(trainer: Trainer[Any], done: int) -> None:
        for one in shows:
            one(trainer, done)

    return StageCache(cache.root, cache.fresh_since, show)


class LiveFigure:
    """The figure of the running cell, for the Trainer's `show`. An error in drawing ends the pictures, not the training."""

    def __init__(self, shell: Any, seconds: float) -> None:
        self._shell, self._seconds = shell, seconds
        self._cell = -1  # its execution count
        self._handle: DisplayHandle | None = None
        self._shown = ""  # the training that the figure shows
        self._due = 0.0
        self._broken = False

    def __call__(self, trainer: Trainer[Any], done: int) -> None:
        """Show what `trainer` has left so far, if it is time to; `done` steps are done."""
        if self._broken:
            return
        if self._shell.execution_count != self._cell:
            self._cell, self._handle, self._shown = self._shell.execution_count, None, ""
            self._due = time.monotonic() + self._seconds
        ends = done == trainer.options.steps and self._shown == str(trainer.folder)
        if time.monotonic() < self._due and not ends:
            return
        began = time.monotonic()
        try:
            if not self._draw(trainer):
                return
        except Exception as error:
            self._broken = True
            print(f"The figure of the training cannot be drawn ({type(error).__name__}: {error}). The training goes on.")
        now = time.monotonic()
        self._due = now + max(self._seconds, (now - began) / SHARE)

    def _draw(self, trainer: Trainer[Any]) -> bool:
        """Draw and show, if there is anything to show yet."""
        trained = trainer.so_far()
        if not trained.log:
            return False
        title = f"{trainer.title}: step {trained.log[-1]['step']:.0f} of {trainer.options.steps}"
        content = io.BytesIO()
        course(trained, title, trainer.options.steps).savefig(content, format="png", dpi=100)
        alt = f"{title}. Loss terms, and where there are any validation scores and a sample face, so far."
        # As data, not as an object, so that it does not hang on which formatters a front end has set.
        data = {"image/png": b64encode(content.getvalue()).decode(), "text/plain": alt}
        how: dict[str, Any] = {"raw": True, "metadata": {"image/png": {"alt": alt}}}
        if self._handle:
            self._handle.update(data, **how)
        else:
            self._handle = display(data, display_id=True, **how)
        self._shown = str(trainer.folder)
        return True


def course(trained: Trained[Any], title: str, steps: int) -> NotebookFigure:
    """The course of a training of `steps` steps: validation scores, loss terms, first and newest sample, as far as they go."""
    faces = trained.previews()
    faces = [faces[0], faces[-1]] if len(faces) > 1 else faces
    validation = _validation_keys(trained.validation)
    # Gap and width of each panel in inches. A layout that is computed takes as long as the drawing, and moves with every label.
    sizes = [(0.7, 2.6)] * bool(validation) + [(0.95, 3.2)] + [(0.15, 1.6)] * len(faces)
    wide = sum(gap + width for gap, width in sizes) + 0.1
    with mpl.rc_context(STYLE):
        figure = NotebookFigure(figsize=(wide, 3.0))
        figure.suptitle(title, fontsize=11)
        ends = itertools.accumulate(gap + width for gap, width in sizes)
        places = [(end - width) / wide for end, (_, width) in zip(ends, sizes, strict=True)]
        panels = [figure.add_axes((left, 0.17, width / wide, 0.65)) for left, (_, width) in zip(places, sizes, strict=True)]
        plots, pictures = panels[: len(panels) - len(faces)], panels[len(panels) - len(faces) :]
        if validation:
            draw_curves(plots[0], trained.validation, *validation, title="Validation", ylabel="PSNR (dB)")
        _draw_losses(plots[-1], trained.log)
        for axes in plots:
            axes.set_xlim(0, steps)
        for axes, (step, images) in zip(pictures, faces, strict=True):
            axes.imshow(images[0].permute(1, 2, 0).numpy(), interpolation="nearest")
            axes.set_title(f"Sample, step {step}", fontsize=10)
            axes.set_axis_off()
    return figure


def _validation_keys(rows: list[Row]) -> list[str]:
    """The mean scores, in dB: the papers validate by PSNR. What is beside `psnr` (single images, a parameter) has other units."""
    keys = [key for key in (rows[0] if rows else {}) if key != "step"]
    return ["psnr"] if "psnr" in keys else keys


def _draw_losses(axes: Any, rows: list[Row]) -> None:
    terms = [key for key in rows[0] if key != "step" and not key.startswith("lr_") and any(row[key] for row in rows)]
    positive = all(row[key] >= 0 for row in rows for key in terms)  # a zero is left out of a logarithmic scale
    unit = "no unit, log scale" if positive else "no unit"
    smooth = max(1, len(rows) // _POINTS)
    draw_curves(axes, rows, *terms, ylabel=unit, title="Loss terms", log=positive, average=smooth)
    if positive:
        low, high = axes.get_ylim()
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.legend(fontsize=8, ncols=2, frameon=True, framealpha=0.8, edgecolor="none")
