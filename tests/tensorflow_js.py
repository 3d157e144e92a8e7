"""TensorFlow.js's weight format, written by hand: what face-api ships."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np


def write_model(folder: Path, model: str, tensors: dict[str, np.ndarray], shards: int = 2) -> None:
    """A model in TensorFlow.js's format: uint8 tensors quantised to levels, float32 ones as they are, cut into shards."""
    entries, content = [], b""
    for name, values in tensors.items():
        entry: dict[str, object] = {"name": name, "shape": list(values.shape), "dtype": "float32"}
        if values.dtype == np.uint8:
            entry["quantization"] = {"dtype": "uint8", "scale": 1 / 256, "min": -0.5}
        entries.append(entry)
        content += values.tobytes()
    cuts = [round(i * len(content) / shards) for i in range(shards + 1)]  # a shard may end inside a tensor
    paths = [f"{model}-shard{i}" for i in range(shards)]
    for path, (start, end) in zip(paths, pairwise(cuts), strict=True):
        (folder / path).write_bytes(content[start:end])
    manifest = [{"weights": entries, "paths": paths}]
    (folder / f"{model}-weights_manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
