from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from facesr_lib.metrics.weights import find


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
