"""What is committed: every notebook equals its script, holds no outputs, and says what the runner and the reader need."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest

from facesr_lib.config import PROFILES

FOLDER = Path(__file__).parents[2] / "notebooks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
PARAMETERS = ["PROFILE", "SEED", "DEVICE", "DATA_ROOT", "OUTPUT_DIR"]


def cells(notebook: Any) -> list[tuple[str, str, list[str], bool]]:
    """What a pair must agree on: kind, source, tags, and whether the input is folded."""
    return [
        (c.cell_type, c.source.strip(), c.metadata.get("tags", []), c.metadata.get("jupyter", {}).get("source_hidden", False))
        for c in notebook.cells
    ]


@pytest.fixture(params=NAMES)
def notebook(request: pytest.FixtureRequest) -> Any:
    return nbformat.read(FOLDER / f"{request.param}.ipynb", as_version=4)


def tagged(notebook: Any, tag: str) -> list[Any]:
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def test_every_script_has_its_notebook_and_the_other_way_round() -> None:
    assert NAMES
    assert sorted(path.stem for path in (FOLDER / "py").glob("*.py")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_pair_is_equal(name: str) -> None:
    written = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    script = jupytext.read(FOLDER / "py" / f"{name}.py")
    hint = f"notebooks/{name}.ipynb and notebooks/py/{name}.py differ: run `make sync` (the newer file wins)"
    assert cells(written) == cells(script), hint
    for key in ("facesr", "kernelspec"):
        assert written.metadata[key] == script.metadata[key], hint


def test_nothing_executed_is_committed(notebook: Any) -> None:
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs
            assert cell.execution_count is None
    assert "widgets" not in notebook.metadata


def test_facts_are_complete(notebook: Any) -> None:
    facts = notebook.metadata["facesr"]
    assert facts["title"] == notebook.cells[0].source.splitlines()[0].removeprefix("# ")
    assert set(facts["minutes"]) == set(facts["hardware"]) == set(PROFILES)
    opening = notebook.cells[0].source
    for promise in ("**Aim:**", "You will", "**You need:**", "**Time:**", "**Hardware:**"):
        assert promise in opening


def test_parameters_are_the_agreed_ones(notebook: Any) -> None:
    (cell,) = tagged(notebook, "parameters")
    assigned = [statement.targets[0].id for statement in ast.parse(cell.source).body]
    assert assigned == PARAMETERS
    values = {s.targets[0].id: ast.literal_eval(s.value) for s in ast.parse(cell.source).body}
    assert values == {"PROFILE": "quick", "SEED": 0, "DEVICE": "auto", "DATA_ROOT": "", "OUTPUT_DIR": ""}


def test_every_exercise_has_a_folded_solution(notebook: Any) -> None:
    exercises, solutions = tagged(notebook, "exercise"), [c for c in tagged(notebook, "solution") if c.cell_type == "code"]
    assert len(exercises) == len(solutions)
    for exercise, solution in zip(exercises, solutions, strict=True):
        assert "raise NotImplementedError" in exercise.source
        assert "NotImplementedError" not in solution.source
        assert solution.metadata["jupyter"]["source_hidden"]
        name = re.search(r"def (\w+)", exercise.source).group(1)
        assert f"def {name}(" in solution.source


def test_no_picture_is_asked_for_by_a_place_that_a_small_set_lacks(notebook: Any) -> None:
    """Every set has two pictures (`LEAST`; cartoons are drawn); a later place is computed from the length of the set."""
    places = re.findall(r"\.take\(\[([^\]]*)\]\)", "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code"))
    fixed = [int(place) for found in places for place in found.split(",") if place.strip().isdigit()]
    assert [place for place in fixed if place > 1] == []
