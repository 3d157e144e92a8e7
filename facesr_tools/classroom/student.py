"""The students' version of a notebook: the same lesson without solutions."""

import re
from collections.abc import Mapping
from typing import Any

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from facesr_tools.classroom.lessons import Lesson, tags
from facesr_tools.openers import with_badges

_FOLDED = re.compile(r"\s*The folded cell holds one solution\.")
# The badges open the notebook of the repository, which has the solutions.
_BADGES = re.compile(r"^(?:\[!\[[^\]]*\]\([^)]*\)\]\([^)]*\)\s*)+$\n?", flags=re.MULTILINE)


def student_notebook(lesson: Lesson, links: Mapping[str, str] | None = None) -> Any:
    """The lesson without the cells tagged `solution`, without outputs, and with a list of its exercises below the title.

    links: where this version is hosted ("binder" and "colab"), for its badges. None: it has no badges. The metadata keeps only
    the kernel, the facts (with `edition: student`), the tags, and what folds a cell.
    """
    cells = [_cell(cell) for cell in lesson.notebook.cells if "solution" not in tags(cell)]
    cells[0].source = with_badges(cells[0].source, links) if links else _BADGES.sub("", cells[0].source)
    if lesson.exercises:
        cells.insert(1, new_markdown_cell(_list_of(lesson), id="exercises-of-this-notebook"))
    metadata: dict[str, Any] = {key: lesson.notebook.metadata[key] for key in ("kernelspec",) if key in lesson.notebook.metadata}
    metadata["facesr"] = {**lesson.notebook.metadata["facesr"], "edition": "student"}
    return new_notebook(cells=cells, metadata=metadata)


def _cell(cell: Any) -> Any:
    kept = {key: cell.metadata[key] for key in ("tags", "jupyter", "cellView") if key in cell.metadata}
    if cell.cell_type == "code":
        return new_code_cell(cell.source, id=cell.id, metadata=kept)
    return new_markdown_cell(_FOLDED.sub("", cell.source), id=cell.id, metadata=kept)


def _list_of(lesson: Lesson) -> str:
    lines = [f"{exercise.number}. {exercise.title} (`{exercise.name}`)" for exercise in lesson.exercises]
    how = (
        "Each follows the section that it is about. Replace its line that raises `NotImplementedError`; the check below "
        "it prints ✗ with a hint, later ✓, and never stops the notebook."
    )
    return "\n".join([f"**Exercises in this notebook: {len(lines)}**", "", *lines, "", how])
