"""LPIPS: how different two images look to a network that learned to see (Zhang et al., CVPR 2018)."""

import warnings
from importlib.resources import as_file, files
from typing import Literal

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from facesr_lib.image import to_float, to_uint8
from facesr_lib.image.check import check_pair, check_some
from facesr_lib.metrics.metric import Metric
from facesr_lib.metrics.precise import full_precision
from facesr_lib.metrics.weights import WeightsMissing, find, require

Backend = Literal["alex", "vgg", "hed-vgg"]

# Backend -> (label in tables, the `lpips` package's network, entry of the weights table, least height and width).
_BACKENDS = {
    "alex": ("LPIPS (alex)", "alex", "alexnet", 31),
    "vgg": ("LPIPS (vgg)", "vgg", "vgg16", 16),
    "hed-vgg": ("LPIPS (HED-VGG)", "vgg", "hed-vgg", 16),
}


class Lpips:
    """One LPIPS network on one device, made by `lpips_metric`. metric: its record, whose label names the backend."""

    def __init__(self, backend: Backend, device: torch.device | str = "cpu") -> None:
        label, network, weights, self._smallest = _BACKENDS[backend]
        key, convention = f"lpips_{backend.replace('-', '_')}", "lpips 0.1, RGB, 8-bit, no crop"
        self.metric = Metric(key, label, self.__call__, "LPIPS", convention, higher_is_better=False)
        path = require(weights)
        trunk = load_file(path) if backend == "hed-vgg" else torch.load(path, "cpu", weights_only=True)
        self._device = torch.device(device)
        self._network = _build(network, trunk).to(self._device)

    def __call__(self, sr: Tensor, hr: Tensor) -> Tensor:
        """LPIPS of each pair, 0 for identical images, lower is better: two RGB (N, 3, H, W) in [0, 1] -> (N,) float64.

        Both are rounded to 8 bit first. No gradient. Raises ValueError for different shapes, NaN, or images too small.
        """
        self._check(sr, hr, scored=True)
        scores = torch.empty(len(sr), dtype=torch.float64)
        with full_precision(self._device):
            # One pair at a time: a score cannot depend on its batch, and memory does not grow with it.
            for i in range(len(sr)):
                a, b = (2 * to_float(to_uint8(x[i : i + 1])).to(self._device) - 1 for x in (sr, hr))
                scores[i] = self._network(a, b).double().sum().cpu()
        return scores.to(sr.device)

    def loss(self, sr: Tensor, hr: Tensor) -> Tensor:
        """The same distance to learn from, mean over the pairs: two RGB (N, 3, H, W) in [0, 1] -> scalar. Differentiable.

        Not rounded to 8 bit, since rounding has no gradient, so it differs a little from the score. SR may leave [0, 1].
        Raises ValueError for different shapes, no pair, or images too small.
        """
        self._check(check_some(sr, "sr"), hr, scored=False)
        a, b = (2 * x.to(self._device) - 1 for x in (sr, hr))
        distance: Tensor = self._network(a, b).mean()
        return distance.to(sr.device)

    def _check(self, sr: Tensor, hr: Tensor, *, scored: bool) -> None:
        check_pair(sr, hr, scored=scored)
        if min(sr.shape[2:]) < (n := self._smallest):
            raise ValueError(f"sr: {self.metric.label} needs at least {n} x {n} pixels, got {tuple(sr.shape[2:])}")


def lpips_metric(backend: Backend | Literal["auto"] = "auto", device: torch.device | str = "cpu") -> Lpips:
    """The LPIPS metric of a backend, ready on `device`; "auto" takes the official alex if its weights are here, else hed-vgg.

    alex: the official metric, and the net that papers report.  vgg: official too.
    hed-vgg: a substitute for machines that cannot reach the hosts of the weights. VGG16 convolutions as HED (Xie and Tu, ICCV
    2015) fine-tuned them from ImageNet, under the official linear heads for VGG; near LPIPS (vgg), but not equal to it.
    Raises WeightsMissing, with the command to run, when the weights are not on this machine; nothing is downloaded.
    """
    if backend == "auto":
        for choice in ("alex", "hed-vgg"):
            if find(_BACKENDS[choice][2]) is not None:
                return Lpips(choice, device)
        raise WeightsMissing("LPIPS: no weights are here; run: facesr weights fetch alexnet (or hed-vgg, the substitute)")
    if backend not in _BACKENDS:
        raise ValueError(f"unknown LPIPS backend {backend!r}: choose auto, {', '.join(_BACKENDS)}")
    return Lpips(backend, device)


def _build(network: str, trunk: dict[str, Tensor]) -> nn.Module:
    """The `lpips` package's network with its own linear heads over a trunk {"features.0.weight": ...} of torchvision's names."""
    from lpips import LPIPS

    with torch.device("meta"), warnings.catch_warnings():
        # On the meta device nothing is drawn or allocated: no random number is used up, nor half a gigabyte of memory. The
        # package asks torchvision for an untrained trunk by an old spelling, which torchvision warns of.
        warnings.simplefilter("ignore")
        model = LPIPS(net=network, pretrained=False, pnet_rand=True, verbose=False)
    with as_file(files("lpips") / "weights" / "v0.1" / f"{network}.pth") as path:
        state = dict(torch.load(path, "cpu", weights_only=True))
    for name in model.state_dict():
        if name.startswith("net."):  # net.slice1.0.weight is the trunk's features.0.weight
            state[name] = trunk["features." + name.split(".", 2)[2]]
        elif name.startswith("lins."):  # the same heads again: lins.0 is lin0
            state[name] = state["lin" + name.removeprefix("lins.")]
        elif name.startswith("scaling_layer."):
            state[name] = model.state_dict()[name]
    model.load_state_dict(state, assign=True)
    return model.eval().requires_grad_(False)
