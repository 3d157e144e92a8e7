"""The faces and the stages of the SelfSR notebooks: what one notebook has trained, the others find in the stage cache."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from facesr_lib.data import ImageSet, PairedBatches, RealFaces, UnpairedBatches, load_faces, load_real_faces, unpaired_halves
from facesr_lib.data.batches import keyed_generator
from facesr_lib.data.prepared import prepared_facts
from facesr_lib.data.split import Split
from facesr_lib.image import Bicubic
from facesr_lib.papers import SELFSR
from facesr_lib.papers.selfsr import Config
from facesr_lib.papers.selfsr.degradation import (
    Adaptation,
    CycleAdaptation,
    DegradationConfig,
    FlowAdaptation,
    LearnedDegradation,
)
from facesr_lib.papers.selfsr.names import (
    CEILING,
    CYCLE,
    CYCLE_IDENTITY,
    FLOW,
    FLOW_NO_IDENTITY,
    FLOW_NOISE,
    NO_ADAPTATION,
    on_real_faces,
    seeded,
)
from facesr_lib.papers.selfsr.super_resolution import SelfSR, SRConfig
from facesr_lib.training import Setting, Stage, Trained, TrainerOptions
from facesr_lib.training.trained import M
from facesr_lib.training.trainer import Batches


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

    def stages(self) -> Iterator[Stage[Any]]:
        """Every training of the notebooks; the ablations (22) have as many seeds as the config says, the first is `seed`."""
        for more in range(self.config.ablation_seeds):
            of_seed = replace(self, seed=self.seed + more)
            yield from of_seed._stages() if more == 0 else (_of_seed(stage, more) for stage in of_seed._stages())

    def _stages(self) -> Iterator[Stage[Any]]:
        yield from (self._real(NO_ADAPTATION), self._real(CEILING))
        for name in (FLOW, FLOW_NOISE, FLOW_NO_IDENTITY, CYCLE, CYCLE_IDENTITY):
            yield (adaptation := self._adaptation(name))
            yield self._real(name, adaptation)
        table_1, trained_as = self.config.table_1(), self.config.trained_as
        table_4 = {trained_as(name): config for name, config in self.config.table_4().items()}
        for name, config in (table_1 | table_4).items():
            yield self._bicubic(name, config, tuple(n for n, table in (("21", table_1), ("22", table_4)) if name in table))

    def _adaptation(self, name: str) -> Stage[Adaptation]:
        """Stage 1 on real LR faces."""
        config, faces = self.config.degradation, self.real_faces
        kind: Callable[[Any], Adaptation] = CycleAdaptation if name in (CYCLE, CYCLE_IDENTITY) else FlowAdaptation
        identity = 0.0 if name in (CYCLE, FLOW_NO_IDENTITY) else config.identity
        config = replace(config, identity=identity, noise=name == FLOW_NOISE)
        unpaired = UnpairedBatches(faces.hr, faces.real_lr, Bicubic(self.config.real.scale), config.batch_size, self.seed)

        def noisy(step: int) -> dict[str, Tensor]:
            batch = unpaired(step)
            return {**batch, "noise": torch.randn(batch["lr"].shape, generator=keyed_generator(self.seed, "noise", step))}

        data = {"hr": faces.hr.checksum, "lr": faces.real_lr.checksum}
        return self._stage(name, ("20",), kind, config, data, lambda: noisy if config.noise else unpaired)

    def _real(self, name: str, *adaptation: Stage[Adaptation]) -> Stage[SelfSR]:
        """Stage 2 for real LR faces, on pairs that an adaptation makes; without one on bicubic pairs, or on the hidden ones."""
        config, hr = self.config.real, self.real_faces.hr
        known = self.real_faces.hidden if name == CEILING else Bicubic(config.scale)

        def batches(*stage1: Trained[Adaptation]) -> PairedBatches:
            degradation = LearnedDegradation(stage1[0].method, config.scale) if stage1 else known
            return PairedBatches(hr, degradation, config.batch_size, self.seed, augment=config.augment)

        data = {"hr": hr.checksum, "degradation": known.name}
        stage = self._stage(on_real_faces(name), ("20", "22"), SelfSR, config, data, batches, *adaptation)
        return replace(stage, preview=lambda sr: self.sample(sr.super_resolve, self.real_faces.val, self.real_faces.hidden))

    def _bicubic(self, name: str, config: SRConfig, used_by: tuple[str, ...]) -> Stage[SelfSR]:
        """Stage 2 with bicubic LR, on pairs or, if not `config.paired`, on HR faces and LR faces of other people."""
        bicubic = Bicubic(config.scale)
        if config.paired:
            pairs = PairedBatches(self.train, bicubic, config.batch_size, self.seed, augment=config.augment)
            return self._stage(name, used_by, SelfSR, config, {"hr": self.train.checksum}, lambda: pairs)
        hr, lr = self._unpaired_halves
        unpaired = UnpairedBatches(hr, lr, bicubic, config.batch_size, self.seed, augment=config.augment)
        return self._stage(name, used_by, SelfSR, config, {"hr": hr.checksum, "lr": lr.checksum}, lambda: unpaired)

    def _stage(
        self,
        name: str,
        used_by: tuple[str, ...],
        kind: Callable[[Any], M],
        config: SRConfig | DegradationConfig,
        data: dict[str, str],
        batches: Callable[..., Batches],
        *needs: Stage[Any],
    ) -> Stage[M]:
        options = TrainerOptions(config.steps, validate_every=-(-config.steps // 8), checkpoint_every=500, device=self.device)
        key = {"config": config, "kind": type(kind(config)).__name__, **data}
        made = lambda *stage1: kind(config), batches, needs
        return Stage(SELFSR.key, name, used_by, key, options, self.seed, *made, preview=self._preview)

    def _preview(self, method: Any) -> Tensor:
        """What a SelfSR or an Adaptation makes of a validation face's bicubic LR: SR, or LR as real."""
        if isinstance(method, Adaptation):
            noise = keyed_generator(self.seed, "preview")
            return self.sample(lambda lr: method.translate(lr, noise), self.real_faces.val, Bicubic(self.config.real.scale))
        return self.sample(method.super_resolve, self._faces("val", 1), Bicubic(method.config.scale))

    @cached_property
    def _unpaired_halves(self) -> tuple[ImageSet, ImageSet]:
        return unpaired_halves(self.train, Bicubic(self.config.unpaired.scale))

    def _faces(self, split: Split, limit: int | None) -> ImageSet:
        return load_faces(self.data_root, split, self.config.paired.hr_size, SELFSR.data_sets).limit(limit)


def _of_seed(stage: Stage[M], more: int) -> Stage[M]:
    """A training with a seed that is larger by `more`, and what it needs: by its own name, for notebook 22 alone."""
    needs = tuple(_of_seed(need, more) for need in stage.needs)
    return replace(stage, name=seeded(stage.name, more), used_by=tuple({"22"} & set(stage.used_by)), needs=needs)
