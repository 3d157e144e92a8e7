"""The edges that steps 2 and 3 of the teacher-student paper's network receive, and how they change a trained network's SR."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as widgets
import torch
from torch import Tensor

from facesr_lib.data.images import Pixels
from facesr_lib.explore.canvas import explorer, panels
from facesr_lib.image import average_pool
from facesr_lib.metrics import psnr
from facesr_lib.papers.teacher_student.networks import Canny, DoG, Edges, RecurrentSR
from facesr_lib.plot.figures import NotebookFigure, image_grid

GAIN = 8  # factor on the drawn differences


def edge_priors(
    network: RecurrentSR, lr: Tensor, hr: Tensor, settings: Sequence[tuple[Edges, Edges]]
) -> NotebookFigure:
    """One row per setting (edges for step 2, edges for step 3), all of one face: lr (1, 3, h, w), hr (1, 3, 4h, 4w) in [0, 1].

    Columns: SR_1, the map that step 2 receives (at its own size), SR_2, the map of step 3 (grey is 0), SR_3, and its change
    times 8, which is its difference to SR_3 with the network's own edges. Below the SR images: PSNR.
    Raises ValueError without settings or for several faces.
    """
    if not settings or len(lr) != 1 or len(hr) != 1:
        raise ValueError(
            f"edge_priors draws one face by at least one setting, got {len(lr)} faces, {len(settings)} settings"
        )
    columns = _steps(network, lr, settings)
    labels = {
        title: [f"{psnr(sr[None], hr.cpu()).item():.2f} dB" for sr in images]
        for title, images in columns.items()
        if title[:3] == "SR "
    }
    labels["into step 2"] = [edges[0].name for edges in settings]
    labels["into step 3"] = [edges[1].name for edges in settings]
    return image_grid(columns, labels=labels)


def _steps(network: RecurrentSR, lr: Tensor, settings: Sequence[tuple[Edges, Edges]]) -> dict[str, Tensor]:
    """Title of a column -> its pictures in [0, 1], one per setting, on the CPU."""
    with torch.no_grad():
        own = network(lr)[-1].clamp(0, 1)
        runs = [[sr.clamp(0, 1) for sr in network(lr, edges)] for edges in settings]
    priors = [
        [average_pool(e(sr), 2) for e, sr in zip(edges, run, strict=False)]
        for edges, run in zip(settings, runs, strict=True)
    ]
    rows: dict[str, list[Tensor]] = {
        "SR 1": [run[0] for run in runs],
        "into step 2": [prior[0] for prior in priors],
        "SR 2": [run[1] for run in runs],
        "into step 3": [0.5 + 0.5 * prior[1] for prior in priors],
        "SR 3": [run[2] for run in runs],
        f"change, x{GAIN}": [0.5 + GAIN * (run[2] - own).mean(1, keepdim=True) for run in runs],
    }
    return {title: torch.cat(images).clamp(0, 1).cpu() for title, images in rows.items()}


def edge_priors_widget(network: RecurrentSR, lr: Tensor, hr: Tensor) -> widgets.VBox:
    """Sliders for Canny's thresholds and DoG's sigmas over one of several faces; static twin: `edge_priors`.

    lr (N, 3, h, w) and hr (N, 3, 4h, 4w) are in [0, 1], on the network's device.
    """
    face = widgets.IntSlider(value=0, min=0, max=len(lr) - 1, description="face", continuous_update=False)
    thresholds = widgets.IntRangeSlider(
        value=(100, 200), min=0, max=400, step=10, description="Canny", continuous_update=False
    )
    sigmas = widgets.FloatRangeSlider(
        value=(1.0, 1.6), min=0.4, max=4.0, step=0.1, description="DoG", continuous_update=False
    )

    def view(face: int, thresholds: tuple[int, int], sigmas: tuple[float, float]) -> tuple[Pixels, str]:
        rows, edges = slice(face, face + 1), (Canny(*thresholds), DoG(*sigmas))
        columns = _steps(network, lr[rows], [edges])
        scores = ", ".join(
            f"{title} <b>{psnr(sr, hr[rows].cpu()).item():.2f} dB</b>"
            for title, sr in columns.items()
            if title[:3] == "SR "
        )
        return panels(columns, side=160), f"{edges[0].name} into step 2, {edges[1].name} into step 3: {scores}."

    return explorer(view, {"face": face, "thresholds": thresholds, "sigmas": sigmas})
