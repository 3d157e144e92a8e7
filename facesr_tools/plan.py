"""The graph of a run: which stages its notebooks need, in which order, what of it is done, and what the rest would take.

A stage is one training, declared in a paper's `experiments.py`. A notebook can run once its stages are there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Task:
    """A stage to train or a notebook to run, once everything that it needs is there.

    name: unique in its plan: "isr_kd/teacher", "40_isr_kd"; followed by "@" and the seed in a plan of several seeds.
    kind, seed, out: what `facesr stage` or `facesr run` is told; `out` is the folder of all results of this seed.
    needs: names of tasks of the same plan. output: the file that is there when, and only when, the task is done.
    seconds: an estimate on one core, for what is not done; None where nothing is known.
    memory: bytes, an estimate of the peak. gpus: GPUs that it asks for.
    """

    name: str
    kind: Literal["stage", "notebook"]
    seed: int
    out: Path
    needs: tuple[str, ...]
    output: Path
    done: bool
    seconds: float | None = None
    memory: int = 0
    gpus: int = 0

    @property
    def target(self) -> str:
        """The name without its seed: what `facesr stage` and `facesr run` call it."""
        return self.name.partition("@")[0]
