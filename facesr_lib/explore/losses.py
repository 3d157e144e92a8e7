"""Losses under a lens: their values on one scale, their gradients as images, and where following one alone leads."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import NamedTuple

import matplotlib as mpl
import torch
import torch.nn.functional as F
from torch import Tensor

from facesr_lib.image import add_gaussian_noise, gaussian_blur, resize_bicubic, rgb_to_yuv, warp, yuv_to_rgb
from facesr_lib.losses import r1_penalty, sobel_l1
from facesr_lib.losses.adversarial import bce_discriminator, bce_generator, hinge_generator, relativistic_average_generator
from facesr_lib.metrics import psnr, ssim
from facesr_lib.papers.isr_kd import Discriminator, js_divergence, squared_error
from facesr_lib.training import Batch, Method
from facesr_lib.training.schedules import constant

Loss = Callable[[Tensor, Tensor], Tensor]  # SR and HR, both (N, 3, H, W) in [0, 1] -> scalar
Losses = Mapping[str, Loss]
Limits = tuple[float, float]
SCALE = 4  # of the bicubic SR that serves as the unit of every loss
_NOISE_SEED = 0


def image_losses() -> dict[str, Loss]:
    """The losses that need only SR and HR, by name; L1 and L2 in units of [0, 1], luma-chroma in ISR-KD's grey levels."""
    return {"L1": F.l1_loss, "L2": F.mse_loss, "edge (Sobel L1)": sobel_l1, "luma-chroma": luma_chroma}


def luma_chroma(sr: Tensor, hr: Tensor) -> Tensor:
    """ISR-KD's luminance-chrominance term: the mean squared difference in YUV, in squared grey levels. (N, 3, H, W) -> scalar."""
    return squared_error(rgb_to_yuv(sr), rgb_to_yuv(hr)).mean()


@dataclass(frozen=True)
class DiscriminatorConfig:
    """size: of the square HR images in pixels; width: of the network; r1_gamma: weight of R1 at HR images, 0 for none.

    gamma depends on the range and the number of the pixels: SelfSR's 10, for [-1, 1], would keep this network flat.
    """

    size: int
    r1_gamma: float = 0.0
    width: float = 1 / 16
    learning_rate: float = 1e-3


class DiscriminatorTraining(Method):
    """ISR-KD's discriminator learns to tell HR faces from their bicubic SR. It is trained alone, without a generator."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        self.config = config

    def build(self) -> None:
        # levels=1: the slope that R1 is weighed for here.
        self.networks["discriminator"] = discriminator = Discriminator(self.config.size, self.config.width, levels=1.0)
        adam = torch.optim.Adam(discriminator.parameters(), self.config.learning_rate, (0.5, 0.99))
        self.optimizers["discriminator"] = adam
        self.learning_rates["discriminator"] = constant(self.config.learning_rate)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        discriminator, hr = self.networks["discriminator"], batch["hr"]
        real, fake = bce_discriminator(discriminator(hr), discriminator(self.super_resolve(batch["lr"])))
        terms = {"real": real, "fake": fake}
        if self.config.r1_gamma:
            terms["r1"] = self.config.r1_gamma / 2 * r1_penalty(discriminator, hr)
        return self.update("discriminator", terms)

    def super_resolve(self, lr: Tensor) -> Tensor:
        """The fakes: bicubic SR, in [0, 1]."""
        return resize_bicubic(lr, size=(self.config.size, self.config.size)).clamp(0, 1)


def discriminator_losses(d: Discriminator) -> dict[str, Loss]:
    """The losses of a discriminator, in evaluation mode, on images of its size: three adversarial games, ISR-KD's identity."""
    return {
        "adversarial, vanilla": lambda sr, hr: bce_generator(d(sr)),
        "adversarial, hinge": lambda sr, hr: hinge_generator(d(sr)),
        "adversarial, relativistic": lambda sr, hr: relativistic_average_generator(d(hr), d(sr)),
        "identity (JS)": lambda sr, hr: js_divergence(d.features(sr), d.features(hr)).mean(),
    }


