"""What a run asks of its workers: make the plan, train a stage, run a notebook.

The last argument of each is a function that tells the parent how far it is.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from facesr_lib.files import one_writer
from facesr_tools.plan import Place, Task
from facesr_tools.runner.execute import Outcome, Settings, execute
from facesr_tools.runner.notebooks import Notebook
from facesr_tools.runner.progress import Progress, StageProgress
from facesr_tools.runner.resume import earlier_outcome, remove_marker, write_marker
from facesr_tools.seeds import pooled_folder

_TELL_SECONDS = 0.2


def make_plan(places: Sequence[Place], tell: Callable[[None], None]) -> tuple[list[Task], int]:
    """The tasks of the notebooks in `places`, and the number of GPUs to carry them out."""
    import torch

    from facesr_tools.plan import plan_places

    gpus = 0 if places[0].settings.device == "cpu" else torch.cuda.device_count()
    return plan_places(places), gpus


def load(tell: Callable[[None], None]) -> None:
    """Load what a training needs, while another worker makes the plan."""
    import_module("facesr_tools.stages")


def train(stage: str, settings: Settings, progress: StageProgress, tell: Callable[[StageProgress], None]) -> None:
    """Train `stage`, or what is left of it."""
    from facesr_tools.stages import make_stage

    last = 0.0

    def advance(done: int, steps: int) -> None:
        nonlocal last
        progress.advance(done, steps)
        if done == steps or time.monotonic() - last >= _TELL_SECONDS:
            last = time.monotonic()
            tell(progress)

    with _warnings_printed():
        make_stage(stage, settings, advance)


@contextmanager
def _warnings_printed() -> Iterator[None]:
    """Print this project's own warnings (a damaged checkpoint, a picture left out): a worker's standard error goes nowhere."""

    def show(message: Warning | str, category: type[Warning], filename: str, *place: object) -> None:
        if any(Path(filename).is_relative_to(root / package) for package in ("facesr_lib", "facesr_tools")):
            print(f"warning: {message}")

    root = Path(__file__).resolve().parents[2]
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = show  # type: ignore[assignment]
        yield


def run_notebook(
    notebook: Notebook, settings: Settings, code: str, progress: Progress, tell: Callable[[Progress], None]
) -> Outcome:
    """Run `notebook` unless another run, which has it now, does so. code: the fingerprint of the library."""
    try:
        with one_writer(settings.folder(notebook)):
            if earlier := earlier_outcome(notebook, settings, code):
                return earlier
            remove_marker(notebook, settings)
            if notebook.always:
                _pool(settings)
            outcome = execute(notebook, settings, progress, tell)
            if outcome.status == "done":
                write_marker(notebook, settings, code, outcome)
            return outcome
    except KeyboardInterrupt:  # while it waited
        return Outcome("interrupted", progress.elapsed())


def _pool(settings: Settings) -> None:
    """Bring OUT/pooled up to date, where the notebook that collects results is about to read it."""
    if settings.out == pooled_folder(settings.out.parent):
        from facesr_tools.pool import pool  # brings torch

        pool(settings.out.parent, settings.profile)
