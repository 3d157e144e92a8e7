"""`facesr data`: list, describe, prepare and verify the papers' data sets."""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesr_lib.files import write_atomically
from facesr_tools.cli.options import AsJson, clear_errors, print_json

if TYPE_CHECKING:  # these are slow to import
    from rich.console import Console

    from facesr_tools.prepare import Description

app = typer.Typer(
    help="List, describe, prepare and verify the papers' data sets; notebooks find prepared ones through DATA_ROOT.",
    epilog="Example: facesr data prepare celeba --root ~/faces",
    no_args_is_help=True,
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="A data set (see the list).")]
Root = Annotated[Path, typer.Option(help="Folder of all prepared sets; the notebooks' DATA_ROOT.")]
OptionalRoot = Annotated[Path | None, typer.Option("--root", help="Folder of the prepared sets, to show which are there.")]
ACCEPTED = "accepted_terms.json"
OWN_PHOTOS = "folder"


@app.command("list", epilog="Example: facesr data list --root ~/faces")
def list_(root: OptionalRoot = None, as_json: AsJson = False) -> None:
    """List the data sets: kind, paper, licence, how to get them, and what is prepared."""
    from facesr_lib.data.prepared import prepared_sets
    from facesr_tools.cli.tables import make_console
    from facesr_tools.prepare import CATALOGUE

    there = prepared_sets(root.expanduser()) if root else {}
    rows = [_facts(description) | {"prepared": there.get(name)} for name, description in CATALOGUE.items()]
    if as_json:
        print_json(rows)
        return
    from rich.table import Table
    from rich.text import Text

    table = Table("name", "what", "kind", "paper", "download", "prepared", "licence")
    for row in rows:
        images = sum(part["images"] for part in row["prepared"]["parts"].values()) if row["prepared"] else 0
        download = "yes" if row["downloadable"] else "by hand"
        table.add_row(row["name"], Text(row["title"]), row["kind"], ", ".join(row["used_by"]), download,
                      f"{images:,}" if images else "", Text(row["licence"]))  # fmt: skip
    make_console().print(table)


@app.command(epilog="Example: facesr data info widerface")
def info(name: Name, as_json: AsJson = False) -> None:
    """Show one data set: terms, protocol, files, and where to request what cannot be downloaded."""
    from facesr_tools.prepare import described

    with _clear_errors(exit_code=2):
        facts = _facts(described(name))
    if as_json:
        print_json(facts)
        return
    files = facts.pop("files")
    for key, value in facts.items():
        typer.echo(f"{key:<14} {', '.join(value) if isinstance(value, list) else value}")
    for file in files:
        known = "".join(f", {kind} {file[kind]}" for kind in ("md5", "sha256") if file[kind])
        typer.echo(f"{'file':<14} {file['name']} ({'download' if file['urls'] else 'by hand'}{known})")


@app.command(
    epilog="Examples:\n\nfacesr data prepare celeba --root ~/faces\n\n"
    "facesr data prepare helen --root ~/faces --archive helen_1.zip --archive helen_2.zip ... --archive annotation.zip\n\n"
    "facesr data prepare folder ~/album --root ~/faces\n\n"
    "facesr data prepare icartoonface --root ~/faces --archive ~/unpacked-folder --limit 1000 --yes"
)
def prepare(
    name: Name,
    root: Root,
    archive: Annotated[
        list[Path] | None, typer.Option(help="An archive that you have (repeatable), or one folder, which is only read.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Take at most this many pictures of each part.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Accept the licence and terms without a question.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Number of processes; default: one per core.")] = None,
    photos: Annotated[
        Path | None, typer.Argument(metavar="[PHOTOS]", help="With NAME folder: a folder of your own photographs.")
    ] = None,
    size: Annotated[int, typer.Option(min=16, help="With NAME folder: side of the faces in pixels.")] = 128,
) -> None:
    """Download a data set or take your files, check, crop by the paper's protocol, and pack into ROOT/NAME.

    Shows licence and terms and asks once. For files that must be requested, prints the page to ask on. The same command
    resumes an interrupted one; a complete set is not prepared again.

    NAME folder finds and crops the faces in your own photographs, best kept in one
    subfolder per person. Faces smaller than --size are left out, never enlarged.

    Exit code: 0 if the set is ready, 1 if not, 2 for a wrong name or refused terms, 130 after Ctrl-C.
    """
    from facesr_tools.cli.tables import make_console
    from facesr_tools.prepare import described
    from facesr_tools.prepare import prepare as prepare_set

    console, root = make_console(), root.expanduser()
    if (name == OWN_PHOTOS) != (photos is not None):
        typer.echo(
            f"facesr: your own photographs are prepared with: facesr data prepare {OWN_PHOTOS} PHOTOS --root DIR", err=True
        )
        raise typer.Exit(2)
    if photos is not None:
        _prepare_photos(photos.expanduser(), root, size, limit, workers, console)
        return
    with _clear_errors(exit_code=2):
        description = described(name)
    _accept_terms(description, root, yes)
    with _clear_errors(), _progress(console) as progress:
        given = [path.expanduser() for path in archive or []]
        facts = prepare_set(description, root, given, limit=limit, workers=workers, progress=progress)
    _print_prepared(root / name, facts, console)


