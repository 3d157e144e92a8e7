"""`facesr classroom` and `facesr grade` from the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell
from typer.testing import CliRunner

from facesr_tools.classroom.lessons import tags
from facesr_tools.cli.main import app


def facesr(*arguments: str | Path):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_classroom_writes_the_chosen_notebooks(tmp_path: Path) -> None:
    out = tmp_path / "class"
    done = facesr("classroom", out, "03", "10_human_face_gan")
    assert done.exit_code == 0, done.output
    assert done.output == f"{out / 'README.md'}\n"
    names = {"03_metrics", "10_human_face_gan"}
    assert {path.stem for path in (out / "student").iterdir()} == names
    assert {path.name for path in (out / "solutions").iterdir()} == {f"{n}.{end}" for n in names for end in ("md", "html")}
    plans = ("03_metrics", "human_gan")
    assert {path.name for path in (out / "instructor").iterdir()} == {f"{n}.{end}" for n in plans for end in ("md", "html")}
    shutil.copytree(out, tmp_path / "first")
    assert facesr("classroom", out, "10", "03").exit_code == 0  # replaces its own, with the same bytes
    for path in (path for path in out.rglob("*") if path.is_file()):
        assert path.read_bytes() == (tmp_path / "first" / path.relative_to(out)).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["11"], "unknown notebook '11'"),
        (["03", "--notebooks", "/nowhere"], "--notebooks /nowhere: there is no such folder"),
        (["03", "--runs", "/nowhere"], "first run: facesr run all"),
    ],
)
def test_classroom_says_what_is_wrong(arguments: list[str], message: str, tmp_path: Path) -> None:
    done = facesr("classroom", tmp_path / "class", *arguments)
    assert done.exit_code == 2
    assert message in done.output
    assert not list(tmp_path.iterdir())


def test_classroom_keeps_what_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "thesis.txt").write_text("years")
    refused = facesr("classroom", tmp_path / "class", "90")
    assert refused.exit_code == 2
    assert "thesis.txt" in refused.output
    done = facesr("classroom", tmp_path / "class", "90", "--overwrite")
    assert done.exit_code == 0
    assert f"is now {tmp_path / 'class.before'}" in done.output
    assert (tmp_path / "class.before" / "thesis.txt").read_text() == "years"
    assert not (tmp_path / "class" / "solutions").exists()


def hand_in(folder: Path, name: str, written: dict[str, str], answers: dict[str, str], lesson: str = "10_human_face_gan") -> None:
    notebook = nbformat.reads(written[f"student/{lesson}.ipynb"], as_version=4)
    for cell in notebook.cells:
        if "exercise" in tags(cell):
            cell.source = next((new for function, new in answers.items() if f"def {function}(" in cell.source), cell.source)
    folder.mkdir(exist_ok=True)
    nbformat.write(notebook, folder / f"{name}.ipynb")


RIGHT = {
    "my_generator_loss": "def my_generator_loss(scores):\n    return helper(-scores).mean()\n\n\nhelper = 1",
    "my_unsharp": "AMOUNT = 7\n%timeit 1\n\ndef my_unsharp(image, amount):\n    from facesr_lib.image import unsharp\n"
    "    return unsharp(image, AMOUNT, 5.0, amount)",
    "my_bounded_scale": "def my_bounded_scale(raw):\n    return 0.2 + 0.6 * torch.sigmoid(raw)",
}


def test_grade_tells_who_solved_what(written: dict[str, str], tmp_path: Path) -> None:
    hand_in(tmp_path, "alice", written, RIGHT)
    alice = nbformat.read(tmp_path / "alice.ipynb", as_version=4)
    for cell in alice.cells:  # as other programs save it: no tags; a check that says yes to everything; slow cells
        cell.metadata = nbformat.NotebookNode()
        if cell.source.startswith("check_"):
            cell.source = "print('✓')"
    alice.cells.append(new_code_cell("def helper(x):\n    return torch.nn.functional.softplus(x)"))
    alice.cells.append(new_code_cell("raise SystemExit('nothing but definitions is run')"))
    alice.metadata = nbformat.NotebookNode()
    nbformat.write(alice, tmp_path / "10_human_face_gan-alice.ipynb")
    done = facesr("grade", tmp_path / "10_human_face_gan-alice.ipynb")
    assert done.exit_code == 0, done.output
    assert "3 of 3" in done.output
    bob = RIGHT | {"my_unsharp": "def my_unsharp(image, amount):\n    return image", "my_bounded_scale": "def my_bounded"}
    hand_in(tmp_path / "all", "bob", written, bob)
    (tmp_path / "all" / "carol.ipynb").write_text("{")
    done = facesr("grade", tmp_path / "all", "--json")
    assert done.exit_code == 1
    found = {Path(item["file"]).stem: item for item in json.loads(done.output)}
    assert found["bob"]["lesson"] == "10_human_face_gan"
    messages = [mark["message"] for mark in found["bob"]["marks"]]
    assert "no function my_bounded_scale" in messages[0]
    assert "TypeError" in messages[1]  # helper is 1
    assert "Not yet" in messages[2]
    assert "not a readable notebook" in found["carol"]["problem"]


def test_grade_survives_endless_loops_and_exits(written: dict[str, str], tmp_path: Path) -> None:
    answers = {
        "my_psnr": "def my_psnr(sr, hr):\n    while True:\n        pass",
        "my_average_pool": "def my_average_pool(x, factor):\n    raise SystemExit(3)",
    }
    hand_in(tmp_path / "in", "dave", written, answers, "00_start_here")
    done = facesr("grade", tmp_path / "in", "--limit", "10")
    assert done.exit_code == 1
    assert "1. PSNR: Stopped after 10 s: an endless loop?" in done.output
    assert "2. Another degradation: Your code ended Python (exit status 3)" in done.output
    assert "0 of 2" in done.output


def test_grade_says_what_it_cannot_do(tmp_path: Path) -> None:
    assert facesr("grade", tmp_path).exit_code == 2
    assert facesr("grade", tmp_path / "nobody.ipynb").exit_code == 2
    assert facesr("grade", tmp_path, "--limit", "0").exit_code == 2
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "diary.ipynb")
    done = facesr("grade", tmp_path / "diary.ipynb")
    assert done.exit_code == 1
    assert "no copy of one of the project's notebooks" in done.output
