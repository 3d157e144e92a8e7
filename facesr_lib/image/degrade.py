"""Making LR images from HR ones: noise, JPEG, and the named degradations, one of which belongs to every score."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from facesr_lib.image.blur import gaussian_blur
from facesr_lib.image.check import check_images, check_number
from facesr_lib.image.quantize import quantize, to_float, to_uint8
from facesr_lib.image.resize import average_pool, check_divisible, resize_bicubic

# Random numbers are drawn on the generator's device and then moved: a CPU generator gives the same for images on any device.


def add_gaussian_noise(x: Tensor, sigma: float, generator: torch.Generator) -> Tensor:
    """Add white Gaussian noise of standard deviation `sigma` (1 = full range; 10 grey levels = 10 / 255).

    (N, C, H, W) in [0, 1] -> same shape, clamped to [0, 1]. Raises ValueError if `sigma` < 0.
    """
    check_images(x, "x")
    check_number(sigma, "sigma", 0)
    return (x + sigma * _normal_like(x, generator)).clamp(0, 1)


def add_sensor_noise(x: Tensor, shot: float, read: float, generator: torch.Generator) -> Tensor:
    """Add camera noise, Gaussian with variance shot * x + read^2: photon counts make bright pixels noisier.

    (N, C, H, W) in [0, 1] -> same shape, clamped to [0, 1]. The Gaussian form of the Poisson-Gaussian sensor model (Foi et al.,
    IEEE TIP 17, 2008); `read` is a standard deviation, `shot` a variance per unit of signal. ValueError if one is negative.
    """
    check_images(x, "x")
    check_number(shot, "shot", 0)
    check_number(read, "read", 0)
    deviation = (shot * x.clamp(min=0) + read**2).sqrt()
    return (x + deviation * _normal_like(x, generator)).clamp(0, 1)


def jpeg(x: Tensor, quality: int | tuple[int, int], generator: torch.Generator | None = None) -> Tensor:
    """Save as JPEG and read back, with OpenCV's defaults (4:2:0: colour at half resolution). NOT differentiable.

    RGB (N, 3, H, W) in [0, 1] -> same shape, dtype and device, in [0, 1], whole grey levels. `quality` is 1 (worst) to 100, or
    a range (low, high), both included, from which `generator` draws one for each image.
    Raises ValueError for a quality outside 1..100, an empty range, or a range without a generator.
    """
    check_images(x, "x", channels=3)
    low, high = (quality, quality) if isinstance(quality, int) else quality
    if not 1 <= low <= high <= 100:
        raise ValueError(f"quality: expected 1..100 or a range (low, high) within it, got {quality}")
    if low == high:
        qualities = [low] * len(x)
    elif generator is None:
        raise ValueError("generator: needed to draw a quality from a range; pass a torch.Generator")
    else:
        qualities = torch.randint(low, high + 1, (len(x),), generator=generator, device=generator.device).tolist()
    pixels = to_uint8(x).permute(0, 2, 3, 1).cpu().numpy()
    decoded = np.empty_like(pixels)
    for image, q, out in zip(pixels, qualities, decoded, strict=True):
        _, code = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, q])
        bgr = cv2.imdecode(code, cv2.IMREAD_COLOR)
        assert bgr is not None, "OpenCV could not read back its own JPEG"
        out[:] = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    return to_float(torch.from_numpy(decoded).permute(0, 3, 1, 2).contiguous().to(x.device), x.dtype)


def _normal_like(x: Tensor, generator: torch.Generator) -> Tensor:
    # Always drawn in float32, so that the numbers do not depend on the images' dtype either.
    return torch.randn(x.shape, generator=generator, device=generator.device).to(x)


class Degradation(Protocol):
    """A rule that makes LR from HR. `degrade(hr, generator)` maps (N, C, H, W) in [0, 1] to (N, C, H / scale, W / scale).

    The last step is always `quantize`: clamp to [0, 1] and round to 8 bit, because the papers' LR images are files; no gradient.
    Only rules that draw at random use `generator`. Raises ValueError if `scale` is no whole number >= 1 that divides H and W.
    """

    @property
    def scale(self) -> int:
        """How many times smaller the LR image is."""

    @property
    def name(self) -> str:
        """The rule in words, for tables and figures."""

    def __call__(self, hr: Tensor, generator: torch.Generator | None = None) -> Tensor: ...


@dataclass(frozen=True)
class Reduction:
    """What all rules here share: their scale, the size of LR, and a name, from `words` with the rule's numbers in it."""

    scale: int
    words: ClassVar[str]

    @property
    def name(self) -> str:
        return self.words.format(**vars(self))

    def __post_init__(self) -> None:
        if not isinstance(self.scale, int) or self.scale < 1:
            raise ValueError(f"scale: expected a whole number >= 1, got {self.scale!r}")

    def lr_size(self, hr: Tensor) -> tuple[int, int]:
        """H / scale, W / scale. Raises ValueError if `scale` does not divide H and W."""
        check_divisible(hr, self.scale, "hr")
        return hr.shape[2] // self.scale, hr.shape[3] // self.scale


@dataclass(frozen=True)
class Bicubic(Reduction):
    """MATLAB bicubic reduction (`resize_bicubic`), the usual benchmark degradation; then 8 bit."""

    words = "bicubic /{scale}"

    def __call__(self, hr: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return quantize(resize_bicubic(hr, size=self.lr_size(hr)))


@dataclass(frozen=True)
class AveragePooling(Reduction):
    """Mean over scale x scale blocks, as in SCGAN's data; then 8 bit. ISR-KD's halvings round to 8 bit after each one."""

    words = "average pooling /{scale}"

    def __call__(self, hr: Tensor, generator: torch.Generator | None = None) -> Tensor:
        self.lr_size(hr)
        return quantize(average_pool(hr, self.scale))


@dataclass(frozen=True)
class BlurResize(Reduction):
    """Gaussian blur, then resize to 1 / scale, as in the human-face GAN paper (kernel 7, sigma 5, x2); then 8 bit.

    The paper does not name its resize: bilinear with antialiasing [ours], as torchvision's Resize does.
    """

    kernel_size: int = 7
    sigma: float = 5.0
    words = "Gaussian blur {kernel_size}x{kernel_size} sigma {sigma:g}, bilinear /{scale}"

    def __call__(self, hr: Tensor, generator: torch.Generator | None = None) -> Tensor:
        size = self.lr_size(hr)
        blurred = gaussian_blur(hr.to(torch.promote_types(hr.dtype, torch.float32)), self.kernel_size, self.sigma)
        return quantize(F.interpolate(blurred, size=size, mode="bilinear", align_corners=False, antialias=True)).to(hr.dtype)
