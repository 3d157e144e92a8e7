"""What every test shares. One thread: small tensors gain nothing from a second one, and a busy machine makes them wait for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the real faces and oracle values, which is not part of the repository."""
    folder = Path(os.environ.get("FACESR_SHARED") or Path(__file__).parents[2] / "shared")
    if not folder.is_dir():
        pytest.skip(f"no shared folder at {folder}; set FACESR_SHARED to where it is")
    return folder.resolve()
