"""What is timed besides trainings: metrics and edges against public packages, and how long it takes to start."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from facesr_lib.image import canny, rgb_to_grey, to_uint8
from facesr_lib.metrics import frechet_distance, psnr, ssim
from facesr_lib.metrics.niqe import block_features
from facesr_tools.bench.explorers import explorer_works
from facesr_tools.bench.measure import OWN, Call, Work
from facesr_tools.trainings import faces

IMAGES, SIZE = 16, 64  # of metrics
FEATURES = (500, 256)  # images and numbers of each, of the Frechet distance


def other_works() -> Iterator[Work]:
    """Metrics, edges, start-up and explorers; packages that are not installed are left out."""
    yield Work("metric PSNR + SSIM", _psnr_and_ssim, IMAGES)
    yield Work("metric Frechet distance", _frechet)
    yield Work("metric NIQE features", _niqe, 1)
    yield Work("edges Canny", _canny, IMAGES)
    yield Work("start facesr --help", _help, clock="wall")
    yield Work("start kernel", _kernel, clock="wall")
    yield from explorer_works()


def _with_peers(own: Call, peers: dict[str, Callable[[Any], Call]]) -> dict[str, Call]:
    """The library's form and that of every installed package, which gets its version into its name."""
    forms = {OWN: own}
    for package, make in peers.items():
        try:
            forms[f"{package} {version(package)}"] = make(import_module(_MODULES.get(package, package)))
        except (PackageNotFoundError, ImportError):
            continue
    return forms


_MODULES = {
    "torchmetrics": "torchmetrics.functional.image",
    "pytorch-fid": "pytorch_fid.fid_score",
    "opencv-python-headless": "cv2",
    "kornia": "kornia.filters",
}


def _pairs() -> tuple[Tensor, Tensor]:
    hr = faces(SIZE).take(range(IMAGES))
    return (hr + 0.05 * torch.randn(hr.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1), hr


def _psnr_and_ssim() -> dict[str, Call]:
    sr, hr = _pairs()

    def torchmetrics(peer: Any) -> Call:
        each: dict[str, Any] = {"data_range": 1.0, "reduction": "none"}
        return lambda: (
            peer.peak_signal_noise_ratio(sr, hr, dim=(1, 2, 3), **each),
            peer.structural_similarity_index_measure(sr, hr, **each),
        )

    def piq(peer: Any) -> Call:
        return lambda: (peer.psnr(sr, hr, reduction="none"), peer.ssim(sr, hr, reduction="none"))

    return _with_peers(lambda: (psnr(sr, hr), ssim(sr, hr)), {"torchmetrics": torchmetrics, "piq": piq})


def _frechet() -> dict[str, Call]:
    one, other = np.random.default_rng(0).normal(size=(2, *FEATURES))

    def pytorch_fid(peer: Any) -> Call:
        def distance() -> float:
            (m1, s1), (m2, s2) = ((x.mean(0), np.cov(x, rowvar=False)) for x in (one, other))
            return float(peer.calculate_frechet_distance(m1, s1, m2, s2))

        return distance

    return _with_peers(lambda: frechet_distance(one, other), {"pytorch-fid": pytorch_fid})


def _niqe() -> dict[str, Call]:
    from skimage.data import astronaut

    plane = astronaut()[:384, :384].astype(np.float64).mean(axis=2)
    return {OWN: lambda: block_features(plane)}


def _canny() -> dict[str, Call]:
    _, hr = _pairs()

    def opencv(peer: Any) -> Call:
        return lambda: [cv2.Canny(image, 100, 200) for image in to_uint8(rgb_to_grey(hr))[:, 0].numpy()]

    def kornia(peer: Any) -> Call:
        return lambda: peer.canny(hr, 0.1, 0.2)

    return _with_peers(lambda: canny(hr, 100, 200), {"opencv-python-headless": opencv, "kornia": kornia})


def _help() -> dict[str, Call]:
    command = [sys.executable, "-c", "from facesr_tools.cli import main; main()", "--help"]
    return {OWN: lambda: subprocess.run(command, check=True, capture_output=True)}


def _kernel() -> dict[str, Call]:
    """Until a kernel has imported what a notebook imports."""
    from jupyter_client.manager import start_new_kernel

    def start() -> None:
        manager, client = start_new_kernel(stderr=subprocess.DEVNULL)
        try:
            client.execute_interactive("from facesr_lib.evaluate import Run", silent=True, store_history=False)
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)

    return {OWN: start}
