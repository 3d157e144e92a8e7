"""Edge detectors by hand: what each finds in an original face and in a super-resolved one, and where the two disagree."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import ipywidgets as widgets
import torch
import torch.nn.functional as F
from matplotlib.colors import to_rgb
from torch import Tensor

from facesr_lib.data.images import Pixels
from facesr_lib.explore.canvas import explorer, panels
from facesr_lib.image import Bicubic, canny, gaussian_blur, resize_bicubic, rgb_to_grey
from facesr_lib.image.edges import dog, edge_residual, laplacian_of_gaussian, sobel
from facesr_lib.plot.figures import PALETTE, NotebookFigure, image_grid

# The settings that each detector uses, and the factor that makes its map visible (a face's DoG is below 0.1).
SETTINGS = {"Sobel": ("blur",), "Canny": ("blur", "thresholds"), "DoG": ("sigmas",), "LoG": ("sigma",), "edge block": ("window",)}
_GAIN = {"Sobel": 2.0, "Canny": 1.0, "DoG": 8.0, "LoG": 5.0, "edge block": 4.0}
_SIGNED = ("DoG", "LoG")
HR_INK, SR_INK = PALETTE[1], PALETTE[0]


@dataclass(frozen=True)
class EdgeDetector:
    """An edge detector with its settings, of which `SETTINGS` names those in use: (N, 3, H, W) in [0, 1] -> (N, 1, H, W).

    Sobel: length of the gradient, 1 for a step of full height. Canny: 0 or 1. DoG: signed. LoG: -sigma^2 times the Laplacian of
    the Gaussian, so that both are positive on bright lines and independent of scale. Edge block: ISR-KD's residual, >= 0. All on
    full-range grey; blur, sigmas, sigma, window in pixels, thresholds in grey levels. Raises ValueError for another operator.
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

    def strength(self, edges: Tensor) -> Tensor:
        """The absolute value of a map, brightened to be visible."""
        return (_GAIN[self.operator] * edges).abs()

    def drawn(self, edges: Tensor) -> Tensor:
        """A map as a picture in [0, 1]: brightened; a signed one around grey."""
        bright = _GAIN[self.operator] * edges
        return (0.5 + 0.5 * bright if self.operator in _SIGNED else bright).clamp(0, 1)


DETECTORS = tuple(EdgeDetector(operator) for operator in SETTINGS)


def bicubic_methods(scales: Sequence[int] = (2, 4, 8)) -> dict[str, Callable[[Tensor], Tensor]]:
    """Bicubic reduction and enlargement by each scale, HR to SR of its size: the SR that needs no network."""
    return {
        f"bicubic x{scale}": lambda hr, s=scale: resize_bicubic(Bicubic(s)(hr), s).clamp(0, 1)  # type: ignore[misc]
        for scale in scales
    }


def overlay(hr_edges: Tensor, sr_edges: Tensor) -> Tensor:
    """Print two maps (N, 1, H, W) in [0, 1] on white, (N, 3, H, W): orange for HR, blue for SR, black for both."""
    paper = torch.ones_like(hr_edges).expand(-1, 3, -1, -1)
    for edges, ink in ((hr_edges, HR_INK), (sr_edges, SR_INK)):
        color = torch.tensor(to_rgb(ink)).view(1, 3, 1, 1).to(edges)
        paper = paper * (1 - edges.clamp(0, 1) * (1 - color))
    return paper


def kept(edges: Tensor, other: Tensor) -> Tensor:
    """Share of the edge pixels of `edges` that have one of `other` at most a pixel away, (N,); both (N, 1, H, W), 0 or 1.

    Of HR's edges in SR's it is the recall, of SR's in HR's the precision. NaN if `edges` has no edge pixel.
    """
    near = F.max_pool2d(other, 3, stride=1, padding=1)
    return (edges * near).sum((1, 2, 3)) / edges.sum((1, 2, 3))


