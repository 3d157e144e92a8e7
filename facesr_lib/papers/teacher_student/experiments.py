"""The trainings that the teacher-student notebooks share: what one notebook has trained, the other finds in the stage cache."""

import functools
from dataclasses import replace
from functools import cached_property
from typing import TypeVar

from facesr_lib.data import ImageSet, RealFaces, UnpairedBatches, load_real_faces
from facesr_lib.image import Bicubic, Degradation
from facesr_lib.papers import TEACHER_STUDENT
from facesr_lib.papers.teacher_student import Config, CycleLearning, LearnDegradation, RecurrentResolver, TeacherStudent
from facesr_lib.papers.teacher_student.networks import SCALE
from facesr_lib.training import Setting, Trained, TrainerOptions, train_stage

R = TypeVar("R", bound=RecurrentResolver)


class Experiments(Setting[Config]):
    """The faces and the trainings of notebooks 30 and 31."""

    @cached_property
    def real_faces(self) -> RealFaces:
        """The setting of real LR faces (`load_real_faces`), with as many faces as the config says."""
        config = self.config
        faces = load_real_faces(self.data_root, config.hr_size, SCALE, TEACHER_STUDENT.data_sets)
        return replace(
            faces,
            hr=faces.hr.limit(config.faces[0]),
            real_lr=faces.real_lr.limit(config.faces[1]),
            test=faces.test.limit(config.tested),
            test_sets={name: own.limit(config.tested) for name, own in faces.test_sets.items()},
        )

    @cached_property
    def clean(self) -> ImageSet:
        """The test faces of `real_faces` again, to be scored with bicubic LR: a data set of its own."""
        test, hidden = self.real_faces.test, self.real_faces.hidden
        return test.named(f"{test.name.removesuffix(f', {hidden.name}')}, bicubic LR", "faces")

    def degradation(self, learned_lr: bool = True) -> Trained[LearnDegradation]:
        """Stage 1: DeNet. learned_lr: False for the network of `Config.with_bicubic_lr`, which knows bicubic reduction alone."""
        config = self.config if learned_lr else self.config.with_bicubic_lr()
        batches = self._batches(config.batch_sizes[0])
        method = LearnDegradation(config, batches.steps_per_epoch)
        options = TrainerOptions(method.steps, device=self.device)
        return train_stage(self.stages, "denet", method, batches, options, seed=self.seed, key=self._key(config))

    def teacher_and_student(self, config: Config) -> Trained[TeacherStudent]:
        """Stage 2, after `degradation` if it needs that. config: that of the experiments, or a variant of it.

        The validation log gets the PSNR on about ten validation faces, eight times during training: of TNet on bicubic
        LR ("teacher, bicubic LR") and of SNet on LR of the hidden degradation ("student, real LR").
        """
        stage1 = self.degradation(config.learned_lr) if config.needs_stage_1 else None
        denet = stage1.method.inference_network("denet") if stage1 else None
        steps_per_epoch = self._batches(config.batch_sizes[1]).steps_per_epoch
        method = TeacherStudent(config, steps_per_epoch, denet)
        return self._train("teacher-student", method, denet=stage1 and stage1.folder.name)

    def cycle_learning(self) -> Trained[CycleLearning]:
        """The CycleGAN of Table 3, as long as stage 2. The validation log gets TNet's PSNR, as `teacher_and_student` does."""
        steps_per_epoch = self._batches(self.config.batch_sizes[1]).steps_per_epoch
        return self._train("cycle-learning", CycleLearning(self.config, steps_per_epoch))

    def _train(self, stage: str, method: R, **key: object) -> Trained[R]:
        """Train a method for stage 2."""
        options = TrainerOptions(method.steps, validate_every=-(-method.steps // 8), device=self.device)
        key = self._key(method.config) | {"val": self.real_faces.val.checksum} | key
        batches = self._batches(method.config.batch_sizes[1])
        return train_stage(self.stages, stage, method, batches, options, seed=self.seed, key=key, validate=self._validate)

    def _validate(self, method: RecurrentResolver) -> dict[str, float]:
        scored: dict[str, tuple[str, Degradation]] = {
            "teacher, bicubic LR": ("tnet", Bicubic(SCALE)),
            "student, real LR": ("snet", self.real_faces.hidden),
        }
        val = self.real_faces.val
        faces = val.subset(range(0, len(val), max(1, len(val) // 10)), val.name)  # spread over the people
        found = {}
        for name, (network, degrade) in scored.items():
            if network in method.networks:
                super_resolve = functools.partial(method.super_resolve_with, network)
                found[name] = self.psnr(super_resolve, faces, degrade, 10, self.real_faces.seed).mean().item()
        return found

    def _batches(self, batch_size: int) -> UnpairedBatches:
        faces = self.real_faces
        return UnpairedBatches(faces.hr, faces.real_lr, Bicubic(SCALE), batch_size, self.seed, self.config.flip)

    def _key(self, config: Config) -> dict[str, object]:
        return {"config": config, "hr": self.real_faces.hr.checksum, "real_lr": self.real_faces.real_lr.checksum}
