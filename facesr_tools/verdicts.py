"""Verdicts in words: an effect with its interval, a verdict with its scale, and a notebook's own verdicts as a table."""

import math
from collections import Counter
from collections.abc import Sequence

from facesr_lib.evaluate.claims import Claim
from facesr_lib.evaluate.run import Run
from facesr_lib.evaluate.tables import Table
from facesr_tools.judge import NOT_SCORED, VERDICTS, Judged, Measured, judge

_NOT_JUDGED = "not judged: {} proves only that it runs"
_SEVERAL = {"points for": "point for", "points against": "point against", "needs their images": "need their images"}


def verdicts(run: Run, claims: Sequence[Claim]) -> Table:
    """Verdicts on a notebook's paper from what it recorded so far, as a table to show. The report has the details.

    A claim belongs to the notebook if it has all its scores, or enough to decide it; the caption counts the others.
    """
    judged = judge(claims, [run.result()], judged=run.profile != "smoke")
    own = [item for item in judged if not item.missing or item.decision not in ("", "open")] or judged
    rows = []
    for item in own:
        verdict, effect = verdict_text(item, run.profile), "; ".join(map(interval_text, item.measured))
        rows.append({"claim": item.claim.text, "verdict": verdict, "effect, 95 % interval": effect})
    others = len(judged) - len(own)
    more = f". {others} more need scores that are not in this notebook" if others else ""
    return Table.from_records("verdicts", rows, f"{run.title}: {summary(own, run.profile)}{more}")


def summary(judged: Sequence[Judged], profile: str) -> str:
    """One line: "on quick (1 seed): of 8 claims 4 point for, 3 point against, 1 not run"."""
    counts = Counter(item.verdict for item in judged)
    if sum(counts[verdict] for verdict in NOT_SCORED) == len(judged):
        return f"none of its {len(judged)} claims was run"
    if counts["not judged"]:
        return _NOT_JUDGED.format(profile)
    found = [f"{counts[v]} {_SEVERAL.get(v, v) if counts[v] > 1 else v}" for v in VERDICTS if counts[v]]
    few = min((item.scale for item in judged if item.scale.endswith(")")), default="")
    head = f"{'' if profile == 'paper' else f'on {profile}'}{few}".strip()
    return f"{head and f'{head}: '}of {len(judged)} claims {', '.join(found)}"


def verdict_text(item: Judged, profile: str) -> str:
    """A verdict as the reader sees it: a decision names its scale, or the number of seeds if they are too few for that."""
    return _NOT_JUDGED.format(profile) if item.verdict == "not judged" else item.verdict + item.scale


def interval_text(measured: Measured) -> str:
    """ "+0.65 dB [+0.40, +0.91]": as many decimals as the interval's width supports. Without an interval, the effect alone."""
    return effect_text(measured.effect, measured.low, measured.high, measured.unit)


def effect_text(effect: float, low: float, high: float, unit: str) -> str:
    """As `interval_text`, of an effect and the ends of its interval, which are infinite where there is none."""
    unit = f" {unit}" if unit else ""
    if not math.isfinite(effect):
        return "no number"
    if not math.isfinite(high - low):
        return _signed(effect, 3) + unit
    decimals = _decimals((high - low) / 2)
    return f"{_signed(effect, decimals)}{unit} [{_signed(low, decimals)}, {_signed(high, decimals)}]"


def _signed(value: float, decimals: int) -> str:
    rounded = round(value, decimals)
    return f"{rounded:+.{decimals}f}".replace("-", "−") if rounded else f"{0:.{decimals}f}"


def _decimals(half: float) -> int:
    """Decimals that show two digits of half an interval's width."""
    return min(5, max(0, 1 - math.floor(math.log10(half)))) if half > 0 else 3
