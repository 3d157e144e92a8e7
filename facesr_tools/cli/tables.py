"""The tables that `facesr list`, `facesr models`, `facesr rehearse`, `facesr bench` and `facesr doctor` print."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from facesr_lib.config import PROFILES
from facesr_tools.durations import clock
from facesr_tools.plan import Task, remaining
from facesr_tools.runner.machine import readable
from facesr_tools.runner.notebooks import Notebook

if TYPE_CHECKING:  # these bring torch
    from facesr_tools.bench import Result
    from facesr_tools.doctor import Diagnosis
    from facesr_tools.models import NetworkFacts
    from facesr_tools.rehearse import Rehearsal


def make_console() -> Console:
    """A console with colours and bars on a terminal; elsewhere plain text, 120 columns wide, even if FORCE_COLOR is set."""
    terminal = sys.stdout.isatty()
    if hasattr(sys.stdout, "reconfigure") and sys.stdout.errors == "strict":  # not where `main` has seen to it
        sys.stdout.reconfigure(errors="backslashreplace")  # a character that the encoding lacks must not stop a run
    return Console(force_terminal=terminal, no_color=not terminal, width=None if terminal else 120, highlight=False)


def notebooks_table(notebooks: Sequence[Notebook]) -> Table:
    """Name, title with a reader's minutes, paper, the machine's minutes per profile, hardware."""
    table = Table("notebook", "title", "paper", *PROFILES, "hardware", caption="minutes of the machine per profile")
    for notebook in notebooks:
        minutes = [f"{notebook.minutes[profile]:g}" if profile in notebook.minutes else "" for profile in PROFILES]
        title = Text(notebook.title + (f" ({notebook.study} min of yours)" if notebook.study else ""))
        table.add_row(notebook.name, title, notebook.paper or "", *minutes, Text(notebook.needs()))
    return table


def plan_table(tasks: Sequence[Task], profile: str) -> Table:
    """The graph of a run: each notebook below the stages that it is the first to need."""
    table = Table("task", "needs", "state", Column("time", justify="right"))
    done, seen, above = {task.name for task in tasks if task.done}, set[str](), set[str]()
    for task in tasks:
        # A notebook needs the stages right above it, as the layout says, and those of earlier notebooks that it names.
        named = [name for name in task.needs if task.kind == "stage" or name not in above]
        needs = "all of the above" if len(task.needs) == len(seen) > len(above) else ", ".join(named)
        state = Text("✓ done", "green") if task.done else Text("to do" if done.issuperset(task.needs) else "waits")
        words = "?" if task.seconds is None else clock(task.seconds) if task.done else f"about {clock(task.seconds)}"
        name = Text(f"  {task.name}") if task.kind == "stage" else Text(task.name, "bold")
        table.add_row(name, Text(needs), state, words, end_section=task.kind == "notebook")
        seen, above = seen | {task.name}, above | {task.name} if task.kind == "stage" else set()
    total, chain = remaining(tasks)
    unknown = sum(task.seconds is None and not task.done and task.kind == "stage" for task in tasks)
    estimate = f"about {clock(total)} on one core, at least {clock(chain)} on many"
    table.caption = f"profile {profile}; " + (
        f"{unknown} stages of unknown time: facesr rehearse measures" if unknown else estimate
    )
    return table


def networks_table(networks: Sequence[NetworkFacts], preset: str) -> Table:
    """Parameters, FLOPs and sizes of each network."""
    caption = f"preset {preset}; multiply-add = 2 FLOPs"
    table = Table("paper", "network", "parameters", "GFLOPs", "input", "output", caption=caption)
    for facts in networks:
        sizes = [" + ".join("×".join(map(str, shape)) for shape in shapes) for shapes in ((facts.input,), facts.outputs)]
        table.add_row(facts.paper, facts.network, f"{facts.parameters:,}", f"{facts.flops / 1e9:.3g}", *sizes)
    return table


def rehearsals_table(rows: Sequence[Rehearsal], profile: str) -> Table:
    """What the steps of every training took, and what its schedule would take; a network that grows gets a sum of its levels."""
    batches = "; hours at a smaller batch are those at the preset's, in proportion" if any(_scaled(row) for row in rows) else ""
    losses = Column("loss terms, first → last", no_wrap=True)
    table = Table("training", "parameters", "batch", "s/step", "memory", losses, "steps", "hours")
    table.caption = f"profile {profile}, on {rows[0].device}; hours of the published schedule{batches}"
    for index, row in enumerate(rows):
        parts = [row for row in rows if (row.paper, row.training) == (rows[index].paper, rows[index].training)]
        name = Text(f"{row.paper}: {row.training}" if row is parts[0] else "") + Text(f" {row.level}".rstrip())
        batch = f"{row.batch} of {row.preset_batch}" if _scaled(row) else str(row.batch)
        if row.failure:
            table.add_row(name, "", batch, "", "", Text(row.failure, "red"), f"{row.schedule:,}", "")
        else:
            sizes = (f"{row.parameters:,}", batch, _digits(row.seconds), readable(row.peak_memory))
            table.add_row(name, *sizes, _change(row), f"{row.schedule:,}", _digits(row.hours))
        if row is parts[-1] and len(parts) > 1:
            steps, hours = sum(part.schedule for part in parts), sum(part.hours for part in parts)
            table.add_row(Text("  all levels"), "", "", "", "", "", f"{steps:,}", _digits(hours))
        table.rows[-1].end_section = row is parts[-1]
    return table


def rehearsal_line(row: Rehearsal) -> Text:
    """One training's figures in a line, while the others go on."""
    name = f"{row.paper}: {row.training} {row.level}".rstrip()
    if row.failure:
        return Text(f"✗ {name}  {row.failure}", "red")
    words = f"{_digits(row.seconds)} s/step  {readable(row.peak_memory)}  {_digits(row.hours)} h for {row.schedule:,} steps"
    return Text(f"{'✗' if row.wrong else '✓'} {name}  {words}", "red" if row.wrong else "")


