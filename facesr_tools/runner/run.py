"""Run several notebooks and the trainings they need, some at a time: skip what is done, show progress, report failures."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.connection import wait
from types import FrameType
from typing import Any

from rich.console import Console

from facesr_tools.durations import clock
from facesr_tools.plan import Place, Task, places
from facesr_tools.runner.execute import Failure, Outcome, Settings, keep_failed
from facesr_tools.runner.machine import memory_limit
from facesr_tools.runner.notebooks import Notebook
from facesr_tools.runner.progress import Progress, StageProgress, earlier_timings
from facesr_tools.runner.resume import earlier_outcome
from facesr_tools.runner.schedule import IDLE_MEMORY, MEMORY_PER_JOB, Schedule, default_jobs, notebooks_only, report_last
from facesr_tools.runner.show import AnyProgress, Screen, live_lines, summary
from facesr_tools.runner.tasks import load, make_plan, run_notebook, train
from facesr_tools.runner.worker import ONE_THREAD, Ended, Said, Told, Worker
from facesr_tools.seeds import pooled_folder

_LOOK_SECONDS = 0.2  # how often the run looks whether it shall stop


@dataclass
class Outcomes:
    """How a run ended: its notebooks by name, those left out that did not run; the stages by name, "" where one was trained."""

    notebooks: dict[str, Outcome] = field(default_factory=dict)
    stages: dict[str, str] = field(default_factory=dict)
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        """0 if no notebook failed, 1 if one did, 130 after Ctrl-C."""
        failed = any(outcome.status == "failed" for outcome in self.notebooks.values())
        return 130 if self.interrupted else 1 if failed else 0


@dataclass
class Job:
    """One of the places where tasks are carried out: a worker, hired when it is needed, and what it is doing."""

    environment: dict[str, str]
    worker: Worker | None = None
    task: Task | None = None
    progress: AnyProgress | None = None
    busy: bool = False
    loaded: bool = False  # whether the worker holds torch

    def call(self, function: Callable[..., Any], *args: Any) -> None:
        """Have the worker carry out a call."""
        self.worker = self.worker or Worker(self.environment)
        self.worker.call(function, *args)
        self.busy = True
        self.loaded |= function is not run_notebook  # whose kernel is a process of its own

    def dismiss(self) -> None:
        """End the worker: at once if it is idle, else once it has stopped."""
        if self.worker:
            self.worker.end()
        self.worker, self.busy, self.loaded = None, False, False


def run_notebooks(
    notebooks: Sequence[Notebook],
    settings: Settings,
    console: Console,
    code: str,
    resume: str,
    jobs: int | None = None,
    seeds: Sequence[int] = (),
) -> Outcomes:
    """Run `notebooks` and the stages they need, at most `jobs` at once; None: what `default_jobs` says, or one per GPU.

    A failure stops nothing but what needs it; Ctrl-C stops all: trainings save, kernels end.
    code: the fingerprint of the library.  resume: the command to print after an interruption.
    seeds: of several runs at once, each in a folder of its own, as `plan.places` says; their results are pooled at the end.
    """
    run = Run(places(notebooks, settings, seeds), console, code, jobs)
    with _stop_signals(run), run.screen.shown():
        try:
            run.plan()
            run.work()
        finally:
            run.dismiss()
    console.print(summary(list(run.runs), run.outcomes.notebooks))
    if run.outcomes.stages:
        run.screen.say(_sum_up(run.outcomes.stages))
    out = pooled_folder(settings.out) if seeds else settings.out
    report = out / settings.profile / "report.html"
    if run.outcomes.interrupted:
        run.screen.say("Interrupted. Finished notebooks and trainings are kept; to continue:")
        run.screen.say(resume)
        return run.outcomes
    if seeds and not any(notebook.always for notebook in notebooks):
        from facesr_tools.pool import pooled_report  # brings torch, once the workers have ended

        for remark in pooled_report(settings.out, settings.profile):
            run.screen.say(remark)
    if report.is_file():
        run.screen.say(str(report))
    return run.outcomes


class Run:
    """The state of one run. Signals only count up `asked`; the loop answers them between two messages of its workers."""

    def __init__(self, found: Sequence[Place], console: Console, code: str, jobs: int | None) -> None:
        self.places, self.code = found, code
        self.runs = {one.name + place.suffix: (one, place.settings) for place in found for one in place.notebooks}
        self.outcomes = Outcomes()
        self.screen = Screen(console, self._live_lines)
        self.asked = 0  # how often to stop
        self._answered = 0
        self._wanted, self._gpus = jobs, 0
        self._jobs = [Job(ONE_THREAD) for _ in range(jobs or default_jobs())]
        self._schedule = Schedule([], 1)
        self._began = time.monotonic()

    def plan(self) -> None:
        """Find out what is to be done. Without a plan of the stages, each notebook makes its own."""
        for name, (notebook, settings) in self.runs.items():
            if outcome := earlier_outcome(notebook, settings, self.code):
                self._note(name, outcome)
        ended = self.outcomes.notebooks
        todo = {name: one for name, one in self.runs.items() if name not in ended}
        tasks = notebooks_only(todo)
        if any(notebook.paper for notebook, _ in todo.values()):
            self.screen.plainly("planning: which trainings the notebooks need, and which are there")
            left = [replace(p, notebooks=tuple(n for n in p.notebooks if n.name + p.suffix in todo)) for p in self.places]
            self._jobs[0].call(make_plan, left)
            for job in self._jobs[1:]:
                job.call(load)
            made = None
            while self._jobs[0].busy:
                made = self._hear()
            if made and made.error:
                self.screen.say(f"the trainings could not be planned, so each notebook makes its own: {made.error}")
            elif made and not made.interrupted:
                tasks, self._gpus = made.value
        if self._gpus:
            self.dismiss()
            places = range(self._wanted or self._gpus)
            self._jobs = [Job({"CUDA_VISIBLE_DEVICES": _gpu(index % self._gpus)}) for index in places]
        always = {name for name, (notebook, _) in self.runs.items() if notebook.always}
        self._schedule = Schedule(report_last([task for task in tasks if not task.done], always), len(self._jobs))

    def work(self) -> None:
        """Carry out all tasks; once the run is asked to stop, no further ones."""
        while True:
            for job in self._jobs:
                if not job.busy and not self.asked:
                    self._start_next(job)
            if not any(job.busy for job in self._jobs):
                break
            self._hear()
        self.outcomes.interrupted |= self.asked > 0 and bool(self._schedule.waiting)

    def dismiss(self) -> None:
        """End all workers."""
        for job in self._jobs:
            if job.worker:
                job.worker.close()
        for job in self._jobs:
            job.dismiss()

    def _hear(self) -> Ended | None:
        """Answer signals; take what workers sent, if they did within a moment, and return how a call ended, if one did."""
        if self.asked > self._answered:
            self._answered += 1
            self.screen.plainly(
                "stopping: trainings save, kernels end (Ctrl-C again kills them)" if self._answered == 1 else "killing"
            )
            for worker in [job.worker for job in self._jobs if job.busy and job.worker]:
                worker.stop() if self._answered == 1 else worker.kill()
        workers = {job.worker.connection: (job, job.worker) for job in self._jobs if job.busy and job.worker}
        readable: list[Any] = wait(list(workers), _LOOK_SECONDS)
        for job, worker in [workers[connection] for connection in readable[:1]]:
            message = worker.receive()
            if isinstance(message, Said):
                self.screen.say(f"  {job.progress.name}  {message.line}" if job.progress else message.line)
            elif isinstance(message, Told):
                job.progress = message.value
                self.screen.moves(message.value)
            else:
                self._ended(job, message)
                return message
        return None

    def _start_next(self, job: Job) -> None:
        """Start the task that is next; stages that need a failed one are left out."""
        while task := self._schedule.next():
            failed = next((name for name in task.needs if self.outcomes.stages.get(name)), None)
            if task.kind == "notebook":
                self._start_notebook(job, task)
                return
            if not failed:
                job.task, job.progress = task, StageProgress(task.name, task.seconds)
                self.screen.starts(job.progress)
                settings = replace(self.places[0].settings, seed=task.seed, out=task.out)
                job.call(train, task.target, settings, job.progress)
                return
            self.outcomes.stages[task.name] = f"{failed} failed"
            self.screen.say(f"- {task.name}  not trained: {failed} failed", "dim")
            self._schedule.ended(task)

    def _start_notebook(self, job: Job, task: Task) -> None:
        # What a worker keeps of its trainings may be what the kernel lacks, on a GPU above all.
        if job.loaded and (self._gpus or memory_limit() < len(self._jobs) * (MEMORY_PER_JOB + IDLE_MEMORY)):
            job.dismiss()
        notebook, settings = self.runs[task.name]
        minutes = notebook.minutes.get(settings.profile) if task.seconds is None else task.seconds / 60
        # After --fresh everything is computed again, so what a run with cached stages took says little.
        earlier = {} if settings.fresh_since else earlier_timings(settings.folder(notebook) / "notebook.ipynb")
        job.task, job.progress = task, Progress(task.name, minutes, earlier)
        self.screen.starts(job.progress)
        job.call(run_notebook, notebook, settings, self.code, job.progress)

    def _ended(self, job: Job, ended: Ended) -> None:
        """Note how a call ended. A worker that died is replaced when it is needed."""
        task, progress, job.task, job.progress, job.busy = job.task, job.progress, None, None, False
        if ended.died:
            job.dismiss()
            if self.asked:
                ended = Ended(interrupted=True)
        self.outcomes.interrupted |= ended.interrupted
        if task is None or progress is None:  # the plan, or what is loaded meanwhile
            return
        self._schedule.ended(task)
        if isinstance(progress, StageProgress):
            self.outcomes.stages[task.name] = "interrupted" if ended.interrupted else ended.error
            self.screen.stage(progress, ended)
            return
        notebook, settings = self.runs[task.name]
        outcome = ended.value
        if outcome is None:
            keep_failed(settings.folder(notebook))
            failure = None if ended.interrupted else Failure(ended.error)
            outcome = Outcome("failed" if failure else "interrupted", progress.elapsed(), failure=failure)
        self._note(task.name, outcome)

    def _note(self, name: str, outcome: Outcome) -> None:
        notebook, settings = self.runs[name]
        self.outcomes.notebooks[name] = outcome
        self.outcomes.interrupted |= outcome.status == "interrupted"
        self.screen.notebook(name, settings.folder(notebook), outcome)

    def _live_lines(self) -> list[str]:
        running = {job.task.name: job.progress for job in self._jobs if job.task and job.progress}
        if self.asked:
            return [f"{name}  stopping (Ctrl-C again kills it)" for name in running]
        elapsed, schedule = time.monotonic() - self._began, self._schedule
        if not schedule.total:
            return [f"planning: which trainings the notebooks need, and which are there  {clock(elapsed)}"]
        left = schedule.left({name: progress.left() for name, progress in running.items()})
        ended = schedule.total - len(schedule.waiting) - len(running)
        return live_lines(list(running.values()), ended, schedule.total, elapsed, left)


def _gpu(index: int) -> str:
    """The name of one of the GPUs that this process may use."""
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    return allowed.split(",")[index] if allowed else str(index)


def _sum_up(stages: Mapping[str, str]) -> str:
    """One line about the trainings of a run."""
    failed = [name for name, reason in stages.items() if reason]
    made = len(stages) - len(failed)
    words = f"{made} training{'' if made == 1 else 's'} ready before the notebooks"
    return f"{words}; not ready: {', '.join(failed)}" if failed else words


@contextmanager
def _stop_signals(run: Run) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM stop a run."""

    def stop(number: int, frame: FrameType | None) -> None:
        run.asked += 1

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:  # nohup and background jobs keep ignoring
                signal.signal(number, stop)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
