"""A "real" low-resolution domain whose truth is known: hidden degradations of people that the HR images do not show.

The papers learn from real LR faces (WIDER FACE), which have no HR counterpart, so nothing can be measured but FID. Small profiles
play the same game with the truth kept aside: methods see LR pictures of other people through `HiddenDegradation`, never its
parameters and never their HR originals; the tester keeps those, and can take PSNR too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from facesr_lib.data.batches import Degrade, PairedBatches, eval_batches, keyed_generator
from facesr_lib.data.faces import load_faces
from facesr_lib.data.images import ImageSet
from facesr_lib.data.split import split_by_group
from facesr_lib.image import Bicubic, Degradation, add_sensor_noise, jpeg, to_uint8

SEED = 20_211  # of the hidden draws: the real world does not change with a run's seed


@dataclass(frozen=True)
class HiddenDegradation:
    """Motion blur on the HR image, MATLAB bicubic reduction, sensor noise, JPEG; every image draws its own. A `Degradation`.

    motion: length of the blur as a fraction of the image's height. shot, read: as in `add_sensor_noise`. quality: of the JPEG.
    The ranges are our choice: strong enough that a network trained on clean bicubic pairs suffers visibly.
    """

    scale: int
    motion: tuple[float, float] = (0.02, 0.12)
    shot: tuple[float, float] = (0.0005, 0.004)
    read: tuple[float, float] = (0.03, 0.08)
    quality: tuple[int, int] = (75, 95)

    @property
    def name(self) -> str:
        return f"hidden degradation /{self.scale} (motion blur, noise, JPEG)"

    def __call__(self, hr: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """(N, 3, H, W) in [0, 1] -> (N, 3, H / scale, W / scale), 8 bit. Raises ValueError without a generator."""
        if generator is None:
            raise ValueError("generator: the hidden degradation draws at random; pass a torch.Generator")
        lengths = hr.shape[2] * _uniform(self.motion, len(hr), generator)
        angles = torch.pi * _uniform((0, 1), len(hr), generator)
        lr = Bicubic(self.scale)(motion_blur(hr, lengths, angles))
        shot, read = _uniform(self.shot, len(hr), generator), _uniform(self.read, len(hr), generator)
        noisy = [
            add_sensor_noise(image[None], float(s), float(r), generator)
            for image, s, r in zip(lr, shot, read, strict=True)
        ]
        return jpeg(torch.cat(noisy), self.quality, generator)


def motion_blur(x: Tensor, lengths: Tensor, angles: Tensor) -> Tensor:
    """Average each image along a straight stroke: (N, C, H, W) -> same shape, border replicated.

    lengths (N,) in pixels, angles (N,) in radians from the x axis. A length of 0 changes nothing. The stroke is drawn with 16
    points a pixel, each shared bilinearly between four taps, so that length and angle act continuously.
    """
    n, channels = x.shape[:2]
    longest = float(lengths.max())
    radius = int(np.ceil(longest / 2)) + 1
    side = 2 * radius + 1
    along = torch.linspace(-0.5, 0.5, 16 * side + 1, dtype=torch.float64)
    steps = lengths.double()[:, None] * along
    points = torch.stack([steps * angles.double()[:, None].sin(), steps * angles.double()[:, None].cos()])  # y, x
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float64)
    shares_y, shares_x = (1 - (points[..., None] - offsets).abs()).clamp(min=0)  # (N, points, side) each
    kernels = torch.einsum("npy,npx->nyx", shares_y, shares_x) / len(along)
    padded = F.pad(x, (radius, radius, radius, radius), mode="replicate").flatten(0, 1)[None]
    weights = kernels.to(x).repeat_interleave(channels, dim=0)[:, None]
    return F.conv2d(padded, weights, groups=n * channels)[0].unflatten(0, (n, channels))


def hide(images: ImageSet, degradation: Degradation, seed: int = SEED) -> ImageSet:
    """The LR pictures of `images` as a set of their own; image i is degraded as `eval_batches` with this seed does."""
    batches = eval_batches(images, degradation, 32, seed)
    pixels = np.concatenate([to_uint8(batch["lr"]).permute(0, 2, 3, 1).numpy() for batch in batches])
    return ImageSet(f"{images.name}, {degradation.name}", pixels, images.groups, images.credit)


@dataclass(frozen=True)
class Wild:
    """What a method may learn from (`hr`, `real_lr`: other people) and what it is judged on (`val`, `test`, through `hidden`).

    `eval_batches(wild.test, wild.hidden, batch_size, wild.seed)` yields the LR pictures with their kept-aside originals.
    """

    hr: ImageSet
    real_lr: ImageSet
    val: ImageSet
    test: ImageSet
    hidden: HiddenDegradation
    seed: int = SEED


def in_the_wild(data_root: str | Path, hr_size: int, scale: int) -> Wild:
    """The setting at `hr_size` pixels and `scale`: half of the training people give HR images, the other half LR pictures.

    data_root and errors: as in `load_faces`. Raises ValueError if there are fewer than two training people.
    """
    train = load_faces(data_root, "train", hr_size)
    halves = split_by_group(train, {"hr": 0.5, "lr": 0.5}, SEED)
    hidden = HiddenDegradation(scale)
    test = load_faces(data_root, "test", hr_size)
    return Wild(
        hr=replace(halves["hr"], name=f"{train.name}, half of the people"),
        real_lr=hide(replace(halves["lr"], name=f"{train.name}, the other half"), hidden),
        val=_seen_through(load_faces(data_root, "val", hr_size), hidden),
        test=_seen_through(test, hidden),
        hidden=hidden,
    )


def _seen_through(images: ImageSet, hidden: HiddenDegradation) -> ImageSet:
    return replace(images, name=f"{images.name}, {hidden.name}")  # another data set than the same faces through bicubic


@dataclass(frozen=True)
class UnpairedBatches:
    """HR faces with their synthetic LR, and real LR pictures of others: {"hr", "lr", "real_lr"}, float32 RGB in [0, 1].

    `lr` is `degrade(hr, generator)`; `real_lr` has nothing to do with `hr`. Both are drawn as in `PairedBatches`, each set in
    its own order, flipped independently with probability 1/2. Raises ValueError if the LR sizes differ.
    """

    hr: ImageSet
    real_lr: ImageSet
    degrade: Degrade
    batch_size: int
    seed: int
    flip: bool = True

    def __post_init__(self) -> None:
        lr = self.degrade(self.hr.take([0]), keyed_generator(self.seed, "size"))
        if tuple(lr.shape[2:]) != self.real_lr.size:
            raise ValueError(
                f"{self.real_lr.name!r} is {self.real_lr.size} px, but the synthetic LR is {tuple(lr.shape[2:])} px: "
                "choose the HR size and the scale so that they agree"
            )

    @property
    def steps_per_epoch(self) -> int:
        """Steps until every HR image has been seen, rounded up."""
        return self._pairs.steps_per_epoch

    @property
    def _pairs(self) -> PairedBatches:
        return PairedBatches(self.hr, self.degrade, self.batch_size, self.seed, self.flip)

    def __call__(self, step: int) -> dict[str, Tensor]:
        others = PairedBatches(self.real_lr, _as_it_is, self.batch_size, self.seed + 1, self.flip)
        return {**self._pairs(step), "real_lr": others(step)["hr"]}


def _as_it_is(image: Tensor, generator: torch.Generator) -> Tensor:
    return image


def _uniform(interval: tuple[float, float], n: int, generator: torch.Generator) -> Tensor:
    low, high = interval
    return low + (high - low) * torch.rand(n, generator=generator, dtype=torch.float64)
