"""Learning rates as plain functions of the step, so that a resumed run needs no scheduler state."""

from collections.abc import Callable, Sequence

Schedule = Callable[[int], float]


def constant(rate: float) -> Schedule:
    """The same rate at every step."""
    return lambda step: rate


def piecewise(rates: Sequence[float], boundaries: Sequence[int]) -> Schedule:
    """`rates[i]` from step `boundaries[i-1]` (included) to `boundaries[i]` (excluded).

    Raises ValueError unless there is one more rate than there are boundaries and the boundaries increase.
    """
    if len(rates) != len(boundaries) + 1 or list(boundaries) != sorted(boundaries):
        raise ValueError(f"{len(rates)} rates need {len(rates) - 1} increasing boundaries, got {list(boundaries)}")
    return lambda step: rates[sum(step >= boundary for boundary in boundaries)]


def linear_decay(rate: float, start: int, end: int) -> Schedule:
    """`rate` until step `start`, then a straight line that reaches zero at step `end`."""
    if not 0 <= start < end:
        raise ValueError(f"a linear decay needs 0 <= start < end, got start={start}, end={end}")
    return lambda step: rate * min(1.0, max(0.0, (end - step) / (end - start)))


def halve_every(rate: float, interval: int) -> Schedule:
    """`rate`, halved after each `interval` steps."""
    if interval < 1:
        raise ValueError(f"interval must be at least 1 step, got {interval}")
    return lambda step: rate * 0.5 ** (step // interval)
