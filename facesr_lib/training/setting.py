"""What the experiments of every paper have in common: the setting that their trainings share."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from torch import Tensor

from facesr_lib.data import ImageSet, eval_batches
from facesr_lib.data.batches import Degrade
from facesr_lib.image import Degradation
from facesr_lib.metrics import PSNR, evaluate
from facesr_lib.training.device import Device, resolve_device
from facesr_lib.training.stages import Stage, StageCache
from facesr_lib.training.trained import Trained

C = TypeVar("C")


@dataclass(frozen=True)
class Setting(ABC, Generic[C]):
    """One config on the images of one data root (see `load_faces`), with one seed. A paper's `Experiments` declares its stages.

    cache: where trainings are kept. Each is made once; the other notebooks find it there.
    """

    config: C
    data_root: str
    cache: StageCache
    seed: int
    device: Device = "auto"

    @abstractmethod
    def stages(self) -> Iterator[Stage[Any]]:
        """Every training of the paper's notebooks. A stage comes after those that it needs."""

    def stage(self, name: str) -> Stage[Any]:
        """The stage of this name. Raises ValueError, with a list of all names, if there is none."""
        if name not in self._by_name:
            raise ValueError(f"unknown stage {name!r}: choose one of {', '.join(map(repr, self._by_name))}")
        return self._by_name[name]

    def trained(self, name: str) -> Trained[Any]:
        """What the stage of this name leaves: trained now, after the stages that it needs, or loaded from the cache."""
        stage = self.stage(name)
        for need in stage.needs:  # once, though ten students start from one teacher
            if need.name not in self._needed:
                self._needed[need.name] = self.trained(need.name)
        return stage.train(self.cache, left=[self._needed[need.name] for need in stage.needs])

    @cached_property
    def _needed(self) -> dict[str, Trained[Any]]:
        return {}

    @cached_property
    def _by_name(self) -> dict[str, Stage[Any]]:
        return {stage.name: stage for stage in self.stages()}

    def psnr(
        self, super_resolve: Callable[[Tensor], Tensor], images: ImageSet, degrade: Degradation, batch_size: int, seed: int
    ) -> Tensor:
        """PSNR of each image (N,), as validation takes it: RGB, no crop. batch_size, seed: as `eval_batches` takes them."""
        pairs = eval_batches(images, degrade, batch_size, seed)
        return evaluate(super_resolve, pairs, [PSNR], resolve_device(self.device))[PSNR]

    def sample(self, make: Callable[[Tensor], Tensor], images: ImageSet, degrade: Degrade) -> Tensor:
        """What `make` makes of the LR (1, 3, h, w) of the first of `images`, always the same LR: a preview for a `Stage`."""
        lr = next(eval_batches(images.limit(1), degrade, 1, self.seed))["lr"]
        return make(lr.to(resolve_device(self.device)))
