"""Durations as text: a clock for what is running, words for what is promised or done."""


def clock(seconds: float) -> str:
    """Seconds as m:ss or h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def duration(seconds: float) -> str:
    """Seconds in words, two digits or more: "under 1 s", "20 s", "1.5 min", "25 min", "50 h"."""
    minutes = seconds / 60
    if seconds < 1:
        return "under 1 s"
    if minutes < 1:
        return f"{seconds:.0f} s"
    if minutes < 120:
        return f"{round(minutes, 1) if minutes < 10 else round(minutes):g} min"
    return f"{minutes / 60:.0f} h"
