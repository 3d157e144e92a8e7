"""Slides of one paper or lesson: a page per row of the timetable, with the question to ask first and the figures of a run.

One HTML file without a script, which opens without network: space, Page Down or a presenter's remote go on; printed, it is a PDF.
"""

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

from markupsafe import Markup, escape

from facesr_lib.plot.figures import png_html
from facesr_tools.classroom.lesson_plan import LessonPlan, TimetableRow
from facesr_tools.classroom.lessons import Lesson
from facesr_tools.site.export import markdown_html

PROFILE = "quick"
WIDE = 2.2  # width over height of the room for figures: wider ones are larger above each other than side by side

_STYLE = """
@page { size: A4 landscape; margin: 0; }
html { scroll-snap-type: y mandatory; } * { box-sizing: border-box; }
body { margin: 0; font: 2.4vmin/1.35 "Liberation Sans", Arial, Helvetica, sans-serif; color: #1b1f24; }
section { height: 100vh; padding: 4vmin 6vmin; scroll-snap-align: start; break-after: page;
  display: flex; flex-direction: column; gap: 2vmin; }
h1 { font-size: 5vmin; line-height: 1.15; margin: auto 0 0; }
h2 { font-size: 4.4vmin; line-height: 1.15; margin: 0; color: #0072b2; }
p { margin: 0; } .ask { font-size: 3.4vmin; } .aim { margin-bottom: auto; font-size: 3vmin; }
li { margin: 2vmin 0; font-size: 3.4vmin; }
.figures { flex: 1; min-height: 0; display: flex; gap: 3vmin; justify-content: center; }
.stacked { flex-direction: column; }
figure { margin: 0; min-height: 0; min-width: 0; flex: 1 1 0;
  display: flex; flex-direction: column; align-items: center; gap: 1vmin; }
figure img { min-height: 0; flex: 1; width: 100%; height: auto; object-fit: contain; }
figcaption { font-size: 1.9vmin; color: #50585f; }
footer { margin-top: auto; font-size: 1.9vmin; color: #50585f; } .anchor-link { display: none; }
@media print { section { height: 100vh; } }
"""


def slides(plan: LessonPlan, lessons: Sequence[Lesson], runs: Path) -> str:
    """The slides of a lesson plan as one HTML page. runs: the results of `facesr run`, whose `quick` figures are shown.

    Raises ValueError, with the command that makes it, for a figure that the lesson plan names and the run has not.
    """
    exercises = {one.name: f"exercise {one.number}: {one.title}" for lesson in lessons for one in lesson.exercises}
    title = plan.title.split(" (")[0]
    pages = [f'<section><h1>{escape(title)}</h1><div class="aim">{_text(plan.aim)}</div></section>']
    pages += [_page(row, exercises, runs) for row in plan.blocks]
    home = "".join(f"<li>{_text(item, inline=True)}</li>" for item in plan.home)
    pages.append(f"<section><h2>Take home</h2><ul>{home}</ul></section>")
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    head += '<meta name="viewport" content="width=device-width, initial-scale=1">'
    return "\n".join([f'<!doctype html><html lang="en"><head>{head}</head><body>', *pages, "</body></html>", ""])


def _page(row: TimetableRow, exercises: Mapping[str, str], runs: Path) -> str:
    pictures = [_figure(name, row.notebooks, runs) for name in row.figures]
    stacked = " stacked" if len(pictures) > 1 and all(shape > WIDE for _, shape in pictures) else ""
    figures = "".join(drawn for drawn, _ in pictures)
    places = "; ".join(f"{place[:2]}: {place.split('/', 1)[1]}" for place in row.at)
    tasks = "".join(f"; {exercises[name]}" for name in row.exercises)
    return (
        f'<section><h2>{escape(row.title)}</h2><p class="ask">{_text(row.ask, inline=True)}</p>'
        f'<div class="figures{stacked}">{figures}</div><footer>{escape(places + tasks)}</footer></section>'
    )


def _figure(name: str, notebooks: Sequence[str], runs: Path) -> tuple[str, float]:
    """A figure of the run as HTML, and its width over its height."""
    for notebook in notebooks:
        folder = runs / PROFILE / notebook
        picture = folder / "figures" / f"{name}.png"
        if not picture.is_file():
            continue
        try:
            recorded = {one["name"]: one for one in json.loads((folder / "result.json").read_bytes())["figures"]}
            facts = recorded[name]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{folder / 'result.json'} does not say what {picture.name} shows: {error}") from error
        content = picture.read_bytes()
        width, height = struct.unpack(">II", content[16:24])  # a PNG's first chunk
        drawn = f"<figure>{png_html(content, facts['alt'])}<figcaption>{escape(facts['caption'])}</figcaption></figure>"
        return drawn, width / height
    command = f"facesr run {' '.join(notebook[:2] for notebook in notebooks)} --profile {PROFILE}"
    raise ValueError(f"--runs {runs}: no figure {name!r} of {' or '.join(notebooks)}; first: {command}")


def _text(markdown: str, *, inline: bool = False) -> Markup:
    html = markdown_html(markdown).strip()
    return Markup(html.removeprefix("<p>").removesuffix("</p>") if inline else html)