def _scaled(row: Rehearsal) -> bool:
    return row.batch != row.preset_batch


def _change(row: Rehearsal) -> Text:
    """Each term's first and last value; red if one of them is not finite."""
    lines = [f"{name} {row.first[name]:.3g} → {row.last[name]:.3g}" for name in row.first]
    warning = [f"NOT FINITE: {', '.join(row.wrong)}"] if row.wrong else []
    return Text("\n".join(warning + lines), "red" if row.wrong else "")


def _digits(number: float) -> str:
    """Three digits, never as a power of ten; "?" for NaN."""
    return "?" if number != number else f"{number:,.0f}" if number >= 100 else "<0.001" if number < 0.001 else f"{number:.3g}"


def bench_table(results: Sequence[Result]) -> Table:
    """Of every benchmark: milliseconds, images per second, GFLOP/s, their share of the ceiling, memory, and the other forms."""
    table = Table("benchmark", *(Column(name, justify="right") for name in ("ms", "images/s", "GFLOP/s", "ceiling", "memory")))
    table.add_column("times as fast as")
    for row in results:
        if row.failure:
            table.add_row(Text(row.name), "", "", "", "", "", Text(row.failure, "red"))
            continue
        rate = _digits(1000 * row.images / row.own.ms) if row.images else ""
        gflops = _digits(row.own.gflop / row.own.ms * 1000) if row.own.gflop else ""
        share = f"{row.share:.0%} of {row.ceiling:.0f}" if row.share else ""
        others = ", ".join(f"{name}: {times:.2f}" for name, times in row.faster.items())
        memory = readable(row.peak_memory) if gflops else ""
        table.add_row(Text(row.name), _digits(row.own.ms), rate, gflops, share, memory, Text(others))
    return table


def bench_line(row: Result) -> Text:
    """One benchmark's figures in a line, while the others go on."""
    if row.failure:
        return Text(f"✗ {row.name}  {row.failure}", "red")
    share = f"  {row.share:.0%} of the ceiling" if row.share else ""
    others = "".join(f"  {times:.2f} x {name}" for name, times in row.faster.items())
    return Text(f"✓ {row.name}  {_digits(row.own.ms)} ms{share}{others}")


def print_diagnosis(found: Diagnosis, console: Console) -> None:
    """Print all checks by section, then a verdict per profile."""
    table = Table("", "", "", "", box=None, show_header=False)
    section = ""
    for check in found.checks:
        mark = {True: Text("✓", "green"), False: Text("✗", "red"), None: Text("")}[check.ok]
        value = Text(check.value + (f"\n→ {check.fix}" if check.fix and not check.ok else ""))
        table.add_row(Text("" if check.section == section else check.section, "bold"), mark, check.name, value)
        section = check.section
    console.print(table)
    console.print()
    for profile, missing in found.missing.items():
        lacks = Text(f"{profile} lacks: {'; '.join(missing)}", "yellow")
        console.print(lacks if missing else Text(f"{profile} can run", "green"), soft_wrap=True)
