"""Over every notebook: the student's version has no solution and its checks say no; the sheet's solutions make them say yes."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from facesr_lib.exercises.feedback import Feedback
from facesr_tools.classroom import Lesson, classroom_files, read_lesson, student_notebook
from facesr_tools.classroom.lessons import tags
from facesr_tools.classroom.sheets import read_notes, solution_sheet
from facesr_tools.launch import hosted_links

NAMES = sorted(path.stem for path in (Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
WITH_EXERCISES = [name for name in NAMES if name != "90_report"]


def student(written: dict[str, str], name: str) -> Any:
    return nbformat.reads(written[f"student/{name}.ipynb"], as_version=4)


def run(source: str, scope: dict[str, Any], *, whole: bool) -> Any:
    """Run a cell, all of it or only its imports and functions, and return the value of its last line if it is whole."""
    body = ast.parse(source).body
    last = body.pop() if whole and isinstance(body[-1], ast.Expr) else None
    kept = [node for node in body if whole or isinstance(node, ast.FunctionDef | ast.Import | ast.ImportFrom)]
    exec(compile(ast.Module(kept, []), "cell", "exec"), scope)
    return eval(ast.unparse(last), scope) if last else None


def class_room(notebook: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, str]]:
    """A student's kernel with the imports of all cells; and per function the cell with its check, and with its stub."""
    scope: dict[str, Any] = {}
    checks, stubs = {}, {}
    for position, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or not re.search(r"^(import|from|def) ", cell.source, flags=re.MULTILINE):
            continue
        body = ast.parse(cell.source).body
        imports = ast.Module([node for node in body if isinstance(node, ast.Import | ast.ImportFrom)], [])
        exec(compile(imports, "cell", "exec"), scope)
        if "exercise" in tags(cell):
            (function,) = (node.name for node in body if isinstance(node, ast.FunctionDef))
            stubs[function] = cell.source
            checks[function] = next(c.source for c in notebook.cells[position + 1 :] if c.cell_type == "code")
    return scope, checks, stubs


def solutions(sheet: str) -> list[str]:
    return re.findall(r"^\*\*Solution\*\*\n\n```python\n(.*?)^```", sheet, flags=re.MULTILINE | re.DOTALL)


