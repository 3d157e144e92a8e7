"""Run several notebooks: skip the finished ones, show progress, report failures, print a summary."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from facesr_tools.durations import clock
from facesr_tools.runner.execute import Outcome, Settings, execute
from facesr_tools.runner.machine import readable
from facesr_tools.runner.notebooks import Notebook
from facesr_tools.runner.progress import Progress, earlier_timings
from facesr_tools.runner.resume import read_marker, remove_marker, write_marker

_MARKS = {"done": ("✓", "green"), "already done": ("✓", "dim"), "failed": ("✗", "red"), "interrupted": ("✗", "yellow")}


def run_notebooks(
    notebooks: Sequence[Notebook], settings: Settings, console: Console, code: str, resume: str
) -> dict[str, Outcome]:
    """Run `notebooks` in turn and return how each ended. A failure does not stop the others; Ctrl-C does.

    code: the fingerprint of the library.  resume: the command to print after an interruption.
    A terminal shows one live line for the running notebook; elsewhere, a plain line is printed when a section starts.
    """
    outcomes: dict[str, Outcome] = {}
    for notebook in notebooks:
        marker = None if notebook.always else read_marker(notebook, settings, code)
        if marker:
            outcomes[notebook.name] = Outcome("already done", marker["seconds"], marker["peak_memory"])
        else:
            remove_marker(notebook, settings)
            outcomes[notebook.name] = _run_one(notebook, settings, console)
            if outcomes[notebook.name].status == "done":
                write_marker(notebook, settings, code, outcomes[notebook.name])
        _show(notebook, settings, outcomes[notebook.name], console)
        if outcomes[notebook.name].status == "interrupted":
            break
    console.print(_summary(notebooks, outcomes))
    report = settings.out / settings.profile / "report.html"
    if any(outcome.status == "interrupted" for outcome in outcomes.values()):
        _say(console, "Interrupted. Finished notebooks are kept; to continue:")
        _say(console, resume)
    elif report.is_file():
        _say(console, str(report))
    return outcomes


def exit_code(outcomes: dict[str, Outcome]) -> int:
    """0 if no notebook failed, 1 if one did, 130 after Ctrl-C."""
    statuses = {outcome.status for outcome in outcomes.values()}
    return 130 if "interrupted" in statuses else 1 if "failed" in statuses else 0


def _run_one(notebook: Notebook, settings: Settings, console: Console) -> Outcome:
    live = console.is_terminal and not console.is_dumb_terminal
    progress = Progress(
        notebook.name,
        notebook.minutes.get(settings.profile),
        # After --fresh everything is computed again, so what a run with cached stages took says little.
        {} if settings.fresh_since else earlier_timings(settings.folder(notebook) / "notebook.ipynb"),
        on_section=None if live else lambda progress: _say(console, f"  {progress.line()}"),
    )
    try:
        with _stop_signals(progress):
            if not live:
                _say(console, progress.line())
                return execute(notebook, settings, progress)
            with Live(get_renderable=lambda: _live_line(progress), console=console, transient=True):
                return execute(notebook, settings, progress)
    except KeyboardInterrupt:  # before the notebook started, or a second Ctrl-C
        return Outcome("interrupted", progress.elapsed())


@contextmanager
def _stop_signals(progress: Progress) -> Iterator[None]:
    """Let SIGTERM stop a run as Ctrl-C does, and say so on the progress line."""

    def stop(number: int, frame: FrameType | None) -> None:
        progress.section = "stopping the kernel (Ctrl-C again kills it)"
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:  # nohup and background jobs keep ignoring
                signal.signal(number, stop)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _live_line(progress: Progress) -> Text:
    return Text(f"… {progress.line()}", no_wrap=True, overflow="ellipsis")


def _show(notebook: Notebook, settings: Settings, outcome: Outcome, console: Console) -> None:
    mark, style = _MARKS[outcome.status]
    if outcome.status == "already done":
        words = f"already done in {clock(outcome.seconds)} (--fresh runs it again)"
    else:
        words = f"{outcome.status}  {clock(outcome.seconds)}  peak memory {readable(outcome.peak_memory)}"
    _say(console, f"{mark} {notebook.name}  {words}", style)
    if outcome.failure:
        folder = settings.folder(notebook)
        for line in outcome.failure.lines():
            _say(console, f"    {line}")
        _say(console, f"    see {folder / 'notebook.failed.ipynb'} and {folder / 'log.txt'}")


def _summary(notebooks: Sequence[Notebook], outcomes: dict[str, Outcome]) -> Table:
    table = Table("notebook", "status", "time", "peak memory")
    for notebook in notebooks:
        outcome = outcomes.get(notebook.name)
        if outcome is None:
            table.add_row(notebook.name, "not run", "", "")
        else:
            style = _MARKS[outcome.status][1]
            status = Text(outcome.status, style)
            table.add_row(notebook.name, status, clock(outcome.seconds), readable(outcome.peak_memory))
    return table


def _say(console: Console, text: str, style: str | None = None) -> None:
    """Print literally: no markup, no wrapping of paths and commands."""
    console.print(Text(text), style=style, soft_wrap=True)
