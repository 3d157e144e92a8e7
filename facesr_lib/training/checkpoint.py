"""Checkpoints that survive a kill at any moment.

A checkpoint is a folder `step-00000200/` with `weights.safetensors` (every network and average), `state.pt` (optimizers and
random-number generators, readable with weights_only=True) and `checkpoint.json` (step, run identity, method and config, SHA-256
of both). It is written under a temporary name, synced and renamed. A damaged one is named in a warning, the one before it used.
"""

import hashlib
import io
import json
import math
import os
import warnings
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from facesr_lib.config import plain
from facesr_lib.files import file_digest, remove, sync_folder, write_atomically, writing
from facesr_lib.training.method import Method, unwrap

FORMAT = 1


class WrongRun(ValueError):
    """A checkpoint belongs to a run with another configuration or other data."""


def save_checkpoint(folder: Path, method: Method, step: int, identity: str, *, keep: int = 2) -> Path:
    """Write the state after `step` finished steps into `folder` and delete all but the newest `keep` checkpoints up to it.

    Later ones, which loading has passed over, stay until this run comes to their step.
    identity: a hash of what makes this run itself (config, data, seed); loading refuses any other.
    """
    final = folder / f"step-{step:08d}"
    temporary = folder / f".{final.name}.{os.getpid()}.tmp"
    optimizers = {name: optimizer.state_dict() for name, optimizer in method.optimizers.items()}
    # Only torch's generators: batches draw from their own, keyed by (seed, step), and nothing else may draw during training.
    rng = {"cpu": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []}
    torch.save({"optimizers": optimizers, "rng": rng}, state := io.BytesIO())
    # In memory first: of a full disk, Python says what it is, and the libraries say that a position is unexpected.
    files = {"weights.safetensors": save(_weights(method)), "state.pt": state.getvalue()}
    sha256 = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    # Method and config are for whoever finds the checkpoint without the run: they say which network the weights are of.
    made_by = {"method": type(method).__name__, "config": plain(method.config)}
    facts = {"format": FORMAT, "step": step, "identity": identity, **made_by, "sha256": sha256}
    files["checkpoint.json"] = json.dumps(facts, indent=2).encode()
    with writing(folder, sum(map(len, files.values()))):
        remove(temporary)
        temporary.mkdir(parents=True)
        try:
            for name, content in files.items():
                write_atomically(temporary / name, content)
        except BaseException:
            remove(temporary)
            raise
    remove(final)  # a damaged one of the same step that loading passed over
    temporary.rename(final)
    sync_folder(folder)
    prune(folder, step, keep)
    for leftover in folder.glob(".step-*.tmp"):  # of a process killed while writing
        remove(leftover)
    return final


def checkpoints(folder: Path) -> list[Path]:
    """All checkpoints in `folder`, oldest first; none if it does not exist."""
    return sorted(folder.glob("step-" + "[0-9]" * 8))


def prune(folder: Path, step: int, keep: int) -> None:
    """Delete all but the newest `keep` checkpoints up to `step`: what `save_checkpoint` does, unless a kill comes before."""
    for old in [path for path in checkpoints(folder) if path.name <= f"step-{step:08d}"][:-keep]:
        remove(old)


def load_latest(folder: Path, method: Method, identity: str, reach: float = math.inf) -> int:
    """Restore the newest whole checkpoint into a built method and return its number of finished steps; 0 if there is none.

    reach: the step up to which everything else that the run has left is whole; later checkpoints are passed over.
    Warns for each that is damaged or passed over. Raises WrongRun if the checkpoint was written by a run of another identity.
    """
    for path in reversed(checkpoints(folder)):
        try:
            if int(path.name[5:]) > reach:
                raise ValueError(f"the logs beside it are whole up to step {reach} only")
            facts, weights = read_facts(path), load_file(path / "weights.safetensors")
            state = torch.load(path / "state.pt", map_location="cpu", weights_only=True)
        except (OSError, ValueError, KeyError, SafetensorError, RuntimeError, UnpicklingError) as error:
            warnings.warn(f"checkpoint {path} is damaged, or what belongs to it: {error}; trying the one before it", stacklevel=2)
            continue
        if facts.get("identity") != identity:
            raise WrongRun(
                f"{path} belongs to a run with another configuration, seed or data set (this run is {identity}): "
                f"train into another folder, or delete {folder} to start again"
            )
        _restore(method, weights, state)
        return int(facts["step"])
    return 0


def load_weights(path: Path, method: Method) -> None:
    """Load only networks and averages from a checkpoint folder or a weights.safetensors file into a built method."""
    _restore_weights(method, load_file(path / "weights.safetensors" if path.is_dir() else path))


def read_facts(path: Path) -> dict[str, Any]:
    """A checkpoint's `checkpoint.json`, after comparing its files with their checksums.

    "method" is the class's name, "config" its config as plain data; checkpoints of earlier versions have neither.
    Raises OSError, ValueError or KeyError for a folder that is no whole checkpoint.
    """
    facts: dict[str, Any] = json.loads((path / "checkpoint.json").read_text())
    if not isinstance(facts, dict) or facts["format"] != FORMAT or not isinstance(facts["step"], int):
        raise ValueError(f"checkpoint.json is none of format {FORMAT}, which this version reads")
    if facts["sha256"] != {name: file_digest(path / name) for name in ("weights.safetensors", "state.pt")}:
        raise ValueError("weights.safetensors or state.pt does not match its checksum")
    return facts


def _modules(method: Method) -> dict[str, torch.nn.Module]:
    networks = {f"network.{name}": unwrap(network) for name, network in method.networks.items()}
    return networks | {f"average.{name}": average for name, average in method.averages.items()}


def _weights(method: Method) -> dict[str, Tensor]:
    # Copies, because safetensors refuses tensors that share memory; contiguous, because channels_last is only a layout.
    states = [(prefix, module.state_dict()) for prefix, module in _modules(method).items()]
    return {f"{prefix}/{key}": v.detach().cpu().contiguous().clone() for prefix, state in states for key, v in state.items()}


def _restore(method: Method, weights: dict[str, Tensor], state: dict[str, Any]) -> None:
    _restore_weights(method, weights)
    for name, optimizer in method.optimizers.items():
        optimizer.load_state_dict(state["optimizers"][name])
    torch.set_rng_state(state["rng"]["cpu"])
    if torch.cuda.is_available() and len(state["rng"]["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["rng"]["cuda"])


def _restore_weights(method: Method, weights: dict[str, Tensor]) -> None:
    for prefix, module in _modules(method).items():
        start = f"{prefix}/"
        module.load_state_dict({key.removeprefix(start): value for key, value in weights.items() if key.startswith(start)})
