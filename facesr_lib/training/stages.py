"""Stages: trainings declared as data, each made once per (config, data, code, seed) and then found by every notebook."""

import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

from torch import Tensor

from facesr_lib.config import code_fingerprint, config_hash, plain
from facesr_lib.files import make_folder, one_writer, remove, write_atomically
from facesr_lib.training.device import resolve_device
from facesr_lib.training.trained import M, Trained
from facesr_lib.training.trainer import Batches, Trainer, TrainerOptions


class StageCache:
    """Folders of finished stages below `root`, each named after its stage and the hash of everything it depends on.

    fresh_since: seconds since 1970; stages that finished before that moment count as missing.
    show: of a training that is made here, as the Trainer's.
    """

    def __init__(self, root: Path | str, fresh_since: float = 0.0, show: Callable[[Any, int], object] | None = None) -> None:
        self.root, self.fresh_since, self.show = Path(root), fresh_since, show

    def folder(self, name: str, key: Mapping[str, Any]) -> Path:
        """The folder of stage `name` for `key` (configs, seeds, data checksums: plain data); it may not exist yet."""
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
            raise ValueError(f"stage name {name!r}: use small letters, digits, '-' and '_'")
        return self.root / f"{name}-{config_hash({'key': key, 'code': code_fingerprint()})}"

    def is_done(self, name: str, key: Mapping[str, Any]) -> bool:
        """Whether the stage finished earlier and may be reused."""
        try:
            facts = json.loads((self.folder(name, key) / "done.json").read_text())
            return float(facts["finished"]) >= self.fresh_since
        except (OSError, ValueError, TypeError, KeyError):  # not there, or damaged: what the stage left is looked at again
            return False

    @contextmanager
    def stage(self, name: str, key: Mapping[str, Any]) -> Iterator[Path]:
        """The stage's folder, to make the stage in or to read it from; it counts as finished when the block ends.

        An interrupted block must be able to go on from its folder, as a Trainer does. What is older than `fresh_since` goes.
        One process at a time has the folder, even to read it, since what is damaged is made again: others wait, and say for whom.
        """
        folder = self.folder(name, key)
        helps = int(os.environ.get("RANK", "0")) > 0  # of several processes that train as one: the first keeps the folder
        if helps or (self.is_done(name, key) and not os.access(self.root, os.W_OK)):
            yield folder
            return
        with one_writer(folder):
            if not (done := self.is_done(name, key)):  # or another process has just made it
                if self.fresh_since and (folder / "done.json").exists():
                    remove(folder)
                make_folder(folder)
                remove(folder / "done.json")  # of a damaged one, nothing tells when it was written
            began = time.time()
            yield folder
            if not done:
                facts = {"stage": name, "key": plain(key), "code": code_fingerprint(), "finished": time.time()}
                write_atomically(folder / "done.json", json.dumps({**facts, "seconds": time.time() - began}, indent=2))


@dataclass(frozen=True)
class Stage(Generic[M]):
    """One training, declared: what it depends on and where it is kept is known before anything is computed.

    paper, name: the paper's key and the name by which its notebooks ask.  used_by: the numbers of these notebooks ("20", "22").
    key: the configs and data checksums that it depends on; what it needs, seed, steps and kind of device are added.
    needs: stages to start from.  method, batches: called with what these left (`Trained`, in this order).
    validate, preview: as the Trainer's.
    """

    paper: str
    name: str
    used_by: tuple[str, ...]
    key: Mapping[str, Any]
    options: TrainerOptions
    seed: int
    method: Callable[..., M]
    batches: Callable[..., Batches]
    needs: "tuple[Stage[Any], ...]" = ()
    validate: Callable[[M], dict[str, float]] | None = None
    preview: Callable[[M], Tensor] | None = None

    @property
    def slug(self) -> str:
        """The name for files and commands: "isr_kd-replay-2-1-no-kd"."""
        return slug(f"{self.paper} {self.name}")

    def folder(self, cache: StageCache) -> Path:
        """Where `cache` keeps this training; it may not exist yet."""
        return cache.folder(self.slug, _run_key(self._key(cache), self.seed, self.options))

    def is_done(self, cache: StageCache) -> bool:
        """Whether this very training finished earlier and may be reused."""
        return cache.is_done(self.slug, _run_key(self._key(cache), self.seed, self.options))

    def train(
        self, cache: StageCache, tell: Callable[[int], object] | None = None, left: Sequence[Trained[Any]] = ()
    ) -> Trained[M]:
        """Train, after the stages it needs, or load what this very training left earlier. Raises as `Trainer.train` does.

        tell: as the Trainer's.  left: what the stages it needs left, if that is at hand.
        """
        left, key = left or [stage.train(cache) for stage in self.needs], self._key(cache)
        more: dict[str, Any] = {"validate": self.validate, "preview": self.preview, "tell": tell}
        return train_stage(
            cache, self.slug, self.method(*left), self.batches(*left), self.options, seed=self.seed, key=key, **more
        )

    def _key(self, cache: StageCache) -> dict[str, Any]:
        return {**self.key, "needs": [stage.folder(cache).name for stage in self.needs]}


def train_stage(
    cache: StageCache,
    name: str,
    method: M,
    batches: Batches,
    options: TrainerOptions,
    *,
    seed: int,
    key: Mapping[str, Any],
    **more: Any,
) -> Trained[M]:
    """Train `method` as stage `name`, or load it if this very training finished earlier: what a lesson trains for itself.

    key: the configs and data checksums it depends on; seed, steps and kind of device are added. Otherwise as the Trainer's.
    """
    key = _run_key(key, seed, options)
    with cache.stage(name, key) as folder:
        return Trainer(method, batches, folder, options, seed=seed, key=key, title=name, show=cache.show, **more).train()


def _run_key(key: Mapping[str, Any], seed: int, options: TrainerOptions) -> dict[str, Any]:
    return {**key, "seed": seed, "steps": options.steps, "device": resolve_device(options.device).type}


def slug(name: str) -> str:
    """A stage's name for files and commands: small letters and digits of `name` (and "_"), joined by "-"."""
    return re.sub("[^a-z0-9_]+", "-", name.lower()).strip("-")
