"""The demo's folder: the page, the networks as ONNX, a sample picture, and onnxruntime-web, which runs them in a browser."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable, Sequence
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from PIL import Image

from facesr_lib.data.samples import CREDIT, astronaut_face
from facesr_lib.image import to_uint8
from facesr_lib.metrics.weights import WeightFile, Weights
from facesr_tools.demo.export import to_onnx
from facesr_tools.demo.networks import DemoNetwork
from facesr_tools.weights import FetchFailed, obtain

LIST = "networks.json"
SAMPLE = "sample.png"
FACE = {"x": 62, "y": 22, "side": 140}  # where the sample's face lies, cut as tightly as the packaged faces
RUNTIME = Weights(  # the form for processors only: no threads are used, so that any server can deliver the page
    "onnxruntime-web", "", "", "MIT (Microsoft)", "npm: onnxruntime-web@1.30.0",
    tuple(
        WeightFile(name, size, sha256, f"package/dist/{name}")
        for name, size, sha256 in (
            ("ort.wasm.min.mjs", 50_126, "219e6a1fc8a9938268d18efca3c91d310bd2f4a59bbd13744df5b2b7fc6cee3b"),
            ("ort-wasm-simd-threaded.mjs", 24_381, "e13f7f94fc51b4ca72b12faeb1ee95f4ace6dfbc8939bc718aabdc0a27c4299b"),
            ("ort-wasm-simd-threaded.wasm", 14_239_897, "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2"),
        )
    ),
)  # fmt: skip


class DemoError(RuntimeError):
    """The demo cannot be made; the message says why and what to do."""


def check_demo_tools() -> None:
    """Raise DemoError if the package that writes ONNX is missing, or onnxruntime-web is not here and cannot be fetched."""
    if importlib.util.find_spec("onnx") is None:
        raise DemoError("onnx: not installed; pip install 'facesr[demo]'")
    try:
        obtain(RUNTIME, then="facesr demo")
    except FetchFailed as error:
        raise DemoError(str(error)) from error


def write_demo(folder: Path, networks: Sequence[DemoNetwork], say: Callable[[str], None] = print) -> Path:
    """Write the demo of one network or more into `folder`, new, empty, or an earlier demo; return its page. say: takes progress.

    Raises DemoError for a folder that holds something else, and as `check_demo_tools`.
    """
    if folder.is_dir() and any(folder.iterdir()) and not (folder / LIST).is_file():
        raise DemoError(f"{folder} holds other files: name a new or an empty folder")
    check_demo_tools()
    (folder / "runtime").mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.onnx"):
        old.unlink()
    with as_file(files("facesr_tools.demo") / "page") as page:
        shutil.copytree(page, folder, dirs_exist_ok=True)
    for file in RUNTIME.files:
        shutil.copyfile(RUNTIME.folder / file.name, folder / "runtime" / file.name)
    pixels = to_uint8(astronaut_face(256))[0].permute(1, 2, 0).numpy()
    Image.fromarray(np.ascontiguousarray(pixels)).save(folder / SAMPLE)
    listed = [_write_network(folder, network, say) for network in networks]
    facts = {
        "networks": listed,
        "sample": {"file": SAMPLE, "credit": CREDIT, "square": FACE},
        "runtime": RUNTIME.source.removeprefix("npm: "),
    }
    (folder / LIST).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return folder / "index.html"


def _write_network(folder: Path, network: DemoNetwork, say: Callable[[str], None]) -> dict[str, str | int]:
    file, key = f"{network.paper.key}.onnx", network.paper.key
    content = to_onnx(network)
    (folder / file).write_bytes(content)
    scale = network.degradation.scale
    say(f"{network.paper.name}: x{scale}, {network.about} ({len(content) / 1e6:.1f} MB)")
    return {
        "key": key, "paper": network.paper.name, "label": network.label, "about": network.about, "file": file,
        "size": network.size, "scale": scale, "degradation": network.degradation.name,
    }  # fmt: skip
