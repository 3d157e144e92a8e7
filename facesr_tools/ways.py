"""The ways through the notebooks: what each needs, how long a reader takes, and three paths. Writes docs/ways.md and its map.

`python -m facesr_tools.ways`, which `make sync` runs. What a notebook needs is what its first cell says under "You need".
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from facesr_lib.files import checkout_root
from facesr_tools.durations import duration
from facesr_tools.runner.notebooks import Notebook, find_folder, read_notebooks

ORDER = ("00", "01", "05", "03", "04", "10", "20", "21", "22", "02", "30", "31", "40", "41", "90")


@dataclass(frozen=True)
class Way:
    """A path through some of the notebooks, by their numbers, in order."""

    title: str
    reader: str
    numbers: tuple[str, ...]


WAYS = (
    Way(
        "Half a day",
        "You want to know what face super-resolution is, and see one GAN succeed and fail.",
        ("00", "01", "03", "10"),
    ),
    Way(
        "The course", "You want to understand all four papers, with exercises. A section at a time, over some weeks.", ORDER[:-1]
    ),
    Way(
        "A reviewer's",
        "You check what the papers claim: how it is measured and on which data, each method, each ablation, the report.",
        ("00", "05", "03", "10", "20", "21", "22", "02", "30", "31", "40", "41", "90"),
    ),
)

WORDS, LINES = 150, 60  # a minute: read with care, in a language learned; lines of code
FIGURE, QUESTION, EXERCISE = 1, 2, 8  # minutes


def study_minutes(cells: Sequence[Mapping[str, Any]]) -> int:
    """The minutes that a reader takes for a notebook's cells after the first, exercises included, to the next five.

    An estimate by reading speed, not a measurement: prose and visible code, a minute for each figure or table, two for each
    question, eight for each exercise.
    """
    minutes = 0.0
    for cell in cells[1:]:
        tags, source = cell["metadata"].get("tags", ()), "".join(cell["source"])
        if "solution" in tags or "hide-input" in tags:
            continue
        if cell["cell_type"] == "markdown":
            minutes += len(re.findall(r"\w+", source)) / WORDS
            minutes += QUESTION * (source.count("*Predict") + source.count("**To think about.**"))
        else:
            minutes += len(source.splitlines()) / LINES + FIGURE * len(re.findall(r"\brun\.(figure|table)\(", source))
            minutes += EXERCISE * ("exercise" in tags)
    return max(5, 5 * round(minutes / 5))


def needs(opening: str, names: Sequence[str]) -> list[str]:
    """The notebooks that a first cell asks for: those that its sentence "You need" names before its semicolon."""
    found = re.search(r"\*\*You need:\*\*(.*?)(?:;|\*\*Time:\*\*)", opening, flags=re.DOTALL)
    return [name for name in re.findall(r"`(\w+)`", found[1] if found else "") if name in names]


def prerequisites(notebooks: Sequence[Notebook]) -> dict[str, list[str]]:
    """For each notebook, by number, the numbers of those that it needs."""
    names = [notebook.name for notebook in notebooks]
    return {one.number: [name[:2] for name in needs("".join(one.cells()[0]["source"]), names)] for one in notebooks}


def page(notebooks: Sequence[Notebook]) -> str:
    """docs/ways.md: the map, three paths with their times, and a table of what needs what."""
    by_number, required = {one.number: one for one in notebooks}, prerequisites(notebooks)
    lines = ["# Ways through the notebooks", "", "Written by `make sync` from what the notebooks say about themselves.", ""]
    lines += ["![What needs what: an arrow leads from a notebook to those that build on it](images/ways.svg)", ""]
    for way in WAYS:
        chosen = [by_number[number] for number in way.numbers]
        yours = sum(one.study for one in chosen)
        machine = sum(one.minutes.get("quick", 0.0) for one in chosen)
        lines += [f"**{way.title}.** {way.reader} {' → '.join(map(_link, chosen))}: about {duration(60 * yours)} of yours, "]
        lines[-1] += f"{duration(60 * machine)} of two cores at `quick`."
        lines += [""]
    lines += ["| notebook | you need | minutes of yours | two cores, `quick` |", "|---|---|---:|---:|"]
    for number in ORDER:
        one = by_number[number]
        before = ", ".join(required[number]) or ""
        lines.append(f"| {_link(one)} {one.title} | {before} | {one.study} | {duration(60 * one.minutes.get('quick', 0.0))} |")
    lines += [
        "",
        "Minutes of yours count prose, code, figures, questions and exercises at a careful reader's speed; nobody was timed.",
    ]
    return "\n".join(lines) + "\n"


def _link(notebook: Notebook) -> str:
    return f"[{notebook.number}](../notebooks/{notebook.name}.ipynb)"


def drawn(notebooks: Sequence[Notebook]) -> str:
    """The map as SVG: a column per step that leads to a notebook, an arrow from what is needed to what needs it."""
    required = {number: before for number, before in prerequisites(notebooks).items() if number != "90"}
    titles = {one.number: one.title for one in notebooks}
    depth: dict[str, int] = {}
    for number in ORDER[:-1]:
        depth[number] = max((depth[before] + 1 for before in required[number]), default=0)
    columns = [[number for number in ORDER if depth.get(number) == level] for level in range(max(depth.values()) + 1)]
    wide, high, gap, rows = 190, 46, 60, max(map(len, columns))
    place = {
        number: (12 + level * (wide + gap), 12 + (row + (rows - len(column)) / 2) * (high + 16))
        for level, column in enumerate(columns)
        for row, number in enumerate(column)
    }
    width, height = len(columns) * (wide + gap) - gap + 24, rows * (high + 16) + 8
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">']
    parts += ['<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">']
    parts += ['<path d="M0 0L8 4L0 8z" fill="#667"/></marker></defs>', f'<rect width="{width}" height="{height}" fill="#fff"/>']
    for number, before in required.items():
        for one in before:
            if any(one in required[other] for other in before):
                continue  # what is needed through another stands there already
            (x, y), (to_x, to_y) = place[one], place[number]
            start, end, half = x + wide, to_x - 2, (x + wide + to_x) / 2
            curve = f"M{start} {y + high / 2:g}C{half:g} {y + high / 2:g} {half:g} {to_y + high / 2:g} {end} {to_y + high / 2:g}"
            parts.append(f'<path d="{curve}" fill="none" stroke="#667" marker-end="url(#tip)"/>')
    for number, (x, y) in place.items():
        fill = "#e8f1fb" if number < "10" else "#fdf1e3"
        parts.append(f'<rect x="{x}" y="{y:g}" width="{wide}" height="{high}" rx="6" fill="{fill}" stroke="#99a"/>')
        for row, line in enumerate(_wrapped(titles[number])):
            bold = f'<tspan font-weight="bold">{number}</tspan> ' if row == 0 else ""
            parts.append(f'<text x="{x + 10}" y="{y + 19 + 16 * row:g}" fill="#223">{bold}{escape(line)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _wrapped(title: str, width: int = 25) -> list[str]:
    lines = [""]
    for word in title.split():
        if len(lines[-1]) + len(word) > width and len(lines) == 1:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return lines


def written(root: Path) -> dict[Path, str]:
    """The page and the map of the checkout `root`, with the text that they should have."""
    notebooks = read_notebooks(find_folder(root / "notebooks"))
    return {root / "docs" / "ways.md": page(notebooks), root / "docs" / "images" / "ways.svg": drawn(notebooks)}


if __name__ == "__main__":
    checkout = checkout_root()
    assert checkout is not None
    for path, text in written(checkout).items():
        path.write_text(text, encoding="utf-8")
