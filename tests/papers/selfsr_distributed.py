"""Trains a small growing SelfSR on several processes: run by torchrun from a test, which compares with one process."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from test_selfsr import SMALL, paired_faces

from facesr_lib.papers.selfsr import SelfSR
from facesr_lib.training import Trainer, TrainerOptions

if __name__ == "__main__":
    torch.set_num_threads(1)
    options = TrainerOptions(steps=SMALL.steps, device="cpu", checkpoint_every=0)
    Trainer(SelfSR(SMALL), paired_faces(), Path(sys.argv[1]), options).train()
