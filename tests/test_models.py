from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest
from torch import nn

from facesr_lib.papers import PAPERS
from facesr_tools.models import count, describe_papers

PAPER = """
from dataclasses import dataclass
import torch
from torch import nn

@dataclass(frozen=True)
class Config:
    width: int
    @staticmethod
    def preset(name):
        return Config({"smoke": 4, "paper": 8}[name])

class Scaled(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layer = nn.Linear(width, 2)
        self.factor = BODY
    def forward(self, x):
        return self.layer(x), x

def networks(config):
    return {"net": (Scaled(config.width), (config.width,))}
"""


def test_a_convolution_is_counted_by_its_formula():
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.PReLU(), nn.BatchNorm2d(8), nn.Conv2d(8, 12, 3, stride=2, padding=1)
    )
    parameters, flops, outputs = count(network, (3, 16, 20))
    assert parameters == (3 * 8 * 9 + 8) + 1 + 16 + (8 * 12 * 9 + 12)
    assert flops == 2 * (3 * 9 * 8 * 16 * 20 + 8 * 9 * 12 * 8 * 10)
    assert outputs == ((12, 8, 10),)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request) -> dict[str, ModuleType]:
    name = f"papers_{request.node.name.split('[')[0]}"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "plain.py").write_text(PAPER.replace("BODY", "1.0"))
    (folder / "stubborn.py").write_text(PAPER.replace("BODY", "torch.ones(1).item()"))  # impossible on the meta device
    (folder / "wrong.py").write_text(PAPER.replace("BODY", "1 / 0"))
    monkeypatch.syspath_prepend(str(tmp_path))
    return {key: importlib.import_module(f"{name}.{key}") for key in ("plain", "stubborn", "wrong")}


def test_networks_fall_back_to_the_cpu(packages):
    del packages["wrong"]
    for facts, paper in zip(describe_papers("paper", packages), ["plain", "stubborn"], strict=True):
        assert (facts.paper, facts.network, facts.parameters, facts.flops) == (paper, "net", 18, 2 * 8 * 2)
        assert (facts.input, facts.outputs) == ((8,), ((2,), (8,)))


def test_a_paper_that_cannot_be_described_is_named(packages):
    with pytest.raises(RuntimeError, match=r"\.wrong, preset 'smoke': division by zero"):
        describe_papers("smoke", packages)


def test_every_paper_of_the_library_can_be_described():
    found = describe_papers("smoke")
    assert {facts.paper for facts in found} == {paper.key for paper in PAPERS}
    human_gan = {facts.network: facts for facts in found if facts.paper == "human_gan"}
    generator = human_gan["generator"]
    assert generator.parameters > 0
    assert generator.flops > 2 * 27 * generator.input[1] * generator.input[2]
    assert generator.outputs == (human_gan["discriminator"].input,)  # it makes what the discriminator judges
