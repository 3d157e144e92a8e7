"""Real low-resolution (LR) faces to learn from: the unpaired setting of SelfSR and teacher-student.

The papers learn from real LR faces (WIDER FACE), which have no HR counterpart, so they can measure little but FID. Where no
such faces are prepared, this module simulates them. Half of the training people give HR images; the other half are seen only
as LR images, through a `HiddenDegradation`. A method never sees its parameters or the HR originals. Scoring does, so it can
take PSNR too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from facesr_lib.data.batches import eval_batches
from facesr_lib.data.faces import SPLITS, load_faces, load_packed
from facesr_lib.data.images import ImageSet
from facesr_lib.data.prepared import real_lr_folder
from facesr_lib.data.split import split_by_group
from facesr_lib.data.test_sets import TestSet, prepared_test_sets
from facesr_lib.image import Bicubic, Degradation, add_sensor_noise, jpeg, motion_blur, to_uint8
from facesr_lib.image.degrade import Reduction

SEED = 20_211  # of the hidden draws: the real faces do not change with a run's seed


@dataclass(frozen=True)
class HiddenDegradation(Reduction):
    """Motion blur on the HR image, MATLAB bicubic reduction, sensor noise, JPEG; draws parameters per image. A `Degradation`.

    motion: length of the blur as a fraction of the image's height. shot, read: as in `add_sensor_noise`. quality: of the JPEG.
    The ranges [ours] are strong enough to visibly hurt a network that was trained on clean bicubic pairs.
    """

    motion: tuple[float, float] = (0.02, 0.12)
    shot: tuple[float, float] = (0.0005, 0.004)
    read: tuple[float, float] = (0.03, 0.08)
    quality: tuple[int, int] = (75, 95)
    words = "hidden degradation /{scale} (motion blur, noise, JPEG)"

    def __call__(self, hr: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """(N, 3, H, W) in [0, 1] -> (N, 3, H / scale, W / scale), 8 bit. Raises ValueError without a generator."""
        if generator is None:
            raise ValueError("generator: the hidden degradation draws at random; pass a torch.Generator")
        lengths = hr.shape[2] * _uniform(self.motion, len(hr), generator)
        angles = torch.pi * _uniform((0, 1), len(hr), generator)
        lr = Bicubic(self.scale)(motion_blur(hr, lengths, angles))
        shot, read = _uniform(self.shot, len(hr), generator), _uniform(self.read, len(hr), generator)
        noisy = [add_sensor_noise(image[None], float(s), float(r), generator) for image, s, r in zip(lr, shot, read, strict=True)]
        return jpeg(torch.cat(noisy), self.quality, generator)


def degrade_set(images: ImageSet, degradation: Degradation, seed: int = SEED) -> ImageSet:
    """The LR images of `images` as a set of its own; image i is degraded as `eval_batches` with this seed does."""
    batches = eval_batches(images, degradation, 32, seed)
    pixels = np.concatenate([to_uint8(batch["lr"]).permute(0, 2, 3, 1).numpy() for batch in batches])
    name = f"{images.name}, {degradation.name}"
    return ImageSet(name, pixels, images.groups, images.credit, role="real LR faces")


def unpaired_halves(images: ImageSet, degradation: Degradation) -> tuple[ImageSet, ImageSet]:
    """HR images of half of the people, and LR images of the other half. Raises ValueError for fewer than two people."""
    halves = split_by_group(images, {"hr": 0.5, "lr": 0.5}, SEED)
    hr = replace(halves["hr"], name=f"{images.name}, half of the people")
    return hr, degrade_set(replace(halves["lr"], name=f"{images.name}, the other half"), degradation)


@dataclass(frozen=True)
class RealFaces:
    """Unpaired training images (`hr`; `real_lr` of other people) and the HR images of the people to score on (`val`, `test`).

    `eval_batches(faces.test, faces.hidden, batch_size, faces.seed)` yields the test LR images with their HR originals.
    test_sets: if `real_lr` are real ones, the test sets prepared with them (`prepared_test_sets`); `hidden` then differs from the
    degradation of `real_lr`.
    """

    hr: ImageSet
    real_lr: ImageSet
    val: ImageSet
    test: ImageSet
    hidden: HiddenDegradation
    seed: int = SEED
    test_sets: Mapping[str, TestSet] = field(default_factory=dict)


def load_real_faces(data_root: str | Path, hr_size: int, scale: int, preferred: Sequence[str] = ()) -> RealFaces:
    """Load the unpaired setting for HR images of `hr_size` pixels and LR images `scale` times smaller.

    Uses the real LR faces that `data_root` has prepared (of WIDER FACE, or of SCGAN's or Bulat et al.'s release, which bring
    their own HR faces). All training people then give HR images. Otherwise half of them give HR images, the others LR images.
    data_root, preferred and errors: as in `load_faces`. Raises ValueError for fewer than two training people, or if the
    real LR faces are smaller than `hr_size` / `scale`.
    """
    hidden = HiddenDegradation(scale)
    real = real_lr_folder(Path(data_root).expanduser(), preferred) if str(data_root) else None
    if real and (real.parent / "train.json").is_file():
        data_root = real.parent
    train, val, test = (load_faces(data_root, split, hr_size, preferred) for split in SPLITS)
    sets: Mapping[str, TestSet] = {}
    if real:
        hr, real_lr = train, load_packed(real / "train.json", hr_size // scale)
        sets = prepared_test_sets(real.parent, hr_size // scale, hr_size, test)
    else:
        hr, real_lr = unpaired_halves(train, hidden)
    # Tables name a data set by its LR images too: these are another one than the same faces with bicubic LR.
    val, test = (images.named(f"{images.name}, {hidden.name}", "real LR faces") for images in (val, test))
    return RealFaces(hr, real_lr, val, test, hidden, test_sets=sets)


def _uniform(interval: tuple[float, float], n: int, generator: torch.Generator) -> Tensor:
    low, high = interval
    return low + (high - low) * torch.rand(n, generator=generator, dtype=torch.float64)
