"""Answers are shown: a notebook displays what its cell ends with, and nothing that is only called inside of a condition."""

from __future__ import annotations

import ast
from pathlib import Path

import nbformat
import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_cell_that_answers_ends_with_what_it_shows(path: Path) -> None:
    answering = [cell.source for cell in nbformat.read(path, as_version=4).cells if "answer(" in cell.source]
    assert [source for source in answering if not isinstance(ast.parse(source).body[-1], ast.Expr)] == []
