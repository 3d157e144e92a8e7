"""Everything for a class in one folder: student notebooks, solution sheets, lesson plans, and a README that explains them."""

from collections.abc import Collection, Sequence
from pathlib import Path

import nbformat
from jinja2 import Environment, PackageLoader, StrictUndefined

from facesr_lib import __version__
from facesr_tools.classroom.lesson_plan import read_plan, read_verdicts, render_plan, with_plans
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

    lessons: all notebooks.  names: those to write; None: all. A paper's lesson plan comes with any of its notebooks,
    a lesson's with its own.
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
    plans = {key: of_plan for key, of_plan in with_plans(lessons).items() if any(lesson in chosen for lesson in of_plan)}
    for key, of_plan in plans.items():
        plan = read_plan(key)
        try:
            text = render_plan(plan, of_plan, verdicts.get(key, {}) if verdicts is not None else None)
        except ValueError as error:
            raise ValueError(f"{key}: {error}; give the notebooks that belong to this version of facesr") from error
        texts |= _twins(f"instructor/{key}", text)
        if runs:
            texts[f"instructor/{key}_slides.html"] = slides(plan, of_plan, runs)
    templates = Environment(loader=PackageLoader("facesr_tools.classroom"), undefined=StrictUndefined, trim_blocks=True)
    shown = {"lessons": chosen, "plans": plans, "version": __version__, "badges": badges, "duration": duration}
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
