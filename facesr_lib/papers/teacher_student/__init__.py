"""Teacher-student network for real-world face super-resolution with progressive embedding of edge information, x4 (Liu, Zhang).

Real LR faces have no HR. So a network (DeNet) first learns to make LR faces look real; a teacher (TNet) learns from its pairs; a
student (SNet) sees real LR faces only, and learns from what the teacher makes of them, from a discriminator, and from its own way
back to LR (DSNet). Teacher and student are one recurrent network that is fed the edges of its own last output. No code was
published. Every number below is marked: [seed] the paper says so, [found] one of its named sources does, [choice] we chose.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facesr_lib.image import quantize
from facesr_lib.losses import bce_discriminator, bce_generator
from facesr_lib.nn import LightCNN
from facesr_lib.papers.teacher_student.networks import SCALE, Canny, DoG, DownsamplingNet, Edges, RecurrentSR
from facesr_lib.training import Batch, Method, SuperResolver, check_profile, evaluating, frozen
from facesr_lib.training.schedules import halve_every

FROM_SCRATCH = ("denet", "tnet", "snet")


# -- configuration ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Config:
    """Everything that decides what is trained. The defaults are the `paper` preset; pairs are for stages 1 and 2."""

    faces: tuple[int, int] = (20_000, 4_000)  # HR and real LR faces to learn from, or as many as there are [seed]
    hr_size: int = 64  # side of the square HR image; LR is a quarter [found: SCGAN's data]
    width: int = 48  # n, the channels of TNet and SNet [choice: 1.22 M parameters]
    groups: int = 6  # up-down pairs of the feedback block [found: SRFBN]
    edges: tuple[Edges, ...] = (Canny(), DoG())  # of SR_1 for step 2, of SR_2 for step 3 [seed]
    down_width: int = 64  # channels of DeNet and DSNet [choice]
    down_blocks: int = 16  # their residual blocks [seed]
    judge_width: int = 48  # of the LightCNN discriminators [seed: LightCNN; found: width of its nine-layer form]
    content: tuple[float, float, float] = (1.0, 1.0, 1.0)  # alpha of eqs. 4, 6, 8 [seed]
    adversarial: tuple[float, float, float] = (0.05, 0.001, 0.001)  # beta of eqs. 4, 6, 8 [seed]
    cycle: float = 1.0  # gamma of eq. 8 [seed]; 0 leaves out DSNet
    learned_lr: bool = True  # TNet learns from DeNet's LR [seed]; False: from bicubic LR (ablation)
    batch_sizes: tuple[int, int] = (16, 4)  # [seed]
    epochs: tuple[int, int] = (50, 50)  # [choice]
    learning_rates: tuple[float, float] = (1e-4, 1e-4)  # of Adam [seed]: for networks FROM_SCRATCH, for all others
    halving: tuple[int, int] = (10, 10)  # epochs after which the learning rate is halved, again and again [seed]
    flip: bool = True  # [choice]
    tested: int = 10_000_000  # most faces to score

    @classmethod
    def preset(cls, profile: str) -> Config:
        """The configuration of a profile: smoke, quick, workshop or paper. Widths, depths and epochs shrink.

        Fewer steps get a higher learning rate, but only the networks from scratch: discriminators would win before anything
        is learnt, and DSNet would first forget what it starts with.
        """
        small = cls(width=16, groups=1, down_width=16, down_blocks=2, judge_width=6, learning_rates=(2e-3, 1e-4))
        presets = {
            "smoke": replace(small, faces=(16, 16), width=8, down_width=8, down_blocks=1, epochs=(1, 1), tested=4),
            "quick": replace(small, batch_sizes=(4, 4), epochs=(20, 5), halving=(5, 1), tested=50),
            "workshop": replace(
                small,
                width=32,
                groups=3,
                down_width=32,
                down_blocks=4,
                judge_width=24,
                learning_rates=(5e-4, 1e-4),
                epochs=(80, 40),
                halving=(20, 10),
            ),
            "paper": cls(),
        }
        return presets[check_profile(profile)]

    def without_teacher(self) -> Config:
        """The student learns by cycle and discriminator alone (Table 3, "cycle")."""
        return replace(self, content=(*self.content[:2], 0.0))

    def without_cycle(self) -> Config:
        """No DSNet, no cycle loss (Table 3, "w/o-cycle")."""
        return replace(self, cycle=0.0)

    def with_bicubic_lr(self) -> Config:
        """The teacher learns from bicubic pairs instead of DeNet's (Table 3, "bicubic")."""
        return replace(self, learned_lr=False)


