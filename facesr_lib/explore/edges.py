"""Edge detectors by hand: what each draws of an original face, what of a super-resolved one, and where the two disagree."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import ipywidgets as widgets
import torch
import torch.nn.functional as F
from torch import Tensor

from facesr_lib.data.images import Pixels
from facesr_lib.explore.canvas import explorer, panels, show_used
from facesr_lib.explore.upload import Gallery
from facesr_lib.image import (
    Bicubic,
    canny,
    dog,
    edge_residual,
    gaussian_blur,
    laplacian_of_gaussian,
    resize_bicubic,
    rgb_to_grey,
    sobel,
)
from facesr_lib.plot.figures import PALETTE, Picture, image_grid

# What decides each detector, and how much its map is brightened to be seen (a face's DoG stays below a tenth of full range).
SETTINGS = {
    "Sobel": ("blur",),
    "Canny": ("blur", "thresholds"),
    "DoG": ("sigmas",),
    "LoG": ("sigma",),
    "edge block": ("window",),
}
_GAIN = {"Sobel": 2.0, "Canny": 1.0, "DoG": 8.0, "LoG": 5.0, "edge block": 4.0}
_SIGNED = ("DoG", "LoG")
HR_INK, SR_INK = PALETTE[1], PALETTE[0]
Method = Callable[[Tensor], Tensor]  # HR (N, 3, H, W) -> SR of the same size, both in [0, 1]


@dataclass(frozen=True)
class EdgeDetector:
    """An edge detector with its settings: (N, 3, H, W) in [0, 1] -> (N, 1, H, W); `SETTINGS` says which ones it uses.

    Sobel: length of the gradient, 1 for a step of full height. Canny: 0 or 1. DoG: signed. LoG: -sigma^2 times the Laplacian of
    the Gaussian, so that both are positive on bright lines and independent of scale. Edge block: ISR-KD's residual, >= 0.
    On full-range grey. blur, sigmas, sigma, window in pixels; thresholds in grey levels. Raises ValueError for another operator.
    """

    operator: str = "Canny"
    blur: float = 0.0
    thresholds: tuple[float, float] = (100.0, 200.0)
    sigmas: tuple[float, float] = (1.0, 1.6)
    sigma: float = 1.3
    window: int = 7

    def __post_init__(self) -> None:
        if self.operator not in SETTINGS:
            raise ValueError(f"unknown edge operator {self.operator!r}: choose one of {', '.join(SETTINGS)}")

    @property
    def name(self) -> str:
        texts = {
            "blur": f"blur {self.blur:g}" if self.blur else "",
            "thresholds": f"{self.thresholds[0]:g}, {self.thresholds[1]:g}",
            "sigmas": f"{self.sigmas[0]:g}, {self.sigmas[1]:g}",
            "sigma": f"{self.sigma:g}",
            "window": f"{self.window}x{self.window}",
        }
        used = [texts[setting] for setting in reversed(SETTINGS[self.operator]) if texts[setting]]
        return f"{self.operator} ({'; '.join(used)})" if used else self.operator

    def __call__(self, x: Tensor) -> Tensor:
        grey = rgb_to_grey(x)
        if self.blur and "blur" in SETTINGS[self.operator]:
            grey = gaussian_blur(grey, 2 * round(3 * self.blur) + 1, self.blur)
        if self.operator == "Sobel":
            return sobel(grey).norm(dim=1, keepdim=True) / 4
        if self.operator == "Canny":
            return canny(grey, *self.thresholds)
        if self.operator == "DoG":
            return dog(grey, *self.sigmas)
        if self.operator == "LoG":
            return -(self.sigma**2) * laplacian_of_gaussian(grey, self.sigma)
        return edge_residual(grey, self.window)

    def drawn(self, edges: Tensor) -> Tensor:
        """A map as a picture in [0, 1]: brightened; a signed one around grey."""
        bright = _GAIN[self.operator] * edges
        return (0.5 + 0.5 * bright if self.operator in _SIGNED else bright).clamp(0, 1)


DETECTORS = tuple(EdgeDetector(operator) for operator in SETTINGS)


def bicubic_methods(scales: Sequence[int] = (2, 4, 8)) -> dict[str, Method]:
    """Reduce and enlarge again, both bicubic, by each scale: the SR that needs no network."""
    return {
        f"bicubic x{scale}": lambda hr, s=scale: resize_bicubic(Bicubic(s)(hr), s).clamp(0, 1)  # type: ignore[misc]
        for scale in scales
    }


def overlay(hr_edges: Tensor, sr_edges: Tensor) -> Tensor:
    """Two maps (N, 1, H, W) in [0, 1] as two inks on white paper, (N, 3, H, W): orange for HR, blue for SR, black for both."""
    paper = torch.ones_like(hr_edges).expand(-1, 3, -1, -1)
    for edges, ink in ((hr_edges, HR_INK), (sr_edges, SR_INK)):
        color = torch.tensor([int(ink[i : i + 2], 16) / 255 for i in (1, 3, 5)]).view(1, 3, 1, 1).to(edges)
        paper = paper * (1 - edges.clamp(0, 1) * (1 - color))
    return paper


def kept(edges: Tensor, other: Tensor) -> Tensor:
    """Share of the pixels marked in `edges` with one marked in `other` at most a pixel away, (N,); both (N, 1, H, W), 0 or 1.

    Of HR's edges in SR's it is the recall, the other way round the precision. NaN where nothing is marked in `edges`.
    """
    near = F.max_pool2d(other, 3, stride=1, padding=1)
    return (edges * near).sum((1, 2, 3)) / edges.sum((1, 2, 3))


def edge_view(hr: Tensor, sr: Tensor, detector: EdgeDetector, method: str = "SR") -> tuple[Pixels, str]:
    """HR, both edge maps and their overlay as pixels, and how well the maps agree as HTML; hr, sr (1, 3, H, W) in [0, 1]."""
    maps = detector(hr), detector(sr)
    strengths = [(_GAIN[detector.operator] * edges).abs() for edges in maps]
    shown = panels(
        {
            "HR": hr,
            "edges of HR": detector.drawn(maps[0]),
            f"edges of {method}": detector.drawn(maps[1]),
            "overlay": overlay(*strengths),
        }
    )
    if detector.operator == "Canny":
        found, true = kept(maps[0], maps[1]).item(), kept(maps[1], maps[0]).item()
        agreement = f"{found:.0%} of HR's edges are found again, {true:.0%} of those of {method} are true, within 1 px."
    else:
        correlation = torch.corrcoef(torch.stack([edges.flatten() for edges in maps]))[0, 1].item()
        strength = (strengths[1].mean() / strengths[0].mean()).item()
        agreement = (
            f"Correlation of the two maps {correlation:.2f}; that of {method} has {strength:.0%} of the strength."
        )
    inks = f'<b style="color:{HR_INK}">only in HR</b>, <b style="color:{SR_INK}">only in {method}</b>, <b>in both</b>'
    return shown, f"{detector.name}. {agreement} Overlay: {inks}."


def edge_explorer(pictures: Mapping[str, Tensor], methods: Mapping[str, Method] | None = None) -> widgets.VBox:
    """Choose a picture (or bring one), an SR method and an edge detector, and turn its settings; static twin: `edge_grid`.

    pictures: name -> (1, 3, S, S) in [0, 1], S a multiple of 8. methods: name -> HR to SR; by default bicubic x2, x4, x8.
    """
    gallery, methods = Gallery(pictures), methods or bicubic_methods()
    operator = widgets.Dropdown(options=list(SETTINGS), value="Canny", description="detector")
    method = widgets.Dropdown(options=list(methods), value=list(methods)[min(1, len(methods) - 1)], description="SR")
    settings = {
        "blur": widgets.FloatSlider(value=0, min=0, max=3, step=0.25, description="blur first"),
        "thresholds": widgets.IntRangeSlider(value=(100, 200), min=0, max=600, step=10, description="thresholds"),
        "sigmas": widgets.FloatRangeSlider(value=(1.0, 1.6), min=0.5, max=5, step=0.1, description="sigmas"),
        "sigma": widgets.FloatSlider(value=1.3, min=0.6, max=5, step=0.1, description="sigma"),
        "window": widgets.IntSlider(value=7, min=2, max=21, description="window"),
    }

    def view(picture: str, method: str, **values: object) -> tuple[Pixels, str]:
        hr = gallery.pictures[picture]
        return edge_view(hr, methods[method](hr), EdgeDetector(**values), method)  # type: ignore[arg-type]

    show_used(operator, settings, SETTINGS)
    controls = {"picture": gallery.menu, "method": method, "operator": operator, **settings}
    return explorer(view, controls, [gallery.box, method, operator, *settings.values()])


def edge_grid(
    hr: Tensor, detectors: Sequence[EdgeDetector] = DETECTORS, method: str = "bicubic x4", sr: Tensor | None = None
) -> Picture:
    """One picture's edges by every detector (columns): of HR, of SR, and both as `overlay`s; hr, sr (1, 3, H, W) in [0, 1].

    sr: what `method` made; by default the bicubic round trip of that name.
    """
    sr = bicubic_methods()[method](hr) if sr is None else sr
    columns = {"picture": torch.cat([hr, sr, torch.ones_like(hr)])}
    for detector in detectors:
        maps = [detector(image) for image in (hr, sr)]
        strengths = [(_GAIN[detector.operator] * edges).abs() for edges in maps]
        drawn = [detector.drawn(edges).expand(-1, 3, -1, -1) for edges in maps]
        columns[detector.name.replace(" (", "\n(", 1)] = torch.cat([*drawn, overlay(*strengths)])
    figure = image_grid(columns, cell=1.7)
    width = len(columns)
    for row, label in enumerate(("HR", method, "overlay")):
        figure.axes[row * width].set_ylabel(label)
    legend = figure.axes[2 * width]
    for height, ink, text in (
        (0.7, HR_INK, "only in HR"),
        (0.5, SR_INK, f"only in\n{method}"),
        (0.25, "black", "in both"),
    ):
        legend.text(0.5, height, text, color=ink, weight="bold", ha="center", va="center", transform=legend.transAxes)
    return figure
