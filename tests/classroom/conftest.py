"""What `facesr classroom` writes from this repository's notebooks, made once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from facesr_lib.classroom import Lesson, classroom_files, read_lesson

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.fixture(scope="session")
def lessons() -> dict[str, Lesson]:
    return {path.stem: read_lesson(path) for path in sorted(NOTEBOOKS.glob("*.ipynb"))}


@pytest.fixture(scope="session")
def written(lessons: dict[str, Lesson]) -> dict[str, str]:
    """All files of a class-room folder, as texts."""
    return {name: content.decode() for name, content in classroom_files(list(lessons.values())).items()}
