"""How long an explorer takes from a slider's move to the new picture, at 128 px: the time that a reader waits for the kernel.

    python benchmarks/explorers.py [--moves 40] [--threads 2]

Moves every slider in turn, one step at a time, and prints median and 95th percentile of the milliseconds until the widget
holds its new PNG. Two alternatives run in turns with them, so that a busy machine is busy for all: drawing two panels of that
size with matplotlib (`image_grid`), and pasting them (`panels`). The way to the browser is not in it. Nothing is written.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial

import ipywidgets as widgets
import torch
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
from facesr_lib.plot import image_grid

SIZE = 128
LIMIT = 150  # milliseconds, the house's promise
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


def trained_nowhere() -> tuple[selfsr.SelfSR, teacher_student.RecurrentSR]:
    """Networks of the quick profile, to 128 px: what they draw does not matter here."""
    method = selfsr.SelfSR(selfsr.Config.preset("quick").paired)
    method.build()
    config = teacher_student.Config.preset("quick")
    return method, teacher_student.RecurrentSR(config.width, config.groups).eval()


def works(face: Tensor) -> dict[str, Callable[[], object]]:
    """Name -> one redraw. The first two are the alternatives."""
    method, network = trained_nowhere()
    low = resize_bicubic(face, 1 / 4).clamp(0, 1)
    six = face.expand(6, -1, -1, -1)
    film = [(step, six) for step in range(0, 101, 10)]
    trained = [
        {"output KD": o, "bottleneck KD": b, "faces (dB)": 18 + o / 15, "cartoons (dB)": 15 - b}
        for o in (0.0, 5.0, 15.0)
        for b in (0.0, 0.04, 0.08)
    ]
    side = 2**method.config.levels
    explorers = {
        "flow": flow_explorer(face),
        "growing": growth_explorer(method, resize_bicubic(face, 1 / side).clamp(0, 1)),
        "edges": edge_explorer({"face": face}),
        "degradation": degradation_explorer({"face": face}),
        "wipe": wipe(low, face),
        "losses": loss_explorer({"face": face}),
        "edge priors": edge_priors_widget(network, low, face),
        "forgetting": forgetting_slider({"fine-tuned": film, "distilled": film}, six, six),
        "distillation": kd_explorer(trained),
    }
    two = {"one": face, "other": face}
    return {
        "2 panels, matplotlib": lambda: png(image_grid(two)),
        "2 panels, pasted": lambda: png(panels(two)),
        **{name: partial(next, moves(explorer)) for name, explorer in explorers.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--moves", type=int, default=40)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    redraws = works(astronaut_face(SIZE))
    times: dict[str, list[float]] = {name: [] for name in redraws}
    for turn in range(arguments.moves + 3):  # three to warm up
        for name, redraw in redraws.items():
            start = time.perf_counter()
            redraw()
            if turn >= 3:
                times[name].append(1000 * (time.perf_counter() - start))
    usual = statistics.median(times["2 panels, matplotlib"])
    print(f"{'slider move to picture':<22} {'median':>8} {'p95':>8}   of matplotlib's 2 panels")
    for name, values in times.items():
        median, late = statistics.median(values), statistics.quantiles(values, n=20)[-1]
        mark = f"  over {LIMIT} ms" if late > LIMIT else ""
        print(f"{name:<22} {median:5.0f} ms {late:5.0f} ms   x{median / usual:.2f}{mark}")


if __name__ == "__main__":
    main()
