"""The stage cache: a long computation is done once per (config, data, code) and reused by every notebook."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facesr_lib.config import code_fingerprint, config_hash, plain
from facesr_lib.files import write_atomically
from facesr_lib.training.engine import resolve_device
from facesr_lib.training.log import Row
from facesr_lib.training.method import Method
from facesr_lib.training.trainer import Batches, Trainer, TrainerOptions, Validate


class StageCache:
    """Folders of finished stages below `root`, each named after its stage and the hash of everything it depends on.

    The environment variable FACESR_FRESH (seconds since the epoch, set by `facesr run --fresh`) makes stages that
    finished before that moment count as missing.
    """

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)

    def folder(self, name: str, key: dict[str, Any]) -> Path:
        """The folder of stage `name` for `key` (configs, seeds, data checksums: plain data); it may not exist yet."""
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
            raise ValueError(f"stage name {name!r}: use small letters, digits, '-' and '_'")
        return self.root / f"{name}-{config_hash({'key': key, 'code': code_fingerprint()})}"

    def is_done(self, name: str, key: dict[str, Any]) -> bool:
        """Whether the stage finished earlier and may be reused."""
        marker = self.folder(name, key) / "done.json"
        if not marker.is_file():
            return False
        return json.loads(marker.read_text())["finished"] >= float(os.environ.get("FACESR_FRESH") or 0)

    def run(self, name: str, key: dict[str, Any], produce: Callable[[Path], object]) -> Path:
        """Return the stage's folder, calling `produce(folder)` first unless it finished before.

        `produce` must write only into the folder and must be able to go on from what an interrupted call left there
        (a Trainer does). A stage counts as finished when `produce` returns; only then is `done.json` written.
        """
        folder = self.folder(name, key)
        if not self.is_done(name, key):
            marker = folder / "done.json"
            if marker.exists():  # finished, but too old for FACESR_FRESH: start from nothing
                for old in sorted(folder.rglob("*"), reverse=True):
                    old.rmdir() if old.is_dir() else old.unlink()
            folder.mkdir(parents=True, exist_ok=True)
            began = time.time()
            produce(folder)
            facts = {"stage": name, "key": plain(key), "code": code_fingerprint(), "finished": time.time()}
            write_atomically(marker, json.dumps({**facts, "seconds": time.time() - began}, indent=2).encode())
        return folder


@dataclass(frozen=True)
class Trained:
    """A finished training stage: the method with its final weights, ready to super-resolve, and its two logs."""

    method: Method
    folder: Path
    log: list[Row]
    validation: list[Row]
    reused: bool


def train_stage(
    cache: StageCache,
    name: str,
    method: Method,
    batches: Batches,
    options: TrainerOptions,
    *,
    seed: int,
    key: dict[str, Any],
    validate: Validate | None = None,
) -> Trained:
    """Train `method` as stage `name`, or load it if this very training finished earlier.

    key: the configs and data checksums that the training depends on; the seed, the number of steps and the kind of
    device are added to it. The arguments are otherwise the Trainer's.
    """
    key = {**key, "seed": seed, "steps": options.steps, "device": resolve_device(options.device).type}
    reused, folder = cache.is_done(name, key), cache.folder(name, key)
    trainer = Trainer(method, batches, folder, options, seed=seed, key=key, validate=validate, title=name)
    cache.run(name, key, lambda _: trainer.fit())
    if reused:
        trainer.fit()  # finds its last checkpoint and no step left to do
    return Trained(method, folder, trainer.log.rows(), trainer.validation.rows(), reused)
