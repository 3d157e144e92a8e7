"""SelfSR, stage 1 (section III-A): learn from unpaired images how real LR faces differ from bicubic ones.

`FlowAdaptation` is the paper's; `CycleAdaptation` is the CycleGAN-style alternative that Table III compares it with. Marks as in
the package. A generator that sees nothing but z makes one LR image of it, though noise makes many: with `noise` [ours] the flow
field's generator sees white noise, too.
"""

import itertools
from abc import abstractmethod
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facesr_lib.image import Bicubic, quantize, warp
from facesr_lib.losses import bce_discriminator, bce_generator, total_variation
from facesr_lib.nn import ResidualBlock
from facesr_lib.training import Batch, Method, evaluating, frozen
from facesr_lib.training.schedules import linear_decay

# Of Adam, one pair for all models [paper]; its numbers are lost. On validation people at `quick` this pair [ours] came nearer to
# real LR than the progressive GANs' (0, 0.99) (FD of LR 106, 127), and was as good in stage 2 (23.60, 23.62 dB; LPIPS 0.292).
BETAS = (0.5, 0.999)


@dataclass(frozen=True)
class DegradationConfig:
    """What stage 1 trains. The defaults are the `paper` preset's."""

    width: int = 64  # channels of the encoders [ours]
    blocks: int = 6  # residual blocks of the encoders [ours]
    max_flow: float = 3.0  # the flow is a tanh times this, in LR pixels [ours]
    adversarial: float = 1.0  # lambda_adv [ours: the weights of eq. 5 are lost]
    identity: float = 10.0  # lambda_idt of eq. 3 [ours]; 0: without, a row of Table III for the CycleGAN, ours for the flow field
    smoothness: float = 1.0  # lambda_sm of eq. 4 [ours]
    brightness: float = 0.0  # weight of |mean(x^) - mean(z)|_1 over 4x4 pixels [ours: not in the paper, 0 there]
    d_steps: int = 1  # of the discriminator for one of the generator, on the same batch; at least 1 [ours: not said]
    noise: bool = False  # the flow field's generator also sees three channels of white noise [ours: not in the paper]
    cycle: float = 10.0  # weight of CycleGAN's cycle loss (Zhu et al. 2017)
    cycle_residual: bool = False  # CycleGAN's generators add to their input: small presets only [departs]
    steps: int = 180_000  # [paper]
    batch_size: int = 48  # [paper, for all models]
    learning_rate: float = 2e-4  # constant, then linear to zero over the last half [paper]
    betas: tuple[float, float] = BETAS


class Encoder(nn.Sequential):
    """(N, inputs, h, w) -> features (N, width, h, w): a 3x3 convolution and residual blocks, no normalisation [ours]."""

    def __init__(self, width: int, blocks: int, inputs: int = 3) -> None:
        super().__init__(nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU(), *(ResidualBlock(width) for _ in range(blocks)))


