"""Runs to report on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from facesr_lib.report import Run

StartRun = Callable[..., Run]


@pytest.fixture
def start(tmp_path: Path) -> StartRun:
    """Start a smoke run below tmp_path; keyword arguments replace the usual ones."""

    def start_run(notebook: str = "10_demo", **changes: object) -> Run:
        usual = {"title": "A demo", "paper": None, "profile": "smoke", "seed": 3, "device": "cpu"}
        return Run.start(notebook, **{**usual, "output_dir": str(tmp_path), **changes})  # type: ignore[arg-type]

    return start_run
