"""What the experiments of every paper have in common: the setting that their trainings share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from torch import Tensor

from facesr_lib.data import ImageSet, eval_batches
from facesr_lib.image import Degradation
from facesr_lib.metrics import PSNR, evaluate
from facesr_lib.training.device import Device, resolve_device
from facesr_lib.training.stages import StageCache

C = TypeVar("C")


@dataclass(frozen=True)
class Setting(Generic[C]):
    """One config on the images of one data root (see `load_faces`), with one seed. A paper's `Experiments` adds its trainings.

    stages: where trainings are kept. Each is made once; the other notebooks find it there.
    """

    config: C
    data_root: str
    stages: StageCache
    seed: int
    device: Device = "auto"

    def psnr(
        self, super_resolve: Callable[[Tensor], Tensor], images: ImageSet, degrade: Degradation, batch_size: int, seed: int
    ) -> Tensor:
        """PSNR of each image (N,), as validation takes it: RGB, no crop. batch_size, seed: as `eval_batches` takes them."""
        pairs = eval_batches(images, degrade, batch_size, seed)
        return evaluate(super_resolve, pairs, [PSNR], resolve_device(self.device))[PSNR]