@dataclass(frozen=True)
class Damage:
    """What the sliders do to an image; the defaults do nothing.

    shift: to the right, in pixels or fractions of one. blur: sigma of a Gaussian in pixels, at least 0. noise: standard
    deviation in grey levels (of 255); the noise is always the same. contrast: factor on the distance to the image's mean.
    warmth: added to V and subtracted from U, which turns the image orange and keeps its luma.
    """

    shift: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    contrast: float = 1.0
    warmth: float = 0.0

    @property
    def name(self) -> str:
        """The values that are not the defaults, as "shift 0.5, noise 8"."""
        changed = [f for f in fields(self) if getattr(self, f.name) != f.default]
        return ", ".join(f"{f.name} {getattr(self, f.name):g}" for f in changed) or "untouched"

    def __call__(self, image: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] -> same shape, damaged and clamped to [0, 1]. A default value skips its part."""
        n, _, height, width = image.shape
        if self.shift:
            flow = image.new_tensor([-self.shift, 0.0]).view(1, 2, 1, 1)
            image = warp(image, flow.expand(n, 2, height, width))
        if self.blur:
            radius = min(math.ceil(3 * self.blur), min(height, width) - 1)
            image = gaussian_blur(image, 2 * radius + 1, self.blur)
        if self.contrast != 1:
            mean = image.mean((1, 2, 3), keepdim=True)
            image = mean + self.contrast * (image - mean)
        if self.warmth:
            image = yuv_to_rgb(rgb_to_yuv(image) + self.warmth * image.new_tensor([0.0, -1.0, 1.0]).view(3, 1, 1))
        if self.noise:
            generator = torch.Generator().manual_seed(_NOISE_SEED)
            image = add_gaussian_noise(image, self.noise / 255, generator)
        return image.clamp(0, 1)


DAMAGES = (Damage(shift=1), Damage(blur=1.2), Damage(noise=12), Damage(contrast=0.7), Damage(warmth=0.08))


class Reading(NamedTuple):
    """One loss or score of an image: `text` in its own unit, `share` on the common scale (NaN if that is undefined)."""

    text: str
    share: float
    score: bool


class LossScale:
    """Losses, PSNR and SSIM of images against one HR image (1, 3, H, W), on a scale where HR is 0 and its bicubic SR is 1.

    losses: by default `image_losses()`. The bicubic SR is MATLAB's, x4. PSNR's share is that of its squared error, SSIM's that
    of 1 - SSIM. A share is below 0 if a discriminator scores an image higher than HR.
    """

    def __init__(self, hr: Tensor, losses: Losses | None = None) -> None:
        self.hr, self.losses = hr, dict(image_losses() if losses is None else losses)
        self.bicubic = bicubic_sr(hr)
        self._none, self._unit = self._costs(hr), self._costs(self.bicubic)

    def __call__(self, sr: Tensor) -> dict[str, Reading]:
        """Every loss, then the scores, for SR (1, 3, H, W)."""
        readings = {}
        for name, cost in self._costs(sr).items():
            span = self._unit[name] - self._none[name]
            share = (cost - self._none[name]) / span if abs(span) > 1e-12 else math.nan
            text = f"{cost:.3g}"
            if name == "PSNR":
                text = f"{-10 * math.log10(cost):.1f} dB" if cost else "infinite"
            elif name == "SSIM":
                text = f"{1 - cost:.3f}"
            readings[name] = Reading(text, share, name not in self.losses)
        return readings

    def _costs(self, sr: Tensor) -> dict[str, float]:
        """The losses, PSNR's squared error and 1 - SSIM: less is better."""
        with torch.no_grad():
            costs = {name: loss(sr, self.hr).item() for name, loss in self.losses.items()}
        error = 10 ** (-psnr(sr, self.hr).item() / 10)
        return {**costs, "PSNR": error, "SSIM": 1 - ssim(sr, self.hr).item()}


def bicubic_sr(hr: Tensor) -> Tensor:
    """HR (N, C, H, W) in [0, 1], reduced by `SCALE` (sizes rounded up) and enlarged again by MATLAB's bicubic, clamped."""
    return resize_bicubic(resize_bicubic(hr, 1 / SCALE), size=(hr.shape[2], hr.shape[3])).clamp(0, 1)


def loss_gradient(loss: Loss, sr: Tensor, hr: Tensor) -> tuple[float, Tensor]:
    """The loss and its gradient with respect to `sr`: a float and a tensor of `sr`'s shape."""
    x = sr.detach().clone().requires_grad_(True)
    value = loss(x, hr)
    (gradient,) = torch.autograd.grad(value, x)
    return value.item(), gradient


def wish(gradient: Tensor) -> Tensor:
    """The change that a loss asks for, from its gradient (N, 3, H, W): -gradient around mid-grey, in [0, 1], white = brighter.

    Each image is scaled by its own 99th percentile, so images compare patterns, not strengths. A zero gradient is mid-grey.
    """
    return 0.5 - 0.5 * (gradient / _full(gradient)).clamp(-1, 1)


def heat(gradient: Tensor) -> Tensor:
    """A gradient's length over the channels as a heat map (N, 3, H, W): blue is none, yellow the 99th percentile or more.

    The colours are matplotlib's "cividis", which looks much the same to colour-blind readers.
    """
    length = gradient.norm(dim=1, keepdim=True)
    shares = (length / _full(length)).clamp(0, 1)[:, 0].cpu().numpy()
    return torch.from_numpy(mpl.colormaps["cividis"](shares)[..., :3]).float().permute(0, 3, 1, 2)


def descend(
    loss: Callable[[Tensor], Tensor], start: Tensor, steps: int = 40, rate: float = 0.02, limits: Limits | None = (0.0, 1.0)
) -> Tensor:
    """Minimise one loss over the values of `start` themselves; no network is trained. Returns a tensor of `start`'s shape.

    Adam makes losses of any unit move the image equally far. Its step falls linearly from `rate` to 0. `limits` clamp each step.
    """
    x = start.detach().clone().requires_grad_(True)
    optimizer = torch.optim.Adam([x], lr=rate)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, steps)
    for _ in range(steps):
        (x.grad,) = torch.autograd.grad(loss(x), x)
        optimizer.step()
        schedule.step()
        if limits is not None:
            x.data.clamp_(*limits)
    return x.detach()


def _full(x: Tensor) -> Tensor:
    """The 99th percentile of |x| of each image, (N, 1, 1, 1), never 0."""
    return x.abs().flatten(1).quantile(0.99, dim=1).clamp(min=1e-12).view(-1, 1, 1, 1)
