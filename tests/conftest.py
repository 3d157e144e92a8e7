"""What every test shares. One thread: small tensors gain nothing from a second one, and a busy machine makes them wait for it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from facesr_lib.metrics.weights import find

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the real faces and oracle values, which is not part of the repository."""
    folder = Path(os.environ.get("FACESR_SHARED") or Path(__file__).parents[2] / "shared")
    if not folder.is_dir():
        pytest.skip(f"no shared folder at {folder}; set FACESR_SHARED to where it is")
    return folder.resolve()


@pytest.fixture(scope="session")
def need() -> Callable[[str], Path]:
    """need("niqe") is the file or folder of these weights; without them the test is skipped.

    Where FACESR_TEST_WEIGHTS=required, as in CI, they could be fetched from a package index, and a test that lacks them fails.
    """

    def path(name: str) -> Path:
        found = find(name)
        if found is None:
            stop = pytest.fail if os.environ.get("FACESR_TEST_WEIGHTS") == "required" else pytest.skip
            stop(f"the weights {name} are not in the cache: facesr weights fetch {name}")
        return found

    return path
