"""How long an explorer takes from a slider's move to the new picture, at 128 px: the time that a reader waits for the kernel.

Every slider moves in turn, one step at a time. Beside each explorer, two panels of that size drawn with matplotlib
(`image_grid`). The way to the browser is not in it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import partial

import ipywidgets as widgets
from torch import Tensor

from facesr_lib.data.samples import astronaut_face
from facesr_lib.explore.canvas import panels, png
from facesr_lib.explore.degradation import degradation_explorer
from facesr_lib.explore.edge_priors import edge_priors_widget
from facesr_lib.explore.edges import edge_explorer
from facesr_lib.explore.flow import flow_explorer
from facesr_lib.explore.forgetting import forgetting_slider, kd_explorer
from facesr_lib.explore.growing import growth_explorer
from facesr_lib.explore.loss_explorer import loss_explorer
from facesr_lib.explore.wipe import wipe
from facesr_lib.image import resize_bicubic
from facesr_lib.papers import selfsr, teacher_student
from facesr_lib.papers.teacher_student.networks import RecurrentSR
from facesr_lib.plot import image_grid
from facesr_tools.bench.measure import OWN, Call, Work

SIZE = 128
SLIDERS = (widgets.IntSlider, widgets.FloatSlider, widgets.IntRangeSlider, widgets.FloatRangeSlider, widgets.SelectionSlider)


def sliders(widget: widgets.Widget) -> Iterator[widgets.Widget]:
    """Every slider inside a widget that a reader can see and move."""
    if isinstance(widget, SLIDERS) and widget.layout.display != "none" and len(positions(widget)) > 1:
        yield widget
    for child in getattr(widget, "children", ()):
        yield from sliders(child)


def positions(slider: widgets.Widget) -> list[object]:
    """Where a slider can stand, from one end to the other; both thumbs of a range move together."""
    if isinstance(slider, widgets.SelectionSlider):
        return [value for _, value in slider._options_full]
    steps = int((slider.max - slider.min) / slider.step + 1e-6)
    values = [slider.min + slider.step * step for step in range(steps + 1)]
    return list(itertools.pairwise(values)) if isinstance(slider.value, tuple) else list(values)


def moves(explorer: widgets.Widget) -> Iterator[None]:
    """Each step moves the next slider of an explorer to its next position; returns when the picture is there."""
    routes = [(slider, itertools.cycle(positions(slider))) for slider in sliders(explorer)]
    for slider, route in itertools.cycle(routes):
        before, slider.value = slider.value, next(route)
        if slider.value != before:
            yield


def explorer_works() -> Iterator[Work]:
    """One work for each explorer, one for pasting two panels as explorers do."""
    face = astronaut_face(SIZE)
    two = {"one": face, "other": face}
    yield Work("explorer panels only", lambda: {OWN: lambda: png(panels(two)), "matplotlib": lambda: png(image_grid(two))})
    for name, make in explorers(face).items():
        yield Work(f"explorer {name}", partial(_redraws, make, two))


def _redraws(make: Callable[[], widgets.Widget], two: dict[str, Tensor]) -> dict[str, Call]:
    redraw = moves(make())
    return {OWN: lambda: next(redraw), "matplotlib": lambda: png(image_grid(two))}


def explorers(face: Tensor) -> dict[str, Callable[[], widgets.Widget]]:
    """Name -> a function that makes the explorer. The networks are trained nowhere: what they draw does not matter here."""
    method = selfsr.SelfSR(selfsr.Config.preset("quick").paired)
    method.build()
    config = teacher_student.Config.preset("quick")
    network = RecurrentSR(config.width, config.groups).eval()
    low = resize_bicubic(face, 1 / 4).clamp(0, 1)
    six = face.expand(6, -1, -1, -1)
    film = [(step, six) for step in range(0, 101, 10)]
    trained = [
        {"output KD": o, "bottleneck KD": b, "faces (dB)": 18 + o / 15, "cartoons (dB)": 15 - b}
        for o in (0.0, 5.0, 15.0)
        for b in (0.0, 0.04, 0.08)
    ]
    side = 2**method.config.levels
    return {
        "flow": lambda: flow_explorer(face),
        "growing": lambda: growth_explorer(method, resize_bicubic(face, 1 / side).clamp(0, 1)),
        "edges": lambda: edge_explorer({"face": face}),
        "degradation": lambda: degradation_explorer({"face": face}),
        "wipe": lambda: wipe(low, face),
        "losses": lambda: loss_explorer({"face": face}),
        "edge priors": lambda: edge_priors_widget(network, low, face),
        "forgetting": lambda: forgetting_slider({"fine-tuned": film, "distilled": film}, six, six),
        "distillation": lambda: kd_explorer(trained),
    }
