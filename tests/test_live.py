"""The live figure of a training: one picture per cell, the same weights, and no harm from an error in drawing."""

from __future__ import annotations

import io
import sys
from base64 import b64decode
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest
import torch
from nbclient import NotebookClient
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent / "training"))
from toy import STEPS, batches, toy_trainer

import facesr_tools.live as module
from facesr_lib.papers.human_gan import Config
from facesr_lib.papers.human_gan.experiments import Experiments
from facesr_lib.papers.human_gan.names import GAN, WITH_PIXEL_TERM
from facesr_lib.training import StageCache, Trainer
from facesr_tools.live import LiveFigure, course, live
from facesr_tools.runner.kernel import kernel_environment, kernel_manager

SETUP = """
from dataclasses import replace

from facesr_lib.papers.human_gan import Config
from facesr_lib.papers.human_gan.experiments import Experiments
from facesr_lib.papers.human_gan.names import GAN, WITH_PIXEL_TERM
from facesr_lib.training import StageCache
from facesr_tools.live import live

experiments = Experiments(Config.preset("smoke"), "", live(StageCache({root!r}), seconds=0), 0, "cpu")

def train(name):
    stage = experiments.stage(name)
    replace(stage, options=replace(stage.options, log_every=1)).train(experiments.cache)
"""


def pictures(cell: Any) -> list[Any]:
    return [output for output in cell.outputs if "image/png" in output.get("data", {})]


class Counting(NotebookClient):
    """Counts how often a picture was replaced."""

    updates = 0

    def process_message(self, msg: Any, *args: Any) -> Any:
        self.updates += msg["msg_type"] == "update_display_data"
        return super().process_message(msg, *args)


def test_a_cell_that_trains_ends_with_one_picture_and_the_weights_of_a_training_without(tmp_path: Path) -> None:
    code = [SETUP.format(root=str(tmp_path / "live")), "train(GAN)", "train(GAN)", "train(WITH_PIXEL_TERM); train(GAN)"]
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in code])
    client = Counting(nb, km=kernel_manager(), timeout=300)
    client.execute(cleanup_kc=True, env=kernel_environment())
    setup, trains, loads, trains_another = nb.cells
    assert [len(pictures(cell)) for cell in (setup, trains, loads, trains_another)] == [0, 1, 0, 1]
    assert client.updates >= 2  # one training's last picture, and the other's
    (picture,) = pictures(trains)
    assert "step 8 of 8" in picture.metadata["image/png"]["alt"]  # the last update is the whole training
    assert Image.open(io.BytesIO(b64decode(picture.data["image/png"]))).width > 600

    plain = Experiments(Config.preset("smoke"), "", StageCache(tmp_path / "plain"), 0, "cpu")
    shown = Experiments(Config.preset("smoke"), "", StageCache(tmp_path / "live"), 0, "cpu")
    for name in (GAN, WITH_PIXEL_TERM):
        here, there = plain.trained(name), shown.trained(name)
        assert (here.reused, there.reused) == (False, True)
        assert (here.folder / "log.csv").read_bytes() == (there.folder / "log.csv").read_bytes()
        assert (here.folder / "validation.csv").read_bytes() == (there.folder / "validation.csv").read_bytes()
        weights, others = (trained.method.networks["generator"].state_dict() for trained in (here, there))
        assert all(torch.equal(weights[key], others[key]) for key in weights)


def test_outside_of_a_notebook_the_cache_is_left_alone(tmp_path: Path) -> None:
    cache = StageCache(tmp_path)
    assert live(cache) is cache


@pytest.fixture
def shell() -> SimpleNamespace:
    return SimpleNamespace(execution_count=1)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The titles of the pictures that are shown, each with + where it replaces one."""
    titles: list[str] = []

    def show(data: dict[str, str], **how: Any) -> SimpleNamespace:
        titles.append(data["text/plain"].partition(".")[0])
        return SimpleNamespace(update=lambda data, **how: titles.append("+" + data["text/plain"].partition(".")[0]))

    monkeypatch.setattr(module, "display", show)
    return titles


def trained_with(figure: LiveFigure, folder: Path) -> Trainer:
    trainer = toy_trainer(folder)
    trainer.show = figure
    trainer.train()
    return trainer


def test_an_error_in_drawing_is_said_once_and_ends_no_training(
    tmp_path: Path, shell: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise OSError("no fonts")

    monkeypatch.setattr(module, "course", broken)
    trainer = trained_with(LiveFigure(shell, 0), tmp_path / "shown")
    assert capsys.readouterr().out.count("no fonts") == 1
    lr = batches(-1)["lr"]
    expected = toy_trainer(tmp_path / "plain").train().method
    assert torch.equal(trainer.method.super_resolve(lr), expected.super_resolve(lr))


def test_pictures_take_a_small_share_of_the_time_and_the_last_is_whole(
    tmp_path: Path, shell: SimpleNamespace, drawn: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock on which a step takes 1 s and a picture 0.6 s: a picture may come every 20 s."""
    now = 0.0
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now))

    def slow(*args: Any) -> Any:
        nonlocal now
        now += 0.6
        return course(*args)

    monkeypatch.setattr(module, "course", slow)
    figure = LiveFigure(shell, 3)
    trainer = toy_trainer(tmp_path / "first")

    def show(trainer: Trainer, done: int) -> None:
        nonlocal now
        now += 1
        figure(trainer, done)

    trainer.show = show
    trainer.train()
    assert drawn == [f"{kept}training: step {step} of {STEPS}" for kept, step in (("", 3), ("+", 24), ("+", STEPS))]


def test_a_cell_has_one_figure_for_all_that_it_trains(tmp_path: Path, shell: SimpleNamespace, drawn: list[str]) -> None:
    figure = LiveFigure(shell, 0)
    trained_with(figure, tmp_path / "1")
    trained_with(figure, tmp_path / "2")
    assert [title.startswith("+") for title in drawn] == [False] + [True] * (len(drawn) - 1)
    before = len(drawn)
    shell.execution_count += 1
    trained_with(figure, tmp_path / "3")
    assert not drawn[before].startswith("+")


def test_the_figure_names_units_and_leaves_out_what_there_is_not(tmp_path: Path) -> None:
    trained = toy_trainer(tmp_path, steps=20).train()
    figure = course(trained, "toy", 40)
    validation, losses = figure.axes
    assert validation.get_ylabel() == "PSNR (dB)"
    assert [line.get_label() for line in losses.lines if not line.get_label().startswith("_")] == list(trained.log[0])[1:5]
    assert losses.get_yscale() == "log"
    assert losses.get_xlim() == validation.get_xlim() == (0, 40)
    lacking = course(type(trained)(trained.method, tmp_path, [{"step": 1, "a": -1.0, "b": 0.0}], [], False), "toy", 40)
    (losses,) = lacking.axes
    assert (losses.get_yscale(), [line.get_label() for line in losses.lines]) == ("linear", ["a"])


def test_terms_of_very_different_sizes_have_a_scale_that_can_be_read(tmp_path: Path) -> None:
    trained = toy_trainer(tmp_path, steps=2).train()
    for smallest in (0.3, 1e-6):
        log = [{"step": step, "large": 900.0 / step, "small": smallest * step} for step in range(1, 50)]
        figure = course(type(trained)(trained.method, tmp_path, log, [], False), "toy", 100)
        figure.draw_without_rendering()
        (losses,) = figure.axes
        low, high = losses.get_ylim()
        texts = [label.get_text() for label in losses.get_yticklabels() if low <= label.get_position()[1] <= high]
        assert len([text for text in texts if text]) >= 3
