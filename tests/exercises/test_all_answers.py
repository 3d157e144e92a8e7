"""Every check passes what is right, however it is written, and tells everything else that it is wrong, not that it crashed."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import answers_of_lessons
import answers_of_papers
import pytest

from facesr_lib import exercises

RIGHT = answers_of_lessons.RIGHT | answers_of_papers.RIGHT
WRONG = answers_of_lessons.WRONG | answers_of_papers.WRONG


def cases(answers):
    return [pytest.param(check, a, id=f"{check.__name__}-{n}") for check, some in answers.items() for n, a in enumerate(some)]


@pytest.mark.parametrize(("check", "answer"), cases(RIGHT))
def test_right(check, answer) -> None:
    assert check(answer).passed, check(answer)


@pytest.mark.parametrize(("check", "answer"), cases(WRONG))
def test_wrong(check, answer) -> None:
    assert str(check(answer)).startswith("✗ Not yet: "), check(answer)


def test_all_checks_are_here_with_enough_answers() -> None:
    modules = [import_module(f"{exercises.__name__}.{module.name}") for module in pkgutil.iter_modules(exercises.__path__)]
    found = {value for module in modules for name, value in vars(module).items() if name.startswith("check_")}
    checks = {check for check in found if check.__module__.startswith(exercises.__name__)}
    assert set(RIGHT) == set(WRONG) == checks
    assert min(map(len, RIGHT.values())) >= 4
    assert min(map(len, WRONG.values())) >= 6
