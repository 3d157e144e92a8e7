"""Each paper's headline for the first page: its method against bicubic, out of the committed results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facesr_tools.quote import largest
from facesr_tools.verdicts import effect_text

# By paper: the claim that its method beats bicubic enlargement.
CLAIMS = {
    "human_gan": "human_gan.effective",
    "selfsr": "selfsr.bicubic",
    "teacher_student": "teacher_student.bicubic",
    "isr_kd": "isr_kd.bicubic",
}


@dataclass(frozen=True)
class Headline:
    """What stands on a paper's card. statement: what was compared; effects: (metric, effect with its interval)."""

    statement: str
    verdict: str
    shown: str
    effects: tuple[tuple[str, str], ...]
    measured_on: str
    folder: str


def effect_of(measured: Mapping[str, Any]) -> str:
    """As `effect_text`, of a comparison as claims.json has it, whose numbers may be "inf"."""
    return effect_text(float(measured["effect"]), float(measured["low"]), float(measured["high"]), measured["unit"])


def headlines(root: Path | None) -> dict[str, Headline]:
    """By paper, from `root`/results of the largest profile that has some; papers without a measured headline are left out."""
    folder = largest(root) if root else None
    if folder is None or not (folder / "claims.json").is_file():
        return {}
    found = {}
    for claim in json.loads((folder / "claims.json").read_bytes()):
        if claim["id"] != CLAIMS.get(claim["paper"]) or not claim["measured"]:
            continue
        first, seeds = claim["measured"][0], claim["seeds"]
        people = f"{first['people']} people in {first['n']} images" if first["people"] else f"{first['n']} images"
        effects = tuple((m["metric"], effect_of(m)) for m in claim["measured"])
        on = f"{people}, {seeds} training seed{'s' * (seeds != 1)}"
        found[claim["paper"]] = Headline(first["statement"], claim["verdict"], claim["shown"], effects, on, folder.name)
    return found
