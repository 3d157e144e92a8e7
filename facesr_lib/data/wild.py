"""A "real" low-resolution domain whose truth is known: hidden degradations of people that the HR images do not show.

The papers learn from real LR faces (WIDER FACE), which have no HR counterpart, so nothing can be measured but FID. Small profiles
play the same game with the truth kept aside: methods see LR pictures of other people through `HiddenDegradation`, never its
parameters and never their HR originals; the tester keeps those, and can take PSNR too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from facesr_lib.data.batches import eval_batches
from facesr_lib.data.faces import SPLITS, load_faces, load_packed
from facesr_lib.data.images import ImageSet
from facesr_lib.data.prepared import real_lr_folder
from facesr_lib.data.split import split_by_group
from facesr_lib.image import Bicubic, Degradation, add_sensor_noise, jpeg, motion_blur, to_uint8

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


def hide(images: ImageSet, degradation: Degradation, seed: int = SEED) -> ImageSet:
    """The LR pictures of `images` as a set of their own; image i is degraded as `eval_batches` with this seed does."""
    batches = eval_batches(images, degradation, 32, seed)
    pixels = np.concatenate([to_uint8(batch["lr"]).permute(0, 2, 3, 1).numpy() for batch in batches])
    name = f"{images.name}, {degradation.name}"
    return ImageSet(name, pixels, images.groups, images.credit, role="real LR faces")


def strangers(images: ImageSet, degradation: Degradation) -> tuple[ImageSet, ImageSet]:
    """HR pictures of half of the people, and LR pictures of the other half. Raises ValueError with fewer than two people."""
    halves = split_by_group(images, {"hr": 0.5, "lr": 0.5}, SEED)
    hr = replace(halves["hr"], name=f"{images.name}, half of the people")
    return hr, hide(replace(halves["lr"], name=f"{images.name}, the other half"), degradation)


@dataclass(frozen=True)
class Wild:
    """What a method may learn from (`hr`, `real_lr`: other people) and what it is judged on (`val`, `test`, through `hidden`).

    `eval_batches(wild.test, wild.hidden, batch_size, wild.seed)` yields the LR pictures with their kept-aside originals.
    real_test: LR pictures that nobody has the originals of, where `real_lr` are such pictures; then `hidden` is another
    degradation than the one that is learned.
    """

    hr: ImageSet
    real_lr: ImageSet
    val: ImageSet
    test: ImageSet
    hidden: HiddenDegradation
    seed: int = SEED
    real_test: ImageSet | None = None


def in_the_wild(data_root: str | Path, hr_size: int, scale: int, preferred: Sequence[str] = ()) -> Wild:
    """The setting at `hr_size` pixels and `scale`: half of the training people give HR images, the other half LR pictures.

    Where `data_root` has prepared real LR faces (WIDER FACE's, or those of SCGAN's or Bulat et al.'s release, whose HR faces go
    with them), all training people give HR images, and the LR pictures are the real ones.
    data_root, preferred and errors: as in `load_faces`. Raises ValueError if there are fewer than two training people, or if the
    real LR faces are smaller than `hr_size` / `scale`.
    """
    hidden = HiddenDegradation(scale)
    real = real_lr_folder(Path(data_root).expanduser(), preferred) if str(data_root) else None
    if real and (real.parent / "train.json").is_file():
        data_root = real.parent
    train, val, test = (load_faces(data_root, split, hr_size, preferred) for split in SPLITS)
    if real:
        hr, real_lr = train, load_packed(real / "train.json", hr_size // scale)
    else:
        hr, real_lr = strangers(train, hidden)
    return Wild(
        hr=hr,
        real_lr=real_lr,
        val=_seen_through(val, hidden),
        test=_seen_through(test, hidden),
        hidden=hidden,
        real_test=load_packed(real / "test.json", hr_size // scale) if real else None,
    )


def _seen_through(images: ImageSet, hidden: HiddenDegradation) -> ImageSet:
    # Another data set than the same faces through bicubic.
    return replace(images, name=f"{images.name}, {hidden.name}", role="real LR faces")


def _uniform(interval: tuple[float, float], n: int, generator: torch.Generator) -> Tensor:
    low, high = interval
    return low + (high - low) * torch.rand(n, generator=generator, dtype=torch.float64)