def edge_view(hr: Tensor, sr: Tensor, detector: EdgeDetector, method: str = "SR") -> tuple[Pixels, str]:
    """HR, both edge maps and their overlay as pixels, and how well the maps agree, as HTML; hr, sr (1, 3, H, W) in [0, 1]."""
    maps = detector(hr), detector(sr)
    strengths = [detector.strength(edges) for edges in maps]
    drawn = {f"edges of {name}": detector.drawn(edges) for name, edges in zip(("HR", method), maps, strict=True)}
    if detector.operator == "Canny":
        found, true = kept(maps[0], maps[1]).item(), kept(maps[1], maps[0]).item()
        agreement = f"{found:.0%} of HR's edges are found again, {true:.0%} of those of {method} are true, within 1 px."
    else:
        correlation = torch.corrcoef(torch.stack([edges.flatten() for edges in maps]))[0, 1].item()
        strength = (strengths[1].mean() / strengths[0].mean()).item()
        agreement = f"Correlation of the two maps {correlation:.2f}; that of {method} has {strength:.0%} of the strength."
    inks = f'<b style="color:{HR_INK}">only in HR</b>, <b style="color:{SR_INK}">only in {method}</b>, <b>in both</b>'
    shown = panels({"HR": hr, **drawn, "overlay": overlay(*strengths)})
    return shown, f"{detector.name}. {agreement} Overlay: {inks}."


def edge_explorer(pictures: Mapping[str, Tensor]) -> widgets.VBox:
    """Choose a picture (or upload one), bicubic SR and an edge detector, and move its settings; static twin: `edge_grid`.

    pictures: name -> (1, 3, S, S) in [0, 1]. Raises ValueError as `Gallery` does, or if S is no multiple of 8.
    """
    methods = bicubic_methods()
    controls = {
        "method": widgets.Dropdown(options=list(methods), value="bicubic x4", description="SR"),
        "operator": widgets.Dropdown(options=list(SETTINGS), value="Canny", description="detector"),
        "blur": widgets.FloatSlider(value=0, min=0, max=3, step=0.25, description="blur first"),
        "thresholds": widgets.IntRangeSlider(value=(100, 200), min=0, max=600, step=10, description="thresholds"),
        "sigmas": widgets.FloatRangeSlider(value=(1.0, 1.6), min=0.5, max=5, step=0.1, description="sigmas"),
        "sigma": widgets.FloatSlider(value=1.3, min=0.6, max=5, step=0.1, description="sigma"),
        "window": widgets.IntSlider(value=7, min=2, max=21, description="window"),
    }

    def view(hr: Tensor, method: str, **values: object) -> tuple[Pixels, str]:
        return edge_view(hr, methods[method](hr), EdgeDetector(**values), method)  # type: ignore[arg-type]

    return explorer(view, controls, pictures, uses=("operator", SETTINGS))


def edge_grid(hr: Tensor, method: str = "bicubic x4") -> NotebookFigure:
    """A picture's edges by every detector (columns): of HR, of bicubic SR, and their `overlay`; hr (1, 3, H, W) in [0, 1]."""
    sr = bicubic_methods()[method](hr)
    columns = {"picture": torch.cat([hr, sr, torch.ones_like(hr)])}
    for detector in DETECTORS:
        maps = [detector(image) for image in (hr, sr)]
        drawn = [detector.drawn(edges).expand(-1, 3, -1, -1) for edges in maps]
        columns[detector.name.replace(" (", "\n(", 1)] = torch.cat([*drawn, overlay(*map(detector.strength, maps))])
    figure = image_grid(columns, row_labels=("HR", method, "overlay"), cell=1.7)
    legend = figure.axes[2 * len(columns)]
    for height, ink, text in ((0.7, HR_INK, "only in HR"), (0.5, SR_INK, f"only in\n{method}"), (0.25, "black", "in both")):
        legend.text(0.5, height, text, color=ink, weight="bold", ha="center", va="center", transform=legend.transAxes)
    return figure
