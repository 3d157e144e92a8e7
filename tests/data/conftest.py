from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from facesr_lib.data import ImageSet


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has an empty cache folder of its own."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("FACESR_CACHE", str(folder))
    return folder


@pytest.fixture
def make_set() -> Callable[..., ImageSet]:
    """Random pictures; image i belongs to groups[i]."""

    def make(groups: str | list[str] = "aabbbc", height: int = 6, width: int = 5, seed: int = 0) -> ImageSet:
        pixels = np.random.default_rng(seed).integers(0, 256, (len(groups), height, width, 3), dtype=np.uint8)
        return ImageSet("random", pixels, tuple(groups), "made by a test")

    return make