class FlowGenerator(nn.Module):
    """Bicubic LR z (N, 3, h, w) in [0, 1] -> x^ (N, 3, h, w), z~ (N, 3, h, w), flow (N, 2, h, w) in pixels.

    One encoder, an image head whose output is added to z, a flow head through tanh [ours]. Both heads start at zero, so
    x^ = z~ = z before training: the network has to keep the identity of the face, not to find it. With `noise`, forward also
    takes white noise (N, 3, h, w) of unit variance: each draw gives another x^.
    """

    def __init__(self, width: int = 64, blocks: int = 6, max_flow: float = 3.0, noise: bool = False) -> None:
        super().__init__()
        self.max_flow = max_flow
        self.encoder = Encoder(width, blocks, inputs=6 if noise else 3)
        self.image_head = zero_start(nn.Conv2d(width, 3, 3, padding=1))
        self.flow_head = zero_start(nn.Conv2d(width, 2, 3, padding=1))

    def forward(self, z: Tensor, noise: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        features = self.encoder(z if noise is None else torch.cat([z, noise], dim=1))
        intermediate = z + self.image_head(features)
        flow = self.max_flow * torch.tanh(self.flow_head(features))
        return warp(intermediate, flow), intermediate, flow  # eq. 1


class ImageGenerator(nn.Module):
    """A CycleGAN generator: LR (N, 3, h, w) in [0, 1] -> LR of the other domain, of the same shape; not clamped if `residual`."""

    def __init__(self, width: int = 64, blocks: int = 6, residual: bool = False) -> None:
        super().__init__()
        self.residual = residual
        self.encoder = Encoder(width, blocks)
        self.head = nn.Conv2d(width, 3, 3, padding=1)
        if residual:
            zero_start(self.head)

    def forward(self, x: Tensor) -> Tensor:
        painted = self.head(self.encoder(x))
        return x + painted if self.residual else torch.sigmoid(painted)


class LRDiscriminator(nn.Sequential):
    """LR (N, 3, h, w) in [0, 1] -> one score per position (N, 1, h, w), each from the 13x13 pixels around it [ours].

    Four 3x3 convolutions of stride 1. It sees texture, not whole faces. A discriminator that sees the face soon memorises the
    few people of either set, and then rewards moving the face instead of degrading it. Each pixel comes to it twice, as it is
    and less the mean of the 5x5 around it: noise is small beside the brightness of a face, and learned late without the second.
    """

    def __init__(self, width: int = 64) -> None:
        layers: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise((6, width, 2 * width, 2 * width)):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.LeakyReLU(0.2)]
        super().__init__(*layers, nn.Conv2d(2 * width, 1, 3, padding=1))

    def forward(self, lr: Tensor) -> Tensor:
        mean = F.avg_pool2d(F.pad(lr, (2, 2, 2, 2), mode="replicate"), 5, stride=1)
        return super().forward(torch.cat([4 * lr - 2, 10 * (lr - mean)], dim=1))  # type: ignore[no-untyped-call]


