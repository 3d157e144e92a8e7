"""`facesr weights`: the pretrained networks that some scores need, and what a run trained that ships with the package."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from facesr_tools.cli.options import AsJson, Device, ProfileName, Seed, clear_errors, print_json, run_settings
from facesr_tools.runner.notebooks import NotebookError

if TYPE_CHECKING:  # these bring torch
    from rich.console import Console

    from facesr_lib.metrics.weights import State, Weights

app = typer.Typer(
    help="List, fetch and verify the pretrained networks that LPIPS, FID, NIQE and face scores need; export what a run trained.",
    epilog="Example: facesr weights fetch",
    no_args_is_help=True,
)


@app.command("list", epilog="Example: facesr weights list --json")
def list_(as_json: AsJson = False) -> None:
    """List all weights: their metric, whether they are here, size, source, licence."""
    _show(as_json, rehash=False)


@app.command(epilog="Example: facesr weights verify")
def verify(as_json: AsJson = False) -> None:
    """Read every file again and compare it with its SHA-256.

    Exit code: 1 if a file is damaged, else 0. A missing file is no error.
    """
    states = _show(as_json, rehash=True)
    raise typer.Exit(1 if "damaged" in states.values() else 0)


@app.command(epilog="Examples:\n\nfacesr weights fetch\n\nfacesr weights fetch hed-vgg mobilenet-v2\n\nfacesr weights fetch all")
def fetch(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME...]", help="Weights (see the list), or: all.")] = None,
) -> None:
    """Fetch the weights that are not there yet into the usual caches.

    Without names, fetches what each metric needs: the official weights if their
    host can be reached, else the named substitute. Resumes partial downloads.

    Exit code: 0 if all requested weights are ready, 1 if not, 2 for a wrong name.
    """
    from facesr_lib.metrics.weights import WEIGHTS
    from facesr_tools.cli.tables import make_console

    unknown = [name for name in names or [] if name not in WEIGHTS and name != "all"]
    if unknown:
        typer.echo(f"facesr: no weights are called {', '.join(unknown)}; valid: {', '.join(WEIGHTS)}, all", err=True)
        raise typer.Exit(2)
    console = make_console()
    if names:
        chosen = list(WEIGHTS) if "all" in names else list(dict.fromkeys(names))
        done = [_fetch(name, console) for name in chosen]
        raise typer.Exit(0 if all(done) else 1)
    metrics = dict.fromkeys(weights.metric for weights in WEIGHTS.values())
    lacking = [metric for metric in metrics if not any(_fetch(name, console) for name in _for_metric(metric))]
    if lacking:
        console.print(f"n/a until weights are fetched: {', '.join(lacking)}", soft_wrap=True)
    raise typer.Exit(1 if lacking else 0)


@app.command(epilog="Example: facesr weights export --profile evening")
def export(
    out: Annotated[Path | None, typer.Argument(metavar="[OUT]", help="Folder of the results; default: runs/.")] = None,
    profile: ProfileName = "evening",
    seed: Seed = 0,
    to: Annotated[Path | None, typer.Option(help="Another folder than this checkout's facesr_lib/shipped.")] = None,
) -> None:
    """Write the main networks of a finished run into the package, each with a model card.

    Takes half precision where the mean PSNR on the test images stays the same. What
    was shipped before is replaced. Only networks trained on the packaged images are
    taken, since their terms allow it.

    Exit code: 0 if every network was written, else 2; then nothing has changed.
    """
    from facesr_tools.cli.tables import make_console
    from facesr_tools.shipping import CannotShip
    from facesr_tools.shipping import export as write

    with clear_errors(CannotShip, NotebookError, OSError, ValueError):
        done = write(run_settings(profile, out, seed, Device.cpu, ""), to)
    console = make_console()
    for one in done:
        kept = f"{one.facts['dtype']}, half precision costs {one.lost:.4f} dB"
        console.print(f"✓ {one.name}  {len(one.weights) / 1e3:,.0f} kB, {kept}", soft_wrap=True, markup=False)
    console.print(f"{len(done)} networks, {sum(len(one.weights) for one in done) / 1e6:.2f} MB")


def _for_metric(metric: str) -> list[str]:
    """The official backend's weights, then its substitute's."""
    from facesr_lib.metrics.weights import WEIGHTS

    return [name for name, weights in WEIGHTS.items() if weights.metric == metric and weights.by_default]


def _fetch(name: str, console: Console) -> bool:
    """Fetch one entry with a progress bar and print the result."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    from facesr_tools.weights import FetchFailed
    from facesr_tools.weights import fetch as fetch_weights

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task(name, total=None)
            path = fetch_weights(name, lambda done, total: bar.update(task, completed=done, total=total))
    except FetchFailed as error:
        console.print(f"✗ {error}", soft_wrap=True, markup=False)
        return False
    console.print(f"✓ {name}  {path}", soft_wrap=True, markup=False)
    return True


def _show(as_json: bool, *, rehash: bool) -> dict[str, State]:
    from facesr_lib.metrics.weights import WEIGHTS, state
    from facesr_tools.cli.tables import make_console

    states = {name: state(weights, rehash=rehash) for name, weights in WEIGHTS.items()}
    if as_json:
        print_json([_facts(WEIGHTS[name], found) for name, found in states.items()])
    else:
        _print_table(WEIGHTS.values(), states, make_console())
    return states


def _print_table(table: Collection[Weights], states: dict[str, State], console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    from facesr_tools.upscale.methods import shipped_networks

    colours = {"ready": "green", "missing": "yellow", "damaged": "red"}
    shown = Table("name", "for", "state", "MB", "source", "licence")
    for weights in table:
        found = Text(states[weights.name], colours[states[weights.name]])
        size = Text(f"{weights.size / 1e6:.0f}" if weights.size > 1e6 else "<1", justify="right")
        source = Text(urlsplit(weights.source).netloc or weights.source, overflow="fold")
        shown.add_row(weights.name, Text(weights.backend), found, size, source, Text(weights.licence))
    console.print(shown)
    ready = {weights.metric for weights in table if states[weights.name] == "ready"}
    if lacking := [metric for metric in dict.fromkeys(weights.metric for weights in table) if metric not in ready]:
        console.print(f"n/a until you run `facesr weights fetch`: {', '.join(lacking)}", soft_wrap=True)
    ours = ", ".join(shipped_networks()) or "none yet; facesr weights export writes them"
    console.print(f"trained networks that come with facesr: {ours}", soft_wrap=True, markup=False)


def _facts(weights: Weights, found: State) -> dict[str, Any]:
    return {
        "name": weights.name,
        "metric": weights.metric,
        "backend": weights.backend,
        "state": found,
        "path": str(weights.path),
        "bytes": weights.size,
        "sha256": {file.name: file.sha256 for file in weights.files},
        "source": weights.source,
        "licence": weights.licence,
    }
