"""TensorBoard, on request: accelerate's tracker writes what a training leaves in its logs and previews beside them."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from accelerate.tracking import TensorBoardTracker
from accelerate.utils import is_tensorboard_available

from facesr_lib.training import Trainer
from facesr_lib.training.log import Row

FOLDER = "tensorboard"  # in a stage's folder


def board() -> Board | None:
    """A `show` for trainings where FACESR_TENSORBOARD is set and not empty, else None.

    Raises ModuleNotFoundError, with what to install, if TensorBoard is asked for and missing.
    """
    if not os.environ.get("FACESR_TENSORBOARD"):
        return None
    if not is_tensorboard_available():
        raise ModuleNotFoundError("TensorBoard, which FACESR_TENSORBOARD asks for, is missing: pip install 'facesr[tensorboard]'")
    return Board()


@dataclass
class _Tail:
    """A growing CSV file."""

    path: Path
    size: int = 0  # bytes read so far

    def rows(self) -> list[Row]:
        """The rows since the last call."""
        if not self.path.is_file() or self.path.stat().st_size == self.size:
            return []
        with open(self.path, "rb") as file:
            columns = next(csv.reader([file.readline().decode()]))
            file.seek(max(self.size, file.tell()))
            lines = file.read().decode().splitlines()
            self.size = file.tell()
        return [dict(zip(columns, map(float, line.split(",")), strict=True)) for line in lines]


class Board:
    """Writes one training after the other, for the Trainer's `show`; no Accelerator is asked, as it would end all processes.

    A resumed training's curves begin anew from its logs and hide the earlier ones: they are whole wherever it was stopped.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None

    def __call__(self, trainer: Trainer[Any], done: int) -> None:
        """Write what `trainer`, after `done` steps, has left since the last call."""
        if trainer.folder != self._folder:
            self._folder, self._pictures = trainer.folder, set[Path]()
            self._log, self._validation = _Tail(trainer.log.path), _Tail(trainer.validation.path)
            self._tracker = TensorBoardTracker(FOLDER, str(trainer.folder), purge_step=0)
            self._tracker.start()
        for row in self._log.rows():
            self._write(row, lambda name: f"lr/{name[3:]}" if name.startswith("lr_") else f"loss/{name}")
        for row in self._validation.rows():
            self._write(row, lambda name: f"validation/{name}")
        every, last = trainer.options.validate_every, done == trainer.options.steps
        if not self._pictures or last or (every and done % every == 0):
            for path in sorted(set((trainer.folder / "previews").glob("step-*.npy")) - self._pictures):
                self._tracker.log_images({"preview": np.load(path)}, int(path.stem.removeprefix("step-")))
                self._pictures.add(path)
        if last:
            self._tracker.finish()

    def _write(self, row: Row, tag: Any) -> None:
        self._tracker.log({tag(name): value for name, value in row.items() if name != "step"}, int(row["step"]))
