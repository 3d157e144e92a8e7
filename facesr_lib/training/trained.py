"""What a finished training leaves: the method with its final weights, two logs, and pictures from its course."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import torch
from torch import Tensor

from facesr_lib.files import make_folder, write_atomically
from facesr_lib.image import to_float, to_uint8
from facesr_lib.training.log import Row
from facesr_lib.training.method import Method

M = TypeVar("M", bound=Method)


@dataclass(frozen=True)
class Trained(Generic[M]):
    """log: loss terms by step; validation: what `validate` returned, by step; reused: trained earlier, only loaded now."""

    method: M
    folder: Path
    log: list[Row]
    validation: list[Row]
    reused: bool

    def previews(self) -> list[tuple[int, Tensor]]:
        """What `preview` returned at every validation: (steps done, images (n, 3, H, W) in [0, 1]); empty without one."""
        frames = sorted((self.folder / "previews").glob("step-*.npy"))
        return [(int(path.stem.removeprefix("step-")), to_float(torch.from_numpy(np.load(path)))) for path in frames]


def save_preview(folder: Path, step: int, images: Tensor) -> None:
    """Keep images (n, 3, H, W) in [0, 1], in 8 bit, as the preview after `step` steps of the training in `folder`."""
    content = io.BytesIO()
    np.save(content, to_uint8(images).cpu().numpy(), allow_pickle=False)
    make_folder(folder / "previews")
    write_atomically(folder / "previews" / f"step-{step:08d}.npy", content.getvalue())
