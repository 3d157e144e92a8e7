"""`facesr results`: a finished run as a folder that may be committed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facesr_lib.config import PROFILES
from facesr_lib.files import checkout_root
from facesr_tools.cli.options import Notebooks, ProfileName, clear_errors
from facesr_tools.runner.notebooks import NotebookError, find_folder, read_notebooks

if TYPE_CHECKING:  # these bring torch
    from facesr_tools.seed_files import Training

EPILOG = (
    "Examples:\n\nfacesr results runs\n\nfacesr results runs results/evening --profile evening --with results/evening\n\n"
    "facesr results results/evening judged-again --profile evening"
)


def results(
    run: Annotated[Path, typer.Argument(metavar="OUT", help="The results of a run: what facesr run was given as --out.")],
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="Where to write; default: results/PROFILE in the repository.")
    ] = None,
    profile: ProfileName = "quick",
    note: Annotated[str, typer.Option(help="A sentence for the page: which images, say, or what is special about the run.")] = "",
    more: Annotated[
        list[Path] | None,
        typer.Option("--with", help="An earlier such folder, whose seeds come in addition; repeat for several."),
    ] = None,
    notebooks: Notebooks = None,
) -> None:
    """Distil a run into a folder of numbers that may be committed, and print its page.

    Takes all seeds in OUT/seed-S, or else the one run in OUT. Writes scores.csv (a row
    per score and seed), claims.json (verdicts over all seeds), choices.json (those of
    every choice of the seeds), tables/ (mean and standard deviation over seeds),
    curves/ (thinned training logs), provenance.json, README.md, and seeds/ (what each
    seed found, every image's score). No pictures, no weights. What stood there before is replaced.

    OUT, and what --with names, may be such a folder: all follows from its seeds/. So
    claims are judged again without training, and seeds trained elsewhere or later are pooled with those that were kept.

    Curves need the code that trained: where the library has changed since, they are
    left out, and a line says so. make sync brings the numbers into the documents.

    Exit code: 0, or 2 if there is nothing to distil.
    """
    out = run.expanduser().resolve()
    if folder is None:
        folder = (checkout_root() or Path.cwd()) / "results" / profile
    elif folder.name in PROFILES and folder.name != profile:
        typer.echo(f"facesr: {folder} is named after another profile than --profile {profile}", err=True)
        raise typer.Exit(2)
    with clear_errors(NotebookError, ValueError):
        from facesr_tools.distil import distil

        trainings, lacking = _trainings(out, profile, find_folder(notebooks))
        others = [one.expanduser().resolve() for one in more or ()]
        for remark in (*distil(out, folder.expanduser().resolve(), profile, trainings, note, more=others), *lacking):
            typer.echo(remark, err=True)
    print(folder / "README.md")


def _trainings(out: Path, profile: str, notebooks: Path) -> tuple[list[Training], list[str]]:
    """The finished trainings of all seeds in OUT that notebooks with a result asked for; and remarks on those not found."""
    from facesr_tools.plan import plan
    from facesr_tools.pool import read_seeds
    from facesr_tools.runner.execute import Settings
    from facesr_tools.seed_files import Training, read_training

    found, _ = read_seeds(out, profile)
    by_seed: dict[tuple[int, Path, str, str], set[str]] = {}
    for name, members in found.items():
        for one in members:
            device, data_root = one.marker.get("device", "auto"), one.marker.get("data_root", "")
            by_seed.setdefault((one.seed, one.folder.parents[1], device, data_root), set()).add(name)
    done, missing, remarks = dict[tuple[str, int], Training](), 0, list[str]()
    for (seed, folder, device, data_root), names in by_seed.items():
        chosen = [one for one in read_notebooks(notebooks) if one.name in names and one.paper]
        try:
            tasks = plan(chosen, Settings(profile, folder, seed, device, data_root))
        except (OSError, ValueError, RuntimeError) as error:  # a run from elsewhere, whose GPU or images are not here
            remarks.append(f"no curves of seed {seed}: {error}")
            continue
        for task in tasks:
            if task.kind == "stage" and task.done:
                done[task.name, seed] = read_training(task.name, seed, task.output.parent, task.seconds or 0.0)
            missing += task.kind == "stage" and not task.done
    if missing:
        remarks.append(f"{missing} trainings of other code, or not finished: left out of curves/")
    return list(done.values()), remarks
