"""What a paper's method is to the Trainer: named networks, their optimizers, and one training step."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from facesr_lib.training.schedules import Schedule

Batch = Mapping[str, Tensor]


class Method(ABC):
    """What the Trainer trains. Subclasses fill the dictionaries in `build()` and write `step`.

    networks: all that are trained, by name; averages: exponential moving ones of some, which `inference_network` prefers.
    optimizers, learning_rates: by the name of the update they serve ("generator", "discriminator", ...).
    config: the dataclass that decides what is built; checkpoints keep it, so that the networks can be built again from it.
    grows: whether some parameters get no gradient in some steps, as in a network that grows.
    accelerator: set by the Trainer, which knows the device, the precision and the number of processes.

    A method works on its own: `method.build(); method.step(batch)` trains on the CPU in float32.
    """

    config: Any = None
    grows = False

    def __init__(self) -> None:
        self.networks: dict[str, nn.Module] = {}
        self.optimizers: dict[str, torch.optim.Optimizer] = {}
        self.learning_rates: dict[str, Schedule] = {}
        self.averages: dict[str, AveragedModel] = {}
        self.accelerator: Accelerator | None = None

    @abstractmethod
    def build(self) -> None:
        """Create networks, optimizers, learning rates and averages; initial weights come from torch's global generator."""

    @abstractmethod
    def step(self, batch: Batch) -> dict[str, Tensor]:
        """One training step: forward, `self.update(...)` once per optimizer, and the loss terms for the log (scalars)."""

    def begin_step(self, step: int) -> None:  # noqa: B027  most methods do not change during training
        """Called before each step with its number, counted from 0: the place for growing networks and fading terms in."""

    def update(self, name: str, terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Step optimizer `name` down the gradient of the sum of `terms`; return the terms, detached, for the log.

        The terms must already carry their weights: what is summed is what the paper's objective sums.
        Raises ValueError for a term that is no scalar, and KeyError for a name without optimizer.
        """
        for term, value in terms.items():
            if value.ndim:
                raise ValueError(f"loss term {term!r} has shape {tuple(value.shape)}; take its mean or sum first")
        loss = torch.stack(list(terms.values())).sum()

        self.optimizers[name].zero_grad()
        self.backward(loss)
        self.optimizers[name].step()
        return {term: value.detach() for term, value in terms.items()}

    def scores(self, discriminator: nn.Module, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of real images and of generated ones, these without gradient, in one pass: only without batch norm."""
        on_real, on_fake = discriminator(torch.cat([real, fake.detach()])).split([len(real), len(fake)])
        return on_real, on_fake

    def backward(self, loss: Tensor) -> None:
        """`loss.backward()`; with mixed precision or several processes, the accelerator's."""
        if self.accelerator is None:
            loss.backward()
        else:
            self.accelerator.backward(loss)

    def average(self, name: str, decay: float) -> None:
        """Keep an exponential moving average of network `name` (decay per step, in [0, 1)); call it in `build()`."""
        if not 0 <= decay < 1:
            raise ValueError(f"the decay of an average lies in [0, 1), got {decay}")
        average = AveragedModel(self.networks[name], multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
        self.averages[name] = average.requires_grad_(False)

    def inference_network(self, name: str) -> nn.Module:
        """The network to evaluate: its average where one is kept, else the trained network itself, unwrapped."""
        return self.averages[name].module if name in self.averages else unwrap(self.networks[name])


class SuperResolver(Method):
    """A method whose result enlarges images. What only prepares a training, such as a learned degradation, is a plain Method."""

    @abstractmethod
    def super_resolve(self, lr: Tensor) -> Tensor:
        """(N, 3, h, w) LR in [0, 1] -> (N, 3, h * scale, w * scale) SR in [0, 1], without gradients, on lr's device."""


def unwrap(network: nn.Module) -> nn.Module:
    """The module inside a DistributedDataParallel wrapper, or the module itself."""
    return network.module if isinstance(network, nn.parallel.DistributedDataParallel) else network


@contextmanager
def frozen(network: nn.Module) -> Iterator[nn.Module]:
    """Use a network inside another one's loss: gradients flow through it, none are stored in its parameters.

    Yields the unwrapped network, because a distributed wrapper expects every forward to end in its own gradients.
    """
    inner = unwrap(network)
    trained = [parameter for parameter in inner.parameters() if parameter.requires_grad]
    for parameter in trained:
        parameter.requires_grad_(False)
    try:
        yield inner
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)


@contextmanager
def evaluating(network: nn.Module) -> Iterator[nn.Module]:
    """Switch a network to evaluation mode without gradients, and put every submodule's mode back afterwards."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        with torch.no_grad():
            yield network
    finally:
        for module, training in modes:
            module.training = training
