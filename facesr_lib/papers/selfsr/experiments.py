"""The trainings that the SelfSR notebooks share: what one notebook has trained, the others find in the stage cache."""

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from facesr_lib.data import ImageSet, PairedBatches, RealFaces, UnpairedBatches, load_faces, load_real_faces, unpaired_halves
from facesr_lib.data.prepared import prepared_facts
from facesr_lib.data.split import Split
from facesr_lib.image import Bicubic, Degradation
from facesr_lib.papers import SELFSR
from facesr_lib.papers.selfsr import Config
from facesr_lib.papers.selfsr.degradation import Adaptation, CycleAdaptation, FlowAdaptation, LearnedDegradation
from facesr_lib.papers.selfsr.names import CYCLE, CYCLE_IDENTITY, FLOW, FLOW_NO_IDENTITY, NO_ADAPTATION
from facesr_lib.papers.selfsr.super_resolution import SelfSR, SRConfig
from facesr_lib.training import Setting, Trained, TrainerOptions, train_stage
from facesr_lib.training.trained import M


class Experiments(Setting[Config]):
    """The faces and the trainings of notebooks 20 to 22."""

    @cached_property
    def train(self) -> ImageSet:
        """HR faces for the paired setting."""
        return self._faces("train", self.config.images[0])

    @cached_property
    def test(self) -> ImageSet:
        """HR faces to score on, with bicubic LR."""
        return self._faces("test", self.config.images[2])

    @cached_property
    def real_faces(self) -> RealFaces:
        """The setting of real LR faces (`load_real_faces`), at its own size and scale."""
        (train, val, test), real = self.config.images, self.config.real
        faces = load_real_faces(self.data_root, real.hr_size, real.scale, SELFSR.data_sets)
        return replace(
            faces,
            hr=faces.hr.limit(train),
            real_lr=faces.real_lr.limit(train),
            val=faces.val.limit(val),
            test=faces.test.limit(test),
            test_sets={name: own.limit(train and test) for name, own in faces.test_sets.items()},  # whole, where training is
        )

    @cached_property
    def helen(self) -> ImageSet | None:
        """Helen's test faces (Table I), to be scored with bicubic LR; None where they are not prepared."""
        root = Path(self.data_root or "no data").expanduser()
        own = next((folder for folder in (root / "helen", root) if (prepared_facts(folder) or {}).get("name") == "helen"), None)
        return load_faces(own, "test", self.config.paired.hr_size).limit(self.config.images[2]) if own else None

    def adaptation(self, name: str) -> Trained[Adaptation]:
        """Stage 1 on real LR faces. name: an adaptation of `names`; raises ValueError for another one."""
        config = self.config.degradation
        methods: dict[str, Adaptation] = {
            FLOW: FlowAdaptation(config),
            FLOW_NO_IDENTITY: FlowAdaptation(replace(config, identity=0.0)),
            CYCLE: CycleAdaptation(replace(config, identity=0.0)),
            CYCLE_IDENTITY: CycleAdaptation(config),
        }
        if name not in methods:
            raise ValueError(f"unknown adaptation {name!r}: choose one of {', '.join(methods)}")
        method, faces = methods[name], self.real_faces
        batches = UnpairedBatches(faces.hr, faces.real_lr, Bicubic(self.config.real.scale), config.batch_size, self.seed)
        key = {"kind": type(method).__name__, "hr": faces.hr.checksum, "lr": faces.real_lr.checksum}
        return self._train("selfsr-degradation", method, batches, key)

    def real(self, name: str) -> Trained[SelfSR]:
        """Stage 2 for real LR faces. name: the adaptation that makes its pairs, or NO_ADAPTATION for bicubic pairs."""
        config, hr = self.config.real, self.real_faces.hr
        degradation: Degradation = Bicubic(config.scale)
        made_by = "bicubic"
        if name != NO_ADAPTATION:
            stage1 = self.adaptation(name)
            degradation = LearnedDegradation(stage1.method, config.scale)
            made_by = stage1.folder.name  # the hash of all that stage 1 depends on
        batches = PairedBatches(hr, degradation, config.batch_size, self.seed)
        return self._train("selfsr-real", SelfSR(config), batches, {"hr": hr.checksum, "degradation": made_by})

    def super_resolution(self, config: SRConfig) -> Trained[SelfSR]:
        """Stage 2 with bicubic LR, on pairs or, if not `config.paired`, on HR faces and LR faces of other people."""
        bicubic = Bicubic(config.scale)
        if config.paired:
            pairs = PairedBatches(self.train, bicubic, config.batch_size, self.seed)
            return self._train("selfsr-paired", SelfSR(config), pairs, {"hr": self.train.checksum})
        hr, lr = self._unpaired_halves
        unpaired = UnpairedBatches(hr, lr, bicubic, config.batch_size, self.seed)
        return self._train("selfsr-unpaired", SelfSR(config), unpaired, {"hr": hr.checksum, "lr": lr.checksum})

    @cached_property
    def _unpaired_halves(self) -> tuple[ImageSet, ImageSet]:
        return unpaired_halves(self.train, Bicubic(self.config.unpaired.scale))

    def _faces(self, split: Split, limit: int | None) -> ImageSet:
        return load_faces(self.data_root, split, self.config.paired.hr_size, SELFSR.data_sets).limit(limit)

    def _train(self, name: str, method: M, batches: Any, key: dict[str, Any]) -> Trained[M]:
        options = TrainerOptions(steps=method.config.steps, checkpoint_every=500, device=self.device)
        return train_stage(self.stages, name, method, batches, options, seed=self.seed, key=key | {"config": method.config})
