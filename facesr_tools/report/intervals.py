"""Effects with their intervals as small drawings that follow the page's colours."""

import math

from markupsafe import Markup

from facesr_tools.judge import Measured
from facesr_tools.report.reasons import zone

_WIDTH, _EDGE = 120, 7


def side(measured: Measured) -> str:
    """Where the interval lies wholly: "for" the claim, "against" it, "small" (within what counts), or nowhere: "open"."""
    zones = {zone(measured, measured.low), zone(measured, measured.high)}
    only = zones.pop() if len(zones) == 1 and measured.comparable else "open"
    return "open" if only == "small" and not measured.smallest else only


def reach(measured: Measured) -> float:
    """How far the interval, or zero, lies from the margin: what a drawing must hold. 0 if there is no interval."""
    ends = (measured.low, measured.high, 0.0, measured.part.margin + measured.smallest)
    return max(abs(end - measured.part.margin) for end in ends) if all(map(math.isfinite, ends)) else 0.0


def draw_interval(measured: Measured, scale: float) -> Markup:
    """The interval as a bar around a mark, the margin as a dashed line in the middle; to its right lies the claim's side.

    Effects that are too small to matter are shaded. scale: the effect that reaches from the middle to an edge; share it among
    drawings that are to be compared. Marks differ in shape as well as in colour: a dot for, a square against, a ring elsewhere.
    """
    if not reach(measured) or scale <= 0:
        return Markup("")
    middle = _WIDTH / 2

    def x(effect: float) -> float:
        return round(middle + (middle - _EDGE) * min(1.0, max(-1.0, (effect - measured.part.margin) / scale)), 1)

    state, centre, margin = side(measured), x(measured.effect), measured.part.margin
    left, right = x(measured.low), x(measured.high)
    mark = (
        f'<rect class="mark" x="{centre - 4.5:g}" y="6.5" width="9" height="9"/>'
        if state == "against"
        else f'<circle class="mark" cx="{centre}" cy="11" r="4.5"/>'
    )
    ends = x(margin - measured.smallest), x(margin + measured.smallest)
    parts = [
        f'<rect class="zone" x="{ends[0]}" y="2" width="{round(ends[1] - ends[0], 1)}" height="18"/>',
        f'<line class="axis" x1="{_EDGE}" x2="{_WIDTH - _EDGE}" y1="11" y2="11"/>',
        f'<line class="margin" x1="{middle:g}" x2="{middle:g}" y1="1" y2="21"/>',
        f'<rect class="bar" x="{left}" y="8.5" width="{max(1.0, round(right - left, 1))}" height="5"/>',
        mark,
    ]
    where = {"for": "for the claim", "against": "against the claim", "small": "within what is too small to matter"}
    label = f"95 % interval {where.get(state, 'on both sides of a line')}"
    head = f'<svg class="interval {state}" width="{_WIDTH}" height="22" viewBox="0 0 {_WIDTH} 22" role="img" '
    return Markup(head + f'aria-label="{label}">' + "".join(parts) + "</svg>")
