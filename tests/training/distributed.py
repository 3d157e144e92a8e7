"""Trains the toys on several processes: run by torchrun from a test, which compares with one process."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from test_stages import toy_stage
from test_trainer import Plain
from toy import toy_trainer

from facesr_lib.training import StageCache

if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    toy_trainer(folder / "plain", method=Plain(), steps=6).train()
    toy_trainer(folder / "gan", steps=6).train()  # two optimizers, a frozen discriminator, buffers, an average
    toy_stage("student", toy_stage("teacher")).train(StageCache(folder / "stages"))
