"""Why a claim has the verdict that it has, in one short sentence; and what a reader needs to check it."""

import math

from facesr_lib.evaluate.claims import Part
from facesr_tools.judge import LEVEL, Judged, Measured
from facesr_tools.verdicts import interval_text


def zone(measured: Measured, effect: float) -> str:
    """Where an effect lies: "for" the claim, "against" it, or "small", between its lines or on one."""
    if effect > measured.part.margin + measured.smallest:
        return "for"
    return "against" if effect < measured.part.margin - measured.smallest else "small"


def agreeing(measured: Measured) -> int:
    """How many training seeds have, alone, an effect in the zone where their mean lies."""
    where = zone(measured, measured.effect)
    return sum(zone(measured, effect) == where for effect in measured.effects)


def seeds_text(measured: Measured) -> str:
    """ "4 of 5 seeds agree"; empty for one seed, or where nothing could be compared."""
    n = len(measured.effects)
    return f"{agreeing(measured)} of {n} seeds agree" if n > 1 else ""


def counts_text(measured: Measured) -> str:
    """From where an effect counts: the smallest one, or the margin that the claim names; empty for a published number."""
    if measured.smallest:
        return f"counts from {_number(measured.smallest, measured.unit)}"
    margin = measured.part.margin
    if measured.part.target:
        return ""
    return f"must exceed {_number(margin, measured.unit)}" if margin else "any effect counts"


def reason(item: Judged) -> str:
    """Why nothing was decided, or nothing but "too small"; empty for a verdict for or against, and where nothing was scored."""
    if item.verdict == "not comparable here":
        where = " and ".join(dict.fromkeys(m.part.on for m in item.measured if not m.comparable))
        return f"The published number is of {where} at the paper's size."
    if item.verdict == "not applicable":
        failed = min(item.required, key=lambda m: min(m.p_against, m.p_small))
        return f"It requires {failed.part.text}, which does not hold: {failed.metric} {interval_text(failed)}."
    if item.decision == "small":
        smallest = min(item.here, key=lambda m: m.p_small)
        many = sum(m.p_small <= LEVEL for m in item.here)
        others = f", and so it is in {many} of {len(item.here)} comparisons" if many > 1 else ""
        return f"{smallest.metric} {interval_text(smallest)} is less than {_number(smallest.smallest, smallest.unit)}{others}."
    return _undecided(item) if item.decision == "open" else ""


def _undecided(item: Judged) -> str:
    unknown = [part for part in item.claim.requires if part not in {m.part for m in item.required}]
    if unknown:
        return f"Whether what it requires holds was not measured: {need(unknown[0])}."
    doubtful = max(item.required, key=lambda m: m.p_for, default=None)
    if doubtful and doubtful.p_for > LEVEL:
        return f"It requires {doubtful.part.text}, which is undecided: {_reach(doubtful)}"
    if item.missing:
        return f"Not all of it was measured: {need(item.missing[0])} is missing."
    broken = next((m for m in item.here if m.problem), None)
    if broken:
        return f"{broken.problem[0].upper()}{broken.problem[1:]}."
    weakest = max(item.here, key=lambda m: m.p_for)
    if zone(weakest, weakest.low) == zone(weakest, weakest.high):
        return f"{weakest.metric} {interval_text(weakest)} is clear alone, but not among so many comparisons."
    return _reach(weakest)


def _reach(measured: Measured) -> str:
    """What the interval leaves open, and what would narrow it."""
    if not math.isfinite(measured.high - measured.low):
        return f"{measured.metric} has no interval: {measured.problem}."
    line = measured.smallest or measured.part.margin
    over = f"what counts, {_number(line, measured.unit)}" if line else "zero"
    text = f"{measured.metric} {interval_text(measured)} reaches over {over}"
    against = sum(zone(measured, effect) == "against" for effect in measured.effects)
    if against and len(measured.effects) > 1:
        text += f", and {against} of {len(measured.effects)} seeds speak against it"
    return f"{text}: more test people or seeds would narrow it."


def need(part: Part) -> str:
    """The scores that a part is made of."""
    return f"{part.metric} of {', '.join(method for method, _ in part.terms)} ({part.role})"


def _number(value: float, unit: str) -> str:
    return f"{value:.3g} {unit}".strip().replace("-", "−")
