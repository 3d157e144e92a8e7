"""The faces and the stages of the human-face GAN's notebook. Each is trained once and then found in the stage cache."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

from facesr_lib.data import ImageSet, PairedBatches, load_faces
from facesr_lib.data.split import Split
from facesr_lib.papers import HUMAN_GAN
from facesr_lib.papers.human_gan import Config, HumanGAN
from facesr_lib.papers.human_gan.names import GAN, WITH_PIXEL_TERM
from facesr_lib.training import Setting, Stage, TrainerOptions

PIXEL_WEIGHT = 20.0  # of the L1 term [ours]


class Experiments(Setting[Config]):
    """The faces and the trainings of notebook 10."""

    @cached_property
    def train(self) -> ImageSet:
        """HR faces to train on."""
        return self._faces("train", self.config.images[0])

    @cached_property
    def val(self) -> ImageSet:
        """Faces of other people, scored after every epoch."""
        return self._faces("val", self.config.images[1])

    @cached_property
    def test(self) -> ImageSet:
        """Faces of yet other people, for the final scores."""
        return self._faces("test", self.config.images[2])

    @cached_property
    def batches(self) -> PairedBatches:
        """The training pairs, as a function of the step."""
        config = self.config
        return PairedBatches(self.train, config.degradation, config.batch_size, self.seed, flip=config.flip)

    def stages(self) -> Iterator[Stage[HumanGAN]]:
        """The paper's training, and one with an L1 term [ours]."""
        yield self._stage(GAN, self.config)
        yield self._stage(WITH_PIXEL_TERM, replace(self.config, pixel_weight=PIXEL_WEIGHT))

    def _stage(self, name: str, config: Config) -> Stage[HumanGAN]:
        epoch = self.batches.steps_per_epoch
        steps = HumanGAN(config, epoch).steps
        options = TrainerOptions(steps, validate_every=epoch, checkpoint_every=5 * epoch, device=self.device)
        return Stage(
            HUMAN_GAN.key,
            name,
            used_by=("10",),
            key={"config": config, "train": self.train.checksum, "val": self.val.checksum},
            options=options,
            seed=self.seed,
            method=lambda: HumanGAN(config, epoch),
            batches=lambda: self.batches,
            validate=self._validate,
            preview=lambda method: self.sample(method.super_resolve, self.val, config.degradation),
        )

    def _validate(self, method: HumanGAN) -> dict[str, float]:
        """Mean PSNR on `val`, the shortcut's scale s, and the PSNR of each image, which the claim about the plateau needs."""
        values = self.psnr(method.super_resolve, self.val, self.config.degradation, 10, self.seed)
        each = {f"psnr_{i}": value for i, value in enumerate(values.tolist())}
        s = method.inference_network("generator").get_parameter("residual_scale").item()
        return {"psnr": values.mean().item(), "s": s, **each}

    def _faces(self, split: Split, count: int) -> ImageSet:
        return load_faces(self.data_root, split, self.config.hr_size, HUMAN_GAN.data_sets).limit(count)
