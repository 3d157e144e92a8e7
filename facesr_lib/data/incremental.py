"""Incremental learning, one domain after another: the new images of a batch, and old ones shown again (replayed)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from facesr_lib.data.augment import Augment
from facesr_lib.data.batches import Degrade, drawn_positions, keyed_generator
from facesr_lib.data.cartoons import dicebear_cartoons
from facesr_lib.data.faces import load_faces
from facesr_lib.data.images import ImageSet
from facesr_lib.data.prepared import prepared_sets
from facesr_lib.data.split import Split


@dataclass(frozen=True)
class Domain:
    """Training images of one kind. new: the model learns them now; otherwise it knows them and they are replayed."""

    name: str
    images: ImageSet
    new: bool


def increment(new: Mapping[str, ImageSet], old: Mapping[str, ImageSet] | None = None, replay: float = 0.0) -> tuple[Domain, ...]:
    """The domains of one increment: all images of the new ones and, per new image, `replay` images of each old one.

    The replayed images are spread over the people of their set. A larger `replay` contains those of a smaller one; 0 replays
    nothing. Raises ValueError if an old domain has too few images, without a new domain, or if `replay` < 0.
    """
    if not new or replay < 0:
        raise ValueError(f"an increment needs a new domain and replay >= 0, got {list(new)} and {replay}")
    wanted = round(replay * sum(len(images) for images in new.values()))
    replayed = old or {} if wanted else {}
    for name, images in replayed.items():
        if len(images) < wanted:
            asked = f"replay {replay:g} asks for {wanted} images of {name!r}, which has {len(images)}"
            raise ValueError(f"{asked}: lower it, or learn from fewer new images")
    known = [Domain(name, images.limit(wanted), new=False) for name, images in replayed.items()]
    return (*(Domain(name, images, new=True) for name, images in new.items()), *known)


@dataclass(frozen=True)
class IncrementalBatches:
    """Training batches over several domains, shuffled together, as a function of (seed, step) like PairedBatches.

    `batches(step)` gives "lr" and "hr" in [0, 1], "domain" (B,) int64, the index in `domains`, and "new" (B,) bool, the mask
    that selects an image's loss terms. The domains' shares in a batch vary, as in one shuffled folder; an epoch shows every
    image once. augment(hr, generator) changes the HR images before `degrade` makes the LR ones.
    Raises ValueError without domains, for equal names or unequal image sizes, or if `batch_size` < 1.
    """

    domains: tuple[Domain, ...]
    degrade: Degrade
    batch_size: int
    seed: int
    augment: Augment | None = None

    def __post_init__(self) -> None:
        names = [domain.name for domain in self.domains]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"domains: expected at least one, each with a name of its own, got {names}")
        if self.batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {self.batch_size}")
        sizes = {domain.name: domain.images.size for domain in self.domains}
        if len(set(sizes.values())) > 1:
            raise ValueError(f"domains: their images must be equally large to share a batch, got {sizes}")

    def __len__(self) -> int:
        return sum(len(domain.images) for domain in self.domains)

    @property
    def steps_per_epoch(self) -> int:
        """Steps until every image of every domain has been seen, rounded up."""
        return -(-len(self) // self.batch_size)

    @property
    def key(self) -> dict[str, Any]:
        """The cache key of a stage, as plain data: the images, in order, and their part in the increment."""
        return {domain.name: [domain.images.checksum, domain.new] for domain in self.domains}

    def __call__(self, step: int) -> dict[str, Tensor]:
        which, rows = self.places(step)
        hr = torch.empty(len(rows), 3, *self.domains[0].images.size)
        for index, domain in enumerate(self.domains):
            here = torch.from_numpy(which == index)
            hr[here] = domain.images.take(rows[which == index])
        generator = keyed_generator(self.seed, "step", step)
        if self.augment is not None:
            hr = self.augment(hr, generator)
        domain_of_image = torch.from_numpy(which)
        new = torch.tensor([domain.new for domain in self.domains])[domain_of_image]
        return {"lr": self.degrade(hr, generator), "hr": hr, "domain": domain_of_image, "new": new}

    def places(self, step: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The domain of every image of a step (counted from 0), and its index in that domain: two (B,) arrays.

        Raises ValueError for a negative step.
        """
        order = drawn_positions(self.seed, step, self.batch_size, len(self))
        ends = np.cumsum([len(domain.images) for domain in self.domains])
        which = np.searchsorted(ends, order, side="right")
        return which, order - np.concatenate([[0], ends])[which]


def load_cartoons(data_root: str | Path, split: Split, size: int, count: int) -> ImageSet:
    """`count` cartoon faces of a split, `size` x `size` px: those of `data_root` if it has some, else DiceBear's.

    `data_root` may have a folder cartoons in one of the layouts of `load_faces`, or a prepared set of cartoons (iCartoonFace).
    Beside a folder cartoons, put the faces into train/ and test/; otherwise it counts as one more person. A folder may have
    fewer images than `count`. Raises the errors of `load_faces` and `dicebear_cartoons`.
    """
    if str(data_root):
        root = Path(data_root).expanduser()
        prepared = [name for name, facts in prepared_sets(root).items() if facts["kind"] == "cartoons"]
        for name in ("cartoons", *prepared):
            if (root / name).is_dir():
                return replace(load_faces(root / name, split, size).limit(count), role="cartoons")
    return dicebear_cartoons(count, size, split=split)
