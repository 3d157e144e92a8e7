"""Every training that the four papers publish, ready to be tried without their data: what a rehearsal and the tests go through.

The images are packaged faces and cartoons, enlarged where a preset is larger than they are: enough to see that a training
starts, and what it costs. The lengths are those of the published schedules.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch

from facesr_lib.data import Domain, ImageSet, IncrementalBatches, PairedBatches, UnpairedBatches, increment, load_faces
from facesr_lib.data.cartoons import dicebear_cartoons
from facesr_lib.data.real_faces import HiddenDegradation, degrade_set, unpaired_halves
from facesr_lib.data.split import Split
from facesr_lib.image import Bicubic, Degradation, resize_bicubic, to_uint8
from facesr_lib.papers import HUMAN_GAN, ISR_KD, SELFSR, TEACHER_STUDENT, find_paper, human_gan, isr_kd, selfsr, teacher_student
from facesr_lib.papers.isr_kd.experiments import EXTENSION, augment
from facesr_lib.papers.isr_kd.names import CARTOONS, EXTENDED, FACE_ONLY, FACES, REPLAY_2_0, REPLAY_2_2, SPLITS
from facesr_lib.papers.selfsr.degradation import LearnedDegradation
from facesr_lib.papers.selfsr.names import CYCLE_IDENTITY, FLOW
from facesr_lib.papers.selfsr.super_resolution import SRConfig
from facesr_lib.papers.teacher_student.names import CYCLE_ONLY, DENET_NOISE
from facesr_lib.papers.teacher_student.networks import SCALE
from facesr_lib.training import Method
from facesr_lib.training.trainer import Batches

PACKAGED = 92  # pixels of the largest square in a packaged face
DRAWN = 16  # images to draw batches from
CELEBA_TRAIN = 162_770  # faces in CelebA's own training split, for ISR-KD's face-only stage
PACKAGED_FACES = 250  # to train on


@dataclass(frozen=True)
class Training:
    """One training of a paper.

    paper, name: the paper's key, and what the training makes.  batch_size: the preset's.
    levels: the steps of the published schedule, counted from 0, by the level of a network that grows; else one range, "".
    make: a fresh method, not yet built.  least_batch: images that a batch needs, for batch norm or for both of its kinds.
    batches: (batch size, device of the networks that make LR images) -> batches of the preset's size, as `Trainer` takes them.
    """

    paper: str
    name: str
    batch_size: int
    levels: Mapping[str, range]
    make: Callable[[], Method]
    batches: Callable[[int, torch.device], Batches]
    least_batch: int = 1

    @property
    def steps(self) -> int:
        """Steps of the whole schedule."""
        return sum(len(steps) for steps in self.levels.values())


def trainings(paper: str, profile: str) -> list[Training]:
    """The trainings of a paper at a profile. Raises ValueError for a paper or profile that there is not.

    `paper` counts the papers' own images (20,000 faces of FFHQ, say), the other profiles the packaged ones.
    """
    config = find_paper(paper).package.Config.preset(profile)
    listed: dict[str, Callable[[], Iterator[Training]]] = {
        HUMAN_GAN.key: lambda: _human_gan(config),
        SELFSR.key: lambda: _selfsr(config),
        TEACHER_STUDENT.key: lambda: _teacher_student(config, published=profile == "paper"),
        ISR_KD.key: lambda: _isr_kd(config, published=profile == "paper"),
    }
    return list(listed[paper]())


# -- paper by paper -------------------------------------------------------------------------------------------------------------


def _human_gan(config: human_gan.Config) -> Iterator[Training]:
    steps_per_epoch = -(-config.images[0] // config.batch_size)  # 250 of FFHQ

    def make() -> human_gan.HumanGAN:
        return human_gan.HumanGAN(config, steps_per_epoch)

    def batches(size: int, device: torch.device) -> Batches:
        return PairedBatches(faces(config.hr_size), config.degradation, size, 0, flip=config.flip)

    # Up to 64 px, six halvings leave one position, of which batch norm needs two images.
    least = 2 if config.hr_size <= 64 else 1
    yield Training(HUMAN_GAN.key, "GAN", config.batch_size, {"": range(make().steps)}, make, batches, least)


def _selfsr(config: selfsr.Config) -> Iterator[Training]:
    stage1, real = config.degradation, config.real

    def unpaired(hr_size: int, degradation: Degradation, scale: int) -> Callable[[int, torch.device], Batches]:
        def batches(size: int, device: torch.device) -> Batches:
            return UnpairedBatches(faces(hr_size), degrade_set(faces(hr_size, "val"), degradation), Bicubic(scale), size, 0)

        return batches

    hidden = unpaired(real.hr_size, HiddenDegradation(real.scale), real.scale)
    for name, method in ((FLOW, selfsr.FlowAdaptation), (CYCLE_IDENTITY, selfsr.CycleAdaptation)):
        make = partial(method, stage1)
        yield Training(SELFSR.key, name, stage1.batch_size, {"": range(stage1.steps)}, make, hidden)

    def paired(size: int, device: torch.device) -> Batches:
        return PairedBatches(faces(config.paired.hr_size), Bicubic(config.paired.scale), size, 0, augment=config.paired.augment)

    def learned(size: int, device: torch.device) -> Batches:
        adaptation = selfsr.FlowAdaptation(stage1)
        adaptation.build()
        adaptation.networks["generator"].to(device)
        return PairedBatches(faces(real.hr_size), LearnedDegradation(adaptation, real.scale), size, 0)

    without = unpaired(config.unpaired.hr_size, Bicubic(config.unpaired.scale), config.unpaired.scale)
    settings = (("with pairs", config.paired, paired), ("without pairs", config.unpaired, without), ("real faces", real, learned))
    for setting, sr, batches in settings:
        name = f"{setting} x{sr.scale}"
        yield Training(SELFSR.key, name, sr.batch_size, _levels(sr), partial(selfsr.SelfSR, sr), batches)


def _teacher_student(config: teacher_student.Config, *, published: bool) -> Iterator[Training]:
    # 20,000 of FFHQ, or the half of the packaged people who give HR images.
    half, _ = unpaired_halves(load_faces("", "train", 16), Bicubic(4))
    images = config.faces[0] if published else min(config.faces[0], len(half))

    def batches(size: int, device: torch.device) -> Batches:
        real_lr = degrade_set(faces(config.hr_size, "val"), HiddenDegradation(SCALE))
        return UnpairedBatches(faces(config.hr_size), real_lr, Bicubic(SCALE), size, 0, config.flip)

    length = [-(-images // size) for size in config.batch_sizes]  # of an epoch, in steps

    def joint() -> teacher_student.TeacherStudent:
        return teacher_student.TeacherStudent(config, length[1], teacher_student.networks(config)["denet"][0])

    denet: Callable[[], Method] = partial(teacher_student.LearnDegradation, config, length[0])
    noisy: Callable[[], Method] = partial(teacher_student.LearnDegradation, replace(config, noise=3), length[0])
    cycle_only: Callable[[], Method] = partial(teacher_student.CycleLearning, config.ablated, length[1])
    made = (
        (0, "DeNet", denet, config.epochs[0]),
        (0, DENET_NOISE, noisy, config.epochs[0]),
        (1, "teacher and student", joint, config.epochs[1]),
        (1, CYCLE_ONLY, cycle_only, config.ablation_epochs),
    )
    for stage, name, make, epochs in made:
        steps = {"": range(epochs * length[stage])}
        yield Training(TEACHER_STUDENT.key, name, config.batch_sizes[stage], steps, make, batches)


def _isr_kd(config: isr_kd.Config, *, published: bool) -> Iterator[Training]:
    count = CELEBA_TRAIN if published else PACKAGED_FACES
    count = min(config.faces or count, count)
    unit = min(config.unit, count // 2)

    def learns(name: str, images: int, domains: Callable[[], tuple[Domain, ...]], **changes: Any) -> Training:
        changed, teaches = replace(config, **changes), name == FACE_ONLY
        least = 1 if teaches or name == REPLAY_2_0 else 2  # new and replayed images
        steps = config.epochs[0 if teaches else 1] * -(-images // config.batch_size)

        def make() -> isr_kd.ISRKD:
            return isr_kd.ISRKD(changed, None if teaches else isr_kd.networks(config)["generator"][0], steps=steps)

        def batches(size: int, device: torch.device) -> Batches:
            return IncrementalBatches(domains(), config.degradation, size, 0, augment)

        return Training(ISR_KD.key, name, config.batch_size, {"": range(steps)}, make, batches, least)

    def domains(cartoons: int, replayed: int) -> tuple[Domain, ...]:
        new = {CARTOONS: dicebear_cartoons(DRAWN, config.hr_size)}
        return increment(new, {FACES: faces(config.hr_size)}, replayed / cartoons)

    yield learns(FACE_ONLY, count, lambda: increment({FACES: faces(config.hr_size)}))
    for name, split in (*((split, split) for split in SPLITS), (EXTENDED, REPLAY_2_2)):
        shares = [int(share) for share in split.removeprefix("replay ").split(":")]
        changes = EXTENSION if name == EXTENDED else {}
        yield learns(name, sum(shares) * unit, partial(domains, *shares), **changes)


# -- small parts ----------------------------------------------------------------------------------------------------------------


def faces(size: int, split: Split = "train") -> ImageSet:
    """A few packaged faces of a split, `size` x `size` px, enlarged by MATLAB's bicubic above 92 px."""
    images = load_faces("", split, min(size, PACKAGED)).limit(DRAWN)
    if size <= PACKAGED:
        return images
    enlarged = to_uint8(resize_bicubic(images.take(range(len(images))), size=(size, size))).permute(0, 2, 3, 1).numpy()
    return replace(images, name=f"{images.name}, enlarged to {size} px", pixels=enlarged, sha256=None)


def _levels(config: SRConfig) -> dict[str, range]:
    """The steps of a network that grows, by the factor of its level."""
    starts = [0, *config.grow_at, config.steps]
    return {f"x{2 ** config.stage(start)[0]}": range(start, end) for start, end in itertools.pairwise(starts)}
