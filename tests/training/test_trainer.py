"""The Trainer: killed equals unbroken, NaN stops, averages are averages."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn
from toy import STEPS, ToyGAN, batches, toy_trainer

from facesr_lib.image import quantize
from facesr_lib.training import CsvLog, Method, NonFiniteLoss, SuperResolver, Trainer, TrainerOptions, WrongRun, load_weights
from facesr_lib.training.device import resolve_device
from facesr_lib.training.schedules import constant, halve_every, linear_decay, piecewise


def everything(method: Method) -> dict[str, Tensor]:
    found = {f"{n}.{k}": v for n, net in method.networks.items() for k, v in net.state_dict().items()}
    found |= {f"ema.{n}.{k}": v for n, net in method.averages.items() for k, v in net.state_dict().items()}
    for name, optimizer in method.optimizers.items():
        for index, state in optimizer.state_dict()["state"].items():
            found |= {f"{name}.{index}.{k}": torch.as_tensor(v) for k, v in state.items()}
    return found


def assert_same(a: Method, b: Method) -> None:
    left, right = everything(a), everything(b)
    assert left.keys() == right.keys()
    for key in left:
        assert torch.equal(left[key], right[key]), key


def test_killed_at_random_steps_equals_the_unbroken_run_bit_for_bit(tmp_path: Path) -> None:
    whole = toy_trainer(tmp_path / "whole").train().method
    broken, log = tmp_path / "broken", tmp_path / "broken" / "log.csv"
    chance = random.Random(3)
    kills = 0
    for _ in range(4):
        stop_at = chance.randint(1, STEPS - 4)
        process = subprocess.Popen([sys.executable, Path(__file__).with_name("toy.py"), broken], stderr=subprocess.DEVNULL)
        while process.poll() is None and not (log.exists() and log.read_bytes().count(b"\n") > stop_at):
            time.sleep(0.001)
        if process.poll() is None:
            process.kill()
            kills += 1
        process.wait()
    resumed = toy_trainer(broken).train().method
    assert kills, "no run was killed before it ended: this test has not tested anything"
    assert_same(whole, resumed)
    for name in ("log.csv", "validation.csv"):
        assert (tmp_path / "whole" / name).read_bytes() == (broken / name).read_bytes()


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Python's own answer to Ctrl-C, which a test run in the background does not have."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("stop", [1, 5, 13, STEPS - 1])
def test_stopped_by_interrupt_saves_and_continues(tmp_path: Path, stop: int, interruptible: None) -> None:
    whole = toy_trainer(tmp_path / "whole").train().method
    trainer = toy_trainer(tmp_path / "parts")

    def interrupt_once(step: int) -> dict[str, Tensor]:
        if step == stop - 1:
            signal.raise_signal(signal.SIGINT)
        return batches(step)

    trainer.batches = interrupt_once
    with pytest.raises(KeyboardInterrupt, match=f"after step {stop};"):
        trainer.train()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert_same(whole, toy_trainer(tmp_path / "parts").train().method)


def test_longer_run_goes_on_from_a_finished_one(tmp_path: Path) -> None:
    toy_trainer(tmp_path / "a", steps=20).train()
    assert_same(toy_trainer(tmp_path / "b").train().method, toy_trainer(tmp_path / "a").train().method)


def test_folder_of_another_run_is_refused(tmp_path: Path) -> None:
    toy_trainer(tmp_path, steps=5).train()
    other = Trainer(ToyGAN(), batches, tmp_path, TrainerOptions(steps=10, device="cpu"), seed=8, key={"toy": 1})
    with pytest.raises(WrongRun, match="another configuration, seed or data set"):
        other.train()


class Bursting(ToyGAN):
    """A loss that becomes NaN at step 8 (counted from 1)."""

    def begin_step(self, step: int) -> None:
        self.now = step + 1

    def step(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        terms = super().step(batch)
        return terms | {"g_pixel": terms["g_pixel"] * (float("nan") if self.now == 8 else 1.0)}


def test_nan_stops_with_step_and_terms_and_keeps_the_good_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(NonFiniteLoss, match=r"step 8: .*g_pixel=nan"):
        toy_trainer(tmp_path, method=Bursting()).train()
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == ["step-00000005"]
    assert (tmp_path / "log.csv").read_text().count("\n") == 1 + 7  # header, then the steps before the bad one


class Plain(SuperResolver):
    """One linear map and SGD: small enough to follow by hand."""

    def build(self) -> None:
        self.networks = {"generator": nn.Conv2d(3, 3, 1)}
        self.optimizers = {"generator": torch.optim.SGD(self.networks["generator"].parameters(), lr=1.0)}
        self.learning_rates = {"generator": piecewise([0.1, 0.01], [3])}
        self.average("generator", 0.5)

    def step(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        error = self.networks["generator"](batch["lr"]) - batch["hr"]
        return self.update("generator", {"g_pixel": error.square().mean()})

    def super_resolve(self, lr: Tensor) -> Tensor:
        return self.inference_network("generator")(lr)


def weight(method: Method) -> Tensor:
    return method.networks["generator"].weight.detach().clone()


@pytest.mark.skipif(sys.platform == "win32", reason="untried: torchrun asks for libuv, which torch for Windows is built without")
def test_two_processes_give_the_whole_batch_gradient(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    script = Path(__file__).with_name("distributed.py")
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run([*command, script, tmp_path], capture_output=True, text=True, env=environment, timeout=900)
    assert done.returncode == 0, done.stderr
    # A stage and the one it needs: the first process has the lock and takes note, the second does not wait for it.
    assert len(list(tmp_path.glob("stages/*/done.json"))) == 2
    for log in tmp_path.glob("stages/*/log.csv"):
        assert [row["step"] for row in CsvLog(log).rows()] == list(range(1, 13))
    single = toy_trainer(tmp_path / "1", method=Plain(), steps=6).train().method
    shared = Plain()
    shared.build()
    load_weights(tmp_path / "plain" / "checkpoints" / "step-00000006", shared)
    torch.testing.assert_close(weight(single), weight(shared), rtol=1e-5, atol=1e-7)
    alone, together = (CsvLog(tmp_path / name / "log.csv").rows() for name in ("1", "plain"))
    assert [row["g_pixel"] for row in together] == pytest.approx([row["g_pixel"] for row in alone], rel=1e-4)


def test_batch_that_cannot_be_shared_is_refused(tmp_path: Path) -> None:
    trainer = toy_trainer(tmp_path, method=Plain())
    trainer.accelerator = SimpleNamespace(num_processes=3, process_index=0)
    with pytest.raises(ValueError, match=r"batch of 4 .* 3 processes"):
        trainer._share(batches(0))


def test_every_step_follows_its_own_gradient_only() -> None:
    method = Plain()
    method.build()
    network = method.networks["generator"]
    for step in range(3):
        batch, before = batches(step), weight(method)
        loss = (network(batch["lr"]) - batch["hr"]).square().mean()
        (gradient,) = torch.autograd.grad(loss, network.weight)
        method.step(batch)
        torch.testing.assert_close(weight(method), before - gradient)  # the optimizer's own rate, 1


def test_a_term_that_is_no_scalar_is_refused() -> None:
    method = Plain()
    method.build()
    with pytest.raises(ValueError, match=r"'g_pixel' has shape \(4,\)"):
        method.update("generator", {"g_pixel": torch.ones(4)})


def test_previews_are_kept_in_eight_bit_at_every_validation(tmp_path: Path) -> None:
    lr = batches(-1)["lr"].clamp(0, 1)
    trainer = toy_trainer(tmp_path)
    trainer.preview = lambda method: method.super_resolve(lr).clamp(0, 1)
    trained = trainer.train()
    frames = trained.previews()
    assert [step for step, _ in frames] == [row["step"] for row in trained.validation] == [10, 20, 30, 40]
    assert torch.equal(frames[-1][1], quantize(trained.method.super_resolve(lr).clamp(0, 1)))
    assert not torch.equal(frames[0][1], frames[-1][1])


def test_average_and_learning_rate_follow_their_definitions(tmp_path: Path) -> None:
    torch.manual_seed(7)
    by_hand = Plain()
    by_hand.build()
    network = by_hand.networks["generator"]
    average = None
    for step in range(5):
        batch = batches(step)
        loss = (network(batch["lr"]) - batch["hr"]).square().mean()
        gradient = (torch.autograd.grad(loss, network.weight, retain_graph=True)[0], torch.autograd.grad(loss, network.bias)[0])
        with torch.no_grad():
            for parameter, slope in zip((network.weight, network.bias), gradient, strict=True):
                parameter -= (0.1 if step < 3 else 0.01) * slope
        average = weight(by_hand) if average is None else 0.5 * average + 0.5 * weight(by_hand)
    trained = toy_trainer(tmp_path, method=Plain(), steps=5).train().method
    torch.testing.assert_close(weight(trained), weight(by_hand))
    torch.testing.assert_close(trained.inference_network("generator").weight, average)


def test_bfloat16_is_used_and_stays_near_float32(tmp_path: Path) -> None:
    full = weight(toy_trainer(tmp_path / "32", method=Plain(), steps=30).train().method)
    half = weight(toy_trainer(tmp_path / "16", method=Plain(), steps=30, mixed_precision="bf16").train().method)
    assert half.dtype == torch.float32  # parameters keep full precision
    assert not torch.equal(full, half)
    torch.testing.assert_close(full, half, rtol=0.02, atol=0.02)


def test_cuda_without_cuda_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="no CUDA GPU"):
        toy_trainer(tmp_path, device="cuda")


def test_mps_is_taken_where_it_is_asked_for_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert [resolve_device(name).type for name in ("mps", "auto", "cpu")] == ["mps", "cpu", "cpu"]
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ValueError, match="no GPU of Apple's"):
        resolve_device("mps")
    with pytest.raises(ValueError, match="choose auto, cpu, cuda or mps"):
        resolve_device("tpu")


def test_schedules_match_their_closed_forms() -> None:
    assert [piecewise([3.0, 2.0, 1.0], [2, 4])(s) for s in range(6)] == [3, 3, 2, 2, 1, 1]
    assert [linear_decay(1.0, 2, 6)(s) for s in (0, 2, 4, 6, 9)] == [1, 1, 0.5, 0, 0]
    assert [halve_every(8.0, 10)(s) for s in (0, 9, 10, 25)] == [8, 8, 4, 2]
    assert constant(0.3)(10**6) == 0.3
    with pytest.raises(ValueError, match="boundaries"):
        piecewise([1.0, 2.0], [])