def blocks(sheet: str) -> list[tuple[str, str]]:
    """Every program of a sheet with the answer quoted below it."""
    return re.findall(r"^```python\n(.*?)^```\n\n((?:>[^\n]*\n)+)", sheet, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", NAMES)
def test_the_students_version_is_the_lesson_without_its_solutions(name: str, written, lessons) -> None:
    text, original = written[f"student/{name}.ipynb"], lessons[name].notebook
    notebook = student(written, name)
    nbformat.validate(notebook)
    kept = [cell for cell in original.cells if "solution" not in tags(cell)]
    found = [cell for cell in notebook.cells if cell.id != "exercises-of-this-notebook"]
    assert [cell.id for cell in found] == [cell.id for cell in kept]
    for cell, before in zip(found, kept, strict=True):
        if cell.cell_type == "code":
            assert cell.source == before.source
            assert not cell.outputs
        assert tags(cell) == tags(before)
        assert not cell.get("attachments")
    in_what_stays = {line.strip() for cell in kept for line in cell.source.splitlines()}
    for exercise in lessons[name].exercises:
        own = {line.strip() for line in exercise.solution.splitlines()} - in_what_stays
        assert own, f"{exercise.name}: nothing in the solution could be recognised"
        for line in own:
            assert json.dumps(line)[1:-1] not in text, f"a line of the solution of {exercise.name} is still there: {line}"
    assert "folded cell" not in text
    assert "[![" not in notebook.cells[0].source  # badges open the version with solutions
    assert set(notebook.metadata) == {"facesr", "kernelspec"}
    assert notebook.metadata.facesr == {**original.metadata.facesr, "edition": "student"}


@pytest.mark.parametrize("name", WITH_EXERCISES)
def test_the_top_lists_the_exercises(name: str, written, lessons) -> None:
    listed = re.findall(r"^(\d+)\. (.+) \(`(\w+)`\)$", student(written, name).cells[1].source, flags=re.MULTILINE)
    assert len(listed) >= 2
    tagged = [c for c in lessons[name].notebook.cells if "exercise" in tags(c)]
    assert [function for _, _, function in listed] == [re.search(r"def (\w+)", c.source)[1] for c in tagged]
    assert [int(number) for number, _, _ in listed] == list(range(1, len(tagged) + 1))


@pytest.mark.parametrize("name", WITH_EXERCISES)
def test_stubs_fail_their_checks_and_the_sheets_solutions_pass(name: str, written) -> None:
    scope, checks, stubs = class_room(student(written, name))
    answers = solutions(written[f"solutions/{name}.md"])
    assert len(answers) == len(stubs)
    for (function, check), solution in zip(checks.items(), answers, strict=True):
        run(stubs[function], scope, whole=True)
        arguments = [None] * scope[function].__code__.co_argcount
        with pytest.raises(NotImplementedError):
            scope[function](*arguments)
        verdict = run(check, scope, whole=True)
        assert isinstance(verdict, Feedback)
        assert repr(verdict).startswith("✗ Not solved yet")
        run(solution, scope, whole=True)
        verdict = run(check, scope, whole=True)
        assert verdict.passed, verdict


@pytest.mark.parametrize("name", WITH_EXERCISES)
def test_the_sheet_shows_what_the_check_answers(name: str, written, lessons) -> None:
    sheet = written[f"solutions/{name}.md"]
    _, *parts = re.split(r"^## ", sheet.split("\n## To think about\n")[0], flags=re.MULTILINE)
    assert len(parts) == len(lessons[name].exercises)
    notes = read_notes(name)
    assert set(notes) == {exercise.name for exercise in lessons[name].exercises}
    for part, exercise in zip(parts, lessons[name].exercises, strict=True):
        assert part.startswith(f"{exercise.number}. {exercise.title}\n")
        (_, right), *wrong = blocks(part)
        assert right.startswith("> ✓ ")
        assert len(wrong) >= 2
        assert len(wrong) == len(notes[exercise.name].mistakes)
        for (program, answer), mistake in zip(wrong, notes[exercise.name].mistakes, strict=True):
            assert program.strip() == mistake.code
            assert f"\n*{mistake.title}*\n" in part
            assert answer.startswith("> ✗ Not yet: "), f"{exercise.name}, {mistake.title}: {answer}"
        assert len(notes[exercise.name].why.split()) >= 15
    page = written[f"solutions/{name}.html"]
    assert "<script" not in page
    assert len(re.findall("<pre", page)) >= 3 * len(parts)


def test_a_students_notebook_runs_from_top_to_bottom(written, tmp_path: Path) -> None:
    name = "00_start_here"
    (tmp_path / "in.ipynb").write_text(written[f"student/{name}.ipynb"], encoding="utf-8")
    parameters = {"PROFILE": "smoke", "DEVICE": "cpu", "OUTPUT_DIR": str(tmp_path / "runs")}
    done = papermill.execute_notebook(
        tmp_path / "in.ipynb", tmp_path / "out.ipynb", parameters, progress_bar=False, kernel_name="python3", cwd=tmp_path
    )
    answers = [str(o.get("data", {}).get("text/plain", "")) for c in done.cells for o in c.get("outputs", [])]
    assert sum(answer.startswith("✗ Not solved yet") for answer in answers) == 2
    assert (tmp_path / "runs" / "smoke" / name / "result.json").exists()


def lesson(path: Path, *cells: Any) -> Lesson:
    title = new_markdown_cell(
        "# Small\n\n[![A](https://x.org/c.svg)](https://x.org/?a=b)\n[![B](b.svg)](c) [![D](d.svg)](e)\n\n**Aim:** [all](x)"
    )
    task = new_markdown_cell(
        "## Exercises\n\nReplace it. The folded cell holds one solution.\n\n**1. The sum.** Add $a$ and $b$."
    )
    stub = new_code_cell("def f(a, b):\n    raise NotImplementedError", metadata={"tags": ["exercise"], "collapsed": True})
    facts = {"facesr": {"title": "Small", "minutes": {"quick": 1, "workshop": 2}}, "widgets": {"state": "result = a + b"}}
    notebook = new_notebook(cells=[title, task, stub, *cells], metadata=facts)
    nbformat.write(notebook, path)
    return read_lesson(path)


SOLUTION = "def f(a, b):\n    result = a + b\n    return result\n\n\ncheck_average_pool(f)"
CHECK = "from facesr_lib.exercises.degradation import check_average_pool\n\ncheck_average_pool(f)"


def test_solutions_go_wherever_they_hide(tmp_path: Path) -> None:
    heading = new_markdown_cell("### One way to do it", metadata={"tags": ["solution"]})
    solution = new_code_cell(SOLUTION, metadata={"tags": ["solution"], "jupyter": {"source_hidden": True}})
    check = new_code_cell(CHECK, metadata={"answer": "result = a + b"})
    found = student_notebook(lesson(tmp_path / "n.ipynb", check, heading, solution))
    text = nbformat.writes(found)
    assert "result = a + b" not in text
    assert "One way to do it" not in text
    assert "folded" not in text
    assert [cell.cell_type for cell in found.cells] == ["markdown", "markdown", "markdown", "code", "code"]
    assert found.cells[0].source == "# Small\n\n**Aim:** [all](x)"  # badges lead to the version with solutions


def test_a_sheet_needs_a_solution_that_passes(tmp_path: Path) -> None:
    small = lesson(tmp_path / "n.ipynb", new_code_cell(CHECK), new_code_cell(SOLUTION, metadata={"tags": ["solution"]}))
    assert small.exercises[0].text == "Add $a$ and $b$."
    assert small.exercises[0].check == "facesr_lib.exercises.degradation:check_average_pool"
    with pytest.raises(ValueError, match=r"n\.ipynb: the solution of exercise 1 does not pass: ✗"):
        solution_sheet(small)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["def f(a):\n    return 1"], "does not end with check_something"),
        (["def f(a):\n    return 1\n\ncheck_unknown(f)"], "does not end with check_something"),
    ],
)
def test_a_broken_exercise_is_named(cells: list[str], message: str, tmp_path: Path) -> None:
    tagged = [new_code_cell(source, metadata={"tags": ["solution"]}) for source in cells]
    with pytest.raises(ValueError, match=rf"n\.ipynb.*{message}"):
        lesson(tmp_path / "n.ipynb", new_code_cell(CHECK), *tagged)


