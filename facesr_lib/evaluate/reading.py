"""What a run says in words: a reading that the report repeats, and a folded answer to a question that the reader was asked."""

import re
from dataclasses import dataclass
from html import escape

_MARKS = ((r"`([^`]+)`", r"<code>\1</code>"), (r"\*\*([^*]+)\*\*", r"<b>\1</b>"), (r"\*([^*]+)\*", r"<em>\1</em>"))


@dataclass(frozen=True)
class Reading:
    """What was measured, in sentences that a notebook shows. Blank lines part paragraphs; `code`, *stressed*, **bold**.
    question: None for a reading that stands open; else what stands on the fold."""

    text: str
    question: str | None = None

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        paragraphs = "".join(f"<p>{_marked(part)}</p>" for part in self.text.strip().split("\n\n"))
        summary = f"<summary>{_marked(self.question)}</summary>" if self.question else ""
        return f"<details>{summary}{paragraphs}</details>" if summary else paragraphs


def answer(text: str, question: str = "What this run says") -> Reading:
    """A folded answer, to be the last value of the cell after the figure that shows it. `text` is computed from the run, with
    its numbers; it says what one saw coming, what one did not, and why."""
    return Reading(text, question)


def _marked(text: str) -> str:
    marked = escape(" ".join(text.split()), quote=False)
    for pattern, replacement in _MARKS:
        marked = re.sub(pattern, replacement, marked)
    return marked
