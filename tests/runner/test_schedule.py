from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesr_tools.plan import Task
from facesr_tools.runner import schedule
from facesr_tools.runner.machine import GIB
from facesr_tools.runner.schedule import Schedule, default_jobs


def task(name: str, needs: str = "", seconds: float | None = None) -> Task:
    kind = "notebook" if name[0].isdigit() else "stage"
    return Task(name, kind, 0, Path("out"), tuple(needs.split()), Path("out", name), False, seconds)


def order(tasks: list[Task], jobs: int) -> list[str]:
    """The order in which tasks start when each ends before the next one starts."""
    found, names = Schedule(tasks, jobs), []
    while taken := found.next():
        names.append(taken.name)
        found.ended(taken)
    return names


PLAN = [
    task("teacher", seconds=10),
    task("student", "teacher", 100),
    task("gan", seconds=50),
    task("10", "gan", 5),
    task("30", "student teacher", 5),
    task("40", "teacher", 5),
]


def test_one_job_keeps_the_notebooks_order_with_stages_right_before_them():
    assert order(PLAN, 1) == ["gan", "10", "teacher", "student", "30", "40"]


def test_several_jobs_start_the_longest_way_first():
    assert order(PLAN, 2) == ["teacher", "student", "gan", "10", "30", "40"]


def test_without_estimates_the_notebooks_order_decides():
    tasks = [task("b"), task("a"), task("10", "a"), task("20", "b")]
    assert order(tasks, 2) == ["a", "10", "b", "20"]


def test_what_others_need_is_not_ready_and_needs_outside_the_plan_are_met():
    found = Schedule([task("a", "elsewhere"), task("b", "a")], 2)
    first = found.next()
    assert first is not None
    assert first.name == "a"
    assert found.next() is None
    found.ended(first)
    assert found.next().name == "b"
    assert found.next() is None


@given(st.lists(st.sets(st.integers(0, 11)), min_size=1, max_size=12), st.integers(1, 3))
def test_every_task_comes_once_and_after_what_it_needs(needs, jobs):
    tasks = [task(f"t{i}", " ".join(f"t{n}" for n in group if n < i), float(i % 4)) for i, group in enumerate(needs)]
    names = order(tasks, jobs)
    assert sorted(names) == sorted(task.name for task in tasks)
    assert all(names.index(need) < names.index(task.name) for task in tasks for need in task.needs)


def test_the_time_left_is_that_of_the_work_or_of_the_longest_chain():
    found = Schedule(PLAN, 2)
    assert found.left({}) == 115  # teacher, student, 30; all work is 175 s on two
    teacher = found.next()
    assert found.left({teacher.name: 4.0}) == 4 + 105
    short = Schedule([task(name, seconds=10) for name in "abcd"], 2)
    assert short.left({}) == 20
    assert Schedule([task("a", seconds=10), task("b")], 2).left({}) is None
    assert short.left({"x": None}) is None


@pytest.mark.parametrize(
    ("cores", "limit", "memory", "jobs"),
    [(8, None, 64, 8), (8, 2.5, 64, 2), (8, 0.5, 64, 1), (8, None, 4, 2), (2, None, 1, 1), (1, 8.0, 64, 1)],
)
def test_jobs_are_as_many_as_cores_and_memory_allow(monkeypatch, cores, limit, memory, jobs):
    monkeypatch.setattr(schedule, "usable_cores", lambda: cores)
    monkeypatch.setattr(schedule, "cpu_limit", lambda: limit)
    monkeypatch.setattr(schedule, "memory_limit", lambda: memory * GIB)
    assert default_jobs() == jobs
