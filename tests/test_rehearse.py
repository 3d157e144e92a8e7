from __future__ import annotations

import io
import itertools
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from rich.console import Console
from torch import Tensor, nn
from typer.testing import CliRunner

from facesr_lib.papers import SELFSR, human_gan
from facesr_lib.training import Batch, Method, Trainer, TrainerOptions
from facesr_lib.training.schedules import constant
from facesr_tools import rehearse as module
from facesr_tools.cli.main import app
from facesr_tools.cli.tables import rehearsal_line, rehearsals_table
from facesr_tools.rehearse import Rehearsal, rehearse
from facesr_tools.trainings import Training, trainings

ABOUT = ("a_paper", "a training", "", "cpu", 2, 8, 3600)


class Toy(Method):
    """One weight; a step may fail."""

    def __init__(self, fail: Callable[[int], None] = lambda step: None) -> None:
        super().__init__()
        self.fail, self.seen = fail, []

    def build(self) -> None:
        self.networks = {"net": nn.Conv2d(3, 3, 1)}
        self.optimizers = {"net": torch.optim.SGD(self.networks["net"].parameters(), lr=0.1)}
        self.learning_rates = {"net": constant(0.1)}

    def begin_step(self, step: int) -> None:
        self.seen.append(step)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        self.fail(self.seen[-1])
        return self.update("net", {"error": self.networks["net"](batch["lr"]).square().mean()})


def toy(method: Method, levels: dict[str, range] | None = None) -> Training:
    def batches(size: int, device: torch.device) -> Callable[[int], Batch]:
        return lambda step: {"lr": torch.rand(size, 3, 4, 4)}

    return Training("a_paper", "a training", 8, levels or {"": range(3600)}, lambda: method, batches, least_batch=2)


def test_it_takes_the_trainers_own_steps(tmp_path: Path) -> None:
    (training,) = trainings("human_gan", "smoke")
    (found,) = rehearse(training, steps=training.steps, device="cpu")
    batches = training.batches(training.batch_size, torch.device("cpu"))
    trained = Trainer(training.make(), batches, tmp_path, TrainerOptions(training.steps, log_every=1, device="cpu")).train()
    for terms, row in ((found.first, trained.log[0]), (found.last, trained.log[-1])):
        assert terms == pytest.approx({name: row[name] for name in terms}, rel=1e-5)
    config = human_gan.Config.preset("smoke")
    networks = [network for network, _ in human_gan.networks(config).values()]
    assert found.parameters == sum(parameter.numel() for network in networks for parameter in network.parameters())
    assert (found.batch, found.schedule, found.steps, found.wrong, found.failure) == (4, 8, 8, [], "")
    assert 0 < found.seconds < 60
    assert found.peak_memory > 100 * 1024**2  # of a process that has imported torch


def test_every_level_of_a_growing_network_is_rehearsed_and_steps_are_spread_over_it() -> None:
    method, told = Toy(), itertools.count()
    levels = {"x2": range(10), "x4": range(10, 110)}
    first, second = rehearse(toy(method, levels), steps=4, device="cpu", tell=lambda: next(told))
    assert method.seen == [0, 2, 5, 7, 10, 35, 60, 85]
    assert (first.level, first.schedule, second.level, second.schedule) == ("x2", 10, "x4", 100)
    assert next(told) == 8


def test_selfsr_grows_while_it_is_rehearsed() -> None:
    (training,) = (training for training in trainings(SELFSR.key, "smoke") if training.name == "with pairs x8")
    rows = list(rehearse(training, steps=2, batch=1, device="cpu"))
    assert [(row.level, row.schedule, row.batch) for row in rows] == [("x2", 2, 1), ("x4", 2, 1), ("x8", 2, 1)]
    assert all(math.isfinite(row.hours) and not row.wrong for row in rows)


def test_hours_are_those_of_the_whole_schedule_at_the_presets_batch() -> None:
    row = Rehearsal(*ABOUT, seconds=0.5)
    assert row.hours == pytest.approx(3600 * 0.5 * 4 / 3600)
    assert replace(row, batch=8).hours == pytest.approx(0.5)


def test_the_time_is_the_median_after_a_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = list(itertools.accumulate([9, 9, 9, 1, 7, 2], initial=0))
    asked = iter([time for start, end in itertools.pairwise(ends) for time in (start, start, end)])  # batch made, step done
    monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: next(asked)))
    (row,) = rehearse(toy(Toy()), steps=6, device="cpu")
    assert row.seconds == 2  # of 1, 7 and 2; the first three do not count


