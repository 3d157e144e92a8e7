"""The house plan, where a linter cannot see it: what must be installed, and what an import may cost."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_the_library_needs_few_packages() -> None:
    assert len(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]) <= 20


@pytest.mark.parametrize(
    ("imported", "absent"),
    [
        ("facesr_lib.papers", {"torch", "numpy", "matplotlib"}),  # the table of papers is plain data
        ("facesr_tools.cli.main", {"torch", "papermill", "matplotlib"}),
        ("facesr_lib.papers.selfsr", {"matplotlib", "IPython", "ipywidgets", "torchvision", "lpips"}),
    ],
)
def test_an_import_loads_nothing_that_it_does_not_need(imported: str, absent: set[str]) -> None:
    command = f"import sys, {imported}; print(*sorted({absent!r} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True).stdout.split() == []


def test_the_map_names_every_room() -> None:
    """CONTRIBUTING's map has a line for each package, and names no other."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text[text.index("## The map") : text.index("## The walk")]
    named = set(re.findall(r"`((?:facesr_lib|facesr_tools)/\w+)/", table))
    named |= {f"facesr_lib/{room}" for room in re.findall(r", `(\w+)/`", table)}
    packages = [path for name in ("facesr_lib", "facesr_tools") for path in (ROOT / name).glob("*/__init__.py")]
    assert named == {str(path.parent.relative_to(ROOT)) for path in packages}


def test_the_walk_of_a_pixel_passes_what_is_there() -> None:
    """Each step `name` (`file`) is a function, class or method of that file."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    walk = text[text.index("## The walk") : text.index("## A paper's folder")]
    assert 10 <= len(re.findall(r"^\d+\. ", walk, re.MULTILINE)) <= 20
    places = re.findall(r"`([\w.]+)` \(`([\w/]+\.py)`\)", walk)
    assert len(places) >= 15
    for name, file in places:
        found = [path for path in (ROOT / "facesr_lib" / file, ROOT / file) if path.is_file()]
        assert found, file
        for part in name.split("."):
            assert re.search(rf"^ *(def|class) {part}\b", found[0].read_text(encoding="utf-8"), re.MULTILINE), (name, file)
