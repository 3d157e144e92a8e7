"""The experiments of the ISR-KD paper as cached stages: the face-only teacher, and a student per split and ablation."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from facesr_lib.data import Domain, ImageSet, IncrementalBatches, eval_batches, increment, load_cartoons, load_faces
from facesr_lib.files import write_atomically
from facesr_lib.image import to_float, to_uint8
from facesr_lib.metrics import PSNR, evaluate
from facesr_lib.papers import ISR_KD
from facesr_lib.papers.isr_kd import ISRKD, Config
from facesr_lib.training import CsvLog, Device, Method, StageCache, Trained, TrainerOptions, resolve_device, train_stage

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
    cache: StageCache = field(repr=False)
    seed: int
    device: Device = "auto"

    @classmethod
    def load(cls, config: Config, data_root: str, stages_root: Path, seed: int, device: Device = "auto") -> Study:
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
            StageCache(stages_root),
            seed,
            device,
        )

    def teacher(self, **changes: Any) -> Trained:
        """The face-only generator ("vanilla"), trained on all faces; `changes` are fields of the config."""
        return self._train("isr-kd-teacher", replace(self.config, **changes), increment({"faces": self.faces}))

    def student(self, split: str, teacher: Trained, **changes: Any) -> Trained:
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

    def film(self, stage: Trained) -> list[tuple[int, Tensor]]:
        """What a stage made of the filmed pictures during training: (steps done, images (n, 3, H, W) in [0, 1])."""
        frames = [np.load(path, allow_pickle=False) for path in sorted((stage.folder / "film").glob("*.npy"))]
        steps = [int(row["step"]) for row in stage.validation]
        return [(step, to_float(torch.from_numpy(frame))) for step, frame in zip(steps, frames, strict=True)]

    def filmed(self) -> Tensor:
        """The HR originals of the film, the first pictures of every watched domain."""
        return torch.cat([images.take(range(min(FILMED, len(images)))) for images in self.watched.values()])

    def _train(self, name: str, config: Config, domains: tuple[Domain, ...], teacher: Trained | None = None) -> Trained:
        batches = IncrementalBatches(domains, config.degradation, config.batch_size, self.seed, augment)
        steps = config.epochs[0 if teacher is None else 1] * batches.steps_per_epoch
        look = max(1, steps // LOOKS)
        options = TrainerOptions(steps, validate_every=look, checkpoint_every=2 * look, device=self.device)
        key = {
            "config": config,
            "train": batches.key,
            "watched": {domain: images.checksum for domain, images in self.watched.items()},
            "teacher": None if teacher is None else teacher.folder.name,
            # as train_stage will complete it, since the film lies beside the training
            "seed": self.seed,
            "steps": steps,
            "device": resolve_device(self.device).type,
        }
        folder = self.cache.folder(name, key)
        judge = None if teacher is None else teacher.method.inference_network("generator")
        method = ISRKD(config, judge, steps)

        def validate(trained: Method) -> dict[str, float]:
            number = len(CsvLog(folder / "validation.csv").rows())  # counts on where a resumed run left off
            _save(folder / "film" / f"{number:03d}.npy", trained.super_resolve(lr.to(resolve_device(self.device))))
            return {domain: self._psnr(trained, images) for domain, images in self.watched.items()}

        lr = config.degradation(self.filmed())
        return train_stage(self.cache, name, method, batches, options, seed=self.seed, key=key, validate=validate)

    def _psnr(self, method: Method, images: ImageSet) -> float:
        batches = eval_batches(images, self.config.degradation, 25, self.seed)
        scores = evaluate(method.super_resolve, batches, [PSNR], resolve_device(self.device))
        return scores[PSNR].mean().item()


def _save(path: Path, images: Tensor) -> None:
    content = io.BytesIO()
    np.save(content, to_uint8(images).cpu().numpy(), allow_pickle=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content.getvalue())
