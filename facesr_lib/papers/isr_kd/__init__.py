"""Face to cartoon incremental super-resolution using knowledge distillation, x8 (Devkatte, Dubey, Singh, Hadid).

Problem: a generator that super-resolves faces shall learn cartoons too, and fine-tuning on cartoons makes it forget faces.
Idea: keep a frozen copy of it, the teacher T. Replay some faces, and hold the student S to what T makes of them.

    L_new = |S(x) - y|^2 + 0.3 sum_i |e_i - Canny_i(y)|^2 + |YUV(S(x)) - YUV(y)|^2 - 0.005 log D(S(x))
    L_old = 15 |S(x) - T(x)|^2 + 0.08 |B_S(x) - B_T(x)|^2
    L_D   = -1000 (log D(y) + log(1 - D(S(x))))

Cartoons feed L_new and L_D, replayed faces feed L_old only. e_i are the edge maps of the three steps, B is the bottleneck.
We had the abstract and the figure captions, not the paper's full text; sizes, weights and splits are the released code's.
Marks: [paper] the paper's text says it, [code] the authors' released code does it, [ours] both are silent and we chose,
[departs] we do otherwise.

Departures. The released code works on [0, 255], this library on [0, 1]. Every squared error (of features too, which grow with
the image) is therefore multiplied by 255^2, and the discriminator is given 255 times the image: with the released weights every
term and its gradient on a weight has the released value, so that 5e-3 and Adam's epsilon mean what they meant there. Only the
generator's biases, in units of the image, move faster. Mistakes that we do not repeat: its Canny takes RGB for BGR on the way
to grey, its quarter turns leave a black line, its cached teacher does not follow the augmentation, a batch without cartoons gives
NaN. It draws a batch for each of the two updates, ours share one; a student starts from Adam's moments too, ours from none. The
small presets start and end more gently (`bilinear_start`, `constant_part`). The identity loss, which the abstract names and the
code lacks, is an ablation, off by default.
"""

import copy
import math
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facesr_lib.config import check_profile
from facesr_lib.image import average_pool, canny, rgb_to_yuv, to_uint8
from facesr_lib.papers.isr_kd.networks import GREY_LEVELS, WINDOWS, Discriminator, Generator, Output, Step
from facesr_lib.training import Batch, SuperResolver, evaluating, frozen
from facesr_lib.training.schedules import Schedule, constant, linear_decay

CANNY = (50, 255)  # thresholds in grey levels [code]


