"""Teacher-student network for real-world face super-resolution with progressive embedding of edge information, x4 (Liu, Zhang).

Problem: real LR faces have no HR originals to learn from, and bicubic LR does not look like them.

Idea: first DeNet learns to make LR faces look real. A teacher (TNet) learns from the pairs that DeNet makes. A student (SNet)
sees real LR faces only. It learns from the teacher's output for them, from a discriminator of HR faces, and from a cycle: DSNet
takes its output back to LR. Teacher and student are one recurrent network, which is fed the edges of its own last output.

Equations, with alpha, beta and gamma the weights in `Config`:

- (1) SR_t = residual_t + bilinear enlargement of LR, at recurrent steps t = 1, 2, 3
- (2) content of DeNet: |DeNet(HR) - bicubic LR|_1
- (3) adversarial: log D(real) + log(1 - D(generated)), which D maximises and the generator minimises; (4) alpha (2) + beta (3)
- (5) content of the teacher: mean over t of |SR_t - HR|^2; (6) alpha (5) + beta (3)
- (7) cycle: |real LR - DSNet(SNet(real LR))|^2
- (8) alpha (5), with the teacher's output in place of HR, + beta (3) + gamma (7)

No code was published. Widths, epochs and the details of the edge maps are ours; where a source that the paper names decides
them, the mark says so. The generators' side of eq. 3 is as printed, which loses its gradient where D wins. The usual
-log D(generated) drew DeNet away from its content: to 23 dB from bicubic LR instead of 37 (`quick`, D of full width).
Marks here and in the modules: [paper] the paper says so, [code] its authors' released code does so, [ours] neither does, and we
chose, [departs] we do otherwise.

Departures: small presets shrink widths, depths and epochs, give fewer steps a higher learning rate, and start DSNet as the
network of stage 1. They test moving averages of TNet and SNet, and weigh the adversarial terms of eqs. 6 and 8 by a tenth: as
printed they cost the ceiling 0.14 dB (`quick`, validation people, one seed). The `paper` preset has none that we know of.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facesr_lib.config import check_profile
from facesr_lib.image import gaussian_blur, quantize
from facesr_lib.losses import bce_discriminator, minimax_generator
from facesr_lib.nn import LightCNN
from facesr_lib.papers.teacher_student.networks import SCALE, Canny, DoG, DownsamplingNet, Edges, RecurrentSR
from facesr_lib.training import Batch, Method, SuperResolver, evaluating, frozen
from facesr_lib.training.schedules import halve_every

# -- configuration ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Config:
    """Everything that decides what is trained. The defaults are the `paper` preset; pairs of values are for stages 1 and 2."""

    faces: tuple[int, int] = (20_000, 4_000)  # HR and real LR faces to train on, at most [paper]
    hr_size: int = 64  # side of the square HR image; LR is a quarter [ours, after SCGAN's data]
    width: int = 48  # n, the channels of TNet and SNet [ours: 1.22 M parameters]
    groups: int = 6  # up-down pairs of the feedback block [ours, after SRFBN]
    edges: tuple[Edges, ...] = (Canny(), DoG())  # of SR_1 for step 2, of SR_2 for step 3 [paper]
    down_width: int = 64  # channels of DeNet and DSNet [ours]
    down_blocks: int = 16  # their residual blocks [paper]
    discriminator_width: int = 48  # of the LightCNN [paper] discriminators [ours: of its nine-layer form]
    content: tuple[float, float, float] = (1.0, 1.0, 1.0)  # alpha of eqs. 4, 6, 8 [paper]
    adversarial: tuple[float, float, float] = (0.05, 0.001, 0.001)  # beta of eqs. 4, 6, 8 [paper]
    cycle: float = 1.0  # gamma of eq. 8 [paper]; 0 leaves out DSNet
    student: bool = True  # False: TNet alone, as for the ceiling [ours]
    learned_lr: bool = True  # TNet learns from DeNet's LR [paper]; False: from bicubic LR (ablation)
    noise: int = 0  # channels of noise that DeNet is given, to draw another one for every picture: `LearnDegradation` [ours]
    prepared_dsnet: bool = False  # DSNet starts as the network of stage 1, not afresh: small presets only [departs]
    batch_sizes: tuple[int, int] = (16, 4)  # [paper]
    epochs: tuple[int, int] = (50, 50)  # [ours]
    ablation_epochs: int = 50  # of stage 2 in the variants of Table 3, and in the whole method beside them [ours]
    learning_rates: tuple[float, float, float] = (1e-4, 1e-4, 1e-4)  # Adam's [paper]: DeNet, stage 2, discriminators
    halving: tuple[int, int] = (10, 10)  # the learning rate is halved every so many epochs [paper]
    average_decay: float = 0.0  # of the moving averages of TNet and SNet that are tested; 0: none, small presets only [departs]
    flip: bool = True  # [ours]
    tested: int | None = None  # faces to score on, at most; None: all

    @classmethod
    def preset(cls, profile: str) -> "Config":
        """The configuration of a profile: smoke, quick, evening, workshop or paper. Widths, depths and epochs shrink.

        Fewer steps get a higher learning rate, but not for discriminators: faster ones would win before anything is learnt. They
        are too few for a DSNet from nothing, whose cycle loss misleads SNet for as long: it starts prepared.
        """
        short = cls(prepared_dsnet=True, adversarial=(0.05, 1e-4, 1e-4), average_decay=0.98)
        small = replace(short, width=24, groups=2, down_width=16, down_blocks=2, discriminator_width=6)
        small = replace(small, batch_sizes=(8, 2), learning_rates=(8e-3, 2e-3, 1e-4))
        tiny = replace(small, batch_sizes=(4, 4), ablation_epochs=1)
        larger = replace(short, width=32, groups=3, down_width=32, down_blocks=4, discriminator_width=24)
        larger = replace(larger, learning_rates=(5e-4, 5e-4, 1e-4))
        presets = {
            "smoke": replace(tiny, faces=(16, 16), width=8, down_width=8, down_blocks=1, epochs=(1, 1), tested=4),
            "quick": replace(small, epochs=(24, 7), halving=(6, 2), ablation_epochs=3, tested=50),
            "evening": replace(small, width=32, epochs=(40, 16), halving=(10, 4), ablation_epochs=5),
            "workshop": replace(larger, epochs=(80, 40), halving=(20, 10), ablation_epochs=40),
            "paper": cls(),
        }
        return presets[check_profile(profile)]

    @property
    def needs_stage_1(self) -> bool:
        """Whether stage 2 needs the network of stage 1."""
        return self.learned_lr or self.prepared_dsnet

    @property
    def ablated(self) -> "Config":
        """Stage 2 as short as the ablations' (Table 3), its learning rate halved as often."""
        epochs, halving = self.ablation_epochs, max(1, self.halving[1] * self.ablation_epochs // self.epochs[1])
        return replace(self, epochs=(self.epochs[0], epochs), halving=(self.halving[0], halving))

    def with_bicubic_lr(self) -> "Config":
        """The teacher learns from bicubic pairs, not DeNet's (Table 3, "bicubic").

        The network of stage 1, if a prepared DSNet needs one, learns bicubic reduction alone. DeNet has no part in this variant.
        """
        return replace(self, learned_lr=False, adversarial=(0.0, *self.adversarial[1:]))


def networks(config: Config) -> dict[str, tuple[nn.Module, tuple[int, int, int]]]:
    """Every network of the paper at this configuration, with the shape of one input (channels, height, width)."""
    hr, lr = (3, config.hr_size, config.hr_size), (3, config.hr_size // SCALE, config.hr_size // SCALE)
    down, up = (config.down_width, config.down_blocks), (config.width, config.groups, config.edges)
    discriminated = {"denet": lr, "dsnet": lr, "tnet": hr, "snet": hr}  # by the network that the discriminator is for
    return {
        "dsnet": (DownsamplingNet(*down), hr),
        "tnet": (RecurrentSR(*up), lr),
        "snet": (RecurrentSR(*up), lr),
        **{f"{net}_discriminator": (LightCNN(s[1], config.discriminator_width), s) for net, s in discriminated.items()},
        "denet": (DownsamplingNet(*down, config.noise), hr),  # last, so that its noise changes no other network's first weights
    }


# -- stage 1: learn the degradation (eqs. 2 to 4) -------------------------------------------------------------------------------


class LearnDegradation(Method):
    """DeNet learns to make LR that keeps the content of HR and looks like real LR. Batches: "hr", "lr" (bicubic), "real_lr".

    With a noise input, eq. 2 compares blurred images, and the discriminator sees what they leave out: eq. 2 as published
    charges for noise. DASR, which the text follows, splits the frequencies so too, by wavelets [ours].
    """

    def __init__(self, config: Config, steps_per_epoch: int) -> None:
        super().__init__()
        self.config = config
        self.steps = config.epochs[0] * steps_per_epoch
        self.halving = config.halving[0] * steps_per_epoch

    def build(self) -> None:
        _build(self, ["denet"])

    def step(self, batch: Batch) -> dict[str, Tensor]:
        generated, lr, real = self.networks["denet"](batch["hr"]), batch["lr"], batch["real_lr"]
        if self.config.noise:
            real, fake, generated, lr = real - low_pass(real), generated - low_pass(generated), low_pass(generated), low_pass(lr)
        else:
            fake = generated
        d_terms, adversarial = _play(self, "denet", real, fake)
        content = self.config.content[0] * F.l1_loss(generated, lr)
        return d_terms | self.update("denet", {"content": content, "adversarial": self.config.adversarial[0] * adversarial})

    def degrade(self, hr: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] -> LR (N, 3, H / 4, W / 4) in [0, 1], rounded to 8 bit like a file. No gradient."""
        with evaluating(self.inference_network("denet")) as denet:
            return quantize(denet(hr))


# -- stage 2: teacher and student, jointly (eqs. 5 to 8) ------------------------------------------------------------------------


class RecurrentResolver(SuperResolver):
    """What both trainings of recurrent networks share: their length, and how their networks enlarge."""

    def __init__(self, config: Config, steps_per_epoch: int) -> None:
        super().__init__()
        self.config = config
        self.steps = config.epochs[1] * steps_per_epoch
        self.halving = config.halving[1] * steps_per_epoch

    def super_resolve_with(self, network: str, lr: Tensor, step: int = 0) -> Tensor:
        """The output of "tnet" or "snet" after recurrent step 1, 2 or 3 (0: the last), as in `super_resolve`."""
        with evaluating(self.inference_network(network)) as net:
            return net(lr)[step - 1].clamp(0, 1)

    def super_resolve(self, lr: Tensor) -> Tensor:
        """By SNet, the network that the paper tests; by TNet where there is no student."""
        return self.super_resolve_with("snet" if "snet" in self.networks else "tnet", lr)


class TeacherStudent(RecurrentResolver):
    """TNet learns from (DeNet(HR), HR), SNet from real LR only. Batches: "hr", "lr" (bicubic), "real_lr".

    The content loss counts all three outputs, the other losses the last one [ours]. DSNet is trained beside SNet: for the
    cycle and for an adversarial loss [paper], so that the LR it makes of HR images looks real, as in CycleGAN [ours].
    """

    def __init__(self, config: Config, steps_per_epoch: int, denet: nn.Module | None) -> None:
        """denet: of a finished stage 1 of this config, not trained further. Raises ValueError if one is missing or not wanted."""
        super().__init__(config, steps_per_epoch)
        if config.needs_stage_1 != (denet is not None):
            raise ValueError("denet: expected the network of a finished stage 1 if config.needs_stage_1, else None")
        self.denet = denet and copy.deepcopy(denet).requires_grad_(False).eval()

    def build(self) -> None:
        students = ["snet", "dsnet"] if self.config.cycle else ["snet"]
        _build(self, ["tnet", *students] if self.config.student else ["tnet"])
        if "dsnet" in self.networks and self.config.prepared_dsnet and self.denet:
            state = self.denet.state_dict()
            state["layers.0.weight"] = state["layers.0.weight"][:, :3]  # without the channels of noise
            self.networks["dsnet"].load_state_dict(state)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        return self.step_teacher(batch) | (self.step_student(batch) if self.config.student else {})

    def step_teacher(self, batch: Batch) -> dict[str, Tensor]:
        """Eq. 6: supervised by HR."""
        hr = batch["hr"]
        outputs = self.networks["tnet"](self.teacher_lr(batch))
        d_terms, adversarial = _play(self, "tnet", hr, outputs[-1])
        terms = {
            "teacher_content": self.config.content[1] * mean_squared_error(outputs, hr),
            "teacher_adversarial": self.config.adversarial[1] * adversarial,
        }
        return d_terms | self.update("tnet", terms)

    def step_student(self, batch: Batch) -> dict[str, Tensor]:
        """Eq. 8: supervised by the teacher's SR as pseudo-HR, by HR faces of other people, and by its own LR."""
        hr, lr = batch["hr"], batch["real_lr"]
        outputs = self.networks["snet"](lr)
        d_terms, adversarial = _play(self, "snet", hr, outputs[-1])
        pseudo_hr = self.super_resolve_with("tnet", lr)
        terms = {
            "student_content": self.config.content[2] * mean_squared_error(outputs, pseudo_hr),
            "student_adversarial": self.config.adversarial[2] * adversarial,
        }
        if "dsnet" not in self.networks:
            return d_terms | self.update("snet", terms)
        with frozen(self.networks["dsnet"]) as dsnet:
            terms["cycle"] = self.config.cycle * self.cycle_error(dsnet(outputs[-1]), lr)
        return d_terms | self.update("snet", terms) | self.step_dsnet(hr, lr, outputs[-1].detach())

    def step_dsnet(self, hr: Tensor, lr: Tensor, sr: Tensor) -> dict[str, Tensor]:
        """DSNet's side of eq. 7, and its adversarial term: the LR that it makes of HR faces should look real."""
        d_terms, adversarial = _play(self, "dsnet", lr, self.networks["dsnet"](hr))
        terms = {
            "dsnet_cycle": self.config.cycle * self.cycle_error(self.networks["dsnet"](sr), lr),
            "dsnet_adversarial": self.config.adversarial[2] * adversarial,
        }
        return d_terms | self.update("dsnet", terms)

    def cycle_error(self, back: Tensor, lr: Tensor) -> Tensor:
        """Eq. 7. Where DeNet draws noise, low frequencies only: else SNet would have to keep what DSNet is to find [ours]."""
        return F.mse_loss(low_pass(back), low_pass(lr)) if self.config.noise else F.mse_loss(back, lr)

    def teacher_lr(self, batch: Batch) -> Tensor:
        """The LR images that TNet learns from: DeNet's, rounded to 8 bit like files [ours], or bicubic ones."""
        if not self.config.learned_lr or self.denet is None:
            return batch["lr"]
        with torch.no_grad():
            return quantize(self.denet.to(batch["hr"].device)(batch["hr"]))


class CycleLearning(RecurrentResolver):
    """TNet trained as a CycleGAN (Table 3, "Ours-cycle"; Zhu et al. 2017): no DeNet, no pairs, no student.

    TNet and DSNet translate between real LR and HR. Both cycles (LR-HR-LR, HR-LR-HR) and a discriminator in both domains, as in
    CycleGAN; the weights and norms of eq. 8, in which HR is compared with all three outputs [ours]. Batches: "hr", "real_lr".
    """

    def build(self) -> None:
        _build(self, ["tnet", "dsnet"], joint="generators")

    def step(self, batch: Batch) -> dict[str, Tensor]:
        config, hr, lr = self.config, batch["hr"], batch["real_lr"]
        tnet, dsnet = self.networks["tnet"], self.networks["dsnet"]
        sr, generated = tnet(lr)[-1], dsnet(hr)
        hr_terms, adversarial_hr = _play(self, "tnet", hr, sr)
        lr_terms, adversarial_lr = _play(self, "dsnet", lr, generated)
        terms = {
            "cycle_lr": config.cycle * F.mse_loss(dsnet(sr), lr),
            "cycle_hr": config.cycle * mean_squared_error(tnet(generated), hr),
            "adversarial_hr": config.adversarial[2] * adversarial_hr,
            "adversarial_lr": config.adversarial[2] * adversarial_lr,
        }
        return hr_terms | lr_terms | self.update("generators", terms)


def mean_squared_error(outputs: Sequence[Tensor], target: Tensor) -> Tensor:
    """Eq. 5: the mean over the recurrent steps' outputs of their mean squared error."""
    return torch.stack([F.mse_loss(output, target) for output in outputs]).mean()


def low_pass(lr: Tensor) -> Tensor:
    """LR without its fine structure, to which noise belongs."""
    return gaussian_blur(lr, 7, 1.5)


# -- small parts ----------------------------------------------------------------------------------------------------------------


def _build(method: LearnDegradation | RecurrentResolver, names: Sequence[str], joint: str = "") -> None:
    """Give a method the networks of these names and their discriminators, each with an Adam of its own under its name.

    joint: the name of one Adam for all of `names`. All of the paper's networks are drawn, so that every variant of a run starts
    from the same weights.
    """
    made = networks(method.config)
    for name in (full for short in names for full in (short, f"{short}_discriminator")):
        method.networks[name], update = made[name][0], joint if joint and name in names else name
        if method.config.average_decay and name in ("tnet", "snet"):
            method.average(name, method.config.average_decay)
        if update in method.optimizers:
            method.optimizers[update].add_param_group({"params": list(method.networks[name].parameters())})
            continue
        rate = method.config.learning_rates[0 if name == "denet" else 1 if name in names else 2]
        method.optimizers[update] = torch.optim.Adam(method.networks[name].parameters(), lr=rate, fused=True)
        method.learning_rates[update] = halve_every(rate, method.halving)


def _play(method: Method, network: str, real: Tensor, fake: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """Eq. 3: update the discriminator of `network`; return its terms, and the one that is left for `network` to minimise."""
    name = f"{network}_discriminator"
    on_real, on_fake = bce_discriminator(*method.scores(method.networks[name], real, fake))
    d_terms = method.update(name, {f"{name}_real": on_real, f"{name}_fake": on_fake})
    with frozen(method.networks[name]) as discriminator:
        return d_terms, minimax_generator(discriminator(fake))
