"""The experiments of the ISR-KD paper as cached stages: the face-only teacher, and a student per split and ablation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import torch
from torch import Tensor

from facesr_lib.data import Domain, ImageSet, IncrementalBatches, eval_batches, increment, load_cartoons, load_faces
from facesr_lib.metrics import evaluate, psnr
from facesr_lib.papers import ISR_KD
from facesr_lib.papers.isr_kd import ISRKD, Config
from facesr_lib.training import Device, StageCache, Trained, TrainerOptions, resolve_device, train_stage

# What is shown to a student: units of cartoons : units of replayed faces, Cartoon-CelebA-1 to -4 [R].
SPLITS = ("replay 2:0", "replay 2:1", "replay 2:2", "replay 5:1")
EXTENDED: dict[str, Any] = {"extra_blocks": 1}
# The fields of the config that an ablation changes, all in the student; "no edge block" needs a teacher without it, too.
ABLATIONS: dict[str, dict[str, Any]] = {
    "no output KD": {"output_weight": 0.0},
    "no bottleneck KD": {"bottleneck_weight": 0.0},
    "no KD": {"output_weight": 0.0, "bottleneck_weight": 0.0},
    "no edge block": {"edge_block": False},
    "no edge loss": {"edge_weight": 0.0},
    "no LC loss": {"luma_chroma_weight": 0.0},
    "identity loss": {"identity_weight": 1000.0},  # [C]: at most 693, in the range of the reconstruction term
    "edge discriminator": {"edge_discriminator": True},
}
LOOKS = 8  # at the student during training
WATCHED = 16  # pictures of each domain
FILMED = 3  # of these


def augment(hr: Tensor, generator: torch.Generator) -> Tensor:
    """Mirror with probability 1/2, then with probability 1/2 rotate by 90, 180 or 270 degrees [R]; square images (N, C, S, S)."""
    mirrored = torch.rand(len(hr), generator=generator) < 0.5
    hr = torch.where(mirrored[:, None, None, None], hr.flip(-1), hr)
    turned = torch.rand(len(hr), generator=generator) < 0.5
    quarters = torch.randint(1, 4, (len(hr),), generator=generator) * turned
    return torch.stack([torch.rot90(image, int(n), dims=(1, 2)) for image, n in zip(hr, quarters, strict=True)])


@dataclass(frozen=True)
class Study:
    """Everything that the stages share. faces, cartoons: to train on; a split takes of them what it needs.

    watched, test: held-out images, by domain. The watched ones' mean PSNR goes to the validation log, the first few are filmed.
    """

    config: Config
    faces: ImageSet
    cartoons: ImageSet
    watched: Mapping[str, ImageSet]
    test: Mapping[str, ImageSet]
    stages: StageCache = field(repr=False)
    seed: int
    device: Device = "auto"

    @classmethod
    def load(cls, config: Config, data_root: str, stages: StageCache, seed: int, device: Device = "auto") -> Study:
        """The study on the images of one data root (`load_faces`, `load_cartoons`); fewer than a split needs shrink its unit."""
        size = config.hr_size
        faces = load_faces(data_root, "train", size, ISR_KD.data_sets).limit(config.faces)
        cartoons = load_cartoons(data_root, "train", size, 5 * config.unit)

        def held_out(split: Literal["val", "test"], count: int) -> dict[str, ImageSet]:
            found = load_faces(data_root, split, size, ISR_KD.data_sets).limit(count)
            return {"faces": found, "cartoons": load_cartoons(data_root, split, size, count)}

        return cls(
            replace(config, unit=min(config.unit, len(faces) // 2, len(cartoons) // 5)),
            faces,
            cartoons,
            held_out("val", WATCHED),
            held_out("test", config.tested),
            stages,
            seed,
            device,
        )

    def teacher(self, **changes: Any) -> Trained[ISRKD]:
        """The face-only generator ("vanilla"), trained on all faces; `changes` are fields of the config."""
        return self._train("isr-kd-teacher", replace(self.config, **changes), increment({"faces": self.faces}))

    def student(self, split: str, teacher: Trained[ISRKD], **changes: Any) -> Trained[ISRKD]:
        """A student, from the teacher's weights; "replay 2:1" shows it 2 units of cartoons and 1 unit of faces."""
        name = re.sub("[^a-z0-9]+", "-", split)
        return self._train(f"isr-kd-{name}", replace(self.config, **changes), self.domains(split), teacher)

    def domains(self, split: str) -> tuple[Domain, ...]:
        """The training images of a split. Raises ValueError when there are too few."""
        cartoons, faces = (float(part) for part in split.removeprefix("replay ").split(":"))
        count = round(cartoons * self.config.unit)
        if count > len(self.cartoons):
            raise ValueError(f"{split!r} needs {count} cartoons, there are {len(self.cartoons)}")
        return increment({"cartoons": self.cartoons.limit(count)}, {"faces": self.faces}, faces / cartoons)

    def filmed(self) -> Tensor:
        """The HR originals of the film, the first pictures of every watched domain."""
        return torch.cat([images.take(range(min(FILMED, len(images)))) for images in self.watched.values()])

    def _train(
        self, name: str, config: Config, domains: tuple[Domain, ...], teacher: Trained[ISRKD] | None = None
    ) -> Trained[ISRKD]:
        batches = IncrementalBatches(domains, config.degradation, config.batch_size, self.seed, augment)
        steps = config.epochs[0 if teacher is None else 1] * batches.steps_per_epoch
        look = max(1, steps // LOOKS)
        options = TrainerOptions(steps, validate_every=look, checkpoint_every=2 * look, device=self.device)
        key = {
            "config": config,
            "train": batches.key,
            "watched": {domain: images.checksum for domain, images in self.watched.items()},
            "teacher": None if teacher is None else teacher.folder.name,
        }
        judge = None if teacher is None else teacher.method.inference_network("generator")
        method = ISRKD(config, judge, steps)
        lr = config.degradation(self.filmed())

        def validate(trained: ISRKD) -> dict[str, float]:
            return {domain: self._psnr(trained, images) for domain, images in self.watched.items()}

        def preview(trained: ISRKD) -> Tensor:
            return trained.super_resolve(lr.to(resolve_device(self.device)))

        return train_stage(
            self.stages, name, method, batches, options, seed=self.seed, key=key, validate=validate, preview=preview
        )

    def _psnr(self, method: ISRKD, images: ImageSet) -> float:
        batches = eval_batches(images, self.config.degradation, 25, self.seed)
        return (
            evaluate(method.super_resolve, batches, {"psnr": psnr}, resolve_device(self.device))["psnr"].mean().item()
        )