def test_cells_that_are_not_python_do_no_harm(tmp_path: Path) -> None:
    cells = [new_code_cell("%%bash\nls -l | wc"), new_code_cell("%matplotlib inline\nrun.figure(f, 'plot', 'c', 'a')\n!ls")]
    found = lesson(tmp_path / "n.ipynb", *cells)
    assert found.figures == ("plot",)
    assert found.has_figure("plot")
    assert not found.has_figure("plots")


def test_no_lesson(tmp_path: Path) -> None:
    (tmp_path / "broken.ipynb").write_text("{")
    nbformat.write(new_notebook(), tmp_path / "other.ipynb")
    nbformat.write(new_notebook(metadata={"facesr": {"title": "T"}}), tmp_path / "hasty.ipynb")
    with pytest.raises(ValueError, match=r"broken\.ipynb: not a readable notebook"):
        read_lesson(tmp_path / "broken.ipynb")
    with pytest.raises(ValueError, match=r"other\.ipynb: not a notebook of this project"):
        read_lesson(tmp_path / "other.ipynb")
    with pytest.raises(ValueError, match=r"hasty\.ipynb: the \"minutes\""):
        read_lesson(tmp_path / "hasty.ipynb")


def test_an_answer_to_think_about_is_in_the_sheet_and_not_in_the_students_version(tmp_path: Path) -> None:
    facts = {"title": "X", "paper": "", "minutes": {"quick": 1, "workshop": 1}}
    fold = "<details><summary>One answer</summary>\n\nBecause it was *measured*.\n\n</details>"
    cells = [
        new_markdown_cell("# X"),
        new_markdown_cell("**To think about.** Why so?"),
        new_markdown_cell(fold, metadata={"tags": ["solution"]}),
        new_markdown_cell("**To think about.** And this?"),
        new_code_cell("1 + 1"),
    ]
    path = tmp_path / "05_x.ipynb"
    nbformat.write(new_notebook(cells=cells, metadata={"facesr": facts}), path)
    lesson = read_lesson(path)
    assert solution_sheet(lesson).endswith("## To think about\n\nWhy so?\n\n**One answer**\n\nBecause it was *measured*.\n")
    assert "measured" not in nbformat.writes(student_notebook(lesson))


def test_badges_lead_to_the_students_version_where_the_instructor_hosts_it(lessons: dict[str, Lesson]) -> None:
    names = ["00_start_here", "90_report"]
    files = classroom_files(list(lessons.values()), names, repository="uni/faces@autumn")
    for name in names:
        links = hosted_links("uni/faces@autumn", name)
        title = nbformat.reads(files[f"student/{name}.ipynb"].decode(), as_version=4).cells[0].source
        assert re.findall(r"\[!\[Open in \w+\]\([^)]+\)\]\(([^)]+)\)", title) == [links["binder"], links["colab"]]
        assert all(f"]({links[kind]})" in files["student/README.md"].decode() for kind in ("binder", "colab"))
    readme = files["README.md"].decode()
    assert "https://HUB" + hosted_links("uni/faces@autumn", names[0])["hub"] in readme
    assert "public repository `uni/faces` on GitHub, branch `autumn`." in readme
    assert "\n\nA check prints" in readme  # what is included above it ends as a paragraph
