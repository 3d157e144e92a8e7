"""The page of seeds: a reader ticks training seeds, and sees which verdicts their choice would have given.

Every number and word on it comes from choices.json, which the judge wrote: the page's script looks up and draws, and decides
nothing. Without a script the page shows what all seeds say together.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from facesr_lib.papers import PAPERS
from facesr_tools.choices import FILE, Choices, read_choices
from facesr_tools.judge import NOT_SCORED
from facesr_tools.quote import largest
from facesr_tools.site.landing import template
from facesr_tools.verdicts import effect_text

WIDTH, EDGE = 240, 8  # of a drawing, in its own units; the edge leaves room for half a dot
_PLACES = ("statement", "notebook", "dataset", "metric", "convention")
Shown = list[Any]  # an effect as text, where it lies, and where its interval ends; None for an end at infinity


@dataclass(frozen=True)
class Row:
    """One comparison of a claim, ready to draw on a scale that all choices share.

    line: what the claim must exceed; zone: around it, where an effect is too small to matter; dots: by seed, its own effect;
    spoken: these in words.
    """

    part: Mapping[str, Any]
    line: float
    zone: tuple[float, float]
    dots: Mapping[int, float]
    spoken: str
    shown: Mapping[tuple[int, ...], Shown]


@dataclass(frozen=True)
class Listed:
    """A claim of the page. kept: as claims.json has it."""

    choices: Choices
    kept: Mapping[str, Any]
    rows: tuple[Row, ...]

    @property
    def stable(self) -> bool:
        """Whether every choice says the same."""
        return self.choices.agreeing() == len(self.choices.scored)

    def looked_up(self) -> dict[str, list[Any]]:
        """For the page's script, by choice: the verdict, in words, 1 if not as all seeds have it, and each row."""
        whole = self.choices.whole
        return {
            ",".join(map(str, chosen)): [
                out.verdict,
                out.shown,
                int(out.kind != whole.kind),
                [row.shown.get(chosen) for row in self.rows],
            ]
            for chosen, out in self.choices.outcomes.items()
        }


def write_seed_page(project: Path, root: Path | None) -> bool:
    """Write seeds.md from the largest profile of `root`/results that has choices.json; False where none has."""
    if not root or not (folder := largest(root, FILE)):
        return False
    every = read_choices(folder)
    kept = {claim["id"]: claim for claim in json.loads((folder / "claims.json").read_bytes())}
    closed = (*NOT_SCORED, "not comparable here")
    listed = [Listed(one, kept[one.claim], _rows(one, kept[one.claim])) for one in every if one.whole.verdict not in closed]
    seeds = max(every[0].outcomes, key=len)
    looked_up = json.dumps({one.choices.claim: one.looked_up() for one in listed}, separators=(",", ":"), allow_nan=False)
    tables = [
        (paper, template("seeds.html.j2").render(claims=own, all=seeds, width=WIDTH, paper=paper))
        for paper in PAPERS
        if (own := [one for one in listed if one.choices.paper == paper.key])
    ]
    text = template("seeds.md.j2").render(
        profile=folder.name,
        seeds=seeds,
        tables=tables,
        listed=listed,
        left_out=[kept[one.claim] for one in every if one.whole.verdict in closed],
        looked_up=looked_up.replace("<", "\\u003c"),
    )
    (project / "seeds.md").write_text(text, encoding="utf-8")
    return True


def _rows(one: Choices, kept: Mapping[str, Any]) -> tuple[Row, ...]:
    return tuple(_row(one, number, kept) for number, *_ in one.whole.measured)


def _row(one: Choices, number: int, kept: Mapping[str, Any]) -> Row:
    part = one.parts[number]
    found = {chosen: values for chosen, out in one.outcomes.items() for place, *values in out.measured if place == number}
    same: Mapping[str, Any] = next((m for m in kept["measured"] if all(m[name] == part[name] for name in _PLACES)), {})
    margin, smallest = same.get("margin", 0.0), same.get("smallest", 0.0)
    zone = (margin - smallest, margin + smallest)
    finite = [value for value in (0.0, *zone, *(v for values in found.values() for v in values)) if math.isfinite(value)]
    place = partial(_place, min(finite), max(finite))
    alone = {chosen[0]: values[0] for chosen, values in found.items() if len(chosen) == 1 and math.isfinite(values[0])}
    spoken = "; ".join(f"seed {seed} {effect_text(v, -math.inf, math.inf, part['unit'])}" for seed, v in alone.items())
    return Row(
        part,
        place(margin),
        (place(zone[0]), place(zone[1])),
        {seed: place(value) for seed, value in alone.items()},
        spoken,
        {chosen: _shown(values, part["unit"], place) for chosen, values in found.items()},
    )


def _shown(values: Sequence[float], unit: str, place: Callable[[float], float]) -> Shown:
    effect, low, high = values
    return [effect_text(effect, low, high, unit), *(place(value) if math.isfinite(value) else None for value in values)]


def _place(low: float, high: float, value: float) -> float:
    """Where a value lies on a drawing from `low` to `high`."""
    return round(EDGE + (value - low) / ((high - low) or 1.0) * (WIDTH - 2 * EDGE), 1)
