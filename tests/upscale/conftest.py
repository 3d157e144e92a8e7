from __future__ import annotations

from pathlib import Path

import pytest
import torch
from small_methods import CONFIGS, fresh, save_stage, shake

from facesr_lib.papers import selfsr


@pytest.fixture(scope="session")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """runs/stages with a training of every paper, and one that makes LR images."""
    root = tmp_path_factory.mktemp("runs") / "stages"
    for paper in CONFIGS:
        torch.manual_seed(1)
        method = fresh(paper)
        method.build()
        shake(method)
        save_stage(root, f"{paper.replace('_', '-')}-0123456789ab", method)
    degradation = selfsr.FlowAdaptation(selfsr.Config.preset("smoke").degradation)
    degradation.build()
    save_stage(root, "selfsr-degradation-0123456789ab", degradation)
    return root