class Adaptation(Method):
    """Base of both stage 1 methods. A batch holds bicubic `lr` (z) and unpaired `real_lr` (x), each (N, 3, h, w) in [0, 1].

    With `config.noise` it holds `noise` of the same shape, too, with zero mean and unit variance.
    """

    def __init__(self, config: DegradationConfig) -> None:
        super().__init__()
        self.config = config

    def optimize(self, update: str, *networks: nn.Module) -> None:
        """Register Adam for the parameters of `networks` as optimizer `update`, with the paper's learning rate."""
        parameters = itertools.chain.from_iterable(network.parameters() for network in networks)
        rate, steps = self.config.learning_rate, self.config.steps
        self.optimizers[update] = torch.optim.Adam(parameters, lr=rate, betas=self.config.betas, fused=True)
        self.learning_rates[update] = linear_decay(rate, steps // 2, steps)

    def brightness(self, noisy: Tensor, z: Tensor) -> Tensor:
        """|mean(x^) - mean(z)|_1 over 4x4 pixels [ours]. Noise and blur leave these means; a stretched contrast does not."""
        return F.avg_pool2d(noisy - z, 4).abs().mean()

    @abstractmethod
    def translate(self, lr: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Bicubic LR (N, 3, h, w) in [0, 1] -> what it would look like as real LR, in [0, 1], without gradients.

        Draws from `generator` if the config says `noise`, and raises ValueError if there is none then.
        """


class FlowAdaptation(Adaptation):
    """The flow-field adaptation, equations 1 to 5."""

    def build(self) -> None:
        config = self.config
        generator = FlowGenerator(config.width, config.blocks, config.max_flow, config.noise)
        self.networks = {"generator": generator, "discriminator": LRDiscriminator(config.width)}
        for name, network in self.networks.items():
            self.optimize(name, network)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        config, z, x = self.config, batch["lr"], batch["real_lr"]
        noisy, intermediate, flow = self.networks["generator"](z, batch.get("noise"))

        discriminator = self.networks["discriminator"]
        for _ in range(config.d_steps):
            real, fake = bce_discriminator(*self.scores(discriminator, x, noisy))
            d_terms = self.update("discriminator", {"d_real": real, "d_fake": fake})

        with frozen(discriminator) as discriminator:
            terms = {
                "g_adversarial": config.adversarial * bce_generator(discriminator(noisy)),  # eq. 2
                "g_identity": config.identity * F.l1_loss(intermediate, z),  # eq. 3
                "g_smoothness": config.smoothness * total_variation(flow),  # eq. 4
            }
            if config.brightness:
                terms["g_brightness"] = config.brightness * self.brightness(noisy, z)
            g_terms = self.update("generator", terms)
        return {**d_terms, **g_terms}

    def predict(self, z: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """x^, z~ and the flow for bicubic LR z, as `FlowGenerator` returns them, without gradients; not clamped."""
        if self.config.noise and generator is None:
            raise ValueError("generator: this adaptation draws noise; pass a torch.Generator")
        noise = torch.randn(z.shape, generator=generator).to(z) if self.config.noise else None
        with evaluating(self.inference_network("generator")) as network:
            noisy, intermediate, flow = network(z, noise)
            return noisy, intermediate, flow

    def translate(self, lr: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return self.predict(lr, generator)[0].clamp(0, 1)


class CycleAdaptation(Adaptation):
    """CycleGAN between bicubic and real LR (Zhu et al. 2017): both directions, adversarial and cycle terms.

    The adversarial loss is that of eq. 2, the identity loss of Table III that of eq. 3, on the output: |G(z) - z|_1, only in the
    direction that stage 2 uses [ours: neither is said]. So the adaptations differ in what they predict, not in these losses.
    """

    def build(self) -> None:
        size = self.config.width, self.config.blocks
        self.networks = {name: ImageGenerator(*size, self.config.cycle_residual) for name in ("to_real", "to_synthetic")}
        self.networks |= {name: LRDiscriminator(size[0]) for name in ("real_discriminator", "synthetic_discriminator")}
        self.optimize("generators", self.networks["to_real"], self.networks["to_synthetic"])
        self.optimize("discriminators", self.networks["real_discriminator"], self.networks["synthetic_discriminator"])

    def step(self, batch: Batch) -> dict[str, Tensor]:
        config, z, x = self.config, batch["lr"], batch["real_lr"]
        to_real, to_synthetic = self.networks["to_real"], self.networks["to_synthetic"]
        d_real, d_synthetic = self.networks["real_discriminator"], self.networks["synthetic_discriminator"]
        noisy, clean = to_real(z), to_synthetic(x)

        for _ in range(config.d_steps):
            real, noise = bce_discriminator(*self.scores(d_real, x, noisy))
            synthetic, cleaned = bce_discriminator(*self.scores(d_synthetic, z, clean))
            d_terms = self.update("discriminators", {"d_real": real + noise, "d_synthetic": synthetic + cleaned})

        with frozen(d_real) as d_real, frozen(d_synthetic) as d_synthetic:
            fooled = bce_generator(d_real(noisy)) + bce_generator(d_synthetic(clean))
            returned = F.l1_loss(to_synthetic(noisy), z) + F.l1_loss(to_real(clean), x)
            terms = {"g_adversarial": config.adversarial * fooled, "g_cycle": config.cycle * returned}
            terms["g_identity"] = config.identity * F.l1_loss(noisy, z)  # eq. 3
            if config.brightness:
                terms["g_brightness"] = config.brightness * (self.brightness(noisy, z) + self.brightness(clean, x))
            g_terms = self.update("generators", terms)
        return {**d_terms, **g_terms}

    def translate(self, lr: Tensor, generator: torch.Generator | None = None) -> Tensor:
        with evaluating(self.inference_network("to_real")) as network:
            return network(lr).clamp(0, 1)


@dataclass(frozen=True, eq=False)
class LearnedDegradation:
    """HR -> bicubic LR -> a trained adaptation -> 8 bit: makes the pairs of stage 2. A `Degradation`."""

    adaptation: Adaptation
    scale: int

    @property
    def name(self) -> str:
        return f"learned degradation /{self.scale}"

    def __call__(self, hr: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """(N, 3, H, W) in [0, 1] -> (N, 3, H / scale, W / scale), on hr's device; the adaptation may live on another one."""
        networks = self.adaptation.networks.values()
        device = next(next(iter(networks)).parameters()).device
        return quantize(self.adaptation.translate(Bicubic(self.scale)(hr).to(device), generator)).to(hr.device)


def zero_start(layer: nn.Conv2d) -> nn.Conv2d:
    """Set a layer's weight and bias to zero: a residual branch that ends in it adds nothing at first."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
