"""Run one notebook with papermill; keep the log and the executed notebook; find out whether it really ended well."""

import logging
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from facesr_lib.config import FRESH_SINCE
from facesr_lib.files import write_atomically
from facesr_tools.runner.log import ANSI, Log
from facesr_tools.runner.machine import death, memory_limit, readable
from facesr_tools.runner.notebooks import Notebook
from facesr_tools.runner.progress import Progress, code_cells


def write_fresh_since(folder: Path, moment: float) -> None:
    """Tell the notebook whose run folder this is that trainings from before `moment` (seconds since 1970) do not count.

    0 takes that back.
    """
    if moment:
        write_atomically(folder / FRESH_SINCE, repr(moment).encode())
    else:
        (folder / FRESH_SINCE).unlink(missing_ok=True)


@dataclass(frozen=True)
class Settings:
    """The settings of every notebook of a run. Paths are absolute, since a kernel runs in the notebooks' folder."""

    profile: str
    out: Path
    seed: int = 0
    device: str = "auto"
    data_root: str = ""
    fresh_since: float = 0.0  # older results do not count; seconds since 1970

    def folder(self, notebook: Notebook) -> Path:
        """The folder for the results of `notebook`."""
        return self.out / self.profile / notebook.name

    def parameters(self) -> dict[str, Any]:
        """The values of a notebook's parameters cell."""
        return {
            "PROFILE": self.profile,
            "SEED": self.seed,
            "DEVICE": self.device,
            "DATA_ROOT": self.data_root,
            "OUTPUT_DIR": str(self.out),
        }


@dataclass(frozen=True)
class Failure:
    """Why a notebook failed. `cell` is In[cell] of the executed notebook; None if the failure is outside the cells."""

    reason: str  # error class and message
    cell: int | None = None
    cells: int = 0
    first_line: str = ""
    line: int | None = None  # in the cell
    line_text: str = ""
    place: str = ""  # the innermost file and line, when the error arose outside the notebook

    def lines(self) -> list[str]:
        """A few lines of plain text for the report."""
        report = []
        if self.cell:
            report.append(f"cell {self.cell} of {self.cells} (In [{self.cell}]) starting with: {self.first_line}")
        if self.line:
            report.append(f"line {self.line} of that cell: {self.line_text}")
        report.append(self.reason)
        if self.place:
            report.append(f"raised at {self.place}")
        return report


@dataclass(frozen=True)
class Outcome:
    """How a notebook's run ended."""

    status: Literal["done", "already done", "failed", "interrupted"]
    seconds: float = 0.0
    peak_memory: int = 0  # bytes
    failure: Failure | None = None


def execute(
    notebook: Notebook, settings: Settings, progress: Progress, tell: Callable[[Progress], object] = lambda progress: None
) -> Outcome:
    """Run `notebook` to its end or its first error; write `notebook.ipynb` (or `notebook.failed.ipynb`) and `log.txt`.

    tell: called with `progress` whenever it has changed.
    Never raises for a failure, a dead kernel or Ctrl-C: the Outcome says so. No process of the kernel outlives the call.
    """
    import papermill  # takes seconds, which other commands need not pay

    from facesr_tools.runner.kernel import Watch, kernel_environment, register

    folder = settings.folder(notebook)
    folder.mkdir(parents=True, exist_ok=True)
    running = folder / "notebook.running.ipynb"
    error: BaseException | None = None
    began = time.monotonic()
    with Log(folder / "log.txt") as log, _messages_to(log):
        log.line(f"{notebook.name}, {time.strftime('%Y-%m-%d %H:%M:%S')}, {settings.parameters()}")
        watch = Watch(log, progress, tell, kernel_environment())
        write_fresh_since(folder, settings.fresh_since)
        try:
            papermill.execute_notebook(
                notebook.path,
                running,
                parameters=settings.parameters(),
                engine_name=register(),
                kernel_name="python3",
                language="python",
                progress_bar=False,
                cwd=notebook.path.parent,
                watch=watch,
            )
        except (Exception, KeyboardInterrupt) as caught:
            error = caught
        finally:
            watch.end()
            write_fresh_since(folder, 0)
        seconds, peak = time.monotonic() - began, watch.tree.peak if watch.tree else 0
        log.end_cell()
        if isinstance(error, KeyboardInterrupt):
            log.line("interrupted")
            outcome = Outcome("interrupted", seconds, peak)
        elif failure := find_failure(watch.nb, error, watch.died, peak):
            log.line("\n".join(["failed", *failure.lines(), *_traceback(watch.nb), *(watch.output if watch.died else [])]))
            outcome = Outcome("failed", seconds, peak, failure)
        else:
            log.line(f"done in {seconds:.1f} s, peak memory {readable(peak)}")
            outcome = Outcome("done", seconds, peak)
    if outcome.status == "done":
        os.replace(running, folder / "notebook.ipynb")
        (folder / "notebook.failed.ipynb").unlink(missing_ok=True)
    else:
        keep_failed(folder)
    return outcome


