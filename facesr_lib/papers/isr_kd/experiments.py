"""The images and the stages of the ISR-KD notebooks: the face-only teacher, and a student per split and ablation.

Each is trained once and then found in the stage cache. Marks as in the package's docstring.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from facesr_lib.data import Domain, ImageSet, IncrementalBatches, increment, load_cartoons, load_faces
from facesr_lib.data.split import Split
from facesr_lib.papers import ISR_KD
from facesr_lib.papers.isr_kd import ISRKD, Config, names
from facesr_lib.papers.isr_kd.names import CARTOONS, FACES
from facesr_lib.training import Setting, Stage, Trained, TrainerOptions, resolve_device

EXTENSION: dict[str, Any] = {"extra_blocks": 1}
# The fields of the config that an ablation changes, all in the student; without the edge block it needs a teacher without it.
ABLATIONS: dict[str, dict[str, Any]] = {
    names.NO_OUTPUT_KD: {"output_weight": 0.0},
    names.NO_BOTTLENECK_KD: {"bottleneck_weight": 0.0},
    names.NO_KD: {"output_weight": 0.0, "bottleneck_weight": 0.0},
    names.NO_EDGE_BLOCK: {"edge_block": False},
    names.NO_EDGE_LOSS: {"edge_weight": 0.0},
    names.NO_LC_LOSS: {"luma_chroma_weight": 0.0},
    names.IDENTITY_LOSS: {"identity_weight": 100.0},  # [ours]: its gradient starts about as long as the reconstruction's
    names.EDGE_DISCRIMINATOR: {"edge_discriminator": True},
}
KD_WEIGHTS: dict[str, dict[str, Any]] = {names.WEAKER_OUTPUT_KD: {"output_weight": 1.5}}  # between published and none [ours]
VALIDATIONS = 8  # of a training, evenly spaced
VALIDATION_IMAGES = 16  # of each domain
PREVIEW_IMAGES = 3  # of these


def augment(hr: Tensor, generator: torch.Generator) -> Tensor:
    """Mirror with probability 1/2, then with probability 1/2 rotate by 90, 180 or 270 degrees [code].

    hr: square images (N, C, S, S); the result has the same shape. generator: where all random numbers come from.
    """
    mirrored = torch.rand(len(hr), generator=generator) < 0.5
    hr = torch.where(mirrored[:, None, None, None], hr.flip(-1), hr)
    turned = torch.rand(len(hr), generator=generator) < 0.5
    quarters = torch.randint(1, 4, (len(hr),), generator=generator) * turned
    return torch.stack([torch.rot90(image, int(n), dims=(1, 2)) for image, n in zip(hr, quarters, strict=True)])


class Experiments(Setting[Config]):
    """The faces, the cartoons and the trainings of notebooks 40 and 41."""

    @cached_property
    def faces(self) -> ImageSet:
        """Faces to train on; a split takes of them what it needs."""
        return self._faces("train", self.config.faces)

    @cached_property
    def cartoons(self) -> ImageSet:
        """Cartoons to train on, as many as the largest split needs or as there are."""
        return load_cartoons(self.data_root, "train", self.config.hr_size, 5 * self.config.unit)

    @cached_property
    def unit(self) -> int:
        """Images per unit of a split: the config's number, or as many as faces and cartoons allow."""
        return min(self.config.unit, len(self.faces) // 2, len(self.cartoons) // 5)

    @cached_property
    def val(self) -> Mapping[str, ImageSet]:
        """Held-out images of both domains. Their mean PSNR is the validation; the first few of each are previewed."""
        return self._held_out("val", VALIDATION_IMAGES)

    @cached_property
    def test(self) -> Mapping[str, ImageSet]:
        """Held-out images of both domains for the final scores."""
        return self._held_out("test", self.config.tested)

    @cached_property
    def previewed(self) -> Tensor:
        """The HR images whose SR a training keeps as previews, (n, 3, H, W): the first of every domain in `val`."""
        return torch.cat([images.take(range(min(PREVIEW_IMAGES, len(images)))) for images in self.val.values()])

    def domains(self, split: str) -> tuple[Domain, ...]:
        """The training images of a split, such as "replay 2:1". Raises ValueError when there are too few cartoons."""
        cartoons, faces = (float(part) for part in split.removeprefix("replay ").split(":"))
        count = round(cartoons * self.unit)
        if count > len(self.cartoons):
            raise ValueError(f"{split!r} needs {count} cartoons, there are {len(self.cartoons)}")
        return increment({CARTOONS: self.cartoons.limit(count)}, {FACES: self.faces}, faces / cartoons)

    def stages(self) -> Iterator[Stage[ISRKD]]:
        """The face-only teacher, a student per split, and the ablations of the student of replay 2:1."""
        edgeless = ABLATIONS[names.NO_EDGE_BLOCK]
        yield (teacher := self._stage(names.FACE_ONLY, ("40", "41")))
        yield (edgeless_teacher := self._stage(names.EDGELESS_TEACHER, ("41",), edgeless))
        for split in names.SPLITS:
            yield self._stage(split, ("40",) if split == names.REPLAY_5_1 else ("40", "41"), {}, split, teacher)
        yield self._stage(names.REPLAY_2_HALF, ("41",), {}, names.REPLAY_2_HALF, teacher)
        yield self._stage(names.EXTENDED, ("40", "41"), EXTENSION, names.REPLAY_2_2, teacher)
        whole: dict[str, dict[str, Any]] = {} if self.whole == names.REPLAY_2_1 else {names.WHOLE: {}}
        short = {"epochs": (self.config.epochs[0], self.config.ablation_epochs)}
        for part, changes in (whole | ABLATIONS | KD_WEIGHTS).items():
            its_teacher = edgeless_teacher if changes == edgeless else teacher
            yield self._stage(names.ablated(part), ("41",), short | changes, names.REPLAY_2_1, its_teacher)

    @property
    def whole(self) -> str:
        """The name of the student to set beside the ablations: the whole method, trained for as long as they are."""
        return names.REPLAY_2_1 if self.config.ablation_epochs == self.config.epochs[1] else names.ablated(names.WHOLE)

    def _stage(
        self,
        name: str,
        used_by: tuple[str, ...],
        changes: Mapping[str, Any] = MappingProxyType({}),
        split: str = "",
        *teacher: Stage[ISRKD],
    ) -> Stage[ISRKD]:
        """A teacher on all faces, or a student on a split that goes on from both its networks. changes: fields of the config."""
        config = replace(self.config, **changes)
        domains = self.domains(split) if teacher else increment({FACES: self.faces})
        batches = IncrementalBatches(domains, config.degradation, config.batch_size, self.seed, augment)
        steps = config.epochs[1 if teacher else 0] * batches.steps_per_epoch
        every = max(1, steps // VALIDATIONS)

        def method(*left: Trained[ISRKD]) -> ISRKD:
            generator = discriminator = None
            for trained in left:
                generator = trained.method.inference_network("generator")
                if trained.method.config.edge_discriminator == config.edge_discriminator:  # else of another shape: starts afresh
                    discriminator = trained.method.inference_network("discriminator")
            return ISRKD(config, generator, discriminator, steps)

        val = {domain: images.checksum for domain, images in self.val.items()}
        return Stage(
            ISR_KD.key,
            name,
            used_by,
            key={"config": config, "train": batches.key, "val": val},
            options=TrainerOptions(steps, validate_every=every, checkpoint_every=2 * every, device=self.device),
            seed=self.seed,
            method=method,
            batches=lambda *teacher: batches,
            needs=teacher,
            validate=self._validate,
            preview=lambda trained: trained.super_resolve(config.degradation(self.previewed).to(resolve_device(self.device))),
        )

    def _validate(self, method: ISRKD) -> dict[str, float]:
        """Mean PSNR on the held-out images of each domain."""
        degrade = self.config.degradation
        return {
            domain: self.psnr(method.super_resolve, images, degrade, 25, self.seed).mean().item()
            for domain, images in self.val.items()
        }

    def _held_out(self, split: Split, count: int) -> dict[str, ImageSet]:
        cartoons = load_cartoons(self.data_root, split, self.config.hr_size, count)
        return {FACES: self._faces(split, count), CARTOONS: cartoons}

    def _faces(self, split: Split, count: int | None) -> ImageSet:
        return load_faces(self.data_root, split, self.config.hr_size, ISR_KD.data_sets).limit(count)
