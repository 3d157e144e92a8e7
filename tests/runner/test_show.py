from __future__ import annotations

import io

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from rich.console import Console

from facesr_tools.runner.progress import Progress, StageProgress
from facesr_tools.runner.show import Screen, live_lines


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_stage_says_its_step_and_the_time_that_its_steps_took(clock):
    stage = StageProgress("isr_kd/face-only", 60.0, clock=clock)
    clock.now += 10
    assert stage.line() == "isr_kd/face-only  starting  0:10, about 0:50 left"
    stage.advance(101, 200)  # resumed at step 100
    assert stage.left() == 50
    clock.now += 20
    stage.advance(111, 200)
    assert stage.left() == 2 * 89
    clock.now += 8
    assert stage.line() == "isr_kd/face-only  step 111/200  0:38, about 2:50 left"
    assert StageProgress("isr_kd/face-only", clock=clock).left() is None


def test_live_lines_stand_above_one_for_the_whole(clock):
    running = [StageProgress("isr_kd/face-only", 60.0, clock=clock), Progress("10_a", None, {}, clock=clock)]
    assert live_lines(running, 3, 17, 62.0, 750.0) == [
        "isr_kd/face-only  starting  0:00, about 1:00 left",
        "10_a  starting the kernel  0:00",
        "3 of 17 trainings and notebooks  1:02, about 12:30 left",
    ]


def test_plain_lines_name_their_task_once_per_section_and_now_and_then_for_a_stage(clock):
    file = io.StringIO()
    screen = Screen(Console(file=file, width=120), list)
    cells = [new_code_cell("a = 1"), new_code_cell("b = 2"), new_markdown_cell("## Results"), new_code_cell("c = 3")]
    notebook, stage = Progress("10_a", None, {}, clock=clock), StageProgress("human_gan/gan", clock=clock)
    screen.starts(notebook)
    screen.starts(stage)
    notebook.begin(new_notebook(cells=cells))
    for index in (0, 1, 3):
        clock.now += 10
        notebook.cell_starts(index)
        stage.advance(index + 1, 9)
        screen.moves(notebook)
        screen.moves(stage)
    assert file.getvalue().splitlines() == [
        "10_a  starting the kernel  0:00",
        "human_gan/gan  starting  0:00",
        "  10_a  cell 1/3    0:10",
        "  10_a  cell 3/3  Results  0:30",
        "  human_gan/gan  step 4/9  0:30, about 0:33 left",
    ]
