"""Weights of other frameworks, converted: the reader against what was written, the results against outside readers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tensorflow_js import write_model

from facesr_tools.convert import HED_VGG, hed_vgg_trunk, read_weights


def test_levels_and_floats_are_read_back(tmp_path: Path) -> None:
    levels = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    floats = np.array([1.5, -2.25, 1e-9], np.float32)
    for shards in (1, 3):
        write_model(tmp_path, "model", {"a/levels": levels, "b": floats, "last": levels[0, :1]}, shards)
        found = read_weights(tmp_path, "model")
        assert list(found) == ["a/levels", "b", "last"]
        assert {values.dtype for values in found.values()} == {torch.float64}
        np.testing.assert_array_equal(found["a/levels"], levels / 256 - 0.5)
        np.testing.assert_array_equal(found["b"], floats.astype(np.float64))
        np.testing.assert_array_equal(found["last"], levels[0, :1] / 256 - 0.5)


def test_damaged_weight_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"model-weights_manifest\.json is missing: facesr weights fetch face-api"):
        read_weights(tmp_path, "model")
    write_model(tmp_path, "model", {"a": np.zeros(8, np.uint8)}, shards=1)
    manifest, shard = tmp_path / "model-weights_manifest.json", tmp_path / "model-shard0"
    shard.write_bytes(bytes(7))
    with pytest.raises(ValueError, match="model-shard0 is too short for 'a'"):
        read_weights(tmp_path, "model")
    shard.write_bytes(bytes(10))
    with pytest.raises(ValueError, match="model-shard0 has 2 bytes too many"):
        read_weights(tmp_path, "model")
    shard.unlink()
    with pytest.raises(FileNotFoundError, match="model-shard0 is missing"):
        read_weights(tmp_path, "model")
    manifest.write_text(manifest.read_text().replace("model-shard0", "../model-shard0"))
    with pytest.raises(ValueError, match="is not the name of a file beside it"):
        read_weights(tmp_path, "model")
    for text in ("{", "[1]", '[{"paths": []}]'):
        manifest.write_text(text)
        with pytest.raises(ValueError, match=r"manifest\.json is not a TensorFlow\.js weights manifest"):
            read_weights(tmp_path, "model")


def test_other_number_types_are_refused(tmp_path: Path) -> None:
    write_model(tmp_path, "model", {"a": np.zeros(8, np.uint8)})
    manifest = tmp_path / "model-weights_manifest.json"
    manifest.write_text(manifest.read_text().replace('"uint8"', '"uint16"'))
    with pytest.raises(ValueError, match="'a': only float32 and 8-bit weights can be read"):
        read_weights(tmp_path, "model")


def test_the_substitutes_convolutions_are_those_an_hdf5_reader_finds(need: Callable[[str], Path]) -> None:
    """SHA-256, computed once with h5py, over kernels and biases in order, without the first kernel, which is changed."""
    kept = load_file(need("hed-vgg"))
    names = [f"features.{layer}.{kind}" for layer, *_ in HED_VGG for kind in ("weight", "bias")]
    assert sorted(kept) == sorted(names)
    digest = hashlib.sha256()
    for value in (kept[name] for name in names[1:]):
        content = value.permute(2, 3, 1, 0) if value.ndim == 4 else value
        digest.update(np.ascontiguousarray(content.numpy(), dtype="<f4").tobytes())
    assert digest.hexdigest() == "76da17ae0acf90b30144a0a0e852e3cb3172872cc50e9e8d01d7d033b753e937"


def test_the_substitutes_first_layer_takes_normalised_rgb(tmp_path: Path) -> None:
    """A picture through a made-up first layer, as the file's authors feed it (BGR, 0 to 255, minus mean) and as we do."""
    generator = torch.Generator().manual_seed(0)
    kernel, rgb = torch.randn(3, 3, 3, 64, generator=generator), torch.rand(1, 3, 12, 12, generator=generator)
    file = tmp_path / "weights.h5"
    with open(file, "wb") as h5:
        h5.truncate(58_945_960)  # a hole costs no space
        h5.seek(10_992)
        h5.write(kernel.numpy().tobytes())
    mean, std = (torch.tensor(v)[:, None, None] for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    theirs = torch.nn.functional.conv2d((255 * (rgb - mean)).flip(1), kernel.permute(3, 2, 0, 1))
    ours = torch.nn.functional.conv2d((rgb - mean) / std, hed_vgg_trunk(file)["features.0.weight"])
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-3)
