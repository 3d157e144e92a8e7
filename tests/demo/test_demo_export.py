"""What a browser computes equals Python: each network's ONNX file, run by onnxruntime, beside torch."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from onnxruntime import InferenceSession
from shaken_networks import shaken
from torch import Tensor
from typer.testing import CliRunner

from facesr_lib.data.samples import astronaut_face
from facesr_lib.image import quantize
from facesr_lib.papers import PAPERS
from facesr_tools.cli.main import app
from facesr_tools.demo import DemoError, find_networks, write_demo
from facesr_tools.demo.export import OUTPUTS, outputs, to_onnx
from facesr_tools.demo.networks import SHOWN
from facesr_tools.runner.execute import Settings

PAPERS_OF_DEMO = [main.paper.key for main in SHOWN]


def faces(size: int) -> list[Tensor]:
    """A face, and noise, which has edges everywhere."""
    return [astronaut_face(size), quantize(torch.rand(1, 3, size, size))]


@pytest.mark.parametrize("paper", PAPERS_OF_DEMO)
def test_onnx_equals_torch(paper: str) -> None:
    network = shaken(paper)
    session = InferenceSession(to_onnx(network))
    for hr in faces(network.size):
        made = session.run(None, {"hr": hr.numpy()})
        for name, found, expected in zip(OUTPUTS, made, outputs(network, hr), strict=True):
            assert (torch.from_numpy(found) - expected).abs().max() < 1e-3, name


def test_the_graph_depends_on_its_input() -> None:
    """Canny's rounds were recorded on one image; an image with other edges needs others."""
    network = shaken("teacher_student")
    face, noise = (network.enlarge(network.degradation(hr)) for hr in faces(network.size))
    assert (face - noise).abs().max() > 0.1


def test_of_each_paper_one_network_with_a_rule_that_draws_nothing() -> None:
    assert [main.paper for main in SHOWN] == list(PAPERS)
    assert {main.network for main in SHOWN if main.paper.key == "teacher_student"} == {"tnet"}


def test_without_trainings_every_reader_is_told_what_to_run(tmp_path: Path) -> None:
    found, missing = find_networks(Settings("smoke", tmp_path, device="cpu"), shipped=False)
    assert found == []
    assert "facesr run 10 21 30 40 --profile smoke" in missing[0]


def test_the_command_without_trainings(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["demo", "--profile", "smoke", "--out", str(tmp_path), "--write", str(tmp_path / "page")])
    assert result.exit_code == 2
    assert "there is no trained network to show" in result.output
    assert not (tmp_path / "page").exists()


def test_other_files_are_not_mixed_with_the_page(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(DemoError, match="holds other files"):
        write_demo(tmp_path, [])
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
