"""A super-resolver, with the rule that makes its LR, as one ONNX graph: a browser then computes what Python computes."""

from __future__ import annotations

import inspect
import io
import warnings
from collections.abc import Callable
from typing import Any
from unittest import mock

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx

from facesr_lib.image import resize_bicubic
from facesr_tools.demo.networks import DemoNetwork

OPSET = 18  # the first in which a scatter can take minima, which Canny's connected components need
OUTPUTS = ("lr", "bicubic", "sr")
_ATEN = torch.ops.aten


def outputs(network: DemoNetwork, hr: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """HR (1, 3, size, size) in [0, 1], in 8 bit -> LR as the network's notebook makes it, its bicubic enlargement, and SR."""
    lr = network.degradation(hr)
    return lr, resize_bicubic(lr, network.degradation.scale).clamp(0, 1), network.enlarge(lr)


def to_onnx(network: DemoNetwork) -> bytes:
    """An ONNX file of `outputs`: input "hr", outputs OUTPUTS, all float32 and of fixed size. Needs the package onnx.

    torch's first exporter writes it, which every version from 2.4 on has, and which needs no further package. It cannot follow
    sizes through Python, as in the matrices of `resize_bicubic`. So torch.fx records the operators first, with plain numbers.
    """
    hr = torch.rand(1, 3, network.size, network.size)
    options = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    file = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # it announces its age
        graph = _recorded(network, hr)
        torch.onnx.export(
            graph, (hr,), file, input_names=["hr"], output_names=list(OUTPUTS), opset_version=OPSET, **options  # type: ignore[arg-type]
        )  # fmt: skip
    return file.getvalue()


def _recorded(network: DemoNetwork, hr: Tensor) -> nn.Module:
    """`outputs` as a graph of torch's operators, those that ONNX lacks written in others."""
    size, small = network.size, network.size // network.degradation.scale
    shrink = F.interpolate(torch.eye(size)[None, None], (small, size), mode="bilinear", antialias=True)[0, 0]
    written: dict[Any, Callable[..., Tensor]] = {
        _ATEN._prelu_kernel.default: lambda x, slope: torch.where(x > 0, x, slope * x),
        _ATEN.roll.default: lambda x, shifts, dims=(): torch.cat([x[-shifts[0] :], x[: -shifts[0]]]),  # of flat tensors
        _ATEN._upsample_bilinear2d_aa.vec: lambda x, *_: shrink @ x @ shrink.T,  # of `BlurResize`
    }
    # On a CPU, Canny asks whether its edges are complete. A graph cannot stop early: it takes the rounds that always suffice, as
    # on a GPU, with the same result.
    with mock.patch.object(torch, "equal", return_value=False):
        graph: GraphModule = make_fx(lambda x: outputs(network, x), decomposition_table=written, pre_dispatch=True)(hr)
    for node in list(graph.graph.nodes):
        if node.target is _ATEN.lift_fresh_copy.default:  # a constant
            node.replace_all_uses_with(node.args[0])
            graph.graph.erase_node(node)
    graph.recompile()
    return graph
