"""Every check passes what is right, however it is written, and tells everything else what is wrong, not that it crashed."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import answers_of_lessons
import answers_of_papers
import answers_table
import numpy as np
import pytest
import torch

from facesr_lib import exercises
from facesr_lib.exercises import metrics
from facesr_lib.metrics import psnr
from facesr_tools.classroom.sheets import read_notes

RIGHT = answers_of_lessons.RIGHT | answers_of_papers.RIGHT
WRONG = answers_of_lessons.WRONG | answers_of_papers.WRONG
CHECKS = list(RIGHT)


def named(cases):
    return [pytest.param(*case, id=f"{case[0].__name__}-{n}") for n, case in enumerate(cases)]


@pytest.mark.parametrize(("check", "answer"), named((check, answer) for check, some in RIGHT.items() for answer in some))
def test_right(check, answer) -> None:
    assert check(answer).passed, check(answer)


@pytest.mark.parametrize(
    ("check", "hint", "answer"),
    named((check, hint, answer) for check, some in WRONG.items() for hint, answers in some.items() for answer in answers),
)
def test_wrong(check, hint: str, answer) -> None:
    told = repr(check(answer))
    assert told.startswith("✗ Not yet: ")
    assert hint in told


def prints(*given: object) -> None:
    print(given)


def unsolved(*given: object) -> None:
    raise NotImplementedError


def crashing(*given: object) -> None:
    raise ZeroDivisionError("by me")


@pytest.mark.parametrize("check", CHECKS)
def test_what_goes_wrong_anywhere(check, capsys: pytest.CaptureFixture[str]) -> None:
    assert "returns nothing. To print is not enough" in check(prints).message
    assert "Not solved yet" in check(unsolved).message
    assert check(crashing).message == "Your code raised ZeroDivisionError: by me"
    constants = (0, 1.0, True, "0.5", [], (1.0, 2.0), np.zeros(3), torch.zeros(()), torch.ones(2, 3, 4, 4))
    assert not [constant for constant in constants if check(lambda *given, c=constant: c).passed]
    assert not check(lambda *given: given[0] if given else None).passed  # the input, as it came


def test_a_check_draws_the_same_inputs_each_time_and_leaves_the_readers_stream_alone() -> None:
    seen = []

    def answer(sr, hr):
        seen.append(sr)
        return psnr(sr, hr)

    torch.manual_seed(7)
    before = torch.get_rng_state()
    metrics.check_psnr(answer)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(8)
    metrics.check_psnr(answer)
    assert torch.equal(*seen)


def test_the_sheet_on_kid_is_right_about_the_diagonal() -> None:
    """With the diagonal, two samples of one distribution look different, and the smaller they are, the more."""
    rng = np.random.default_rng(0)
    means = {
        (size, diagonal): np.mean([answers_of_lessons.kid(*rng.normal(size=(2, size, 8)), diagonal=diagonal) for _ in range(300)])
        for size in (5, 20)
        for diagonal in (True, False)
    }
    assert means[5, True] > 2 * means[20, True] > 0
    assert max(abs(means[5, False]), abs(means[20, False])) < 0.1 * means[20, True]
    assert (
        "the diagonal makes the measured distance too large, and the smaller the set"
        in read_notes("03_metrics")["my_kernel_distance"].why
    )


def test_all_checks_are_here_with_enough_answers() -> None:
    modules = [import_module(f"{exercises.__name__}.{module.name}") for module in pkgutil.iter_modules(exercises.__path__)]
    found = {value for module in modules for name, value in vars(module).items() if name.startswith("check_")}
    checks = {check for check in found if check.__module__.startswith(exercises.__name__)}
    assert set(RIGHT) == set(WRONG) == checks
    for check in checks:
        assert len(RIGHT[check]) >= 4, check
        assert sum(map(len, WRONG[check].values())) >= 6, check


def test_the_table_for_instructors_is_written_from_these_answers(lessons) -> None:
    page = answers_table.PAGE.read_text(encoding="utf-8")
    assert page == answers_table.page(lessons.values()), "run: python tests/exercises/answers_table.py"
    assert page.count("\n| [") == len(CHECKS)
