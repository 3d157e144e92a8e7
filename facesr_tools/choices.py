"""Every choice of training seeds, judged as if it were all of them: which verdicts hang on the seeds that happened to run?

`judge` needs the score of every image, too many for a page. So `facesr results`, which has them, judges every choice and
keeps what came out in choices.json, one claim a line; the site's page of seeds looks it up and computes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from facesr_lib.evaluate.result import jsonable
from facesr_lib.files import write_atomically
from facesr_lib.papers import PAPERS
from facesr_tools.judge import NOT_SCORED, Judged, Measured, judge
from facesr_tools.pool import Found, pooled_result
from facesr_tools.report.page import of_paper
from facesr_tools.report.rivals import with_rivals
from facesr_tools.verdicts import verdict_text

FILE = "choices.json"
MOST = 6  # seeds: 63 choices, each about a second of one core
_NAMED = ("notebook", "dataset", "metric", "convention", "unit", "n", "people")


@dataclass(frozen=True)
class Outcome:
    """What one choice of seeds says of a claim. kind: "for", "against", "small" or "open", else the verdict itself.

    measured: (number of the part, effect, low, high), in the parts' units; an open interval ends at infinity.
    """

    verdict: str
    shown: str
    kind: str
    measured: tuple[tuple[int, float, float, float], ...]


@dataclass(frozen=True)
class Choices:
    """A claim under every choice of seeds. parts: what was compared, in words; outcomes: by choice, its seeds in order."""

    claim: str
    paper: str
    parts: tuple[dict[str, Any], ...]
    outcomes: Mapping[tuple[int, ...], Outcome]

    @property
    def whole(self) -> Outcome:
        """The outcome of all seeds."""
        return self.outcomes[max(self.outcomes, key=len)]

    @property
    def scored(self) -> list[Outcome]:
        """The outcomes of the choices whose seeds ran what the claim is about."""
        return [outcome for outcome in self.outcomes.values() if outcome.verdict not in NOT_SCORED]

    def agreeing(self) -> int:
        """How many of `scored` say what all seeds say; "points for", of fewer than three seeds, says what "supported" does."""
        return sum(outcome.kind == self.whole.kind for outcome in self.scored)


def every_choice(seeds: Sequence[int]) -> list[tuple[int, ...]]:
    """Every non-empty choice of the seeds, small ones first, each in order."""
    return [chosen for size in range(1, len(seeds) + 1) for chosen in combinations(sorted(seeds), size)]


def judge_choices(found: Mapping[str, Sequence[Found]], profile: str) -> list[Choices]:
    """Judge every claim of every paper for every choice of the seeds in `found`, which is by notebook, as `read_seeds` gives it.

    A notebook that no chosen seed ran leaves its claims "not run". Empty for one seed, and for more than `MOST`.
    """
    seeds = sorted({one.seed for members in found.values() for one in members})
    if not 1 < len(seeds) <= MOST:
        return []
    judged = {chosen: _judge(found, chosen, profile) for chosen in every_choice(seeds)}
    return [
        _choices(paper.key, claim.id, {chosen: items[claim.id] for chosen, items in judged.items()}, profile)
        for paper in PAPERS
        for claim in paper.claims
    ]


def write_choices(path: Path, profile: str, judged: Sequence[Choices]) -> None:
    """Write choices.json: one claim a line, so that a diff shows which claims changed. Numbers have six digits."""
    lines = ",\n".join(json.dumps(_record(one), ensure_ascii=False, allow_nan=False, separators=(",", ":")) for one in judged)
    write_atomically(path, f'{{"schema": 1, "profile": {json.dumps(profile)}, "claims": [\n{lines}\n]}}\n')


def read_choices(folder: Path) -> list[Choices]:
    """What `folder`/choices.json holds; empty where there is none."""
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    return [_read(record) for record in json.loads(text)["claims"]]


def _judge(found: Mapping[str, Sequence[Found]], chosen: Sequence[int], profile: str) -> dict[str, Judged]:
    members = [kept for all_seeds in found.values() if (kept := [one for one in all_seeds if one.seed in chosen])]
    results = [pooled_result(kept) for kept in members]
    judged = profile != "smoke"
    return {
        item.claim.id: item
        for paper in PAPERS
        for item in judge(paper.claims, with_rivals(of_paper(results, paper.key)), judged=judged)
    }


def _choices(paper: str, claim: str, items: Mapping[tuple[int, ...], Judged], profile: str) -> Choices:
    largest_first = sorted(items.values(), key=lambda item: len(item.measured), reverse=True)
    parts = list(dict.fromkeys(_part(m) for item in largest_first for m in item.measured))
    outcomes = {
        chosen: Outcome(
            item.verdict,
            verdict_text(item, profile),
            item.decision or item.verdict,
            tuple((parts.index(_part(m)), m.effect, m.low, m.high) for m in item.measured),
        )
        for chosen, item in items.items()
    }
    return Choices(claim, paper, tuple(dict(part) for part in parts), outcomes)


def _part(measured: Measured) -> tuple[tuple[str, Any], ...]:
    return (("statement", measured.part.text), *((name, getattr(measured, name)) for name in _NAMED))


def _record(one: Choices) -> dict[str, Any]:
    outcomes = {
        ",".join(map(str, chosen)): {
            "verdict": out.verdict,
            "shown": out.shown,
            "kind": out.kind,
            "measured": [[number, *(float(f"{value:.6g}") for value in values)] for number, *values in out.measured],
        }
        for chosen, out in one.outcomes.items()
    }
    record: dict[str, Any] = jsonable({"claim": one.claim, "paper": one.paper, "parts": one.parts, "outcomes": outcomes})
    return record


def _read(record: Mapping[str, Any]) -> Choices:
    outcomes = {
        tuple(map(int, chosen.split(","))): Outcome(
            out["verdict"],
            out["shown"],
            out["kind"],
            tuple((number, float(effect), float(low), float(high)) for number, effect, low, high in out["measured"]),
        )
        for chosen, out in record["outcomes"].items()
    }
    return Choices(record["claim"], record["paper"], tuple(record["parts"]), outcomes)
