from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

PARAMETERS = "PROFILE = 'quick'\nSEED = 0\nDEVICE = 'auto'\nDATA_ROOT = ''\nOUTPUT_DIR = ''"
MakeNotebook = Callable[..., Path]


def write_notebook(folder: Path, name: str, *cells: str, **facts: Any) -> Path:
    """A tiny notebook: the parameters cell, then `cells`; one that starts with '#' and a space is Markdown."""
    nb = new_notebook(cells=[new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})])
    nb.cells += [new_markdown_cell(text) if text.startswith("# ") else new_code_cell(text) for text in cells]
    nb.metadata["facesr"] = {"title": f"Title of {name}", **facts}
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.ipynb"
    nbformat.write(nb, path)
    return path


@pytest.fixture(scope="session", name="write_notebook")
def write_notebook_fixture() -> MakeNotebook:
    return write_notebook


@pytest.fixture
def make_notebook(tmp_path: Path) -> MakeNotebook:
    return lambda name, *cells, **facts: write_notebook(tmp_path / "notebooks", name, *cells, **facts)


@pytest.fixture(autouse=True)
def hostile_kernelspec(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed kernel called python3 that is not ours must not be used."""
    folder = tmp_path_factory.mktemp("jupyter")
    spec = {"argv": ["false"], "display_name": "Python 3", "language": "python"}
    (folder / "kernels" / "python3").mkdir(parents=True)
    (folder / "kernels" / "python3" / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(folder))
