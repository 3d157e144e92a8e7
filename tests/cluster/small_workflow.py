"""A workflow of a small hand-made plan, and how a test runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facesr_tools.plan import Task


@dataclass(frozen=True)
class Workflow:
    """A workflow in `folder` whose jobs, done by fake_facesr.py, leave their results in `out`."""

    folder: Path
    out: Path
    tasks: Sequence[Task]

    def start(self, *options: str, profile: str = "local", **environment: str) -> subprocess.Popen[str]:
        """Start Snakemake in a process group of its own. environment: variables for this run."""
        command = [sys.executable, "-m", "snakemake", "--profile", f"profiles/{profile}", *options]
        usual = {"FAKE_STEPS": "2", "FAKE_SECONDS": "0.02", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parent)}
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env={**os.environ, **usual, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *options: str, code: int = 0, **changes: str) -> str:
        """Run Snakemake to its end, which must be with this exit code; what it printed."""
        with self.start(*options, **changes) as process:
            try:
                said, _ = process.communicate(timeout=180)
            finally:
                process.kill()
        assert process.returncode == code, said
        return said

    def events(self) -> list[str]:
        """What the jobs did, in order."""
        file = self.out / "events.log"
        return file.read_text().splitlines() if file.exists() else []

    def plan(self) -> dict[str, Any]:
        return json.loads((self.folder / "plan.json").read_text())
