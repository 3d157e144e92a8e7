"""`facesr score`: score a folder of SR pictures, or a pretrained model's file, against HR references or as a paper's rival."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facesr_tools.cli.options import Device, ProfileName, clear_errors, print_json

if TYPE_CHECKING:  # these bring torch
    from facesr_tools.score import FolderScore

EPILOG = (
    "Examples:\n\n"
    "facesr score results/sr faces/hr\n\n"
    "facesr score results/sr faces/hr --y --crop 4 --json\n\n"
    "facesr score faces/hr --model RealESRGAN_x4plus.pth --csv\n\n"
    "facesr score --export-lr rivals --paper selfsr\n\n"
    "facesr score rivals/SET/sr --as DICGAN --paper selfsr --role faces"
)


def score(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[SR] [HR]", help="Folder of SR pictures and folder of references; with --model: HR; with --as: SR."
        ),
    ] = None,
    model: Annotated[Path | None, typer.Option(help="A .pth or .safetensors file; runs on bicubic LR of HR.")] = None,
    scale: Annotated[int | None, typer.Option(help="Of the LR pictures that --model gets; default: the model's.")] = None,
    y: Annotated[bool, typer.Option("--y", help="PSNR and SSIM on the Y of YCbCr instead of RGB.")] = False,
    crop: Annotated[int, typer.Option(help="Border left out of PSNR and SSIM, in pixels; papers crop the scale.")] = 0,
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.auto,
    rival: Annotated[
        str, typer.Option("--as", metavar="METHOD", help="The pictures are this rival's, as its paper calls it.")
    ] = "",
    export: Annotated[
        Path | None, typer.Option("--export-lr", metavar="DIR", help="Write the test sets' LR faces there.")
    ] = None,
    paper: Annotated[str, typer.Option(help="With --as and --export-lr: whose claims, such as selfsr.")] = "",
    role: Annotated[str, typer.Option(help="Of the test set, such as faces, if the paper has several.")] = "",
    test_set: Annotated[str, typer.Option(help="Its name in the tables, if several have the role.")] = "",
    profile: ProfileName = "quick",
    out: Annotated[Path | None, typer.Option(help="Folder of the results; default: runs/ in the repository.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with every picture's scores.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV with every digit instead of a table.")] = False,
) -> None:
    """Score super-resolved pictures against their HR references.

    SR holds one 8-bit PNG per reference, with its name and size; HR holds pictures
    of one size. Files are paired by name, what is passed over is listed. Nothing is
    resized, cropped or stretched. With --model no SR folder
    is given: spandrel reads the file (pip install spandrel), and the model gets
    the references reduced by MATLAB's bicubic.

    With --as, SR holds what a paper's rival made of the LR faces that
    --export-lr wrote for the test sets of the paper's notebooks in OUT. It is
    scored as their methods were; facesr report then decides claims about it.

    Takes PSNR and SSIM always; LPIPS, NIQE, identity similarity, landmark error,
    FID and KID where their weights are here (facesr weights list).

    Exit code: 0, or 2 for a wrong option or files that cannot be scored.
    """
    notes: list[str] = []
    with clear_errors(OSError, ValueError, ModuleNotFoundError):
        if as_json and as_csv:
            raise ValueError("--json and --csv: choose one of them")
        if rival or export:
            _with_rivals(folders or [], rival, export, paper, role, test_set, profile, out, device.value)
            return
        name, size, scores = _score(folders or [], model, scale, y=y, crop=crop, device=device.value, notes=notes)
    from facesr_lib.evaluate.result import jsonable
    from facesr_lib.evaluate.tables import Table

    if as_json:
        facts = {"method": name, "images": size, "scores": [_facts(found) for found in scores], "notes": notes}
        print_json(jsonable(facts))
        return
    if as_csv:
        rows = [{key: value for key, value in _facts(found).items() if key != "values"} for found in scores]
        print(Table.from_records("scores", rows, name).csv(), end="")
        for note in notes:
            typer.echo(note, err=True)
        return
    _print(name, size, scores, notes)


def _score(
    folders: list[Path], model: Path | None, scale: int | None, *, y: bool, crop: int, device: str, notes: list[str]
) -> tuple[str, int, list[FolderScore]]:
    """The name of what is scored, the number of pictures, and the scores."""
    if len(folders) != (1 if model else 2):
        wanted = "with --model give one folder, HR" if model else "give two folders, SR and HR, or HR and --model FILE"
        raise ValueError(f"{len(folders)} folders: {wanted}")
    if scale is not None and model is None:
        raise ValueError("--scale belongs to --model: SR pictures have their size already")
    from facesr_lib.data import eval_batches
    from facesr_lib.image import Bicubic
    from facesr_lib.training import resolve_device
    from facesr_tools.score import folder_batches, given, reference_set, score_all, spandrel_method

    where = resolve_device(device)
    images, names = reference_set(folders[-1], notes.append)
    method = None if model is None else spandrel_method(model, where)
    if method is None:
        name, batches = folders[0].name, folder_batches(folders[0], images, names, note=notes.append)
    else:
        if scale not in (None, method.scale):
            raise ValueError(f"--scale {scale}: {method.name} enlarges by {method.scale}; leave --scale out")
        name, batches = method.name, eval_batches(images, Bicubic(method.scale), batch_size=4, seed=0)
    scores = score_all(method or given, batches, images.size, y=y, crop=crop, device=where, note=notes.append)
    return name, len(images), scores


def _with_rivals(
    folders: list[Path], rival: str, export: Path | None, paper: str, role: str, test_set: str, profile: str, out: Path | None,
    device: str,
) -> None:  # fmt: skip
    """Write the LR faces of a paper's test sets, or score what a rival made of one of them; print where."""
    if len(folders) != (1 if rival else 0) or (rival and export):
        raise ValueError(f"{len(folders)} folders: with --as give one, SR; with --export-lr none, and no --as")
    from facesr_lib.data.images import ROLES
    from facesr_lib.evaluate import default_output_dir
    from facesr_lib.papers import find_paper
    from facesr_tools.rivals import export_lr, kept_sets, score_rival

    if role and role not in ROLES:
        raise ValueError(f"--role {role}: choose one of {', '.join(ROLES)}")
    if not paper:
        raise ValueError("--as and --export-lr need --paper, such as selfsr")
    find_paper(paper)
    where = out.expanduser().resolve() if out else default_output_dir()
    kept = kept_sets(where, profile, paper, role, test_set)
    for path in export_lr(kept, export) if export else [score_rival(folders[0], rival, kept, where, profile, device)]:
        print(path)


def _facts(found: FolderScore) -> dict[str, Any]:
    metric = found.metric
    facts = {"key": metric.key, "metric": metric.label, "mean": found.mean, "std": found.std, "n": found.n}
    facts |= {"unit": metric.unit, "higher_is_better": metric.higher_is_better, "convention": metric.convention}
    return facts | {"values": list(found.values)}


def _print(name: str, size: int, scores: list[FolderScore], notes: list[str]) -> None:
    from rich.table import Table
    from rich.text import Text

    from facesr_lib.evaluate.tables import column_decimals, format_number
    from facesr_tools.cli.tables import make_console

    table = Table("metric", "mean", "std", "N", "better", "convention", title=Text(f"{name}, {size} pictures"))
    for found in scores:
        decimals = column_decimals([found.mean])
        numbers = [format_number(number, decimals) for number in (found.mean, found.std)]
        better = "higher" if found.metric.higher_is_better else "lower"
        table.add_row(Text(found.metric.label), *numbers, str(found.n), better, Text(found.metric.convention))
    console = make_console()
    console.print(table)
    for note in notes:
        console.print(note, soft_wrap=True, markup=False)
