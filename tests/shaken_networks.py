"""Untrained networks for the demo, every weight moved so that no part of one is silent."""

from __future__ import annotations

from typing import Any

import torch

from facesr_lib.papers import find_paper
from facesr_tools.demo import DemoNetwork
from facesr_tools.demo.networks import DEGRADATIONS, SHOWN
from facesr_tools.upscale.methods import enlarging
from facesr_tools.upscale.networks import NETWORKS


def shaken(paper: str) -> DemoNetwork:
    """A paper's network at the smoke preset, the same in every test."""
    torch.manual_seed(0)
    preset = find_paper(paper).package.Config.preset("smoke")
    method = NETWORKS[paper].rebuild(preset.paired if paper == "selfsr" else preset)
    method.build()
    for network in (*method.networks.values(), *method.averages.values()):
        for value in network.parameters():
            value.data += 0.05 * torch.randn_like(value)
    (main,) = [main for main in SHOWN if main.paper.key == paper]
    config: Any = method.config
    degradation, enlarge = DEGRADATIONS[paper](config), enlarging(method, main.network)
    return DemoNetwork(main.paper, "shaken", "shaken, untrained", degradation, config.hr_size, enlarge)