@app.command(epilog="Example: facesr data verify celeba --root ~/faces")
def verify(name: Name, root: Root) -> None:
    """Read every picture of a prepared set again, compare checksums, and look for people in two splits.

    Exit code: 0 if the set is complete, 1 if not.
    """
    from facesr_tools.prepare import verify as verify_set

    problems = verify_set(root.expanduser() / name)
    for problem in problems:
        typer.echo(f"✗ {problem}", err=True)
    if not problems:
        typer.echo(f"✓ {name} is complete")
    raise typer.Exit(1 if problems else 0)


def script(name: str) -> None:
    """Run `facesr data prepare NAME` with the arguments of a script in data_scripts/."""
    from typer.main import get_command

    get_command(app).main(["prepare", name, *sys.argv[1:]], prog_name="facesr data")


def _facts(description: Description) -> dict[str, Any]:
    from facesr_tools.prepare import used_by

    origin = description.origin
    return {
        "name": description.name, "title": description.title, "kind": description.kind, "used_by": used_by(description.name),
        "size": description.size, "protocol": description.protocol, "identities": origin.identities, "licence": origin.licence,
        "terms": origin.terms, "credit": origin.credit, "downloadable": description.downloadable, "get it": description.ask,
        "files": [asdict(file) for file in description.files],
    }  # fmt: skip


def _accept_terms(description: Description, root: Path, yes: bool) -> None:
    """Show licence and terms; ask once per set of terms, and remember the answer beside the sources."""
    origin = description.origin
    path = root / "sources" / ACCEPTED
    accepted = json.loads(path.read_bytes()) if path.is_file() else {}
    if accepted.get(origin.family, {}).get("terms") == origin.terms:
        return
    typer.echo(f"{description.title}. Licence: {origin.licence}. Terms: {origin.terms}")
    if not yes and not typer.confirm("Have you read the terms, and do you accept them?"):
        typer.echo("facesr: nothing was downloaded or prepared", err=True)
        raise typer.Exit(2)
    path.parent.mkdir(parents=True, exist_ok=True)
    accepted[origin.family] = {"terms": origin.terms, "licence": origin.licence, "on": datetime.date.today().isoformat()}
    write_atomically(path, json.dumps(accepted, indent=1).encode())


def _prepare_photos(photos: Path, root: Path, size: int, limit: int | None, workers: int | None, console: Console) -> None:
    """Fetch the face detector if it is missing, then find, crop and pack the faces of a folder."""
    from functools import partial

    from facesr_tools.prepare.detector import find_faces
    from facesr_tools.prepare.photos import LEFT_OUT, prepare_folder
    from facesr_tools.weights import FetchFailed, fetch

    try:
        find = partial(find_faces, network=fetch("centerface"))
    except FetchFailed as error:
        typer.echo(f"facesr: the face detector is missing: {error}", err=True)
        raise typer.Exit(1) from None
    with _clear_errors(), _progress(console) as progress:
        facts = prepare_folder(photos, root, find, size=size, limit=limit, workers=workers, progress=progress)
    folder = root / facts["name"]
    _print_prepared(folder, facts, console)
    if left_out := json.loads((folder / LEFT_OUT).read_bytes()):
        console.print(f"{len(left_out)} files gave no face (all of them: {folder / LEFT_OUT}):", soft_wrap=True)
        _print_passed_over(left_out, console)


def _print_prepared(folder: Path, facts: dict[str, Any], console: Console) -> None:
    from facesr_tools.prepare import BAD_IMAGES

    for part, found in facts["parts"].items():
        pixels = f"{found['size']}x{found['size']} px"
        console.print(f"✓ {folder / part}: {found['images']:,} pictures {pixels}, {found['people']:,} people", soft_wrap=True)
    if facts["bad"]:
        console.print(f"{facts['bad']} pictures could not be used (all of them: {folder / BAD_IMAGES}):", soft_wrap=True)
        _print_passed_over(json.loads((folder / BAD_IMAGES).read_bytes()), console)
    console.print(f"Use it: facesr run all --data-root {folder.parent}", soft_wrap=True)


def _print_passed_over(reasons: dict[str, str], console: Console) -> None:
    from facesr_lib.data.images import PassedOver, listed

    for line in listed([PassedOver(*one) for one in reasons.items()]):
        console.print(f"  {line}", soft_wrap=True, markup=False)


@contextmanager
def _progress(console: Console) -> Iterator[Any]:
    """A callback that shows progress: a bar on a terminal, one line per step elsewhere."""
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    from facesr_tools.runner.machine import readable

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[amount]}"), TimeRemainingColumn())
    steps: dict[str, TaskID] = {}
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:

        def progress(step: str, done: int, total: int | None) -> None:
            if step not in steps:
                for task in steps.values():
                    bar.update(task, visible=False)
                steps[step] = bar.add_task(step, total=total, amount="")
                if not console.is_terminal:
                    console.print(step, soft_wrap=True)
            in_bytes = step.startswith("download")
            shown = [readable(n) if in_bytes else f"{n:,}" for n in (done, total) if n is not None]
            bar.update(steps[step], completed=done, total=total, amount=" of ".join(shown))

        yield progress


@contextmanager
def _clear_errors(exit_code: int = 1) -> Iterator[None]:
    """Print what went wrong as one message, without a traceback, and exit."""
    from facesr_tools.prepare import ArchiveError, DownloadFailed, PrepareError

    try:
        with clear_errors(PrepareError, ArchiveError, DownloadFailed, ValueError, OSError, exit_code=exit_code):
            yield
    except KeyboardInterrupt:
        typer.echo("facesr: interrupted; run the same command again to resume", err=True)
        raise typer.Exit(130) from None
