"""`facesr blind`: a sheet of pairs without labels, for someone who has not seen them, and the count of right answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from facesr_tools.cli.options import AsJson, DataRoot, Device, Out, ProfileName, Seed, clear_errors, run_settings
from facesr_tools.runner.notebooks import NotebookError

EPILOG = (
    "Examples:\n\nfacesr blind --profile quick\n\nfacesr blind --score runs/quick/blind/answers.json runs/quick/blind/key.json"
)


def blind(
    score: Annotated[
        tuple[Path, Path] | None, typer.Option(metavar="ANSWERS KEY", help="Count right answers instead of making a sheet.")
    ] = None,
    profile: ProfileName = "quick",
    out: Out = None,
    seed: Seed = 0,
    device: Device = Device.auto,
    data_root: DataRoot = "",
    as_json: AsJson = False,
) -> None:
    """Lay out pairs of pictures without labels, or count the answers to them.

    OUT/PROFILE/blind gets sheet.png (ten numbered rows per question: LR, A, B; never
    the original), answers.json to fill in with "A" or "B", and key.json, which whoever
    answers must not see: the order is drawn with a secret seed that only it tells.
    SNet against bicubic and the flow field against no adaptation on real LR, SelfSR
    against bicubic, distilled against fine-tuned faces: needs notebooks 20, 21, 30, 40.

    The sheet shows people's photographs: do not publish it.

    Exit code: 0, or 2 for a missing training or answers that cannot be counted.
    """
    from facesr_tools.blind import BlindError, score_answers, write_blind_test

    with clear_errors(BlindError, NotebookError, OSError, ValueError):
        if score is None:
            folder = write_blind_test(run_settings(profile, out, seed, device, data_root))
            print(f"{folder / 'sheet.png'}\nfill in {folder / 'answers.json'}; {folder / 'key.json'} stays closed until then")
            return
        found = score_answers(*score)
    if as_json:
        print(json.dumps(found, indent=1))
        return
    for one in found:
        verdict = "told apart" if one["seen"] else "not told apart"
        counted = f"{one['right']} of {one['n']} right, {verdict}; so many or more by guessing: p = {one['p']:.3f}"
        print(f"{one['asked']} or {one['other']}: {counted}")
