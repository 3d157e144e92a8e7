"""The trainings behind the notebooks, each made once: what one notebook has trained, the other finds in the stage cache."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from functools import cached_property

from facesr_lib.data import ImageSet, UnpairedBatches, Wild, eval_batches, in_the_wild
from facesr_lib.image import Bicubic, Degradation
from facesr_lib.metrics import PSNR, evaluate
from facesr_lib.papers import TEACHER_STUDENT
from facesr_lib.papers.teacher_student import Config, LearnDegradation, TeacherStudent
from facesr_lib.papers.teacher_student.networks import SCALE
from facesr_lib.training import (
    Device,
    StageCache,
    Trained,
    TrainerOptions,
    resolve_device,
    train_stage,
)


@dataclass(frozen=True)
class Study:
    """One configuration on one data root with one seed."""

    config: Config
    data_root: str
    stages: StageCache
    seed: int
    device: Device = "auto"

    @cached_property
    def wild(self) -> Wild:
        """HR faces, real LR faces of other people, and held-out people (`in_the_wild`), as many as the config says."""
        wild, config = in_the_wild(self.data_root, self.config.hr_size, SCALE, TEACHER_STUDENT.data_sets), self.config
        return replace(
            wild,
            hr=wild.hr.limit(config.faces[0]),
            real_lr=wild.real_lr.limit(config.faces[1]),
            test=wild.test.limit(config.tested),
        )

    @cached_property
    def clean(self) -> ImageSet:
        """The test faces of `wild` again, to be seen through bicubic reduction: another data set."""
        test, hidden = self.wild.test, self.wild.hidden
        return replace(test, name=f"{test.name.removesuffix(f', {hidden.name}')}, bicubic LR", role="faces")

    @cached_property
    def degradation(self) -> Trained[LearnDegradation]:
        """Stage 1, trained or found."""
        batches = self._batches(self.config.batch_sizes[0])
        method = LearnDegradation(self.config, batches.steps_per_epoch)
        options = TrainerOptions(method.steps, device=self.device)
        return train_stage(self.stages, "denet", method, batches, options, seed=self.seed, key=self._key(self.config))

    def pair(self, config: Config) -> Trained[TeacherStudent]:
        """Stage 2 after `degradation`, trained or found. config: the study's own, or a variant of it.

        Eight times during training, the PSNR on ten or so validation faces, spread over the people, is taken: of TNet on bicubic
        LR ("teacher, bicubic LR"), of SNet on LR through the hidden degradation ("student, real LR").
        """
        batches = self._batches(config.batch_sizes[1])
        method = TeacherStudent(config, batches.steps_per_epoch, self.degradation.method.inference_network("denet"))
        options = TrainerOptions(method.steps, validate_every=-(-method.steps // 8), device=self.device)
        key = self._key(config) | {"val": self.wild.val.checksum, "denet": self.degradation.folder.name}
        return train_stage(
            self.stages,
            "teacher-student",
            method,
            batches,
            options,
            seed=self.seed,
            key=key,
            validate=self._validate,
        )

    def _validate(self, method: TeacherStudent) -> dict[str, float]:
        looks: tuple[tuple[str, str, Degradation], ...] = (
            ("teacher, bicubic LR", "tnet", Bicubic(SCALE)),
            ("student, real LR", "snet", self.wild.hidden),
        )
        val = self.wild.val
        faces = val.subset(range(0, len(val), max(1, len(val) // 10)), val.name)
        found = {}
        for name, network, degrade in looks:
            if network in method.networks:
                pairs = eval_batches(faces, degrade, 10, self.wild.seed)
                super_resolve = functools.partial(method.super_resolve_with, network)
                scores = evaluate(super_resolve, pairs, [PSNR], resolve_device(self.device))
                found[name] = scores[PSNR].mean().item()
        return found

    def _batches(self, batch_size: int) -> UnpairedBatches:
        wild = self.wild
        return UnpairedBatches(wild.hr, wild.real_lr, Bicubic(SCALE), batch_size, self.seed, self.config.flip)

    def _key(self, config: Config) -> dict[str, object]:
        return {"config": config, "hr": self.wild.hr.checksum, "real_lr": self.wild.real_lr.checksum}
