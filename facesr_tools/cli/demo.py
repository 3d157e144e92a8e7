"""`facesr demo`: trained networks in a browser, on your own photograph."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from facesr_tools.cli.options import DataRoot, Device, Out, ProfileName, Seed, clear_errors, run_settings
from facesr_tools.runner.notebooks import NotebookError

EPILOG = "Examples:\n\nfacesr demo\n\nfacesr demo --out runs --profile quick\n\nfacesr demo --write page"


def demo(
    write: Annotated[Path | None, typer.Option(metavar="DIR", help="Only write the page into DIR, and serve nothing.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of this machine to serve on; 0: any free one.")] = 8000,
    out: Out = None,
    profile: ProfileName = "quick",
    seed: Seed = 0,
    data_root: DataRoot = "",
) -> None:
    """Try the networks on your own face, in the browser of this machine.

    Serves a page on 127.0.0.1: choose a photograph or use the camera, move the
    square, and see up to four methods side by side, with decibels against the
    original. The networks run in the page. Nothing is uploaded, and the page
    works without a network.

    Shows the networks that ship with facesr. Where none does, or with --out,
    those that a run has trained: same --profile, --seed and --data-root as there.

    Needs the extra "demo"; npm brings onnxruntime-web (14 MB) the first time.
    Exit code: 0, or 2 if there is no network to show or something is missing.
    """
    with clear_errors(NotebookError):
        settings = run_settings(profile, out, seed, Device.cpu, data_root)

    from facesr_tools.demo import DemoError, find_networks, serve, write_demo

    with clear_errors(DemoError, OSError, ValueError), tempfile.TemporaryDirectory() as scratch:
        networks, missing = find_networks(settings, shipped=out is None)
        for line in missing:
            typer.echo(f"Not shown: {line}", err=True)
        if not networks:
            raise DemoError(f"there is no trained network to show: none ships with this installation, none is in {settings.out}")
        page = write_demo(write or Path(scratch), networks, print)
        if write:
            print(page)
            return
        with serve(page.parent, port) as server, suppress(KeyboardInterrupt):
            print(f"http://127.0.0.1:{server.server_port}/ (Ctrl-C ends it)", flush=True)
            server.serve_forever()
