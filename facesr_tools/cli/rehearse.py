"""`facesr rehearse`: a few steps of every training of a profile, and how long the whole schedule would take here."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facesr_lib.files import write_atomically
from facesr_lib.papers import PAPERS
from facesr_tools.cli.options import Device, ProfileName, clear_errors

if TYPE_CHECKING:  # these bring torch
    from rich.console import Console

    from facesr_tools.rehearse import Rehearsal
    from facesr_tools.trainings import Training

EPILOG = (
    "Examples:\n\n"
    "facesr rehearse\n\n"
    "facesr rehearse --steps 5 --batch 1 --paper isr_kd\n\n"
    "facesr rehearse --profile workshop --device cuda --json rehearsal.json"
)
KEYS = ", ".join(paper.key for paper in PAPERS)


def rehearse(
    profile: ProfileName = "paper",
    steps: Annotated[int, typer.Option(help="Real steps of each training, and of each level of a growing network.")] = 20,
    batch: Annotated[
        int | None, typer.Option(help="Images in a step; default: the preset's. Fewer where memory is short.", show_default=False)
    ] = None,
    paper: Annotated[str, typer.Option(metavar="KEY", help=f"One paper only: {KEYS}.", show_default=False)] = "",
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.auto,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Keep all figures in this file.")] = None,
) -> None:
    """Take a few real steps of every training, and project the whole schedule.

    Before a run of days: shows that each training starts, what its losses are, the
    memory it needs, seconds per step and the hours of its published schedule on
    this machine. Nothing is kept of what is learnt, and no data is needed: the
    images are packaged faces and cartoons, enlarged to the profile's size.

    With --batch the hours grow in proportion to the preset's batch, which on a GPU
    is a bound from above: a larger batch uses it better. The number of steps is
    that of the published schedule on the published number of images.

    Exit code: 0, 1 if a training ran out of memory or a loss is not finite, 2 for
    a wrong option.
    """
    with clear_errors(OSError, ValueError):
        keys = [found.key for found in PAPERS if paper in ("", found.key)]
        if not keys:
            raise ValueError(f"--paper {paper!r}: choose one of {KEYS}")
        for option, value in (("--steps", steps), ("--batch", batch)):
            if value is not None and value < 1:
                raise ValueError(f"{option} {value}: expected at least 1")
        if json_file:
            write_atomically(json_file, b"{}")  # a wrong place shows before the work
        from facesr_lib.training import resolve_device
        from facesr_tools.cli.tables import make_console
        from facesr_tools.trainings import trainings

        resolve_device(device.value)
        chosen = [training for key in keys for training in trainings(key, profile)]
    rows = _rehearse(chosen, profile, steps, batch, device, json_file, make_console())
    raise typer.Exit(1 if any(row.failure or row.wrong for row in rows) else 0)


def _rehearse(
    chosen: list[Training], profile: str, steps: int, batch: int | None, device: Device, json_file: Path | None, console: Console
) -> list[Rehearsal]:
    """Rehearse with a bar on a terminal and a line for each training elsewhere; keep what is known after each."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from facesr_lib.evaluate.provenance import provenance
    from facesr_lib.evaluate.result import jsonable
    from facesr_tools.cli.tables import rehearsal_line, rehearsals_table
    from facesr_tools.rehearse import rehearse as rehearse_training

    rows: list[Rehearsal] = []
    started = datetime.now(UTC)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("steps"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        for training in chosen:
            task = progress.add_task(f"{training.paper}: {training.name}", total=steps * len(training.levels))
            for row in rehearse_training(training, steps, batch, device.value, tell=partial(progress.advance, task)):
                rows.append(row)
                progress.console.print(rehearsal_line(row), soft_wrap=True)
                if json_file:
                    found = [{**asdict(row), "hours": row.hours, "wrong": row.wrong} for row in rows]
                    facts = {"profile": profile, "rehearsals": found, "machine": provenance(started, 0, {}, {})}
                    write_atomically(json_file, (json.dumps(jsonable(facts), indent=2) + "\n").encode())
            progress.remove_task(task)
    console.print(rehearsals_table(rows, profile))
    return rows
