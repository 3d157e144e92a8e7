"""`facesr bench`: how fast the library is on this machine, against plain PyTorch and public packages in the same run."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facesr_lib.config import check_profile
from facesr_lib.files import write_atomically
from facesr_tools.cli.options import Device, clear_errors

if TYPE_CHECKING:  # these bring torch
    import torch
    from rich.console import Console

    from facesr_tools.bench import Result, Work

EPILOG = (
    "Examples:\n\n"
    "facesr bench\n\n"
    'facesr bench --profile quick "step quick human_gan" metric\n\n'
    "facesr bench --list\n\n"
    "facesr bench --device cuda --profile paper step --json bench.json"
)


def bench(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="What to measure: parts of names; default: all that is usual.")
    ] = None,
    profiles: Annotated[list[str], typer.Option("--profile", "-p", help="Presets of the trainings; may be given twice.")] = [  # noqa: B006
        "quick",
        "paper",
    ],
    seconds: Annotated[float, typer.Option(help="Time for each benchmark; slow ones take three turns.")] = 2.0,
    threads: Annotated[int, typer.Option(help="Threads of torch.")] = 1,
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.cpu,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Keep all figures in this file.")] = None,
    list_only: Annotated[bool, typer.Option("--list", help="Only print the names; what is not usual in brackets.")] = False,
) -> None:
    """Measure one step and one enlargement of every method, batches, metrics, explorers and start-up.

    Each runs in turns with its plain form, as a textbook writes it in PyTorch
    (contiguous memory, no fused optimizer, every image through every network), or
    with public packages that do the same, where they are installed (torchmetrics,
    piq, kornia, pytorch-fid). GFLOP/s are compared with the fastest convolution or
    matrix product of the same turns. Batches are the preset's; of paper, the
    smallest possible. Milliseconds are those of the quickest turn; on one thread of
    a CPU, of this process's own computing.

    Exit code: 0, or 2 for a wrong name or option.
    """
    with clear_errors(OSError, ValueError):
        for profile in profiles:
            check_profile(profile)
        for option, value in (("--seconds", seconds), ("--threads", threads)):
            if value <= 0:
                raise ValueError(f"{option} {value:g}: expected more than 0")
        import torch

        from facesr_lib.training import resolve_device
        from facesr_tools.cli.tables import make_console

        where = resolve_device(device.value)
        torch.set_num_threads(threads)
        works = _works(profiles, where)
        chosen = _choose(works, names or [])
        if json_file and not list_only:
            write_atomically(json_file, b"{}")  # a wrong place shows before the work
    if list_only:
        from facesr_tools.bench.works import usual

        print("\n".join(work.name if usual(work.name) else f"[{work.name}]" for work in works))
        return
    _measure(chosen, seconds, where, json_file, make_console())


def _works(profiles: list[str], device: torch.device) -> list[Work]:
    from facesr_tools.bench.others import other_works
    from facesr_tools.bench.works import training_works

    works = [work for profile in dict.fromkeys(profiles) for work in training_works(profile, device)]
    return [*works, *other_works()]


def _choose(works: list[Work], names: list[str]) -> list[Work]:
    """The works that one of the names is part of, the usual ones without names. Raises ValueError for a name of none."""
    from facesr_tools.bench.works import usual

    for name in names:
        if not any(name.lower() in work.name.lower() for work in works):
            raise ValueError(f"no benchmark's name contains {name!r}; facesr bench --list prints all names")
    if not names:
        return [work for work in works if usual(work.name)]
    return [work for work in works if any(name.lower() in work.name.lower() for name in names)]


def _measure(works: list[Work], seconds: float, device: torch.device, json_file: Path | None, console: Console) -> list[Result]:
    """Measure with a bar on a terminal and a line for each elsewhere; keep what is known after each."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from facesr_lib.evaluate.provenance import provenance
    from facesr_tools.bench import measure
    from facesr_tools.cli.tables import bench_line, bench_table

    results: list[Result] = []
    started = datetime.now(UTC)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=len(works))
        for work in works:
            progress.update(task, description=work.name)
            results.append(measure(work, seconds, device))
            progress.advance(task)
            progress.console.print(bench_line(results[-1]), soft_wrap=True)
            if json_file:
                facts = {"benchmarks": [asdict(result) for result in results], "machine": provenance(started, 0, {}, {})}
                write_atomically(json_file, (json.dumps(facts, indent=1) + "\n").encode())
    console.print(bench_table(results))
    return results
