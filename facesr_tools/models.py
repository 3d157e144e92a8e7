"""Every network of every paper: parameters, FLOPs, input and output size."""

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from facesr_lib.papers import PAPERS

Shape = tuple[int, ...]


@dataclass(frozen=True)
class NetworkFacts:
    """The size of one network; shapes without the batch axis."""

    paper: str
    network: str
    parameters: int
    flops: int  # of one forward pass of one image; a multiply-add counts as 2, elementwise operations as 0
    input: Shape
    outputs: tuple[Shape, ...]


def describe_papers(preset: str, packages: Mapping[str, ModuleType] | None = None) -> list[NetworkFacts]:
    """Size and cost of every network at `preset`. packages: modules to describe in place of the four papers', by name.

    Each module offers `networks(config) -> dict[str, tuple[nn.Module, input shape without batch]]`. They are built without memory
    on torch's meta device where that works, else on the CPU. Raises RuntimeError, naming the module, if both fail.
    """
    found: list[NetworkFacts] = []
    for name, module in (packages or {paper.key: paper.package for paper in PAPERS}).items():
        config = module.Config.preset(preset)
        try:
            found += list(_describe(name, module, config, "meta"))
        except Exception:  # an operator without a meta kernel, a constant that lives on the CPU
            try:
                found += list(_describe(name, module, config, "cpu"))
            except Exception as error:
                raise RuntimeError(f"{module.__name__}, preset {preset!r}: {error}") from error
    return found


def count(network: nn.Module, shape: Shape, device: str = "cpu") -> tuple[int, int, tuple[Shape, ...]]:
    """Parameters, FLOPs and output shapes (without batch) of `network` for one input of `shape` (without batch).

    Shared parameters count once; frozen ones are included. FLOPs are those of torch's FlopCounterMode: matrix products,
    convolutions and attention, 2 per multiply-add. Leaves the network in evaluation mode.
    """
    network.eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        output: Any = network(torch.zeros(1, *shape, device=device))
    shapes = tuple(tuple(leaf.shape[1:]) for leaf in tree_leaves(output) if isinstance(leaf, Tensor))
    return sum(p.numel() for p in network.parameters()), counter.get_total_flops(), shapes


def _describe(paper: str, module: ModuleType, config: Any, device: str) -> Iterator[NetworkFacts]:
    with torch.device("meta") if device == "meta" else nullcontext():
        networks: dict[str, tuple[nn.Module, Shape]] = module.networks(config)
    for name, (network, shape) in networks.items():
        parameters, flops, outputs = count(network, shape, device)
        yield NetworkFacts(paper, name, parameters, flops, tuple(shape), outputs)
