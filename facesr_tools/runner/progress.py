"""The progress of a running notebook (its cell and section) or stage (its step), and an estimate of the time left."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from facesr_tools.durations import clock


def earlier_timings(executed: Path) -> dict[str, float]:
    """Seconds that each cell took in an earlier run, by source, from the executed notebook; empty if there is none."""
    try:
        cells = json.loads(executed.read_text(encoding="utf-8"))["cells"]
        return {
            "".join(cell["source"]): cell["metadata"]["papermill"]["duration"]
            for cell in cells
            if cell["cell_type"] == "code" and cell["metadata"]["papermill"]["duration"] is not None
        }
    except (OSError, ValueError, KeyError, TypeError):  # an estimate is not worth an error
        return {}


def code_cells(nb: Any) -> list[int]:
    """Indices of the cells that will run."""
    return [
        index
        for index, cell in enumerate(nb["cells"])
        if cell["cell_type"] == "code" and cell["source"].strip() and "skip-execution" not in cell["metadata"].get("tags", [])
    ]


def headings(nb: Any) -> list[str]:
    """For each cell the last Markdown heading at or above it, without its marks; "" before the first."""
    heading, result = "", []
    for cell in nb["cells"]:
        if cell["cell_type"] == "markdown":
            text = re.sub(r"^(```|~~~).*?^\1", "", cell["source"], flags=re.DOTALL | re.MULTILINE)
            for line in re.findall(r"^#{1,6}\s+(.+?)\s*#*$", text, flags=re.MULTILINE):
                heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", line).replace("`", "").replace("*", "")
        result.append(heading)
    return result


class Progress:
    """The state of one running notebook. The process that executes it writes it and tells a copy to the one that shows it.

    minutes: the estimate in the notebook's metadata.  earlier: seconds per cell of an earlier run, used in its place if known.
    """

    def __init__(
        self, name: str, minutes: float | None, earlier: dict[str, float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = name
        self.cell, self.cells = 0, 0  # code cells begun, and all of them
        self.section = "starting the kernel"
        self._minutes = minutes
        self._earlier = earlier
        self._clock = clock
        self._began = self._cell_began = clock()
        self._order: list[int] = []
        self._headings: list[str] = []
        self._expected: list[float] | None = None  # seconds per code cell

    def begin(self, nb: Any) -> None:
        """Start with the notebook `nb`, which already holds papermill's parameters."""
        self._order, self._headings = code_cells(nb), headings(nb)
        self.cells = len(self._order)
        sources = [nb["cells"][index]["source"] for index in self._order]
        known = sum(source in self._earlier for source in sources)
        if known > len(sources) / 2:  # otherwise the notebook has changed too much
            self._expected = [self._earlier.get(source, 0.0) for source in sources]

    def cell_starts(self, index: int) -> None:
        """Note that cell `index` (of all cells) starts; cells that do not run are ignored."""
        if index not in self._order:
            return
        self.cell = self._order.index(index) + 1
        self._cell_began = self._clock()
        self.section = self._headings[index]

    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._began

    def left(self) -> float | None:
        """Estimated seconds to the end, or None if nothing is known."""
        if self._expected is not None:
            if self.cell == 0:
                return sum(self._expected)
            current = max(0.0, self._expected[self.cell - 1] - (self._clock() - self._cell_began))
            return current + sum(self._expected[self.cell :])
        if self._earlier and self.cells == 0:
            return sum(self._earlier.values())
        if self._minutes is None:
            return None
        return max(0.0, 60 * self._minutes - self.elapsed())

    def line(self) -> str:
        """One line of text: name, cell, section, time."""
        cell = f"cell {self.cell}/{self.cells}  " if self.cells else ""
        return f"{self.name}  {cell}{self.section}  {times(self.elapsed(), self.left())}"


class StageProgress:
    """The state of one stage in training, written and told as a notebook's.

    expected: seconds in all, from which the time left is estimated until steps have been timed; None if not known.
    """

    def __init__(self, name: str, expected: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self.step, self.steps = 0, 0
        self._expected = expected
        self._clock = clock
        self._began = self._now = clock()
        self._first: tuple[int, float] | None = None  # the first step that was told, and when: what came before may be resumed

    def advance(self, step: int, steps: int) -> None:
        """Note that `step` of `steps` steps are done."""
        self.step, self.steps, self._now = step, steps, self._clock()
        self._first = self._first or (step, self._now)

    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._began

    def left(self) -> float | None:
        """Estimated seconds to the end, or None if nothing is known."""
        if self._first and self.step > self._first[0]:
            seconds_per_step = (self._now - self._first[1]) / (self.step - self._first[0])
            return max(0.0, seconds_per_step * (self.steps - self.step) - (self._clock() - self._now))
        return None if self._expected is None else max(0.0, self._expected - self.elapsed())

    def line(self) -> str:
        """One line of text: name, step, time."""
        step = f"step {self.step}/{self.steps}" if self.steps else "starting"
        return f"{self.name}  {step}  {times(self.elapsed(), self.left())}"


def times(elapsed: float, left: float | None) -> str:
    """Two durations in seconds as text: "0:12, about 0:40 left"."""
    rest = f", about {clock(left)} left" if left and left >= 1 else ""  # an estimate that is used up says nothing
    return f"{clock(elapsed)}{rest}"
