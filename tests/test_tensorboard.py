"""TensorBoard's files, read back by TensorBoard: what log.csv and validation.csv say, also after a crash."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent / "training"))
from toy import batches, toy_trainer

import facesr_tools.tensorboard as module
from facesr_lib.image import quantize
from facesr_lib.training import Trainer
from facesr_tools.runner.execute import Settings
from facesr_tools.stages import stage_cache
from facesr_tools.tensorboard import Board, board


def preview(method: object) -> torch.Tensor:
    lr = batches(-1)["lr"].clamp(0, 1)
    return method.super_resolve(lr).clamp(0, 1)  # type: ignore[attr-defined]


def trainer(folder: Path) -> Trainer:
    made = toy_trainer(folder)
    made.preview, made.show = preview, Board()
    return made


def test_the_curves_go_on_after_a_crash_and_are_those_of_the_logs(tmp_path: Path) -> None:
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator", reason="TensorBoard is not installed")

    def crashing(step: int) -> dict[str, torch.Tensor]:
        if step == 23:  # checkpoints at 5, 10, ...; the log is written up to 21
            raise RuntimeError("power cut")
        return batches(step)

    broken = trainer(tmp_path)
    broken.batches = crashing
    with pytest.raises(RuntimeError, match="power cut"):
        broken.train()
    trained = trainer(tmp_path).train()
    assert trainer(tmp_path).train().reused
    assert len(list((tmp_path / "tensorboard").iterdir())) == 2  # the finished run opened none

    found = events.EventAccumulator(str(tmp_path / "tensorboard"), size_guidance={"images": 0, "scalars": 0}).Reload()
    names = {"d_real": "loss/d_real", "g_pixel": "loss/g_pixel", "lr_generator": "lr/generator"}
    for rows, column, tag in [(trained.log, *pair) for pair in names.items()] + [(trained.validation, "mse", "validation/mse")]:
        scalars = found.Scalars(tag)
        assert [scalar.step for scalar in scalars] == [row["step"] for row in rows], tag  # each step once
        assert [scalar.value for scalar in scalars] == pytest.approx([row[column] for row in rows], rel=1e-6), tag
    assert [image.step for image in found.Images("preview")] == [10, 20, 30, 40]


def test_a_training_with_tensorboard_computes_the_same(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="TensorBoard is not installed")
    with_board, without = trainer(tmp_path / "with").train(), toy_trainer(tmp_path / "without").train()
    assert with_board.log == without.log
    lr = batches(-1)["lr"]
    assert torch.equal(with_board.method.super_resolve(lr), without.method.super_resolve(lr))
    assert torch.equal(with_board.previews()[-1][1], quantize(preview(without.method)))


def test_without_tensorboard_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACESR_TENSORBOARD", "1")
    monkeypatch.setattr(module, "is_tensorboard_available", lambda: False)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'facesr\[tensorboard\]'"):
        board()


@pytest.mark.parametrize(("value", "wanted"), [("1", True), ("", False), (None, False)])
def test_the_environment_asks_for_tensorboard(value: str | None, wanted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FACESR_TENSORBOARD", raising=False)
    monkeypatch.setattr(module, "is_tensorboard_available", lambda: True)
    if value is not None:
        monkeypatch.setenv("FACESR_TENSORBOARD", value)
    assert (board() is not None) is wanted
    settings = Settings("smoke", Path("runs"), device="cpu")
    assert (stage_cache(settings).show is not None) is wanted
