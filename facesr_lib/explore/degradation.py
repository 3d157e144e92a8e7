"""Ways to reduce an image and enlarge it again, by hand: what each keeps, what it invents, and what PSNR says of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import ipywidgets as widgets
import torch
import torch.nn.functional as F
from torch import Tensor

from facesr_lib.data import HiddenDegradation, keyed_generator
from facesr_lib.data.images import Pixels
from facesr_lib.explore.canvas import explorer, panels
from facesr_lib.image import AveragePooling, Bicubic, BlurResize, Degradation, quantize, resize_bicubic, resize_bilinear
from facesr_lib.image.degrade import Reduction
from facesr_lib.metrics import psnr, ssim
from facesr_lib.papers.isr_kd import Halvings
from facesr_lib.plot.figures import NotebookFigure, image_grid

ERROR_GAIN = 4
UPSAMPLINGS: dict[str, Callable[[Tensor, int], Tensor]] = {
    "nearest": lambda lr, scale: F.interpolate(lr, scale_factor=scale, mode="nearest"),
    "bilinear": resize_bilinear,
    "bicubic": resize_bicubic,
}


@dataclass(frozen=True)
class OneBilinearStep(Reduction):
    """Bilinear interpolation straight to the LR size, no antialiasing, then 8 bit: each LR pixel sees 2x2 HR pixels."""

    words = "one bilinear step /{scale}"

    def __call__(self, hr: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return quantize(resize_bilinear(hr, size=self.lr_size(hr)))


@dataclass(frozen=True)
class SkipPixels(Reduction):
    """Every scale-th pixel of every scale-th row, beginning with the first, then 8 bit: no filter, and off to the corner."""

    words = "every pixel number {scale}"

    def __call__(self, hr: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return quantize(hr[..., :: self.scale, :: self.scale])


# Recipes by a scale alone; and the settings that each recipe uses besides.
SCALED: dict[str, Callable[[int], Degradation]] = {
    "bicubic": Bicubic,
    "average pooling": AveragePooling,
    "bilinear halvings": Halvings,
    "one bilinear step": OneBilinearStep,
    "skip pixels": SkipPixels,
}
SETTINGS: dict[str, tuple[str, ...]] = dict.fromkeys(SCALED, ())
SETTINGS |= {"blur, bilinear": ("kernel", "sigma"), "hidden": ("motion", "noise", "quality", "draw")}


@dataclass(frozen=True)
class Recipe:
    """A way from HR to LR with its settings, of which `SETTINGS` names those in use. Called like a `Degradation`.

    kernel, sigma: of the Gaussian blur, in pixels. motion: blur as a fraction of the height. noise: of the sensor in the dark,
    standard deviation, 1 = full range. quality: of the JPEG. draw: number of the random draw. Raises ValueError for other kinds.
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
        """(N, 3, H, W) in [0, 1] -> (N, 3, H / scale, W / scale), 8 bit. Raises ValueError for a rest in H / scale, W / scale."""
        return self.rule()(hr, keyed_generator(0, "recipe", self.draw))

    def rule(self) -> Degradation:
        if self.kind == "blur, bilinear":
            return BlurResize(self.scale, self.kernel, self.sigma)
        if self.kind == "hidden":
            motion, noise, quality = (self.motion,) * 2, (self.noise,) * 2, (self.quality,) * 2
            return HiddenDegradation(self.scale, motion=motion, read=noise, quality=quality)
        return SCALED[self.kind](self.scale)


def enlarge(lr: Tensor, scale: int, kernel: str = "bicubic") -> Tensor:
    """Enlarge LR (N, C, h, w) in [0, 1] by one of `UPSAMPLINGS` -> (N, C, scale h, scale w), clamped to [0, 1]."""
    return UPSAMPLINGS[kernel](lr, scale).clamp(0, 1)


def error_picture(sr: Tensor, hr: Tensor) -> Tensor:
    """Signed error of the channels' mean, times 4: two (N, C, H, W) -> (N, 1, H, W); grey is no error, white too bright."""
    return (0.5 + ERROR_GAIN * (sr - hr).mean(1, keepdim=True)).clamp(0, 1)


def degradation_view(hr: Tensor, recipe: Recipe, kernel: str = "bicubic") -> tuple[Pixels, str]:
    """HR (1, 3, H, W) in [0, 1], LR, enlarged LR and its error as pixels; as HTML the scores, compared with bicubic LR's."""
    lr = recipe(hr)
    sr, usual = (enlarge(image, recipe.scale, kernel) for image in (lr, Bicubic(recipe.scale)(hr)))
    error = {f"error, enhanced {ERROR_GAIN} times": error_picture(sr, hr)}
    score = psnr(sr, hr).item()
    gain = f"{score - psnr(usual, hr).item():+.2f} dB against bicubic LR enlarged the same way"
    text = f"{recipe.kind}: PSNR <b>{score:.2f} dB</b>, SSIM {ssim(sr, hr).item():.3f}; {gain}."
    return panels({"HR": hr, f"LR ({lr.shape[3]} px)": lr, f"{kernel} x{recipe.scale}": sr, **error}), text


def degradation_explorer(pictures: Mapping[str, Tensor]) -> widgets.VBox:
    """Choose a picture (or upload one), a recipe and a kernel that enlarges, and move the settings; twin: `degradation_grid`.

    pictures: name -> (1, 3, S, S) in [0, 1], S a multiple of 8. Raises ValueError if it is not, or as `Gallery` does.
    """
    controls = {
        "kind": widgets.Dropdown(options=list(SETTINGS), description="recipe"),
        "scale": widgets.SelectionSlider(options=[2, 4, 8], value=4, description="scale"),
        "enlarging": widgets.Dropdown(options=list(UPSAMPLINGS), value="bicubic", description="enlarge by"),
        "kernel": widgets.IntSlider(value=7, min=1, max=21, step=2, description="kernel"),
        "sigma": widgets.FloatSlider(value=5.0, min=0.5, max=10, step=0.5, description="sigma"),
        "motion": widgets.FloatSlider(value=0.06, min=0, max=0.2, step=0.01, description="motion"),
        "noise": widgets.FloatSlider(value=0.05, min=0, max=0.2, step=0.01, description="noise"),
        "quality": widgets.IntSlider(value=85, min=5, max=100, step=5, description="JPEG quality"),
        "draw": widgets.IntSlider(value=0, min=0, max=20, description="random draw"),
    }

    def view(hr: Tensor, enlarging: str, **values: object) -> tuple[Pixels, str]:
        return degradation_view(hr, Recipe(**values), enlarging)  # type: ignore[arg-type]

    return explorer(view, controls, pictures, uses=("kind", SETTINGS))


def degradation_grid(hr: Tensor, scale: int = 4, kinds: Iterable[str] = SETTINGS, kernel: str = "bicubic") -> NotebookFigure:
    """One picture (1, 3, H, W) in [0, 1] by every recipe (columns): LR with its own pixels, LR enlarged, and the error."""
    columns, labels = {}, {}
    for kind in kinds:
        lr = Recipe(kind, scale)(hr)
        sr = enlarge(lr, scale, kernel)
        columns[kind] = torch.cat([enlarge(lr, scale, "nearest"), sr, error_picture(sr, hr).expand(-1, 3, -1, -1)])
        labels[kind] = ["", f"{psnr(sr, hr).item():.2f} dB", ""]
    rows = (f"LR ({hr.shape[3] // scale} px)", f"{kernel} x{scale}", f"error, {ERROR_GAIN} times")
    return image_grid(columns, labels=labels, row_labels=rows, cell=1.6)
