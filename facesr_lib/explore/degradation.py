"""Ways to make a picture small and large again, by hand: what each keeps, what it invents, and what PSNR makes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import ipywidgets as widgets
import torch
import torch.nn.functional as F
from torch import Tensor

from facesr_lib.data import HiddenDegradation, keyed_generator
from facesr_lib.data.images import Pixels
from facesr_lib.explore.canvas import explorer, panels, show_used
from facesr_lib.explore.upload import Gallery
from facesr_lib.image import AveragePooling, Bicubic, BlurResize, Degradation, quantize, resize_bicubic, resize_bilinear
from facesr_lib.metrics import psnr, ssim
from facesr_lib.papers.isr_kd import Halvings
from facesr_lib.plot.figures import Picture, image_grid

# What decides each recipe, beside the scale.
SETTINGS = {
    "bicubic": (),
    "average pooling": (),
    "bilinear halvings": (),
    "one bilinear step": (),
    "skip pixels": (),
    "blur, bilinear": ("kernel", "sigma"),
    "hidden": ("motion", "noise", "quality", "draw"),
}
ERROR_GAIN = 4
UPSAMPLINGS: dict[str, Callable[[Tensor, int], Tensor]] = {
    "nearest": lambda lr, scale: F.interpolate(lr, scale_factor=scale, mode="nearest"),
    "bilinear": resize_bilinear,
    "bicubic": resize_bicubic,
}


@dataclass(frozen=True)
class OneBilinearStep:
    """Bilinear interpolation straight to the LR size, without antialiasing, then 8 bit: every LR pixel sees 2x2 HR pixels."""

    scale: int

    @property
    def name(self) -> str:
        return f"one bilinear step /{self.scale}"

    def __call__(self, hr: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return quantize(resize_bilinear(hr, size=(hr.shape[2] // self.scale, hr.shape[3] // self.scale)))


@dataclass(frozen=True)
class SkipPixels:
    """Every scale-th pixel of every scale-th row, beginning with the first: no filter, and half a pixel off to the corner."""

    scale: int

    @property
    def name(self) -> str:
        return f"every pixel number {self.scale}"

    def __call__(self, hr: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return quantize(hr[..., :: self.scale, :: self.scale])


@dataclass(frozen=True)
class Recipe:
    """A way from HR to LR with its settings; `SETTINGS` says which ones it uses. Called like a `Degradation`.

    kernel, sigma: of the Gaussian blur, in pixels. motion: blur as a fraction of the height. noise: standard deviation of the
    sensor's noise in the dark, 1 = full range. quality: of the JPEG. draw: which of the random draws. ValueError for other kinds.
    """

    kind: str = "bicubic"
    scale: int = 4
    kernel: int = 7
    sigma: float = 5.0
    motion: float = 0.06
    noise: float = 0.05
    quality: int = 85
    draw: int = 0

    def __post_init__(self) -> None:
        if self.kind not in SETTINGS:
            raise ValueError(f"unknown recipe {self.kind!r}: choose one of {', '.join(SETTINGS)}")

    def __call__(self, hr: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] -> (N, 3, H / scale, W / scale), 8 bit. Raises ValueError where scale does not divide."""
        return self.rule()(hr, keyed_generator(0, "recipe", self.draw))

    def rule(self) -> Degradation:
        scale = self.scale
        motion, noise, quality = (self.motion, self.motion), (self.noise, self.noise), (self.quality, self.quality)
        rules: dict[str, Degradation] = {
            "bicubic": Bicubic(scale),
            "average pooling": AveragePooling(scale),
            "bilinear halvings": Halvings(scale),
            "one bilinear step": OneBilinearStep(scale),
            "skip pixels": SkipPixels(scale),
            "blur, bilinear": BlurResize(scale, self.kernel, self.sigma),
            "hidden": HiddenDegradation(scale, motion=motion, read=noise, quality=quality),
        }
        return rules[self.kind]


def enlarge(lr: Tensor, scale: int, kernel: str = "bicubic") -> Tensor:
    """LR (N, C, h, w) in [0, 1] by one of `UPSAMPLINGS` -> (N, C, scale h, scale w), clamped."""
    return UPSAMPLINGS[kernel](lr, scale).clamp(0, 1)


