"""The edges that steps 2 and 3 of the teacher-student paper's network receive, and how they change a trained network's SR."""

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


def edge_priors(network: RecurrentSR, lr: Tensor, hr: Tensor, settings: Sequence[tuple[Edges, Edges]]) -> NotebookFigure:
    """One row per setting (edges for step 2, edges for step 3), all of one face: lr (1, 3, h, w), hr (1, 3, 4h, 4w) in [0, 1].

    Columns: SR_1, the map that step 2 receives (at its own size), SR_2, the map of step 3 (grey is 0), SR_3, and its difference
    to SR_3 with the network's own edges, times 8. Below SR: PSNR. Raises ValueError without settings or for several faces.
    """
    if not settings or len(lr) != 1 or len(hr) != 1:
        raise ValueError(f"edge_priors draws one face by at least one setting, got {len(lr)} faces, {len(settings)} settings")
    columns = _steps(network, lr, settings)
    names = {f"into step {step + 2}": [edges[step].name for edges in settings] for step in (0, 1)}
    return image_grid(columns, labels={**_scores(columns, hr), **names})


def _steps(network: RecurrentSR, lr: Tensor, settings: Sequence[tuple[Edges, Edges]]) -> dict[str, Tensor]:
    """Title of a column -> its pictures in [0, 1], one per setting, on the CPU."""
    rows = []
    with torch.no_grad():
        own = network(lr)[-1].clamp(0, 1)
        for canny, dog in settings:
            first, second, third = (sr.clamp(0, 1) for sr in network(lr, (canny, dog)))
            row = {
                "SR 1": first,
                "into step 2": average_pool(canny(first), 2),
                "SR 2": second,
                "into step 3": 0.5 + 0.5 * average_pool(dog(second), 2),
                "SR 3": third,
                f"change, x{GAIN}": 0.5 + GAIN * (third - own).mean(1, keepdim=True),
            }
            rows.append(row)
    return {title: torch.cat([row[title] for row in rows]).clamp(0, 1).cpu() for title in rows[0]}


def _scores(columns: dict[str, Tensor], hr: Tensor) -> dict[str, list[str]]:
    """The PSNR of every SR image, by the title of its column."""
    sr = {title: images for title, images in columns.items() if title.startswith("SR")}
    return {title: [f"{psnr(x[None], hr.cpu()).item():.2f} dB" for x in images] for title, images in sr.items()}


def edge_priors_widget(network: RecurrentSR, lr: Tensor, hr: Tensor) -> widgets.VBox:
    """Sliders for Canny's thresholds and DoG's sigmas over one of several faces; static twin: `edge_priors`.

    lr (N, 3, h, w) and hr (N, 3, 4h, 4w) are in [0, 1], on the network's device.
    """
    late = {"continuous_update": False}  # a network is slower than a moving slider
    controls = {
        "face": widgets.IntSlider(value=0, min=0, max=len(lr) - 1, description="face", **late),
        "thresholds": widgets.IntRangeSlider(value=(100, 200), min=0, max=400, step=10, description="Canny", **late),
        "sigmas": widgets.FloatRangeSlider(value=(1.0, 1.6), min=0.4, max=4.0, step=0.1, description="DoG", **late),
    }

    def view(face: int, thresholds: tuple[int, int], sigmas: tuple[float, float]) -> tuple[Pixels, str]:
        rows, edges = slice(face, face + 1), (Canny(*thresholds), DoG(*sigmas))
        columns = _steps(network, lr[rows], [edges])
        scores = ", ".join(f"{title} <b>{score}</b>" for title, (score,) in _scores(columns, hr[rows]).items())
        return panels(columns, side=160), f"{edges[0].name} into step 2, {edges[1].name} into step 3: {scores}."

    return explorer(view, controls)
