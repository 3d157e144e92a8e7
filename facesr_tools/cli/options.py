"""What several commands share: options, and how an error ends a command."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from facesr_lib.config import PROFILES, check_profile
from facesr_lib.files import checkout_root
from facesr_tools.runner.execute import Settings
from facesr_tools.runner.notebooks import NotebookError


class Device(StrEnum):
    """Where to compute; auto takes CUDA where there is one, and never mps, the GPU of Apple's processors."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
    mps = "mps"


@contextmanager
def clear_errors(*kinds: type[Exception], exit_code: int = 2) -> Iterator[None]:
    """Print an exception of these kinds as one message, without a traceback, and exit with `exit_code`."""
    try:
        yield
    except kinds as error:
        typer.echo(f"facesr: {error}", err=True)
        raise typer.Exit(exit_code) from None


def print_json(value: Any) -> None:
    """Print JSON. Where standard output lacks a character, all that are not ASCII stand as \\uXXXX, which JSON reads back."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2, allow_nan=False)
    print(text)


def _known_profile(name: str) -> str:
    with clear_errors(ValueError):
        return check_profile(name)


_ONE_OF = f"One of {', '.join(PROFILES)}."
ProfileName = Annotated[str, typer.Option("--profile", "-p", callback=_known_profile, help=_ONE_OF)]
PresetName = Annotated[str, typer.Option("--preset", callback=_known_profile, help=_ONE_OF)]
Notebooks = Annotated[Path | None, typer.Option("--notebooks", help="Folder of the notebooks; default: the repository's.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Out = Annotated[Path | None, typer.Option(help="Folder of the results; default: runs/ in the repository.")]
DataRoot = Annotated[str, typer.Option(help="Folder of your own or the papers' images; empty: the packaged faces.")]
Seed = Annotated[int, typer.Option(help="Random seed.")]
Seeds = Annotated[
    str, typer.Option(metavar="LIST", help="Several seeds, such as 0-4 or 0,3,7: results in OUT/seed-S, pooled in OUT/pooled.")
]


def _tensorboard(wanted: bool) -> bool:
    if wanted:
        if not find_spec("tensorboard"):
            raise typer.BadParameter("TensorBoard is missing: pip install 'facesr[tensorboard]'")
        os.environ["FACESR_TENSORBOARD"] = "1"  # for `board`: here, in workers and in kernels, which all inherit it
    return wanted


TensorBoard = Annotated[
    bool, typer.Option("--tensorboard", callback=_tensorboard, help="Trainings also write for TensorBoard, in OUT/stages.")
]
FreshSince = Annotated[
    float, typer.Option(metavar="TIME", help="Go on with a --fresh run that began at TIME, in seconds since 1970.")
]


def results_folder(out: Path | None) -> Path:
    """The folder of all results: the one asked for, else runs/ in the checkout or the current folder."""
    return (out.expanduser() if out else (checkout_root() or Path.cwd()) / "runs").resolve()


def run_settings(profile: str, out: Path | None, seed: int, device: Device, data_root: str, fresh_since: float = 0.0) -> Settings:
    """What a command was told about a run, checked. Raises NotebookError for a data root, seed or device that cannot be used."""
    if data_root and not Path(data_root).expanduser().is_dir():
        raise NotebookError(f"--data-root {data_root}: there is no such folder")
    if not 0 <= seed < 2**32:
        raise NotebookError(f"--seed {seed}: choose 0 or more, below 2**32")
    if device in (Device.cuda, Device.mps):
        from facesr_lib.training.device import resolve_device  # brings torch

        try:
            resolve_device(device.value)
        except ValueError as error:
            raise NotebookError(f"--device {device.value}: {error}; facesr doctor says what is here") from error
    data = str(Path(data_root).expanduser().resolve()) if data_root else ""
    return Settings(profile, results_folder(out), seed, device.value, data, fresh_since)


def make_results_folder(settings: Settings) -> None:
    """Make the folder of all results. Raises NotebookError where that cannot be done."""
    try:
        settings.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotebookError(f"--out {settings.out}: cannot write there ({error.strerror}); choose another folder") from error