def error_picture(sr: Tensor, hr: Tensor) -> Tensor:
    """Signed error of the mean over the channels, (N, C, H, W) twice -> (N, 1, H, W): grey is none, white too bright, times 4."""
    return (0.5 + ERROR_GAIN * (sr - hr).mean(1, keepdim=True)).clamp(0, 1)


def degradation_view(hr: Tensor, recipe: Recipe, kernel: str = "bicubic") -> tuple[Pixels, str]:
    """HR (1, 3, H, W) in [0, 1], LR, LR enlarged and its error as pixels, and the scores as HTML, beside those of bicubic LR."""
    lr = recipe(hr)
    sr, usual = (enlarge(image, recipe.scale, kernel) for image in (lr, Bicubic(recipe.scale)(hr)))
    title = f"{kernel} x{recipe.scale}"
    shown = panels(
        {
            "HR": hr,
            f"LR ({lr.shape[3]} px)": lr,
            title: sr,
            f"error, enhanced {ERROR_GAIN} times": error_picture(sr, hr),
        }
    )
    score = psnr(sr, hr).item()
    text = (
        f"{recipe.kind}: PSNR <b>{score:.2f} dB</b>, SSIM {ssim(sr, hr).item():.3f}; "
        f"{score - psnr(usual, hr).item():+.2f} dB against bicubic LR enlarged the same way."
    )
    return shown, text


def degradation_explorer(pictures: Mapping[str, Tensor]) -> widgets.VBox:
    """Choose a picture (or bring one), a recipe and a kernel to enlarge with, and turn the settings; twin: `degradation_grid`.

    pictures: name -> (1, 3, S, S) in [0, 1], S a multiple of 8.
    """
    gallery = Gallery(pictures)
    kind = widgets.Dropdown(options=list(SETTINGS), description="recipe")
    kernel = widgets.Dropdown(options=list(UPSAMPLINGS), value="bicubic", description="enlarge by")
    scale = widgets.SelectionSlider(options=[2, 4, 8], value=4, description="scale")
    settings = {
        "kernel": widgets.IntSlider(value=7, min=1, max=21, step=2, description="kernel"),
        "sigma": widgets.FloatSlider(value=5.0, min=0.5, max=10, step=0.5, description="sigma"),
        "motion": widgets.FloatSlider(value=0.06, min=0, max=0.2, step=0.01, description="motion"),
        "noise": widgets.FloatSlider(value=0.05, min=0, max=0.2, step=0.01, description="noise"),
        "quality": widgets.IntSlider(value=85, min=5, max=100, step=5, description="JPEG quality"),
        "draw": widgets.IntSlider(value=0, min=0, max=20, description="random draw"),
    }

    def view(picture: str, enlarging: str, **values: object) -> tuple[Pixels, str]:
        return degradation_view(gallery.pictures[picture], Recipe(**values), enlarging)  # type: ignore[arg-type]

    show_used(kind, settings, SETTINGS)
    controls = {"picture": gallery.menu, "kind": kind, "scale": scale, "enlarging": kernel, **settings}
    return explorer(view, controls, [gallery.box, kind, scale, kernel, *settings.values()])


def degradation_grid(
    hr: Tensor, scale: int = 4, kinds: Sequence[str] = tuple(SETTINGS), kernel: str = "bicubic"
) -> Picture:
    """One picture (1, 3, H, W) in [0, 1] through every recipe (columns): LR by its own pixels, enlarged, and the error."""
    columns, labels = {}, {}
    for kind in kinds:
        lr = Recipe(kind, scale)(hr)
        sr = enlarge(lr, scale, kernel)
        columns[kind] = torch.cat([enlarge(lr, scale, "nearest"), sr, error_picture(sr, hr).expand(-1, 3, -1, -1)])
        labels[kind] = ["", f"{psnr(sr, hr).item():.2f} dB", ""]
    figure = image_grid(columns, labels=labels, cell=1.6)
    for row, label in enumerate(
        (f"LR ({hr.shape[3] // scale} px)", f"{kernel} x{scale}", f"error, {ERROR_GAIN} times")
    ):
        figure.axes[row * len(columns)].set_ylabel(label)
    return figure
