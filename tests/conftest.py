"""What every test shares. One thread: small tensors gain nothing from a second one, and a busy machine makes them wait for it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import tiny_site
import torch
from lacking import lacking

from facesr_lib.evaluate import Run
from facesr_lib.metrics.weights import find
from facesr_tools.classroom import Lesson, classroom_files, read_lesson
from facesr_tools.demo.build import DemoError, check_demo_tools
from facesr_tools.runner.notebooks import read_notebooks
from facesr_tools.site.build import SiteError, build_site, check_tools

torch.set_num_threads(1)
NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
StartRun = Callable[..., Run]


# Where two workers share the files of tests, the longest go first, so that both end at about the same time.
LONGEST = ("test_kills.py", "test_smoke.py", "test_explorers.py", "test_site_pages.py", "test_selfsr.py", "test_trainer.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONGEST)))


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
            lacking("FACESR_TEST_WEIGHTS", f"the weights {name} are not in the cache: facesr weights fetch {name}")
        return found

    return path


@pytest.fixture(scope="session")
def sphinx() -> None:
    """Skips the test where the extra "site" is not installed; with FACESR_TEST_SITE=required, as in CI, it fails."""
    try:
        check_tools()
    except SiteError as error:
        lacking("FACESR_TEST_SITE", str(error))


@pytest.fixture(scope="session")
def demo_tools() -> None:
    """Skips the test where onnx or onnxruntime-web is missing; with FACESR_TEST_WEIGHTS=required, as in CI, it fails."""
    try:
        check_demo_tools()
    except DemoError as error:
        lacking("FACESR_TEST_WEIGHTS", str(error))


@pytest.fixture(scope="session")
def site(sphinx: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small site; three folders above is its project, and said.txt with what the build said."""
    root = tmp_path_factory.mktemp("project")
    notebooks = read_notebooks(tiny_site.write_project(root))
    lines: list[str] = []
    page = build_site(notebooks, root / "runs", tiny_site.PROFILE, root=root, say=lines.append)
    (root / "said.txt").write_text("\n".join(lines))
    return page.parent


@pytest.fixture
def start(tmp_path: Path) -> StartRun:
    """Start a smoke run below tmp_path; keyword arguments replace the usual ones."""

    def start_run(notebook: str = "10_demo", **changes: object) -> Run:
        usual = {"title": "A demo", "paper": None, "profile": "smoke", "seed": 3, "device": "cpu"}
        return Run.start(notebook, **{**usual, "output_dir": str(tmp_path), **changes})  # type: ignore[arg-type]

    return start_run


@pytest.fixture(scope="session")
def lessons() -> dict[str, Lesson]:
    return {path.stem: read_lesson(path) for path in sorted(NOTEBOOKS.glob("*.ipynb"))}


@pytest.fixture(scope="session")
def written(lessons: dict[str, Lesson]) -> dict[str, str]:
    """All files of a classroom folder, as texts."""
    return {name: content.decode() for name, content in classroom_files(list(lessons.values())).items()}
