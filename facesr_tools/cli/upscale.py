"""`facesr upscale`: super-resolve your own pictures with a network that a notebook has trained, or one that comes with facesr."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facesr_tools.cli.options import Device, clear_errors

if TYPE_CHECKING:  # these bring torch
    from facesr_lib.data.images import PassedOver
    from facesr_tools.upscale import JobOutcome, Upscaler

EPILOG = (
    "Examples:\n\n"
    "facesr upscale photo.jpg larger --method human_gan\n\n"
    "facesr upscale album/ larger --checkpoint isr_kd-replay-2-1\n\n"
    "facesr upscale album/ larger --method bicubic --scale 4"
)


def upscale(
    inputs: Annotated[list[Path], typer.Argument(metavar="IN...", help="Pictures, or folders of pictures.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the results, all PNG.")],
    checkpoint: Annotated[
        str, typer.Option(help="Folder of a checkpoint or stage, or the beginning of a name in runs/stages.")
    ] = "",
    method: Annotated[
        str, typer.Option(help="human_gan, selfsr, teacher_student, isr_kd (its newest checkpoint), or bicubic.")
    ] = "",
    shipped: Annotated[
        bool, typer.Option("--shipped", help="Use a network that comes with facesr, even if one was trained.")
    ] = False,
    scale: Annotated[int, typer.Option(help="Factor of bicubic; a network has its own.")] = 4,
    tile: Annotated[int, typer.Option(help="Side of the tiles in pixels of the input; 0: do not cut.")] = 192,
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.auto,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace earlier results.")] = False,
    runs: Annotated[Path | None, typer.Option(help="Folder of the notebooks' results; default: runs/.")] = None,
) -> None:
    """Super-resolve pictures with a trained network, or with bicubic.

    Takes what was trained here last; where nothing that fits was, a network that
    comes with facesr, if any do. The first line of output says which.

    Results are PNG files with the bit depth (8 or 16), greyscale, transparency and
    colour profile of their originals. EXIF orientation is applied; all other EXIF
    data is left out. Originals are never replaced. Large pictures are cut into
    tiles that overlap by the network's receptive field, so that no seam shows.
    What is passed over in folders, such as files that are no pictures, is listed.

    The networks are trained on faces: where faces are small in the picture, cut
    them out first (facesr data prepare folder). The detail is invented: never use
    it to identify anyone.

    Exit code: 0 if all pictures succeeded, 1 if one failed, 2 for a wrong option.
    """
    from facesr_lib.evaluate.run import default_output_dir
    from facesr_tools.upscale import plan

    passed: list[PassedOver] = []
    with clear_errors(OSError, ValueError):
        jobs = plan(inputs, out, overwrite=overwrite, note=passed.append)
        upscaler = _upscaler(checkpoint, method, shipped, scale, device.value, (runs or default_output_dir()) / "stages")
        if tile < 0:
            raise ValueError(f"--tile {tile}: give a side in pixels, or 0")

    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from facesr_lib.data.images import listed
    from facesr_tools.cli.tables import make_console
    from facesr_tools.upscale import upscale_files

    console = make_console()
    console.print(f"{upscaler.name}: x{upscaler.scale}, {len(jobs)} pictures", soft_wrap=True, markup=False)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f}%"), TimeRemainingColumn())
    failed: list[JobOutcome] = []
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("upscaling", total=max(1, sum(job.pixels for job in jobs)))
        for outcome in upscale_files(jobs, upscaler, tile=tile, step=lambda pixels: bar.advance(task, pixels)):
            if outcome.problem:
                failed.append(outcome)
            else:
                note = f" ({'; '.join(outcome.remarks)})" if outcome.remarks else ""
                console.print(f"✓ {outcome.job.target}{note}", soft_wrap=True, markup=False)
    for outcome in failed:
        console.print(f"✗ {outcome.job.source}: {outcome.problem}", soft_wrap=True, markup=False)
    for line in listed(passed):
        console.print(f"Passed over {line}", soft_wrap=True, markup=False)
    if failed:
        console.print(f"{len(failed)} of {len(jobs)} pictures failed: repair, replace or remove them", soft_wrap=True)
    raise typer.Exit(1 if failed else 0)


def _upscaler(checkpoint: str, method: str, shipped: bool, scale: int, device: str, stages: Path) -> Upscaler:
    from facesr_tools.upscale import bicubic, find_upscaler

    if method == "bicubic":
        if checkpoint or shipped:
            raise ValueError("--method bicubic needs no --checkpoint and no --shipped: leave them out")
        return bicubic(scale)
    return find_upscaler(checkpoint, method, stages, device, shipped=shipped)
