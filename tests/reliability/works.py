"""The pieces of work that are killed, and what each must have left when it is done again."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib as mpl
import torch
import torch._dynamo  # which an optimizer brings; else every copy of a process would, for two seconds
from matplotlib.figure import Figure

mpl.use("agg")
torch.set_num_threads(1)
sys.path.append(str(Path(__file__).parents[1] / "training"))

from toy import ToyGAN, batches, validate  # noqa: E402

from facesr_lib.data import load_faces  # noqa: E402
from facesr_lib.evaluate import Run  # noqa: E402
from facesr_lib.metrics import PSNR  # noqa: E402
from facesr_lib.training import Stage, StageCache, TrainerOptions  # noqa: E402
from facesr_lib.training.stages import slug  # noqa: E402
from facesr_tools.report import build_report  # noqa: E402
from facesr_tools.runner.execute import Settings  # noqa: E402
from facesr_tools.stages import experiments  # noqa: E402

TIMES = {"started", "finished", "seconds", "wall_seconds", "peak_memory_mib"}  # what no repetition can have in common


def files(folder: Path) -> dict[str, str]:
    """Every file below a folder, with a digest of its content; of JSON and pages, without times. Locks stay behind by design."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".lock":
            content = path.read_bytes()
            if path.suffix == ".html":
                content = re.sub(rb"\d{4}-\d\d-\d\d[T ][\d:+]+|[\d.]+ (s|min)\b|(?<=<dd>)[\d.,]+(?=</dd>)", b"", content)
            if path.suffix == ".json":
                content = json.dumps(_timeless(json.loads(content)), sort_keys=True).encode()
            found[str(path.relative_to(folder))] = hashlib.sha256(content).hexdigest()[:12]
    return found


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(item) for key, item in value.items() if key not in TIMES}
    return [_timeless(item) for item in value] if isinstance(value, list) else value


def train(folder: Path) -> None:
    """A stage that leaves three checkpoints, of which one goes, and a log with more lines than it is opened for."""
    options = TrainerOptions(steps=6, log_every=1, checkpoint_every=2, validate_every=3, device="cpu")
    stage = Stage("paper", "toy", ("10",), {}, options, 7, ToyGAN, lambda: batches, (), validate)
    stage.train(StageCache(folder), tell=lambda step: None)


def record(folder: Path) -> None:
    """What a notebook does from its first cell to its last: a table, a figure, scores, the result."""
    run = Run.start("09_toy", title="A toy", paper=None, profile="smoke", seed=3, device="cpu", output_dir=str(folder))
    images = load_faces("", "test", 16).limit(4)
    run.config({"width": 4})
    run.score("bicubic", images, PSNR, torch.arange(4.0))
    run.table("numbers", [{"method": "bicubic", "PSNR": 24.5}], "Numbers")
    figure = Figure()
    figure.subplots().plot([0, 1])
    run.figure(figure, "line", "A line.", "A line that rises.")
    run.finish()


def report(folder: Path) -> None:
    """The record, and the page over it."""
    record(folder)
    build_report(folder, "smoke")


def method(name: str, folder: Path) -> None:
    """A paper's training at its smallest, with those that it starts from."""
    paper, _, stage = name.partition("/")
    settings = Settings("smoke", folder, 0, "cpu")
    of = experiments(paper, settings)
    of.trained(next(one.name for one in of.stages() if slug(one.name) == stage))


def work(name: str) -> Callable[[Path], object]:
    """The work of this name; with a slash, it is a method's."""
    return {"train": train, "record": record, "report": report}.get(name) or partial(method, name)
