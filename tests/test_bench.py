from __future__ import annotations

import copy
import json
import time
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from typer.testing import CliRunner

from facesr_lib.training import Batch, Trainer, TrainerOptions
from facesr_tools.bench import Work, measure
from facesr_tools.bench.measure import OWN
from facesr_tools.bench.page import write_page
from facesr_tools.bench.plain import make_plain
from facesr_tools.cli.main import app
from facesr_tools.trainings import Training, trainings

PAPERS = ("human_gan", "selfsr", "teacher_student", "isr_kd")
CPU = torch.device("cpu")
CASES = [(training, level) for paper in PAPERS for training in trainings(paper, "smoke") for level in training.levels]


def one_step(training: Training, step: int, folder: Path, *, plain: bool) -> tuple[dict[str, float], dict[str, torch.Tensor]]:
    """The terms of a step in float64 and the gradients that it left in every network."""
    torch.manual_seed(0)
    trainer = Trainer(training.make(), lambda _: {}, folder, TrainerOptions(training.steps, device="cpu"))
    trainer.prepare()
    method = trainer.method
    if plain:
        make_plain(method)
    for network in (*method.networks.values(), *filter(None, (getattr(method, name, None) for name in ("denet", "teacher")))):
        network.double()
        torch.manual_seed(1)
        for parameter in network.parameters():  # awake: some layers start at zero, and pass no gradient
            parameter.data += 0.02 * torch.randn(parameter.shape, dtype=torch.float64)
    for average in method.averages.values():  # the student learns from the teacher's
        average.double()
    size = max(training.least_batch, 4)
    batch: Batch = {k: v.double() if v.is_floating_point() else v for k, v in training.batches(size, CPU)(step).items()}
    torch.manual_seed(2)  # of dropout
    terms = trainer.train_step(step, batch)
    gradients = {
        f"{name}.{key}": parameter.grad
        for name, network in method.networks.items()
        for key, parameter in network.named_parameters()
        if parameter.grad is not None
    }
    return {name: float(value) for name, value in terms.items()}, gradients


@pytest.mark.parametrize(("training", "level"), CASES, ids=[f"{t.paper}-{t.name}-{level}".rstrip("-") for t, level in CASES])
def test_each_step_of_the_library_is_the_plain_one(training: Training, level: str, tmp_path: Path) -> None:
    """The same terms and gradients to 1e-9, in float64, in the middle of every level: while it fades in."""
    schedule = training.levels[level]
    step = schedule[min(1, len(schedule) - 1)]
    own, own_gradients = one_step(training, step, tmp_path / "own", plain=False)
    plain, plain_gradients = one_step(training, step, tmp_path / "plain", plain=True)
    assert own == pytest.approx(plain, rel=1e-9)
    assert own_gradients.keys() == plain_gradients.keys()
    for name, gradient in own_gradients.items():
        bound = 1e-9 * plain_gradients[name].norm() + 1e-15
        assert (gradient - plain_gradients[name]).norm() <= bound, name


@pytest.mark.parametrize("paper", PAPERS)
def test_a_fused_update_is_the_plain_one(paper: str, tmp_path: Path) -> None:
    """Three updates along the same gradients, from the same weights."""
    training = trainings(paper, "smoke")[0]
    trainer = Trainer(training.make(), lambda _: {}, tmp_path, TrainerOptions(training.steps, device="cpu"))
    trainer.prepare()
    plain = copy.deepcopy(trainer.method)
    make_plain(plain)
    for turn in range(3):
        for method in (trainer.method, plain):
            torch.manual_seed(turn)
            for name, network in method.networks.items():
                for parameter in network.parameters():
                    parameter.grad = torch.empty_like(parameter).copy_(torch.randn(parameter.shape))
                method.optimizers[name if name in method.optimizers else "generators"].step()
    for name, network in trainer.method.networks.items():
        for own, other in zip(network.parameters(), plain.networks[name].parameters(), strict=True):
            assert torch.allclose(own, other, rtol=1e-5, atol=1e-7)


