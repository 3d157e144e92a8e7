"""The trainings behind the three notebooks, each made once: what one notebook has trained, the others find in the stage cache."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

from facesr_lib.data import (
    ImageSet,
    PairedBatches,
    UnpairedBatches,
    Wild,
    in_the_wild,
    load_faces,
    strangers,
)
from facesr_lib.image import Bicubic, Degradation
from facesr_lib.papers import SELFSR
from facesr_lib.papers.selfsr import Adaptation, Config, CycleAdaptation, FlowAdaptation
from facesr_lib.papers.selfsr.degradation import LearnedDegradation
from facesr_lib.papers.selfsr.super_resolution import SelfSR, SRConfig
from facesr_lib.training import Device, Method, StageCache, Trained, TrainerOptions, train_stage

M = TypeVar("M", bound=Method)
A = TypeVar("A", bound=Adaptation)


@dataclass(frozen=True)
class Study:
    """One configuration on one data root with one seed."""

    config: Config
    data_root: str
    stages: StageCache
    seed: int
    device: Device = "auto"

    @cached_property
    def train(self) -> ImageSet:
        """HR faces for the paired setting."""
        return load_faces(self.data_root, "train", self.config.paired.hr_size, SELFSR.data_sets).limit(
            self.config.images[0]
        )

    @cached_property
    def val(self) -> ImageSet:
        """Faces of further people, to choose weights by."""
        return load_faces(self.data_root, "val", self.config.paired.hr_size, SELFSR.data_sets).limit(
            self.config.images[1]
        )

    @cached_property
    def test(self) -> ImageSet:
        """Faces that are scored; their LR images are bicubic."""
        return load_faces(self.data_root, "test", self.config.paired.hr_size, SELFSR.data_sets).limit(
            self.config.images[2]
        )

    @cached_property
    def wild(self) -> Wild:
        """The setting of real faces, at its own size and scale."""
        real, (train, val, test) = self.config.real, self.config.images
        wild = in_the_wild(self.data_root, real.hr_size, real.scale, SELFSR.data_sets)
        return replace(
            wild,
            hr=wild.hr.limit(train),
            real_lr=wild.real_lr.limit(train),
            val=wild.val.limit(val),
            test=wild.test.limit(test),
        )

    def adaptation(self, method: A) -> Trained[A]:
        """Stage 1 on the wild setting: `FlowAdaptation(config)` or `CycleAdaptation(config)`, trained or found."""
        wild, config = self.wild, method.config
        bicubic = Bicubic(self.config.real.scale)
        batches = UnpairedBatches(wild.hr, wild.real_lr, bicubic, config.batch_size, self.seed)
        key = {"kind": type(method).__name__, "config": config, "hr": wild.hr.checksum, "lr": wild.real_lr.checksum}
        return self._train("selfsr-degradation", method, batches, config.steps, key)

    def flow(self) -> Trained[FlowAdaptation]:
        """Stage 1 as the paper does it."""
        return self.adaptation(FlowAdaptation(self.config.degradation))

    def flow_without_identity(self) -> Trained[FlowAdaptation]:
        """The flow field without the identity loss."""
        return self.adaptation(FlowAdaptation(self.config.degradation.without_identity()))

    def cycle(self) -> Trained[CycleAdaptation]:
        """The CycleGAN-style adaptation."""
        return self.adaptation(CycleAdaptation(self.config.degradation))

    def real(self, stage1: Trained[Any] | None) -> Trained[SelfSR]:
        """Stage 2 for real faces, on the pairs that a trained stage 1 makes; None: on bicubic pairs ("vanilla" in Table III)."""
        config, hr = self.config.real, self.wild.hr
        degradation: Degradation = Bicubic(config.scale)
        made_by = "bicubic"
        if stage1:
            degradation = LearnedDegradation(stage1.method, config.scale)
            made_by = stage1.folder.name  # the hash of all that stage 1 depends on
        batches = PairedBatches(hr, degradation, config.batch_size, self.seed)
        key = {"config": config, "hr": hr.checksum, "degradation": made_by}
        return self._train("selfsr-real", SelfSR(config), batches, config.steps, key)

    def super_resolution(self, config: SRConfig) -> Trained[SelfSR]:
        """Stage 2 on bicubic LR, with or without pairs as `config.paired` says. Without, HR and LR show different people."""
        bicubic = Bicubic(config.scale)
        if config.paired:
            pairs = PairedBatches(self.train, bicubic, config.batch_size, self.seed)
            key = {"config": config, "hr": self.train.checksum}
            return self._train("selfsr-paired", SelfSR(config), pairs, config.steps, key)
        hr, lr = self.strangers
        unpaired = UnpairedBatches(hr, lr, bicubic, config.batch_size, self.seed)
        key = {"config": config, "hr": hr.checksum, "lr": lr.checksum}
        return self._train("selfsr-unpaired", SelfSR(config), unpaired, config.steps, key)

    @cached_property
    def strangers(self) -> tuple[ImageSet, ImageSet]:
        """For the unpaired setting: HR faces of half of the training people, bicubic LR faces of the other half."""
        return strangers(self.train, Bicubic(self.config.unpaired.scale))

    def _train(self, name: str, method: M, batches: Any, steps: int, key: dict[str, Any]) -> Trained[M]:
        options = TrainerOptions(steps=steps, checkpoint_every=500, device=self.device)
        return train_stage(self.stages, name, method, batches, options, seed=self.seed, key=key)