def networks(config: Config) -> dict[str, tuple[nn.Module, tuple[int, int, int]]]:
    """Every network of the paper at this configuration, with the shape of one input (channels, height, width)."""
    hr, lr = (3, config.hr_size, config.hr_size), (3, config.hr_size // SCALE, config.hr_size // SCALE)

    def judge(shape: tuple[int, int, int]) -> tuple[nn.Module, tuple[int, int, int]]:
        return LightCNN(shape[1], config.judge_width), shape

    return {
        "denet": (DownsamplingNet(config.down_width, config.down_blocks), hr),
        "dsnet": (DownsamplingNet(config.down_width, config.down_blocks), hr),
        "tnet": (RecurrentSR(config.width, config.groups, config.edges), lr),
        "snet": (RecurrentSR(config.width, config.groups, config.edges), lr),
        "denet_judge": judge(lr),
        "dsnet_judge": judge(lr),
        "tnet_judge": judge(hr),
        "snet_judge": judge(hr),
    }


# -- stage 1: learn the degradation (eqs. 2 to 4) -------------------------------------------------------------------------------


class LearnDegradation(Method):
    """DeNet learns to make LR that keeps the HR's content and looks like real LR. Batches: "hr", "lr" (bicubic), "real_lr"."""

    def __init__(self, config: Config, steps_per_epoch: int) -> None:
        super().__init__()
        self.config = config
        self.steps = config.epochs[0] * steps_per_epoch
        self.halving = config.halving[0] * steps_per_epoch

    def build(self) -> None:
        _adopt(self, ("denet", "denet_judge"))

    def step(self, batch: Batch) -> dict[str, Tensor]:
        generated = self.networks["denet"](batch["hr"])
        judged = _judge(self, "denet_judge", batch["real_lr"], generated)
        with frozen(self.networks["denet_judge"]) as judge:
            terms = {
                "content": self.config.content[0] * F.l1_loss(generated, batch["lr"]),
                "adversarial": self.config.adversarial[0] * bce_generator(judge(generated)),
            }
            return judged | self.update("denet", terms)

    def degrade(self, hr: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] -> LR (N, 3, H / 4, W / 4) as a file would hold it: in [0, 1], 8 bit. No gradient."""
        with evaluating(self.inference_network("denet")) as denet:
            return quantize(denet(hr))


# -- stage 2: teacher and student, jointly (eqs. 5 to 8) ------------------------------------------------------------------------


class TeacherStudent(SuperResolver):
    """TNet learns from (DeNet(HR), HR); SNet from real LR only. Batches: "hr", "lr" (bicubic), "real_lr".

    The content loss counts all three outputs, the other losses the last one [choice]. DSNet is trained beside SNet: for the
    cycle, and adversarially [seed] to make LR of HR images that looks real, as CycleGAN's way back is [choice].
    """

    def __init__(self, config: Config, steps_per_epoch: int, denet: nn.Module) -> None:
        """denet: of a finished stage 1. It is kept as it is; DSNet, of the same structure, starts as a copy of it [choice]."""
        super().__init__()
        self.config = config
        self.steps = config.epochs[1] * steps_per_epoch
        self.halving = config.halving[1] * steps_per_epoch
        self.denet = copy.deepcopy(denet).requires_grad_(False).eval()

    def build(self) -> None:
        names = ["snet", "snet_judge"]
        if self.config.content[2]:
            names += ["tnet", "tnet_judge"]
        if self.config.cycle:
            names += ["dsnet", "dsnet_judge"]
        _adopt(self, names)
        if self.config.cycle:
            self.networks["dsnet"].load_state_dict(self.denet.state_dict())

    def step(self, batch: Batch) -> dict[str, Tensor]:
        terms = self.step_teacher(batch) if "tnet" in self.networks else {}
        return terms | self.step_student(batch)

    def step_teacher(self, batch: Batch) -> dict[str, Tensor]:
        """Eq. 6: supervised by HR."""
        hr = batch["hr"]
        outputs = self.networks["tnet"](self.teacher_lr(batch))
        judged = _judge(self, "tnet_judge", hr, outputs[-1])
        with frozen(self.networks["tnet_judge"]) as judge:
            terms = {
                "teacher_content": self.config.content[1] * mean_squared_error(outputs, hr),
                "teacher_adversarial": self.config.adversarial[1] * bce_generator(judge(outputs[-1])),
            }
            return judged | self.update("tnet", terms)

    def step_student(self, batch: Batch) -> dict[str, Tensor]:
        """Eq. 8: supervised by the teacher's SR as pseudo-HR, by real HR faces of others, and by its own LR."""
        hr, lr = batch["hr"], batch["real_lr"]
        outputs = self.networks["snet"](lr)
        judged = _judge(self, "snet_judge", hr, outputs[-1])
        terms: dict[str, Tensor] = {}
        if "tnet" in self.networks:
            pseudo_hr = self.super_resolve_with("tnet", lr)
            terms["student_content"] = self.config.content[2] * mean_squared_error(outputs, pseudo_hr)
        with frozen(self.networks["snet_judge"]) as judge:
            terms["student_adversarial"] = self.config.adversarial[2] * bce_generator(judge(outputs[-1]))
        if "dsnet" not in self.networks:
            return judged | self.update("snet", terms)
        with frozen(self.networks["dsnet"]) as way_back:
            terms["cycle"] = self.config.cycle * F.mse_loss(way_back(outputs[-1]), lr)  # eq. 7
        return judged | self.update("snet", terms) | self.step_way_back(hr, lr, outputs[-1].detach())

    def step_way_back(self, hr: Tensor, lr: Tensor, sr: Tensor) -> dict[str, Tensor]:
        """DSNet's side of eq. 7, and its adversarial term: LR that it makes of HR faces should look real."""
        generated = self.networks["dsnet"](hr)
        judged = _judge(self, "dsnet_judge", lr, generated)
        with frozen(self.networks["dsnet_judge"]) as judge:
            terms = {
                "dsnet_cycle": self.config.cycle * F.mse_loss(self.networks["dsnet"](sr), lr),
                "dsnet_adversarial": self.config.adversarial[2] * bce_generator(judge(generated)),
            }
            return judged | self.update("dsnet", terms)

    def teacher_lr(self, batch: Batch) -> Tensor:
        """The LR images that TNet learns from: DeNet's, as 8-bit files would hold them [choice], or bicubic ones."""
        if not self.config.learned_lr:
            return batch["lr"]
        with torch.no_grad():
            return quantize(self.denet.to(batch["hr"].device)(batch["hr"]))

    def super_resolve(self, lr: Tensor) -> Tensor:
        return self.super_resolve_with("snet", lr)

    def super_resolve_with(self, network: str, lr: Tensor, step: int = 0) -> Tensor:
        """The output of "tnet" or "snet" after recurrent step 1, 2 or 3 (0: the last), as in `super_resolve`."""
        with evaluating(self.inference_network(network)) as net:
            return net(lr)[step - 1].clamp(0, 1)


def mean_squared_error(outputs: Sequence[Tensor], target: Tensor) -> Tensor:
    """Eq. 5: the mean over the recurrent steps' outputs of their mean squared error."""
    return torch.stack([F.mse_loss(output, target) for output in outputs]).mean()


# -- small parts ----------------------------------------------------------------------------------------------------------------


def _adopt(method: LearnDegradation | TeacherStudent, names: Sequence[str]) -> None:
    """Give a method some of the paper's networks, each with an Adam of its own under its own name.

    All networks are drawn, so that every variant of a run starts from the same weights.
    """
    made = networks(method.config)
    for name in names:
        network, _ = made[name]
        rate = method.config.learning_rates[name not in FROM_SCRATCH]
        network.to(memory_format=torch.channels_last)  # faster steps on a CPU, too
        method.networks[name] = network
        method.optimizers[name] = torch.optim.Adam(network.parameters(), lr=rate)
        method.learning_rates[name] = halve_every(rate, method.halving)


def _judge(method: Method, name: str, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
    """One update of a discriminator (eq. 3)."""
    scores = method.networks[name](torch.cat([real, fake.detach()]))
    on_real, on_fake = bce_discriminator(*scores.chunk(2))
    return method.update(name, {f"{name}_real": on_real, f"{name}_fake": on_fake})
