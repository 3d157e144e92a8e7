"""A Jupyter kernel of the running Python, and a papermill engine that watches it."""

import os
import subprocess
import tempfile
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.log import logger

from facesr_tools.runner.log import Log
from facesr_tools.runner.machine import ProcessTree
from facesr_tools.runner.progress import Progress


class ThisPython(KernelSpecManager):
    """Offers one kernel: the running Python. An installed kernelspec called python3 may belong to another one."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """The kernel of `sys.executable`, for any name."""
        return KernelSpec(**get_kernel_dict())


def kernel_manager() -> AsyncKernelManager:
    """A manager that starts a kernel of `sys.executable`."""
    return AsyncKernelManager(kernel_name="python3", kernel_spec_manager=ThisPython())


def kernel_environment() -> dict[str, str]:
    """The environment of a notebook's kernel: the caller's, plus the variables that make runs repeatable."""
    env = dict(os.environ)
    env["PYTHONHASHSEED"] = "0"
    env["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # draw figures in the notebook
    env["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # silences a debugger warning in every log
    env.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # deterministic matrix products on CUDA, if torch asks for them
    env["FACESR_RUN"] = uuid.uuid4().hex  # marks the processes of this run
    return env


@dataclass
class Watch:
    """What the engine observes in a run."""

    log: Log
    progress: Progress
    tell: Callable[[Progress], object]  # called with `progress` whenever it has changed
    env: dict[str, str]
    nb: Any = None  # the notebook as executed so far
    process: subprocess.Popen[bytes] | None = None
    tree: ProcessTree | None = None
    died: int | None = None  # the kernel's exit status (negative: a signal) if it ended before it was told to
    output: list[str] = field(default_factory=list)  # the last lines that the kernel process itself wrote (a crash report)

    def end(self) -> None:
        """Kill every process of the run that is left."""
        if self.tree:
            self.tree.end()


class _Client(PapermillNotebookClient):
    """Papermill's client, which also writes the log and the progress and watches the kernel process."""

    watch: Watch

    def papermill_execute_cells(self) -> None:
        self.watch.process = self.km.provisioner.process
        self.watch.tree = ProcessTree(self.watch.process.pid, self.watch.env["FACESR_RUN"])
        self.watch.tree.start()
        try:
            super().papermill_execute_cells()
        finally:
            self.watch.died = self.watch.process.poll()  # here, before the clean-up ends it

    def handle_comm_msg(self, outs: list[Any], msg: dict[str, Any], cell_index: int) -> None:
        super().handle_comm_msg(outs, msg, cell_index)
        value = msg["content"]["data"].get("state", {}).get("value")
        if isinstance(value, str):
            self.watch.log.bar(value)


class WatchedEngine(NBClientEngine):
    """Papermill's own engine with `_Client` as its client; takes a Watch as the argument `watch`."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, *, watch: Watch, **kwargs: Any) -> Any:
        """Execute the notebook in a kernel of the running Python, without time limits."""
        watch.nb = nb_man.nb
        watch.progress.begin(nb_man.nb)
        watch.tell(watch.progress)
        km = kernel_manager()
        client = _Client(
            nb_man,
            km=km,
            stdout_file=watch.log.stdout,
            stderr_file=watch.log.stderr,
            log=logger,
            startup_timeout=120,
            iopub_timeout=60,  # a slow machine may need long to deliver a big figure
            on_cell_start=lambda cell, cell_index: _cell_starts(watch, cell_index),
        )
        client.watch = watch
        # What C code prints reaches the log through ipykernel; what remains is the kernel's last words in a crash.
        with tempfile.TemporaryDirectory() as folder:
            words = Path(folder) / "kernel.txt"
            with open(words, "wb") as raw:
                try:
                    return client.execute(cleanup_kc=True, env=watch.env, stdout=raw, stderr=raw)
                finally:
                    process = getattr(km.provisioner, "process", None)
                    if process:  # interrupted while it started, which nbclient does not clean up
                        process.kill()
                    watch.output = words.read_text(errors="replace").splitlines()[-20:]


def _cell_starts(watch: Watch, index: int) -> None:
    progress, before = watch.progress, watch.progress.cell
    progress.cell_starts(index)
    if progress.cell != before:
        watch.log.end_cell()
        watch.log.line(f"[cell {progress.cell}/{progress.cells}] {progress.section}")
        watch.tell(progress)


def register() -> str:
    """Register the engine with papermill and return its name; a second call changes nothing."""
    papermill_engines.register("facesr", WatchedEngine)
    return "facesr"