def test_work_is_timed_in_all_its_forms_and_its_operations_counted() -> None:
    x = torch.rand(2, 3, 8, 8)
    layer = nn.Conv2d(3, 5, 3, padding=1)
    forms = {OWN: lambda: layer(x).sum().backward(), "slow": lambda: (time.sleep(0.02), sum(range(100_000)))}
    found = measure(Work("toy", lambda: forms, images=2, dense=True), 0.1, CPU)
    multiplications = 2 * 8 * 8 * 3 * 5 * 9
    assert found.own.gflop == pytest.approx(2 * 2 * multiplications / 1e9)  # forward, and the weights' gradient
    assert found.forms["slow"].gflop == 0
    assert found.own.turns >= 3
    assert found.ceiling is not None
    assert found.share == pytest.approx(found.own.gflop / found.own.ms * 1000 / found.ceiling)
    assert found.faster == {"slow": found.forms["slow"].ms / found.own.ms}


def test_gradients_of_gradients_are_counted() -> None:
    weight = torch.rand(4, 4, requires_grad=True)

    def penalty() -> None:
        x = torch.rand(4, 4, requires_grad=True)
        (slope,) = torch.autograd.grad(F.softplus(x @ weight).sum(), x, create_graph=True)
        slope.square().sum().backward()

    found = measure(Work("toy", lambda: {OWN: penalty}, dense=True), 0, CPU)
    assert found.own.gflop is not None
    assert found.own.gflop * 1e9 >= 4 * 2 * 4**3


def test_running_out_of_memory_is_a_row_and_other_errors_are_errors() -> None:
    def fail(error: Exception) -> dict[str, object]:
        raise error

    assert measure(Work("toy", lambda: fail(MemoryError())), 0, CPU).failure == "out of memory"  # type: ignore[arg-type, return-value]
    with pytest.raises(RuntimeError, match="shapes"):
        measure(Work("toy", lambda: fail(RuntimeError("shapes"))), 0, CPU)  # type: ignore[arg-type, return-value]


def test_the_command_measures_what_is_named_and_keeps_the_figures(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    arguments = ["bench", "step smoke selfsr: flow", "--profile", "smoke", "--seconds", "0.1", "--json", str(file)]
    threads = torch.get_num_threads()
    try:
        outcome = CliRunner().invoke(app, arguments)
    finally:
        torch.set_num_threads(threads)
    assert outcome.exit_code == 0, outcome.output
    facts = json.loads(file.read_text())
    (row,) = facts["benchmarks"]
    assert row["name"] == "step smoke selfsr: flow field"
    assert set(row["forms"]) == {"facesr", "plain"}
    assert row["forms"]["facesr"]["gflop"] > 0
    assert facts["machine"]["cpu"]["torch_threads"] == 1
    assert {"git", "packages", "python"} <= set(facts["machine"])
    assert "flow field" in outcome.output


def test_the_page_prints_the_kept_figures() -> None:
    """docs/performance.md is what `python -m facesr_tools.bench.page` writes from the files in results/."""
    root = Path(__file__).parents[1]
    page = root / "docs" / "performance.md"
    figures = [root / "results" / f"bench_{name}.json" for name in ("before", "after", "cuda_h100")]
    assert write_page(*figures, page) == page.read_text()
    assert page.read_text().count(" MiB |") > 20


def test_a_table_that_there_is_not_is_named(tmp_path: Path) -> None:
    page, figures = tmp_path / "page.md", tmp_path / "bench.json"
    page.write_text("<!-- table: speed -->\n<!-- end -->\n")
    figures.write_text('{"benchmarks": [], "machine": {}}')
    with pytest.raises(ValueError, match="no table 'speed'"):
        write_page(figures, figures, figures, page)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a name of nothing"], "no benchmark's name contains 'a name of nothing'"),
        (["--profile", "huge"], "huge"),
        (["--seconds", "0"], "--seconds 0: expected more than 0"),
    ],
)
def test_wrong_options_are_named(arguments: list[str], message: str) -> None:
    outcome = CliRunner().invoke(app, ["bench", *arguments])
    assert outcome.exit_code == 2
    assert message in outcome.output