def keep_failed(folder: Path) -> None:
    """Keep what a run that did not end well has of its notebook, in `notebook.failed.ipynb` of the run's folder."""
    with suppress(FileNotFoundError):
        os.replace(folder / "notebook.running.ipynb", folder / "notebook.failed.ipynb")


def find_failure(nb: Any, error: BaseException | None, died: int | None, peak: int) -> Failure | None:
    """The first failure in an executed notebook, or None.

    The cells decide, not papermill: the kernel must have answered every cell without an error.
    error: what stopped papermill.  died: the kernel's exit status if it ended on its own.  peak: its memory in bytes.
    """
    indices = code_cells(nb) if nb is not None else []
    for number, index in enumerate(indices, 1):
        cell = nb["cells"][index]
        source = cell["source"].strip("\n").splitlines()
        raised = next((output for output in cell["outputs"] if output["output_type"] == "error"), None)
        # A dying kernel may still number the cell, so the count alone does not prove that the cell ended.
        answered = cell["execution_count"] is not None and "shell.execute_reply" in cell["metadata"].get("execution", {})
        if raised is None and answered:
            continue
        where: dict[str, Any] = {"cell": number, "cells": len(indices), "first_line": source[0].strip()}
        if raised is not None:
            text = ANSI.sub("", "\n".join(raised["traceback"]))
            line = _line_in_cell(text)
            if line is not None and line <= len(cell["source"].splitlines()):
                where |= {"line": line, "line_text": cell["source"].splitlines()[line - 1].strip()}
            frames = re.findall(r"^File (.+?:\d+)", text, flags=re.MULTILINE)
            reason = f"{raised['ename']}: {raised['evalue']}"
            if re.search(r"MemoryError|OutOfMemory|out of memory|can't allocate memory", reason):
                reason += f"\n{_memory_advice(peak)}"
            return Failure(reason, place=frames[-1] if frames else "", **where)
        return Failure(_stopped(error, died, peak), **where)
    if error is not None or died is not None:
        return Failure(_stopped(error, died, peak))
    return None


def _line_in_cell(text: str) -> int | None:
    """The line of the cell in the first frame of an IPython traceback."""
    match = re.search(r"Cell In\[\d+\], line (\d+)", text) or re.search(r"^-+> *(\d+) ", text, flags=re.MULTILINE)
    return int(match[1]) if match else None


def _stopped(error: BaseException | None, died: int | None, peak: int) -> str:
    if died is not None:
        words = death("the kernel", died)
        return f"{words}, with a peak memory of {readable(peak)}" if died >= 0 else f"{words}; {_memory_advice(peak)}"
    if error is not None:
        return f"{type(error).__name__}: {ANSI.sub('', str(error)).strip()}"
    return "the notebook stopped before this cell"


def _memory_advice(peak: int) -> str:
    limit = readable(memory_limit())
    return f"peak {readable(peak)} of {limit}; if memory is short, close other programs or use a smaller --profile"


def _traceback(nb: Any) -> list[str]:
    outputs = [output for cell in (nb["cells"] if nb else []) for output in cell.get("outputs", [])]
    return [ANSI.sub("", line) for output in outputs if output["output_type"] == "error" for line in output["traceback"]]


@contextmanager
def _messages_to(log: Log) -> Iterator[None]:
    """Send messages of papermill and asyncio to the log, so that they do not break the progress line."""

    class ToLog(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            log.line(f"{record.name}: {record.getMessage()}")

    handler = ToLog(logging.WARNING)
    loggers = [logging.getLogger(name) for name in ("papermill", "asyncio", "traitlets")]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
