"""`facesr plan` and `facesr stage`: the graph of a run, and one training of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facesr_tools.cli.options import (
    AsJson,
    DataRoot,
    Device,
    FreshSince,
    Notebooks,
    Out,
    ProfileName,
    Seed,
    Seeds,
    TensorBoard,
    clear_errors,
    make_results_folder,
    print_json,
    run_settings,
)
from facesr_tools.durations import duration
from facesr_tools.runner.notebooks import NotebookError, find_folder, read_notebooks, select
from facesr_tools.seeds import parse_seeds

PLAN_EPILOG = "Examples:\n\nfacesr plan\n\nfacesr plan 40 41 --profile workshop --seeds 0-4\n\nfacesr plan --snakemake workflow"
STAGE_EPILOG = "Examples:\n\nfacesr stage isr_kd/face-only\n\nfacesr stage selfsr/selfsr --profile workshop --seed 3"


def plan(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME...]", help="Notebooks (name or number); default: all.")
    ] = None,
    profile: ProfileName = "quick",
    out: Out = None,
    seed: Seed = 0,
    seeds: Seeds = "",
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.auto,
    data_root: DataRoot = "",
    snakemake: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write a Snakemake workflow of the plan into this folder.")
    ] = None,
    notebooks: Notebooks = None,
    as_json: AsJson = False,
) -> None:
    """Show what a run consists of: stages, notebooks, what is done, how long the rest takes.

    A stage is one training. Notebooks share stages: what one has trained, the
    others find. facesr run trains the stages of its notebooks in several processes
    (--jobs), facesr stage trains one of them. Nothing is computed here.

    With --seeds, lessons run for the first seed only: no trained seed decides what
    they show. The report runs once, on the results of all seeds.

    Estimates come from earlier runs in OUT, or from a run that the package keeps.
    """
    with clear_errors(NotebookError, ValueError):
        settings = run_settings(profile, out, seed, device, data_root)
        folder = find_folder(notebooks)
        chosen = select(read_notebooks(folder), names or ["all"])
        listed = parse_seeds(seeds)
        from facesr_tools.plan import as_json as plan_as_json
        from facesr_tools.plan import plan as make_plan

        tasks = make_plan(chosen, settings, listed)
    if snakemake:
        from facesr_tools.snakemake import next_step, write_workflow

        with clear_errors(OSError, ValueError):
            print(write_workflow(tasks, settings, snakemake.expanduser(), folder))
        typer.echo(next_step(snakemake.expanduser()), err=True)
    elif as_json:
        print_json(plan_as_json(tasks, profile))
    else:
        from facesr_tools.cli.tables import make_console, plan_table

        make_console().print(plan_table(tasks, profile))
        lessons = {one.name for one in chosen if not one.paper and not one.always}
        if lessons and len(listed) > 1:
            saved = (len(listed) - 1) * sum(task.seconds or 0.0 for task in tasks if task.target in lessons)
            words = f", which saves about {duration(saved)} of one core" if saved else ""
            print(f"Lessons run for seed {listed[0]} only{words}; the report runs once, on all seeds.")


def stage(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A stage, as facesr plan lists it.")],
    profile: ProfileName = "quick",
    out: Out = None,
    seed: Seed = 0,
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.auto,
    data_root: DataRoot = "",
    fresh_since: FreshSince = 0.0,
    tensorboard: TensorBoard = False,
) -> None:
    """Train one stage, after those that it needs, and print its folder.

    What was trained earlier is not trained again; an interrupted training goes on
    from its last checkpoint. On a CPU it computes with one thread, whatever the
    environment says, so that its result does not depend on the machine's cores.

    Exit code: 0 if the stage is there, 2 for a wrong name or option, 130 after Ctrl-C.
    """
    with clear_errors(NotebookError, ValueError):
        settings = run_settings(profile, out, seed, device, data_root, fresh_since)
        from facesr_tools.stages import find_stage, make_stage

        make_results_folder(settings)
        find_stage(name, settings)  # so that a wrong name is one line, and an error in training is not
    try:
        print(make_stage(name, settings))
    except KeyboardInterrupt as stopped:
        typer.echo(f"facesr: {stopped or 'stopped'}", err=True)
        raise typer.Exit(130) from None
