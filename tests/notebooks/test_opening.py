"""How a notebook opens: badges that lead to this release, a second cell that installs facesr on Colab and nowhere else, and
first cells that are all written by `python -m facesr_tools.openers`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import nbformat
import pytest

import facesr_tools.openers
from facesr_lib import __version__
from facesr_tools.launch import launch_links
from facesr_tools.openers import with_badges, with_opener, written

ROOT = Path(__file__).parents[2]
NOTEBOOKS = {path.stem: path for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
FACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WRITTEN = written(ROOT)
BADGE = re.compile(r"\[!\[([^\]]+)\]\([^)]+\.svg\)\]\(([^)]+)\)")

# Stands in for pip: `list` prints these packages; `install` notes its arguments and what it reads as constraints.
HAS = "torch==2.11.0+cu128\nnumpy==2.0.2\nipython==7.34.0\n"
FAKE_PIP = f"""
import json, sys
if sys.argv[1] == "list":
    print({HAS!r}, end="")
else:
    held = open(sys.argv[sys.argv.index("--constraint") + 1]).read()
    json.dump({{"arguments": sys.argv[1:], "held": held}}, open("pip.json", "w"))
"""


def cells(name: str) -> list[Any]:
    return nbformat.read(NOTEBOOKS[name], as_version=4).cells


def test_the_address_is_the_published_one() -> None:
    links = launch_links("NAME")
    place = FACTS["urls"]["Repository"].removeprefix("https://github.com/")
    assert links["binder"] == f"https://mybinder.org/v2/gh/{place}/v{__version__}?urlpath=lab/tree/notebooks/NAME.ipynb"
    assert links["colab"] == f"https://colab.research.google.com/github/{place}/blob/v{__version__}/notebooks/NAME.ipynb"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_badges_open_this_notebook_of_this_release(name: str) -> None:
    title, _, *rest = cells(name)[0].source.splitlines()
    assert title.startswith("# ")
    links = launch_links(name)
    assert BADGE.findall("\n".join(rest)) == [("Open in Binder", links["binder"]), ("Open in Colab", links["colab"])]


def test_readme_badges_open_the_first_notebook() -> None:
    links = launch_links(next(iter(NOTEBOOKS)))
    badges = dict(BADGE.findall((ROOT / "README.md").read_text()))
    assert (badges["Open in Binder"], badges["Open in Colab"]) == (links["binder"], links["colab"])


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.stem)
def test_the_command_would_write_what_is_there(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == WRITTEN[path], "run `make sync`"


def test_a_new_release_reaches_every_notebook_and_changes_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """The files that are written are found by looking for the old version, not by asking the command."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    texts = [ROOT / name for name in tracked if name.endswith((".md", ".cff")) or name.startswith("notebooks/py/")]
    release = re.compile(rf"\bv{re.escape(__version__)}\b|^version: {re.escape(__version__)}$", re.MULTILINE)
    expected = {path: new for path in texts if (new := release.sub("v9.8.7", text := path.read_text())) != text}
    assert len(expected) == len(NOTEBOOKS) + 2
    monkeypatch.setattr(facesr_tools.openers, "__version__", "9.8.7")
    monkeypatch.setattr(facesr_tools.launch, "TAG", "v9.8.7")
    for name in ("INSTALL", "PARAMETERS"):
        old = getattr(facesr_tools.openers, name)
        monkeypatch.setattr(facesr_tools.openers, name, old.replace(f"v{__version__}", "v9.8.7"))
    found = {path: text.replace("version: 9.8.7", "v9.8.7") for path, text in written(ROOT).items()}
    assert found == expected


def test_folded_cells_say_what_they_are_for() -> None:
    for name in NOTEBOOKS:
        folded = [cell for cell in cells(name)[:5] if cell.metadata.get("jupyter", {}).get("source_hidden")]
        assert len(folded) == (3 if name == "90_report" else 4)
        for cell in folded:
            assert cell.source.startswith("# @title ")
            assert cell.metadata["cellView"] == "form"
            assert "hide-input" in cell.metadata["tags"]
        assert "parameters" in cells(name)[2].metadata["tags"]


@pytest.mark.parametrize("wrong", ["# %%\nx = 1\n", "# %% [markdown]\n# # No badges\n" + 3 * "\n# %%\nx = 1\n"])
def test_a_script_that_opens_otherwise_is_named(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"11_new: expected a title cell with the two badges"):
        with_opener(wrong, "11_new")


