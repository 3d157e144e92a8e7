"""Which task is next, how many at once, and how long it will take."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from graphlib import TopologicalSorter

from facesr_tools.plan import Task
from facesr_tools.runner.execute import Settings
from facesr_tools.runner.machine import GIB, cpu_limit, memory_limit, usable_cores
from facesr_tools.runner.notebooks import Notebook

MEMORY_PER_JOB = int(1.5 * GIB)  # of a `quick` notebook's kernel or a stage
IDLE_MEMORY = GIB  # of a worker that has trained, beside the kernel of the notebook that it runs


def default_jobs() -> int:
    """One job per core that this process may use, fewer where memory is short; at least one."""
    return max(1, min(usable_cores(), int(cpu_limit() or usable_cores()), memory_limit() // MEMORY_PER_JOB))


class Schedule:
    """The tasks of a run. A task is ready once all that it needs has ended, well or not.

    With one job, the notebooks' order decides, and a stage comes right before the first notebook that needs it. With several, the
    longest way to the end goes first, so that no long task is left over at the end.
    """

    def __init__(self, tasks: Sequence[Task], jobs: int) -> None:
        names = {task.name for task in tasks}
        self.jobs = jobs
        self.waiting = {task.name: replace(task, needs=tuple(n for n in task.needs if n in names)) for task in tasks}
        self.total = len(tasks)
        self._needs = {name: set(task.needs) for name, task in self.waiting.items()}
        self._ways = _ways(list(self.waiting.values()))
        place = _places(list(self.waiting.values()))
        self._rank = {name: (0.0 if jobs == 1 else -self._ways[name], place[name]) for name in self.waiting}

    def next(self) -> Task | None:
        """Take the next task that is ready, if there is one."""
        ready = [name for name in self.waiting if not self._needs[name]]
        return self.waiting.pop(min(ready, key=self._rank.__getitem__)) if ready else None

    def ended(self, task: Task) -> None:
        """Note that a task that was taken has ended."""
        for needs in self._needs.values():
            needs.discard(task.name)

    def left(self, running: Mapping[str, float | None]) -> float | None:
        """Estimated seconds until all is done, or None if nothing is known; `running`: those left of the tasks that run."""
        waiting = [task.seconds for task in self.waiting.values()]
        seconds = [*running.values(), *waiting]
        if None in seconds or not seconds:
            return None
        known = [second for second in seconds if second is not None]
        after = {n: max((self._ways[name] for name in self.waiting if n in self._needs[name]), default=0.0) for n in running}
        ways = [(second or 0.0) + after[name] for name, second in running.items()]
        return max(sum(known) / self.jobs, *ways, *(self._ways[name] for name in self.waiting), 0.0)


def notebooks_only(runs: Mapping[str, tuple[Notebook, Settings]]) -> list[Task]:
    """The tasks of notebooks that make all stages themselves. runs: by the task's name."""
    return [
        Task(name, "notebook", settings.seed, settings.out, (), settings.folder(notebook) / "done.json", done=False)
        for name, (notebook, settings) in runs.items()
    ]


def report_last(tasks: Sequence[Task], always: Collection[str]) -> list[Task]:
    """The same tasks, where those called `always`, which collect what the others wrote, need all others."""
    others = tuple(task.name for task in tasks if task.name not in always)
    return [replace(task, needs=others) if task.name in always else task for task in tasks]


def _in_order(tasks: Sequence[Task]) -> list[Task]:
    """Every task after those that it needs. Raises graphlib.CycleError where tasks need each other."""
    by_name = {task.name: task for task in tasks}
    return [by_name[name] for name in TopologicalSorter({task.name: task.needs for task in tasks}).static_order()]


def _ways(tasks: Sequence[Task]) -> dict[str, float]:
    """Seconds from the start of each task to the end of the longest chain that needs it; what is unknown counts as none."""
    ways: dict[str, float] = {}
    for task in reversed(_in_order(tasks)):
        after = (ways[other.name] for other in tasks if task.name in other.needs)
        ways[task.name] = (task.seconds or 0.0) + max(after, default=0.0)
    return ways


def _places(tasks: Sequence[Task]) -> dict[str, tuple[float, int]]:
    """Where each task stands: beside the first notebook that needs it, and in the plan."""
    places: dict[str, tuple[float, int]] = {}
    order = {task.name: index for index, task in enumerate(tasks)}
    for task in reversed(_in_order(tasks)):
        after = (places[other.name][0] for other in tasks if task.name in other.needs)
        beside = order[task.name] if task.kind == "notebook" else min(after, default=math.inf)
        places[task.name] = (beside, order[task.name])
    return places
