"""The marker of a finished notebook, with which an interrupted `facesr run all` resumes."""

import json
import time
from typing import Any

from facesr_lib.files import remove, write_atomically
from facesr_tools.runner.execute import Outcome, Settings
from facesr_tools.runner.notebooks import Notebook


def read_marker(notebook: Notebook, settings: Settings, code: str) -> dict[str, Any] | None:
    """The marker (`seconds`, `peak_memory`, `finished`, ...) if `notebook` is done, else None.

    A notebook is done if it finished since `settings.fresh_since` with the same source, seed, device, data root and library
    code. `seconds` and `peak_memory` (bytes) are those of that run.
    """
    try:
        marker = json.loads((settings.folder(notebook) / "done.json").read_text())
        current = marker["finished"] >= settings.fresh_since and marker["seconds"] >= 0 and marker["peak_memory"] >= 0
    except (OSError, ValueError, TypeError, KeyError):  # absent, or not ours: run it
        return None
    return marker if current and marker.items() >= _key(notebook, settings, code).items() else None


def earlier_outcome(notebook: Notebook, settings: Settings, code: str) -> Outcome | None:
    """The outcome "already done" of a notebook that need not run again, else None. One that always runs has none."""
    marker = None if notebook.always else read_marker(notebook, settings, code)
    return Outcome("already done", marker["seconds"], marker["peak_memory"]) if marker else None


def write_marker(notebook: Notebook, settings: Settings, code: str, outcome: Outcome) -> None:
    """Note that `notebook` is done."""
    facts = {"finished": time.time(), "seconds": round(outcome.seconds, 2), "peak_memory": outcome.peak_memory}
    text = json.dumps({"notebook": notebook.name, **_key(notebook, settings, code), **facts}, indent=2)
    write_atomically(settings.folder(notebook) / "done.json", text.encode())


def remove_marker(notebook: Notebook, settings: Settings) -> None:
    """Forget that `notebook` was done: it is about to run."""
    remove(settings.folder(notebook) / "done.json")


def _key(notebook: Notebook, settings: Settings, code: str) -> dict[str, Any]:
    return {
        "source": notebook.digest(),
        "seed": settings.seed,
        "device": settings.device,
        "data_root": settings.data_root,
        "code": code,
    }
