"""Set-level scores: features of whole image sets by a network, and FID and KID between them."""

import hashlib
import io
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import fuse_conv_bn_eval

from facesr_lib.data.images import ImageSet
from facesr_lib.files import write_atomically
from facesr_lib.image import to_uint8
from facesr_lib.image.check import check_values
from facesr_lib.metrics.frechet import Features, frechet_distance, kernel_distance
from facesr_lib.metrics.metric import Metric
from facesr_lib.metrics.precise import full_precision
from facesr_lib.metrics.weights import WeightsMissing, find, require

_BLOCK = 16  # images that go through the network together


class Extractor(nn.Module):
    """Turns 8-bit images into `dim` numbers each: uint8 RGB (n, 3, H, W) on its device -> float32 (n, dim).

    fid, kid: the records of the two distances between sets of its features, see `set_metrics`; their convention says how
    the images enter.  version: changes whenever the features would, for caches.
    """

    fid: Metric
    kid: Metric
    version: str
    dim: int


def set_metrics(network: str, convention: str, *, official: bool = False) -> tuple[Metric, Metric]:
    """The records of Frechet distance and kernel distance (times 1000) of a network's features; lower is better.

    official: for the features of the published FID; the Frechet distance of others is called FD.
    """
    name, key = "FID" if official else "FD", network.lower()
    fid = Metric(f"{name.lower()}_{key}", f"{name} ({network})", frechet_distance, "FID", convention)
    kid = Metric(f"kid_{key}", f"KID ({network}) x1000", lambda a, b: 1000 * kernel_distance(a, b), "KID", convention)
    return replace(fid, higher_is_better=False), replace(kid, higher_is_better=False)


class InceptionFeatures(Extractor):
    """The official features of FID and KID: 2048 pooled ones of Inception 2015-12-05, resized and computed by torch-fidelity.

    Raises WeightsMissing, with the command to run, when the weights are not on this machine.
    """

    fid, kid = set_metrics("Inception", "torch-fidelity, 299 px TensorFlow bilinear, pool3", official=True)
    version, dim = "inception-2015-12-05-6726825d", 2048

    def __init__(self) -> None:
        path = require("inception")
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

        super().__init__()
        torch.load(path, "cpu", weights_only=True)  # torch-fidelity unpickles: first see that the file holds tensors only
        self.network = FeatureExtractorInceptionV3("inception", ["2048"], feature_extractor_weights_path=str(path))

    def forward(self, levels: Tensor) -> Tensor:
        return self.network(levels)[0]


