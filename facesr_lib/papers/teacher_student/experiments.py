"""The faces and the stages of the teacher-student notebooks: what one has trained, the other finds in the stage cache."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeVar

from facesr_lib.data import ImageSet, PairedBatches, RealFaces, UnpairedBatches, load_real_faces
from facesr_lib.image import Bicubic, Degradation
from facesr_lib.papers import TEACHER_STUDENT
from facesr_lib.papers.teacher_student import Config, CycleLearning, LearnDegradation, RecurrentResolver, TeacherStudent, names
from facesr_lib.papers.teacher_student.networks import SCALE, NoEdges
from facesr_lib.training import Setting, Stage, Trained, TrainerOptions

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

    @property
    def variants(self) -> dict[str, Config]:
        """The published training, the variants that notebook 30 compares it with, and the ablations of Table 3, by name."""
        short, (canny, _) = self.config.ablated, self.config.edges
        return {
            names.FULL: self.config,
            names.BICUBIC: self.config.with_bicubic_lr(),
            names.NOISE: replace(self.config, noise=3),
            names.CEILING: replace(self.config, student=False, learned_lr=False, prepared_dsnet=False),
            names.WHOLE: short,
            names.EDGELESS: replace(short, edges=(NoEdges(), NoEdges())),
            names.CANNY: replace(short, edges=(canny, NoEdges())),
            names.CYCLELESS: replace(short, cycle=0.0),  # no DSNet
        }

    def stages(self) -> Iterator[Stage[Any]]:
        """Stage 1 and stage 2 in all variants. Bicubic data need a network of stage 1 for a prepared DSNet only."""
        learned = self._degradation(names.DENET, self.config)
        yield learned
        for variant, config in self.variants.items():
            if variant == names.WHOLE and config == self.config:
                continue  # it has been trained: see `whole`
            stage1 = learned
            if not config.learned_lr and config.needs_stage_1:
                yield (stage1 := self._degradation(names.DENET_BICUBIC, config))
            if config.noise:
                yield (stage1 := self._degradation(names.DENET_NOISE, config))
            yield self._jointly(variant, config, *([stage1] if config.needs_stage_1 else []))
        short, epoch = self.config.ablated, self._batches(1).steps_per_epoch
        yield self._stage_2(names.CYCLE_ONLY, "31", short, functools.partial(CycleLearning, short, epoch))

    @property
    def whole(self) -> str:
        """The name of the training that Table 3 sets beside the ablations: the whole method, as long as they train."""
        return names.trained_jointly(names.FULL if self.config.ablated == self.config else names.WHOLE)

    def _degradation(self, name: str, config: Config) -> Stage[LearnDegradation]:
        batches = self._batches(0)
        method = functools.partial(LearnDegradation, config, batches.steps_per_epoch)
        steps, made = method().steps, (method, lambda: batches)
        options = TrainerOptions(steps, validate_every=-(-steps // 8), device=self.device)
        key, preview = self._key(config), lambda denet: self.sample(denet.degrade, self.real_faces.val, lambda hr, _: hr)
        return Stage(TEACHER_STUDENT.key, name, ("30", "31"), key, options, self.seed, *made, preview=preview)

    def _jointly(self, variant: str, config: Config, *stage1: Stage[LearnDegradation]) -> Stage[TeacherStudent]:
        epoch = self._batches(1).steps_per_epoch

        def method(*left: Trained[LearnDegradation]) -> TeacherStudent:
            return TeacherStudent(config, epoch, left[0].method.inference_network("denet") if left else None)

        used_by = "30 31" if variant in (names.FULL, names.BICUBIC, names.NOISE, names.CEILING) else "31"
        return self._stage_2(names.trained_jointly(variant), used_by, config, method, *stage1)

    def _stage_2(self, name: str, used_by: str, config: Config, method: Callable[..., R], *needs: Stage[Any]) -> Stage[R]:
        """The validation log gets the PSNR on about ten validation faces, eight times during training."""
        batches: PairedBatches | UnpairedBatches = self._batches(1)
        steps = config.epochs[1] * batches.steps_per_epoch
        if name == names.CEILING:
            batches = PairedBatches(batches.hr, self.real_faces.hidden, batches.batch_size, self.seed, self.config.flip)
        options = TrainerOptions(steps, validate_every=-(-steps // 8), device=self.device)
        key = self._key(config) | {"val": self.real_faces.val.checksum}
        faces, made = self.real_faces, (method, lambda *stage1: batches, needs, self._validate)
        preview = lambda trained: self.sample(trained.super_resolve, faces.val, faces.hidden)  # noqa: E731
        return Stage(TEACHER_STUDENT.key, name, tuple(used_by.split()), key, options, self.seed, *made, preview)

    def _validate(self, method: RecurrentResolver) -> dict[str, float]:
        """The PSNR of TNet on bicubic LR, and of SNet on LR of the hidden degradation, whichever the method has."""
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

    def _batches(self, stage: int) -> UnpairedBatches:
        """The batches of stage 1 (0) or 2 (1)."""
        faces, size = self.real_faces, self.config.batch_sizes[stage]
        return UnpairedBatches(faces.hr, faces.real_lr, Bicubic(SCALE), size, self.seed, self.config.flip)

    def _key(self, config: Config) -> dict[str, object]:
        return {"config": config, "hr": self.real_faces.hr.checksum, "real_lr": self.real_faces.real_lr.checksum}