@dataclass(frozen=True)
class Halvings:
    """OpenCV's bilinear halvings, in 8 bit, halves rounded up, until the image is `scale` (2, 4, ...) times smaller [code]."""

    scale: int = 8

    def __post_init__(self) -> None:
        if self.scale < 2 or self.scale & (self.scale - 1):
            raise ValueError(f"scale: expected 2, 4, 8, ..., got {self.scale}")

    @property
    def name(self) -> str:
        return f"{self.scale.bit_length() - 1} bilinear halvings in 8 bit"

    def __call__(self, hr: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """(N, C, H, W) in [0, 1] -> (N, C, H / scale, W / scale), without gradient. `scale` must divide H and W."""
        return self.pyramid(hr)[-1]

    def pyramid(self, hr: Tensor) -> list[Tensor]:
        """The image and all its halvings, largest first."""
        images = [hr]
        while hr.shape[-1] // images[-1].shape[-1] < self.scale:
            levels = average_pool(to_uint8(images[-1]).float(), 2)  # quarters of a level, without rounding error
            images.append((levels + 0.5).floor().to(hr.dtype) / 255)
        return images


@dataclass(frozen=True)
class Config:
    """Everything that decides what is trained. The defaults are the `paper` preset."""

    hr_size: int = 128  # the whole image, resized [code]
    degradation: Halvings = Halvings(8)
    width: float = 1.0  # of the generator; 1: 512 channels in its first step [code]
    discriminator_width: float = 1.0  # 1: 128 channels in its first layer [code]; it costs half of a step and weighs 5e-3
    bilinear_start: bool = False  # False: Xavier's weights everywhere [code]; True: see `bilinear` and MID_GREY [departs]
    edge_block: bool = True  # False: the block passes its input on (ablation)
    extra_blocks: int = 0  # residual blocks after each step, identities at the start: the "extended network" [ours]
    edge_discriminator: bool = False  # the discriminator sees the image and its edge residual (ablation)
    edge_weight: float = 0.3  # [code]
    luma_chroma_weight: float = 1.0  # [code]
    adversarial_weight: float = 5e-3  # [code]
    output_weight: float = 15.0  # distillation of the image [code]
    bottleneck_weight: float = 0.08  # distillation of the feature B [code]
    identity_weight: float = 0.0  # named in the abstract [paper], absent from the released code [code]
    discriminator_weight: float = 1000.0  # [code]: to Adam it only matters against epsilon
    learning_rate: float = 1e-4  # Adam [code]
    betas: tuple[float, float] = (0.9, 0.999)  # [code]
    batch_size: int = 16  # 1 by default in the released code, unknown in the paper [ours]
    constant_part: float = 1.0  # of a stage, at `learning_rate` [code]; then the rate falls in a straight line to 0 [departs]
    epochs: tuple[int, int] = (200, 200)  # of the teacher and of a student [code], over all images of a split
    ablation_epochs: int = 200  # of a student with an ablation, and of the whole one beside it [ours]
    faces: int | None = None  # most faces to train the teacher on; None: all
    tested: int = 5_000  # most images of each domain to score [ours]
    unit: int = 10_000  # images: a split "a:b" has a * unit cartoons and b * unit replayed faces [code]

    @classmethod
    def preset(cls, profile: str) -> "Config":
        """The configuration of a profile: smoke, quick, evening, workshop or paper.

        Short schedules take larger steps, that shrink at the end, from a start that enlarges without a checkerboard [departs].
        """
        short = cls(bilinear_start=True, constant_part=0.3, batch_size=8, tested=100, unit=125)
        tiny = replace(short, width=1 / 64, discriminator_width=1 / 64, faces=16, tested=8, unit=8)
        small = replace(short, width=1 / 4, discriminator_width=1 / 32, batch_size=4, learning_rate=2e-3, tested=50)
        large = replace(short, width=1 / 4, discriminator_width=1 / 4, batch_size=16)
        presets = {
            "smoke": replace(tiny, hr_size=32, learning_rate=1e-3, epochs=(2, 1), ablation_epochs=1),
            "quick": replace(small, hr_size=48, epochs=(14, 10), ablation_epochs=2),
            "evening": replace(small, hr_size=64, epochs=(30, 14), ablation_epochs=4, tested=100),
            "workshop": replace(large, hr_size=88, learning_rate=5e-4, epochs=(100, 30), ablation_epochs=30),
            "paper": cls(),
        }
        return presets[check_profile(profile)]

    def schedule(self, steps: int) -> Schedule:
        """The learning rate of a stage of `steps` steps."""
        if self.constant_part == 1:
            return constant(self.learning_rate)
        return linear_decay(self.learning_rate, round(self.constant_part * steps), steps)


def squared_error(a: Tensor, b: Tensor) -> Tensor:
    """Mean squared difference of each image or feature in squared grey levels: (n, ...) in [0, 1] -> (n,)."""
    return GREY_LEVELS**2 * (a - b).square().flatten(1).mean(1)


def edge_error(edges: tuple[Tensor, ...], hr: Tensor) -> Tensor:
    """Edge maps against Canny's of the grey HR image at the same sizes, errors added: (n,) squared grey levels [code]."""
    targets = [canny(image, *CANNY) for image in reversed(Halvings(2 ** (len(edges) - 1)).pyramid(hr))]
    return torch.stack([squared_error(e, t) for e, t in zip(edges, targets, strict=True)]).sum(0)


def js_divergence(p_logits: Tensor, q_logits: Tensor) -> Tensor:
    """Jensen-Shannon divergence of softmax(p) and softmax(q): (n, d), (n, d) -> (n,) in [0, log 2], symmetric."""
    log_p, log_q = p_logits.log_softmax(1), q_logits.log_softmax(1)
    log_m = torch.logaddexp(log_p, log_q) - math.log(2)
    return 0.5 * ((log_p.exp() * (log_p - log_m)).sum(1) + (log_q.exp() * (log_q - log_m)).sum(1))


def domain_mean(errors: Tensor, mask: Tensor) -> Tensor:
    """Mean of the images' errors, (B,) or (B, 1), over those in `mask` (B,) bool; 0, without gradient, where there are none.

    By weights, not by indexing: shapes depend on no data, so the device never waits for the host, and the step can be compiled.
    """
    return torch.where(mask, errors.flatten(), 0).sum() / mask.sum().clamp(min=1)


class ISRKD(SuperResolver):
    """One stage. Without a teacher: the face-only generator, trained on new images only. With one: an incremental student.

    A batch has "lr", "hr" and "new" (B,) bool, as IncrementalBatches gives it. Every term is the mean over the images of its
    domain in the batch [code], so that distillation weighs the same however many faces there are. All images go through all
    networks, and the mask decides which term they feed: the discriminator learns from new ones only. At 2:1 and the paper's
    sizes that is 1.31 times the operations of sending only those that are needed.
    discriminator: the teacher stage's, to go on from its weights [code], with a new Adam [ours]; None: a fresh one.
    steps: how long the stage is, for the learning rate's fall; None: it stays.
    """

    def __init__(
        self, config: Config, teacher: nn.Module | None = None, discriminator: nn.Module | None = None, steps: int | None = None
    ) -> None:
        super().__init__()
        self.config, self.discriminator = config, discriminator
        self.schedule = constant(config.learning_rate) if steps is None else config.schedule(steps)
        # Outside `networks`: never trained, never in a checkpoint. A copy, since the original may go on learning.
        self.teacher = copy.deepcopy(teacher).eval().requires_grad_(False) if teacher is not None else None

    def build(self) -> None:
        self.networks = {name: network for name, (network, _) in networks(self.config).items()}
        if self.teacher is not None:
            start_from(self.networks["generator"], self.teacher)  # [paper]
        if self.discriminator is not None:
            self.networks["discriminator"].load_state_dict(self.discriminator.state_dict())
        for name, network in self.networks.items():
            rate, betas = self.config.learning_rate, self.config.betas
            self.optimizers[name] = torch.optim.Adam(network.parameters(), rate, betas, fused=True)
            self.learning_rates[name] = self.schedule

    def step(self, batch: Batch) -> dict[str, Tensor]:
        config, lr, hr, new = self.config, batch["lr"], batch["hr"], batch["new"]
        student: Output = self.networks["generator"](lr)
        sr, discriminator = student.sr, self.networks["discriminator"]

        real, fake = self.scores(discriminator, hr, sr)
        errors = {"d_real": F.softplus(-real), "d_fake": F.softplus(fake)}  # cross-entropies
        weight = config.discriminator_weight
        d_terms = self.update("discriminator", {name: weight * domain_mean(error, new) for name, error in errors.items()})

        with frozen(discriminator) as discriminator:
            assert isinstance(discriminator, Discriminator)
            errors = {
                "reconstruction": squared_error(sr, hr),
                "edge": config.edge_weight * edge_error(student.edges, hr),
                "luma_chroma": config.luma_chroma_weight * squared_error(rgb_to_yuv(sr), rgb_to_yuv(hr)),
                "adversarial": config.adversarial_weight * F.softplus(-discriminator(sr)),
            }
            if config.identity_weight:
                divergence = js_divergence(discriminator.features(sr), discriminator.features(hr))
                errors["identity"] = config.identity_weight * divergence
            terms = {name: domain_mean(error, new) for name, error in errors.items()}
            if self.teacher is not None:
                with torch.no_grad():  # asked now and not beforehand, since the images are augmented
                    teacher: Output = self.teacher.to(lr.device)(lr)
                terms["kd_output"] = config.output_weight * domain_mean(squared_error(sr, teacher.sr), ~new)
                error = squared_error(student.bottleneck, teacher.bottleneck)
                terms["kd_bottleneck"] = config.bottleneck_weight * domain_mean(error, ~new)
            g_terms = self.update("generator", terms)
        return {**d_terms, **g_terms}

    def super_resolve(self, lr: Tensor) -> Tensor:
        return self.outputs(lr).sr.clamp(0, 1)

    def outputs(self, lr: Tensor) -> Output:
        """Image, edge maps and bottleneck, without gradients; the image not clamped."""
        with evaluating(self.inference_network("generator")) as generator:
            found: Output = generator(lr)
        return found


def start_from(student: nn.Module, teacher: nn.Module) -> None:
    """Copy the teacher's weights into the student. Raises ValueError unless only the student's extra blocks are missing in it."""
    missing, unexpected = student.load_state_dict(teacher.state_dict(), strict=False)
    if unexpected or any(".extra." not in name for name in missing):
        raise ValueError(f"the teacher is another network: it lacks {missing} and has {unexpected} besides")


def networks(config: Config) -> dict[str, tuple[nn.Module, tuple[int, int, int]]]:
    """Every network of the paper at this configuration, with the shape of one input (channels, height, width)."""
    hr, lr = config.hr_size, config.hr_size // config.degradation.scale
    generator = Generator(config.width, config.edge_block, config.extra_blocks, config.bilinear_start)
    discriminator = Discriminator(hr, config.discriminator_width, config.edge_discriminator)
    return {"generator": (generator, (3, lr, lr)), "discriminator": (discriminator, (3, hr, hr))}
