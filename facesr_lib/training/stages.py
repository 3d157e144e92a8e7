"""The stage cache: a long computation is done once per (config, data, code) and reused by every notebook."""

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor

from facesr_lib.config import code_fingerprint, config_hash, plain
from facesr_lib.files import write_atomically
from facesr_lib.training.device import resolve_device
from facesr_lib.training.trained import M, Trained
from facesr_lib.training.trainer import Batches, Trainer, TrainerOptions


class StageCache:
    """Folders of finished stages below `root`, each named after its stage and the hash of everything it depends on.

    fresh_since: seconds since 1970; stages that finished before that moment count as missing.
    """

    def __init__(self, root: Path | str, fresh_since: float = 0.0) -> None:
        self.root = Path(root)
        self.fresh_since = fresh_since

    def folder(self, name: str, key: dict[str, Any]) -> Path:
        """The folder of stage `name` for `key` (configs, seeds, data checksums: plain data); it may not exist yet."""
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
            raise ValueError(f"stage name {name!r}: use small letters, digits, '-' and '_'")
        return self.root / f"{name}-{config_hash({'key': key, 'code': code_fingerprint()})}"

    def is_done(self, name: str, key: dict[str, Any]) -> bool:
        """Whether the stage finished earlier and may be reused."""
        marker = self.folder(name, key) / "done.json"
        return marker.is_file() and json.loads(marker.read_text())["finished"] >= self.fresh_since

    @contextmanager
    def stage(self, name: str, key: dict[str, Any]) -> Iterator[Path]:
        """The stage's folder, to make the stage in or to read it from; it counts as finished when the block ends.

        An interrupted block must be able to go on from its folder, as a Trainer does. What is older than `fresh_since` goes.
        """
        folder, done = self.folder(name, key), self.is_done(name, key)
        marker = folder / "done.json"
        if marker.exists() and not done:
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        began = time.time()
        yield folder
        if not done:
            facts = {"stage": name, "key": plain(key), "code": code_fingerprint(), "finished": time.time()}
            write_atomically(marker, json.dumps({**facts, "seconds": time.time() - began}, indent=2).encode())


def train_stage(
    cache: StageCache,
    name: str,
    method: M,
    batches: Batches,
    options: TrainerOptions,
    *,
    seed: int,
    key: dict[str, Any],
    validate: Callable[[M], dict[str, float]] | None = None,
    preview: Callable[[M], Tensor] | None = None,
) -> Trained[M]:
    """Train `method` as stage `name`, or load it if this very training finished earlier.

    key: the configs and data checksums it depends on; seed, steps and kind of device are added. Otherwise as the Trainer's.
    """
    key = {**key, "seed": seed, "steps": options.steps, "device": resolve_device(options.device).type}
    with cache.stage(name, key) as folder:
        trainer = Trainer(method, batches, folder, options, seed=seed, key=key, validate=validate, preview=preview, title=name)
        return trainer.train()
