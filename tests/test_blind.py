"""The blind test: the key says what the sheet shows, the order is a draw, and the count is right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from typer.testing import CliRunner

from facesr_tools import blind
from facesr_tools.blind import CELL, GAP, HEAD, QUESTIONS, BlindError, score_answers, write_blind_test
from facesr_tools.cli.main import app
from facesr_tools.runner.execute import Settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A run whose asked methods make white pictures, and whose others make black ones."""
    asked = {question.stage for question in QUESTIONS}

    def enlarger(of: Any, name: str, settings: Settings) -> Any:
        def enlarge(lr: Tensor, scale: int) -> Tensor:
            return torch.full((len(lr), 3, lr.shape[2] * scale, lr.shape[3] * scale), float(name in asked))

        return enlarge

    monkeypatch.setattr(blind, "_enlarger", enlarger)
    return Settings("smoke", tmp_path / "runs", device="cpu")


def read(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "key.json").read_text()))


def pictures(folder: Path) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """LR, A and B of every row, cut out of the sheet, where the smoke profile's pictures (32 or 64 px) are CELL px large."""
    with Image.open(folder / "sheet.png") as image:
        sheet = np.asarray(image)
    block = 3 * (CELL + GAP) + 4 * GAP + 24
    found = []
    for number, question in enumerate(read(folder)["questions"]):
        for row in range(len(question["rows"])):
            top, left = HEAD + row * (CELL + GAP), number * block + GAP + 40
            cells = [sheet[top : top + CELL, left + i * (CELL + GAP) : left + i * (CELL + GAP) + CELL] for i in range(3)]
            found.append((cells[0], cells[1], cells[2]))
    return found


def test_the_key_says_which_picture_of_a_row_is_the_asked_ones(settings: Settings) -> None:
    folder = write_blind_test(settings)
    assert sorted(path.name for path in folder.iterdir()) == ["answers.json", "key.json", "sheet.png"]
    assert folder == settings.out / "smoke" / "blind"
    key = read(folder)["key"]
    rows = pictures(folder)
    assert list(key) == [str(i + 1) for i in range(len(rows))]
    for answer, (lr, a, b) in zip(key.values(), rows, strict=True):
        assert (a.min(), b.max()) == (255, 0) if answer == "A" else (a.max(), b.min()) == (0, 255)
        assert 0 < lr.mean() < 255
        assert len(np.unique(lr)) > 2  # the face in its own few pixels
    assert "key" not in (folder / "answers.json").read_text()


def test_lr_is_shown_pixel_by_pixel_and_the_original_never(settings: Settings) -> None:
    folder = write_blind_test(settings, draw=1)
    lr, _, _ = pictures(folder)[0]  # SNet's: 16 px of LR, each a square of 12
    blocks = lr.reshape(16, 12, 16, 12, 3)
    assert (blocks == blocks[:, :1, :, :1]).all()
    with Image.open(folder / "sheet.png") as sheet:
        width = sheet.width
    assert width == len(QUESTIONS) * (3 * (CELL + GAP) + 4 * GAP + 24)  # three columns and no room for a fourth


def test_the_order_is_a_draw_that_only_the_key_tells(settings: Settings) -> None:
    keys = []
    for draw in range(6):
        folder = write_blind_test(settings, draw=draw)
        assert read(folder)["draw"] == draw
        keys.append("".join(read(folder)["key"].values()))
    assert len(set(keys)) == 6
    assert 0.25 < np.mean([letter == "A" for key in keys for letter in key]) < 0.75
    assert "".join(read(write_blind_test(settings, draw=3))["key"].values()) == keys[3]
    assert "draw" not in (folder / "answers.json").read_text()
    assert read(write_blind_test(settings))["draw"] != read(write_blind_test(settings))["draw"]


def fill(folder: Path, wrong: int) -> None:
    """Right answers, but for the first `wrong` rows of every question."""
    answers, key = json.loads((folder / "answers.json").read_text()), read(folder)
    answers["answers"] = dict(key["key"])
    for question in key["questions"]:
        for row in question["rows"][:wrong]:
            answers["answers"][row] = "B" if key["key"][row] == "A" else "A"
    (folder / "answers.json").write_text(json.dumps(answers))


def test_answers_are_counted(settings: Settings) -> None:
    folder = write_blind_test(settings)
    files = folder / "answers.json", folder / "key.json"
    with pytest.raises(BlindError, match=r'rows 1, 2, .* have neither "A" nor "B"'):
        score_answers(*files)
    fill(folder, wrong=0)
    for one in score_answers(*files):
        assert (one["right"], one["seen"]) == (one["n"], True)
        assert one["p"] == pytest.approx(0.5 ** one["n"])
    fill(folder, wrong=1)
    for one in score_answers(*files):
        n = one["n"]
        assert one["right"] == n - 1
        assert one["p"] == pytest.approx((n + 1) * 0.5**n)
        assert one["seen"] == (n >= 5)
    with pytest.raises(BlindError, match="answers an earlier sheet: move that folder away"):
        write_blind_test(settings)
    moved = folder.rename(folder.with_name("answered"))
    with pytest.raises(BlindError, match="answers another sheet"):
        score_answers(moved / "answers.json", write_blind_test(settings) / "key.json")
    with pytest.raises(BlindError, match=r'is no JSON file with "sheet" and "answers"'):
        score_answers(folder / "sheet.png", folder / "key.json")


def test_a_missing_training_is_named(tmp_path: Path) -> None:
    with pytest.raises(BlindError, match=r"'TNet and SNet' is not trained: facesr stage teacher_student/tnet-and-snet --profile"):
        write_blind_test(Settings("smoke", tmp_path, device="cpu"))


def test_the_command(settings: Settings) -> None:
    made = CliRunner().invoke(app, ["blind", "--profile", "smoke", "--out", str(settings.out)])
    assert made.exit_code == 0, made.output
    folder = settings.out / "smoke" / "blind"
    fill(folder, wrong=0)
    counted = CliRunner().invoke(app, ["blind", "--score", str(folder / "answers.json"), str(folder / "key.json")])
    assert counted.exit_code == 0, counted.output
    assert counted.stdout.count("told apart") == len(QUESTIONS)
    assert "SNet or bicubic: 4 of 4 right, told apart" in counted.stdout
    wrong = CliRunner().invoke(app, ["blind", "--score", str(folder / "key.json"), str(folder / "answers.json")])
    assert wrong.exit_code == 2
