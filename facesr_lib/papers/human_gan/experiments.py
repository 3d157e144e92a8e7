"""The trainings of the human-face GAN's notebook. Each is made once and then found in the stage cache."""

from functools import cached_property

from facesr_lib.data import ImageSet, PairedBatches, load_faces
from facesr_lib.data.split import Split
from facesr_lib.papers import HUMAN_GAN
from facesr_lib.papers.human_gan import Config, HumanGAN
from facesr_lib.training import Setting, Trained, TrainerOptions, train_stage


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

    def gan(self) -> Trained[HumanGAN]:
        """The paper's training."""
        return self._train("human-gan", self.config)

    def gan_with_pixel_term(self, weight: float) -> Trained[HumanGAN]:
        """The same training with an L1 term of this weight [ours]."""
        return self._train("human-gan-pixel", self.config.with_pixel_term(weight))

    def _train(self, stage: str, config: Config) -> Trained[HumanGAN]:
        epoch = self.batches.steps_per_epoch
        method = HumanGAN(config, epoch)
        options = TrainerOptions(method.steps, validate_every=epoch, checkpoint_every=5 * epoch, device=self.device)
        key = {"config": config, "train": self.train.checksum, "val": self.val.checksum}
        return train_stage(self.stages, stage, method, self.batches, options, seed=self.seed, key=key, validate=self._validate)

    def _validate(self, method: HumanGAN) -> dict[str, float]:
        """Mean PSNR on `val`, the shortcut's scale s, and the PSNR of each image, which the claim about the plateau needs."""
        values = self.psnr(method.super_resolve, self.val, self.config.degradation, 10, self.seed)
        each = {f"psnr_{i}": value for i, value in enumerate(values.tolist())}
        s = method.inference_network("generator").get_parameter("residual_scale").item()
        return {"psnr": values.mean().item(), "s": s, **each}

    def _faces(self, split: Split, count: int) -> ImageSet:
        return load_faces(self.data_root, split, self.config.hr_size, HUMAN_GAN.data_sets).limit(count)