@pytest.mark.parametrize(
    "error",
    [
        torch.cuda.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_out_of_memory_ends_a_level_and_not_the_rehearsal(error: Exception) -> None:
    def fail(step: int) -> None:
        if step == 1:
            raise error

    first, second = rehearse(toy(Toy(fail), {"x2": range(2), "x4": range(2, 4)}), steps=2, device="cpu")
    assert first.failure == "out of memory at a batch of 8: lower it with --batch"
    assert math.isnan(first.hours)
    assert second.failure == ""
    assert "out of memory" in rehearsal_line(first).plain


def test_another_error_is_not_hidden() -> None:
    def fail(step: int) -> None:
        raise RuntimeError("sizes do not match")

    with pytest.raises(RuntimeError, match="sizes do not match"):
        list(rehearse(toy(Toy(fail)), steps=2, device="cpu"))


def test_a_training_gets_as_many_images_as_it_needs() -> None:
    assert [next(rehearse(toy(Toy()), 1, batch, "cpu")).batch for batch in (1, 3, None)] == [2, 3, 8]


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"steps": 1, "batch": 0}])
def test_impossible_numbers_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="expected at least 1"):
        next(rehearse(toy(Toy()), **wrong))


def shown(rows: list[Rehearsal]) -> str:
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(rehearsals_table(rows, "paper"))
    return console.export_text()


def test_a_loss_that_is_not_finite_is_flagged() -> None:
    row = Rehearsal(*ABOUT, seconds=1.0, first={"good": 1.0, "bad": 2.0}, last={"good": 1.0, "bad": math.nan})
    assert row.wrong == ["bad"]
    assert "NOT FINITE: bad" in shown([row])
    assert rehearsal_line(row).plain.startswith("✗")


def test_the_table_adds_up_levels_and_says_how_hours_were_scaled() -> None:
    levels = [Rehearsal("p", "grows", level, "cpu", 1, 4, 7200, 5, 10, 1.0) for level in ("x2", "x4")]
    text = shown([Rehearsal(*ABOUT, seconds=0.5), *levels])
    total = next(line for line in text.splitlines() if "all levels" in line)
    assert "14,400" in total
    assert "16" in total.split("│")[-2]
    assert "2 of 8" in text
    assert "in proportion" in text
    whole = Rehearsal("p", "whole", "", "cpu", 8, 8, 7200, seconds=1.0)
    assert "in proportion" not in shown([whole])


# -- the command ----------------------------------------------------------------------------------------------------------------


def facesr(*arguments: str):
    return CliRunner().invoke(app, ["rehearse", *arguments])


def test_the_command_prints_a_table_and_keeps_the_figures(tmp_path: Path) -> None:
    file = tmp_path / "rehearsal.json"
    result = facesr("--profile", "smoke", "--steps", "2", "--paper", "teacher_student", "--device", "cpu", "--json", str(file))
    assert result.exit_code == 0, result.output
    for part in ("✓ teacher_student: DeNet", "teacher_student: teacher and student", "s/step", "profile smoke, on cpu"):
        assert part in result.output
    facts = json.loads(file.read_text())
    (first, second, *_), listed = facts["rehearsals"], trainings("teacher_student", "smoke")
    assert [each["training"] for each in facts["rehearsals"]] == [training.name for training in listed]
    assert (first["schedule"], first["batch"], first["wrong"]) == (listed[0].steps, listed[0].batch_size, [])
    assert second["hours"] == pytest.approx(second["schedule"] * second["seconds"] / 3600)
    assert facts["machine"]["packages"]["torch"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--paper", "gan"], "--paper 'gan': choose one of human_gan, selfsr, teacher_student, isr_kd"),
        (["--steps", "0"], "--steps 0: expected at least 1"),
        (["--batch", "0"], "--batch 0: expected at least 1"),
        (["--profile", "quik"], "profile 'quik': choose one of"),
        (["--device", "cuda"], "torch finds no CUDA GPU"),
        (["--json", "/no/such/folder/x.json"], "/no/such/folder"),
    ],
)
def test_wrong_use_says_what_is_right(arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    result = facesr(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_the_exit_code_says_that_a_loss_is_not_finite(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = Rehearsal(*ABOUT, seconds=1.0, first={"bad": math.inf}, last={"bad": math.inf})
    monkeypatch.setattr(module, "rehearse", lambda *arguments, **options: iter([bad]))
    result = facesr("--profile", "smoke", "--paper", "human_gan")
    assert result.exit_code == 1
    assert "NOT FINITE: bad" in result.output