class MobileNetFeatures(Extractor):
    """A named substitute where Inception cannot be had: 1280 pooled features of torchvision's MobileNetV2 (ImageNet V1 weights).

    The image is resized to 224x224 (bilinear, antialiased when it shrinks) and normalised with ImageNet's mean and standard
    deviation. Its distances have another scale than FID: compare them only with each other.
    Raises WeightsMissing, with the command to run, when the weights are not on this machine.
    """

    convention = "torchvision mobilenet_v2, 224 px antialiased bilinear, ImageNet normalisation, average pool"
    fid, kid = set_metrics("MobileNetV2", convention)
    version, dim = "mobilenet_v2-b0353104", 1280

    def __init__(self) -> None:
        state = torch.load(require("mobilenet-v2"), "cpu", weights_only=True)
        from torchvision.models import mobilenet_v2

        with torch.device("meta"):  # nothing is drawn: a score must not use up random numbers
            network = mobilenet_v2(weights=None)
        network.load_state_dict(state, assign=True)
        super().__init__()
        self.network = _quicker(network.features.eval().requires_grad_(False))

    def forward(self, levels: Tensor) -> Tensor:
        x = F.interpolate(levels.float() / 255, size=(224, 224), mode="bilinear", align_corners=False, antialias=True)
        mean, std = (x.new_tensor(of_imagenet)[:, None, None] for of_imagenet in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
        return self.network((x - mean) / std).mean(dim=(2, 3))


def _quicker(network: nn.Module) -> nn.Module:
    """The same up to rounding, in less than half the time on a CPU: channels last, batch norms folded into convolutions."""
    for block in network.modules():
        layers = list(block.named_children()) if isinstance(block, nn.Sequential) else []
        for (name, layer), (after, norm) in itertools.pairwise(layers):
            if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(block, name, fuse_conv_bn_eval(layer, norm))
                setattr(block, after, nn.Identity())
    return network.to(memory_format=torch.channels_last)


def make_extractor(backend: Literal["auto", "inception", "mobilenet-v2"] = "auto") -> Extractor:
    """The extractor of a backend; "auto" takes Inception if its weights are here, else MobileNetV2.

    Raises WeightsMissing, with the command to run, when the weights are not on this machine; nothing is downloaded.
    """
    if backend == "inception" or (backend == "auto" and find("inception")):
        return InceptionFeatures()
    if backend == "mobilenet-v2" or (backend == "auto" and find("mobilenet-v2")):
        return MobileNetFeatures()
    if backend != "auto":
        raise ValueError(f"unknown backend {backend!r}: choose auto, inception or mobilenet-v2")
    raise WeightsMissing("FID: no weights are here; run: facesr weights fetch inception (or mobilenet-v2, the substitute)")


def features(extractor: Extractor, batches: Iterable[Tensor], device: torch.device | str = "cpu") -> Features:
    """Features (N, extractor.dim), float64, of all images of a stream of RGB batches (n, 3, H, W) in [0, 1], in order.

    Images are rounded to 8 bit and regrouped into blocks of one size, so that the caller's batch size changes nothing.
    One batch and one block are in memory at a time. Of SR: `features(extractor, (sr(batch["lr"]) for batch in batches))`.
    Raises ValueError when there is no image or one holds NaN or infinity; TypeError or ValueError for other shapes.
    """
    extractor = extractor.to(device)
    found = []
    for block in _blocks(batches):
        with full_precision(device):  # closed while the stream makes its next batch
            found.append(extractor(block.to(device)).double().cpu().numpy())
    if not found:
        raise ValueError("there is nothing to score: no image came")
    return np.concatenate(found)


def image_set_features(extractor: Extractor, images: ImageSet, folder: Path, device: torch.device | str = "cpu") -> Features:
    """`features` of an image set, kept in `folder` as a .npy file under the extractor's version and the set's checksum."""
    key = hashlib.sha256(f"{extractor.version} {images.checksum} {images.pixels.shape}".encode()).hexdigest()
    path = folder / f"{extractor.version}-{key[:24]}.npy"
    try:
        kept = np.load(path, allow_pickle=False)
        if kept.shape == (len(images), extractor.dim) and kept.dtype == np.float64:
            return np.asarray(kept)
    except (OSError, ValueError, EOFError):  # none yet, or a damaged one: computed again
        pass
    batches = (images.take(range(start, min(start + _BLOCK, len(images)))) for start in range(0, len(images), _BLOCK))
    found = features(extractor, batches, device)
    content = io.BytesIO()
    np.save(content, found, allow_pickle=False)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content.getvalue())
    return found


def set_scores(sr_features: Features, hr_features: Features, extractor: Extractor) -> dict[Metric, float]:
    """Both distances of two feature sets. FID depends on the number of images, so the convention states it; warns if N < D."""
    sizes = f"{len(sr_features)} SR vs {len(hr_features)} HR images, 8-bit RGB"
    metrics = [replace(metric, convention=f"{sizes}, {metric.convention}") for metric in (extractor.fid, extractor.kid)]
    return {metric: metric(sr_features, hr_features) for metric in metrics}


def _blocks(batches: Iterable[Tensor]) -> Iterator[Tensor]:
    """The images of a stream as uint8 blocks of _BLOCK; the last may be smaller, and so may one before a new image size."""
    for _, alike in itertools.groupby(_levels(batches), key=lambda image: image.shape):
        while block := list(itertools.islice(alike, _BLOCK)):
            yield torch.stack(block)


def _levels(batches: Iterable[Tensor]) -> Iterator[Tensor]:
    """The images of a stream one by one, uint8 (3, H, W)."""
    for batch in batches:
        check_values(batch, "batch")
        yield from to_uint8(batch)
