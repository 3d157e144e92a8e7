"""Batches as a function of (seed, step): a resumed run has no loader state to restore."""

import hashlib
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from facesr_lib.data.augment import Augment
from facesr_lib.data.images import ImageSet

Degrade = Callable[[Tensor, torch.Generator], Tensor]


def keyed_generator(seed: int, *keys: int | str) -> torch.Generator:
    """Return a CPU generator whose stream depends on the seed and the keys only: the same on every machine, in every process.

    Different keys (also 1 and "1", or ("a", "b") and ("ab",)) give unrelated streams. They are hashed with SHA-256, since
    Python's own hash differs between processes. torch's generator uses 32 bits of its seed: a few of a million streams coincide.
    """
    parts = [key if isinstance(key, str) else operator.index(key) for key in (seed, *keys)]  # NumPy's integers become Python's
    mixed = hashlib.sha256(repr(parts).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(mixed[:8], "big") >> 1)


@dataclass(frozen=True)
class PairedBatches:
    """Training pairs: `batches(step)` gives {"lr": (B, 3, h, w), "hr": (B, 3, H, W)}, float32 RGB in [0, 1].

    Every epoch shows each image once, in a new random order. Batches continue across the end of an epoch, so each has
    `batch_size` images, even if the set is smaller. With `flip`, each image is mirrored left-right with probability 1/2
    and then `augment(hr, generator)` changes the batch, before `degrade(hr, generator)` makes its LR. Raises ValueError if
    `batch_size` < 1.
    """

    hr: ImageSet
    degrade: Degrade
    batch_size: int
    seed: int
    flip: bool = True
    augment: Augment | None = None

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {self.batch_size}")

    @property
    def steps_per_epoch(self) -> int:
        """Steps until every image has been seen, rounded up."""
        return -(-len(self.hr) // self.batch_size)

    def indices(self, step: int) -> list[int]:
        """The images of a step (counted from 0), as positions in `hr`. Raises ValueError for a negative step."""
        return drawn_positions(self.seed, step, self.batch_size, len(self.hr)).tolist()

    def __call__(self, step: int) -> dict[str, Tensor]:
        hr = self.hr.take(self.indices(step))
        generator = keyed_generator(self.seed, "step", step)
        if self.flip:
            mirrored = torch.rand(len(hr), generator=generator, dtype=torch.float32) < 0.5
            hr = torch.where(mirrored[:, None, None, None], hr.flip(-1), hr)
        if self.augment is not None:
            hr = self.augment(hr, generator)
        return {"lr": self.degrade(hr, generator), "hr": hr}


@dataclass(frozen=True)
class UnpairedBatches:
    """HR faces with their synthetic LR, and real LR images of other people: {"hr", "lr", "real_lr"}, float32 RGB in [0, 1].

    `lr` is `degrade(hr, generator)`; `real_lr` is unrelated to `hr`. Both are drawn as in `PairedBatches`, each set in its own
    order, flipped independently with probability 1/2; `augment` changes `hr` alone. Raises ValueError if the LR sizes differ.
    """

    hr: ImageSet
    real_lr: ImageSet
    degrade: Degrade
    batch_size: int
    seed: int
    flip: bool = True
    augment: Augment | None = None

    def __post_init__(self) -> None:
        lr = self.degrade(self.hr.take([0]), keyed_generator(self.seed, "size"))
        if tuple(lr.shape[2:]) != self.real_lr.size:
            sizes = f"is {self.real_lr.size} px, but the synthetic LR is {tuple(lr.shape[2:])} px"
            raise ValueError(f"{self.real_lr.name!r} {sizes}: choose the HR size and the scale so that they agree")

    @property
    def steps_per_epoch(self) -> int:
        """Steps until every HR image has been seen, rounded up."""
        return -(-len(self.hr) // self.batch_size)

    def __call__(self, step: int) -> dict[str, Tensor]:
        pairs = PairedBatches(self.hr, self.degrade, self.batch_size, self.seed, self.flip, self.augment)
        others = PairedBatches(self.real_lr, lambda lr, generator: lr, self.batch_size, self.seed + 1, self.flip)
        return {**pairs(step), "real_lr": others(step)["hr"]}


def eval_batches(images: ImageSet, degrade: Degrade, batch_size: int, seed: int) -> Iterator[dict[str, Tensor]]:
    """Yield {"lr", "hr"} as PairedBatches does, over the whole set in order and unflipped; the last batch may be smaller.

    Image i is degraded alone, by a generator keyed by (seed, i), whatever the batch size. Raises ValueError if that is < 1.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    for start in range(0, len(images), batch_size):
        rows = range(start, min(start + batch_size, len(images)))
        hr = images.take(rows)
        lr = [degrade(one[None], keyed_generator(seed, "eval", i)) for i, one in zip(rows, hr, strict=True)]
        yield {"lr": torch.cat(lr), "hr": hr}


def drawn_positions(seed: int, step: int, batch_size: int, n: int) -> npt.NDArray[np.int64]:
    """The positions among n images that a step (counted from 0) shows, (batch_size,). Raises ValueError for a negative step."""
    if step < 0:
        raise ValueError(f"steps count from 0, got {step}")
    places = range(step * batch_size, (step + 1) * batch_size)
    return np.array([_epoch_order(seed, place // n, n)[place % n] for place in places])


@lru_cache(maxsize=4)
def _epoch_order(seed: int, epoch: int, n: int) -> npt.NDArray[np.int64]:
    """The order in which an epoch shows n images: a permutation of 0 to n - 1, read-only."""
    order: npt.NDArray[np.int64] = torch.randperm(n, generator=keyed_generator(seed, "epoch", epoch)).numpy()
    order.flags.writeable = False  # the cache hands out this very array
    return order
