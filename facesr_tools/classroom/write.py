"""Everything for a class in one folder: student notebooks, solution sheets, lesson plans, and a README that explains them."""

from collections.abc import Collection, Sequence
from pathlib import Path

import nbformat
from jinja2 import Environment, PackageLoader, StrictUndefined

from facesr_lib import __version__
from facesr_lib.papers import PAPERS
from facesr_tools.classroom.lesson_plan import read_plan, read_verdicts, render_plan
from facesr_tools.classroom.lessons import Lesson
from facesr_tools.classroom.pages import page
from facesr_tools.classroom.sheets import solution_sheet
from facesr_tools.classroom.slides import slides
from facesr_tools.classroom.student import student_notebook
from facesr_tools.durations import duration
from facesr_tools.launch import hosted_links
from facesr_tools.openers import badges
from facesr_tools.plan import estimates


def classroom_files(
    lessons: Sequence[Lesson], names: Collection[str] | None = None, runs: Path | None = None, repository: str = ""
) -> dict[str, bytes]:
    """The files of a classroom folder, by relative path; the same notebooks and runs give the same bytes.

    lessons: all notebooks.  names: those to write; None: all. A paper's lesson plan comes with any of its notebooks.
    runs: folder with a `quick` run, for verdicts and slides, or None.  repository: "OWNER/NAME[@BRANCH]" on GitHub, whose root
    will hold the content of `student/`; then its notebooks have badges that open them there, and `student/README.md` has all
    badges. Runs the exercises' solutions and typical mistakes. Raises ValueError for a solution that does not pass its check, a
    lesson plan that does not fit the notebooks, `runs` without verdicts or figures, or a `repository` of another form.
    """
    chosen = [lesson for lesson in lessons if names is None or lesson.name in names]
    verdicts = read_verdicts(runs) if runs else None
    links = {lesson.name: hosted_links(repository, lesson.name) for lesson in chosen} if repository else {}
    texts: dict[str, str] = {}
    for lesson in chosen:
        texts[f"student/{lesson.name}.ipynb"] = nbformat.writes(student_notebook(lesson, links.get(lesson.name))) + "\n"
        if lesson.exercises:
            texts |= _twins(f"solutions/{lesson.name}", solution_sheet(lesson))
    papers = [paper.key for paper in PAPERS if any(lesson.paper == paper.key for lesson in chosen)]
    for paper in papers:
        of_paper = [lesson for lesson in lessons if lesson.paper == paper]
        plan = read_plan(paper)
        try:
            text = render_plan(plan, of_paper, verdicts.get(paper, {}) if verdicts is not None else None)
        except ValueError as error:
            raise ValueError(f"{paper}: {error}; give the notebooks that belong to this version of facesr") from error
        texts |= _twins(f"instructor/{paper}", text)
        if runs:
            texts[f"instructor/{paper}_slides.html"] = slides(plan, of_paper, runs)
    templates = Environment(loader=PackageLoader("facesr_tools.classroom"), undefined=StrictUndefined, trim_blocks=True)
    shown = {"lessons": chosen, "papers": papers, "version": __version__, "badges": badges, "duration": duration}
    shown |= {"repository": repository, "links": links}
    shown["all_on_one_core"] = round(sum(estimates("quick").values()) / 60)  # minutes, with every training
    texts["README.md"] = templates.get_template("README.md.j2").render(shown)
    if repository:
        texts["student/README.md"] = templates.get_template("student_README.md.j2").render(shown)
    return {name: text.encode() for name, text in texts.items()}


def _twins(name: str, markdown: str) -> dict[str, str]:
    """A Markdown text, and the same as a page to print."""
    title = markdown.split("\n", 1)[0].removeprefix("# ")
    return {f"{name}.md": markdown, f"{name}.html": page(title, markdown)}
