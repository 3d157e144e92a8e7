from __future__ import annotations

import json
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from facesr_tools.runner.progress import Progress, code_cells, earlier_timings, headings


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def nb():
    return new_notebook(
        cells=[
            new_code_cell("import x"),
            new_markdown_cell("# Title\n\ntext\n\n## The `loss`, **explained** in [a paper](there) ##"),
            new_code_cell("a = 1"),
            new_markdown_cell("no heading\n```\n# a comment\n```"),
            new_code_cell("b = 2"),
            new_code_cell("   "),
            new_code_cell("skipped", metadata={"tags": ["skip-execution"]}),
        ]
    )


def test_cells_that_run_and_their_headings(nb):
    assert code_cells(nb) == [0, 2, 4]
    section = "The loss, explained in a paper"
    assert headings(nb) == ["", section, section, section, section, section, section]


def test_without_earlier_run_the_facts_decide(nb):
    clock = Clock()
    progress = Progress("10_a", 0.5, {}, clock=clock)
    progress.begin(nb)
    assert progress.left() == 30
    clock.now += 12
    assert progress.left() == 18
    assert progress.line() == "10_a  cell 0/3  starting the kernel  0:12, about 0:18 left"
    clock.now += 100
    assert progress.left() == 0
    assert progress.line() == "10_a  cell 0/3  starting the kernel  1:52"
    assert Progress("10_a", None, {}).left() is None


def test_with_an_earlier_run_the_cells_decide(nb):
    clock = Clock()
    progress = Progress("10_a", 10.0, {"import x": 2.0, "a = 1": 20.0, "b = 2": 5.0}, clock=clock)
    assert progress.left() == 27
    progress.begin(nb)
    assert progress.left() == 27
    progress.cell_starts(0)
    progress.cell_starts(1)  # a Markdown cell
    progress.cell_starts(2)
    clock.now += 6
    assert progress.left() == 14 + 5
    clock.now += 100
    assert progress.left() == 5
    assert progress.line() == "10_a  cell 2/3  The loss, explained in a paper  1:46, about 0:05 left"


def test_timings_of_another_notebook_are_not_used(nb):
    progress = Progress("10_a", 1.0, {"quite": 1.0, "different": 2.0}, clock=Clock())
    progress.begin(nb)
    assert progress.left() == 60


def test_timings_come_from_the_executed_notebook(tmp_path: Path):
    cell = {"cell_type": "code", "source": ["a = 1\n", "b = 2"], "metadata": {"papermill": {"duration": 1.5}}}
    path = tmp_path / "notebook.ipynb"
    path.write_text(json.dumps({"cells": [cell, {"cell_type": "markdown", "source": "", "metadata": {}}]}))
    assert earlier_timings(path) == {"a = 1\nb = 2": 1.5}
    path.write_text("{")
    assert earlier_timings(path) == earlier_timings(tmp_path / "absent.ipynb") == {}