def test_badges_are_replaced_where_they_stand() -> None:
    text = "# T\n\n[![Open in Binder](a)](b)\n[![Open in Colab](c)](d)\n\nText\n"
    links = launch_links("10_x")
    assert BADGE.findall(with_badges(text, links)) == [("Open in Binder", links["binder"]), ("Open in Colab", links["colab"])]
    assert with_badges(text, links).startswith("# T\n\n[![")
    assert with_badges(text, links).endswith("\n\nText\n")


def run_second_cell(folder: Path, *, facesr: bool, colab: bool) -> subprocess.CompletedProcess[str]:
    """Run it in a bare Python (no site-packages) whose pip and facesr command are stand-ins, in `folder`."""
    fakes = folder / "fakes"
    (fakes / "pip").mkdir(parents=True)
    (fakes / "pip" / "__init__.py").touch()  # or an installed pip would come first
    (fakes / "pip" / "__main__.py").write_text(FAKE_PIP)
    (fakes / "facesr").write_text('#!/bin/sh\necho "$*" > facesr.txt\n')
    (fakes / "facesr").chmod(0o755)
    if facesr:
        (fakes / "facesr_lib.py").touch()
    pretend = "import sys, types; sys.modules['google.colab'] = types.ModuleType('google.colab')\n" if colab else ""
    environment = os.environ | {"PYTHONPATH": str(fakes), "PATH": f"{fakes}{os.pathsep}{os.environ['PATH']}"}
    code = pretend + cells("00_start_here")[1].source
    command = [sys.executable, "-S", "-c", code]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("colab", [True, False])
def test_nothing_happens_where_facesr_is_installed(tmp_path: Path, colab: bool) -> None:
    done = run_second_cell(tmp_path, facesr=True, colab=colab)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "pip.json").exists()
    assert not (tmp_path / "facesr.txt").exists()


def test_elsewhere_it_says_what_to_do(tmp_path: Path) -> None:
    done = run_second_cell(tmp_path, facesr=False, colab=False)
    assert "ModuleNotFoundError: This kernel has no facesr: run `make setup`" in done.stderr
    assert not (tmp_path / "pip.json").exists()


def test_colab_gets_this_release_and_keeps_every_package_it_has(tmp_path: Path) -> None:
    done = run_second_cell(tmp_path, facesr=False, colab=True)
    assert done.returncode == 0, done.stderr
    pip = json.loads((tmp_path / "pip.json").read_text())
    assert pip["arguments"][0] == "install"
    assert pip["arguments"][-1] == f"facesr[tools] @ git+{FACTS['urls']['Repository']}@v{__version__}"
    assert pip["held"] == HAS
    assert (tmp_path / "facesr.txt").read_text() == "weights fetch\n"


def run_drive_cell(folder: Path, answer: str, *, colab: bool = True, keep: bool = True, out: str = "") -> list[str]:
    """What the cell for Google Drive prints, then OUTPUT_DIR; `answer` is the code of Colab's `drive.mount`."""
    fake = folder / "google" / "colab"
    fake.mkdir(parents=True)
    (fake / "__init__.py").touch()
    (fake / "drive.py").write_text(f"def mount(place):\n    {answer}\n")
    cell = cells("00_start_here")[3].source.replace("KEEP_ON_DRIVE = False", f"KEEP_ON_DRIVE = {keep}")
    code = f"import sys\nOUTPUT_DIR = {out!r}\n{'import google.colab' if colab else ''}\n{cell}\nprint(OUTPUT_DIR)"
    command, environment = [sys.executable, "-c", code], os.environ | {"PYTHONPATH": str(folder)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()


def test_colab_keeps_results_on_drive_where_the_reader_asks_for_it(tmp_path: Path) -> None:
    told, out = run_drive_cell(tmp_path, "assert place == '/content/drive'")
    assert out == "/content/drive/MyDrive/facesr"
    assert told == f"Results go to {out} and stay there when this session ends."


def test_where_drive_is_refused_the_notebook_goes_on_and_says_where_results_are(tmp_path: Path) -> None:
    why, then, out = run_drive_cell(tmp_path, "raise ValueError('mount failed')")
    assert why == "Google Drive was not opened (ValueError: mount failed)."
    assert "are lost when it ends" in then
    assert out == ""


@pytest.mark.parametrize("given", [{"colab": False}, {"keep": False}, {"out": "elsewhere"}])
def test_drive_is_left_alone_elsewhere_and_where_nobody_asked(tmp_path: Path, given: dict[str, Any]) -> None:
    assert run_drive_cell(tmp_path, "raise AssertionError", **given) == [given.get("out", "")]
