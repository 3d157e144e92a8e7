"""What a run prints: a live line per job on a terminal, plain lines elsewhere, a line for what has ended, and the summary."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from facesr_tools.durations import clock
from facesr_tools.runner.execute import Outcome
from facesr_tools.runner.machine import readable
from facesr_tools.runner.progress import Progress, StageProgress, times
from facesr_tools.runner.worker import Ended

AnyProgress = Progress | StageProgress
_MARKS = {"done": ("✓", "green"), "already done": ("✓", "dim"), "failed": ("✗", "red"), "interrupted": ("✗", "yellow")}
_STAGE_SECONDS = 30.0  # how often a plain line says where a stage stands


class Screen:
    """Where a run shows how far it is.

    lines: the live lines of this moment, which a terminal redraws. Elsewhere each section of a notebook gets a line, and a
    stage one now and then.
    """

    def __init__(self, console: Console, lines: Callable[[], list[str]]) -> None:
        self.console = console
        self._live = console.is_terminal and not console.is_dumb_terminal
        self._lines = lines
        self._said: dict[str, tuple[str, float]] = {}  # by task, the section that was printed last, and when

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the live lines, on a terminal."""
        if not self._live:
            yield
            return
        with Live(get_renderable=lambda: live(self._lines()), console=self.console, transient=True):
            yield

    def say(self, text: str, style: str | None = None) -> None:
        """Print literally: no markup, no wrapping of paths and commands."""
        self.console.print(Text(text), style=style, soft_wrap=True)

    def starts(self, progress: AnyProgress) -> None:
        """A task starts."""
        self._said[progress.name] = (_section(progress), progress.elapsed())
        self.plainly(progress.line())

    def moves(self, progress: AnyProgress) -> None:
        """A task has come further."""
        section, when = self._said[progress.name]
        late = isinstance(progress, StageProgress) and progress.elapsed() - when >= _STAGE_SECONDS
        if _section(progress) != section or late:
            self._said[progress.name] = (_section(progress), progress.elapsed())
            self.plainly(f"  {progress.line()}")

    def plainly(self, text: str) -> None:
        """Print what a terminal shows in its live lines."""
        if not self._live:
            self.say(text)

    def notebook(self, name: str, folder: Path, outcome: Outcome) -> None:
        """Say how a notebook ended whose results are in `folder`."""
        mark, style = _MARKS[outcome.status]
        if outcome.status == "already done":
            words = f"already done in {clock(outcome.seconds)} (--fresh runs it again)"
        else:
            words = f"{outcome.status}  {clock(outcome.seconds)}  peak memory {readable(outcome.peak_memory)}"
        self.say(f"{mark} {name}  {words}", style)
        if outcome.failure:
            for line in outcome.failure.lines():
                self.say(f"    {line}")
            self.say(f"    see {folder / 'notebook.failed.ipynb'} and {folder / 'log.txt'}")

    def stage(self, progress: StageProgress, ended: Ended) -> None:
        """Say how a stage ended."""
        status = "interrupted" if ended.interrupted else "failed" if ended.error else "done"
        words = "trained" if status == "done" else status
        mark, style = _MARKS[status]
        self.say(f"{mark} {progress.name}  {words}  {clock(progress.elapsed())}", style)
        if status == "failed":
            self.say(f"    {ended.error}")
            self.say("    the notebook that needs it goes on with it, and shows the failure where it happens again")


def live(lines: Sequence[str]) -> Group:
    """Lines that a terminal cuts at its width."""
    return Group(*(Text(f"… {line}", no_wrap=True, overflow="ellipsis") for line in lines))


def live_lines(running: Sequence[AnyProgress], ended: int, total: int, elapsed: float, left: float | None) -> list[str]:
    """A line per running task, above one for the whole: tasks ended of all, seconds since the start and to the end."""
    whole = f"{ended} of {total} trainings and notebooks  {times(elapsed, left)}"
    return [*(progress.line() for progress in running), whole]


def summary(names: Sequence[str], outcomes: Mapping[str, Outcome]) -> Table:
    """The table of all notebooks, by the names of their tasks."""
    table = Table("notebook", "status", "time", "peak memory")
    for name in names:
        outcome = outcomes.get(name)
        if outcome is None:
            table.add_row(name, "not run", "", "")
        else:
            style = _MARKS[outcome.status][1]
            status = Text(outcome.status, style)
            table.add_row(name, status, clock(outcome.seconds), readable(outcome.peak_memory))
    return table


def _section(progress: AnyProgress) -> str:
    return progress.section if isinstance(progress, Progress) else ""
