"""The text log of a running notebook."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from html import unescape
from pathlib import Path
from types import TracebackType

ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_BAR_SECONDS = 5.0  # a progress bar that redraws its line is logged this often, and once at its end


class Stream:
    """A file-like object that turns one output stream into whole lines.

    A line that carriage returns overwrite (a progress bar) is logged every few seconds, and in its last state.
    """

    def __init__(self, emit: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._emit = emit
        self._clock = clock
        self._line = ""
        self._emitted: str | None = None  # the state of the current line that is already in the log
        self._returned = False  # a carriage return was read: the next character starts the line again
        self._last = clock()

    def write(self, text: str) -> None:
        """Add text, without its terminal colour codes."""
        for part in re.split(r"(\n|\r)", ANSI.sub("", text)):
            if part == "\n":
                self.finish()
            elif part == "\r":
                self._returned = True
                if self._clock() - self._last >= _BAR_SECONDS:
                    self._put()
            elif part:
                self._line = part if self._returned else self._line + part
                self._returned = False

    def flush(self) -> None:
        """Do nothing: lines are written when they are complete."""

    def finish(self) -> None:
        """End the current line, if there is one."""
        if self._line or self._emitted is None:
            self._put()
        self._line, self._emitted, self._returned = "", None, False

    def close(self) -> None:
        """Write an unfinished line, unless it is empty."""
        if self._line:
            self.finish()

    def _put(self) -> None:
        if self._line != self._emitted:
            self._emit(self._line.rstrip())
            self._emitted = self._line
            self._last = self._clock()


class Log:
    """`log.txt`: what the cells print, their progress bars (text or widget), and the progress of the run."""

    def __init__(self, path: Path) -> None:
        self._file = open(path, "w", encoding="utf-8", errors="backslashreplace")  # noqa: SIM115 (closed by __exit__)
        self.stdout, self.stderr, self._bar = Stream(self.line), Stream(self.line), Stream(self.line)
        self._bar_name = ""

    def __enter__(self) -> Log:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.end_cell()
        self._file.close()

    def line(self, text: str) -> None:
        """Write one line, now."""
        self._file.write(text + "\n")
        self._file.flush()

    def bar(self, text: str) -> None:
        """Take the new text of a label widget, and log it if it is tqdm's notebook bar: 'train: 40%', '4/10 [00:01, 9it/s]'."""
        text = unescape(text).replace("\u2007", " ")
        if text.endswith("%"):
            self._bar_name = text
        elif re.search(r"\d.* \[\d+:\d+", text):
            self._bar.write(f"\r{self._bar_name} {text}")

    def end_cell(self) -> None:
        """Write the unfinished lines."""
        for stream in (self.stdout, self.stderr, self._bar):
            stream.close()
