"""What counts as a hand-in, broken notebooks, and the gradebook."""

from __future__ import annotations

import csv
import json
import os
import random
from pathlib import Path

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from facesr_lib.exercises.human_gan import check_bounded_scale
from facesr_tools.classroom import Graded, Mark, grade, hand_ins, read_lesson, write_gradebook
from facesr_tools.classroom.attempts import CannotJudge, Notebook, attempt

LESSON = read_lesson(Path(__file__).parents[2] / "notebooks" / "10_human_face_gan.ipynb")
CHECK = "facesr_lib.exercises.human_gan:check_bounded_scale"


def touch(path: Path, text: str = "{}") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_only_notebooks_of_people_are_hand_ins(tmp_path: Path) -> None:
    for name in ("eva/10_human_face_gan.ipynb", "tom.ipynb", "Ünal/10_human_face_gan-v2.IPYNB", "week 1/mia_10.ipynb"):
        touch(tmp_path / name)
    for junk in (
        *("._tom.ipynb", ".~tom.ipynb", "tom.ipynb~", "#tom.ipynb#", "~$tom.ipynb", "Thumbs.db", "DESKTOP.INI", ".DS_Store"),
        *("eva/.ipynb_checkpoints/tom-checkpoint.ipynb", "__MACOSX/eva/._tom.ipynb", "__macosx/tom.ipynb", ".git/tom.ipynb"),
        *("__pycache__/tom.ipynb", "tom.ipynb.part", "eva/.Trash/tom.ipynb", "$RECYCLE.BIN/tom.ipynb"),
    ):
        touch(tmp_path / junk)
    touch(tmp_path / "all.zip", "PK")
    touch(tmp_path / "eva/essay.pdf", "%PDF")
    touch(tmp_path / "empty.ipynb", "")
    (tmp_path / "folder.ipynb").mkdir()
    touch(tmp_path / "folder.ipynb" / "ben.ipynb")
    (tmp_path / "lost.ipynb").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.ipynb")
    found, passed_over = hand_ins([tmp_path, tmp_path / "tom.ipynb"])
    students = [item.student("10_human_face_gan") for item in found]
    assert sorted(students) == ["eva", "folder.ipynb/ben", "tom", "week 1/mia_10", "Ünal/v2"]
    reasons = {Path(item.what).name: item.reason for item in passed_over}
    assert set(reasons) == {"all.zip", "essay.pdf", "empty.ipynb", "folder.ipynb", "lost.ipynb", "pipe.ipynb"}
    assert "unpack" in reasons["all.zip"]
    assert "empty" in reasons["empty.ipynb"]


def test_files_named_one_by_one(tmp_path: Path) -> None:
    touch(tmp_path / "kim" / "10_human_face_gan.ipynb")
    given = [touch(tmp_path / "Thumbs.db"), touch(tmp_path / "a.zip"), tmp_path / "kim" / "10_human_face_gan.ipynb"]
    (only,), (zipped,) = hand_ins(given)
    assert only.student("10_human_face_gan") == "kim"
    assert Path(zipped.what).name == "a.zip"
    with pytest.raises(ValueError, match=r"no notebook \(\.ipynb\) to grade\n.*a\.zip: packed"):
        hand_ins(given[:2])
    with pytest.raises(ValueError, match="there is no such file"):
        hand_ins([tmp_path / "nobody.ipynb"])


def cell(**other: object) -> dict[str, object]:
    return {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": "", **other}


def notebook(*cells: object, **other: object) -> str:
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells), **other})


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "{",
            "null",
            "[]",
            "3",
            '"x"',
            "{}",
            "\0" * 99,
            "PK\x03\x04",
            "<html>",
            "[" * 100_000,
            '{"cells": 1e999}',
            "\ud7ff",
        ),
        notebook(nbformat=99),
        notebook(nbformat="4"),
        notebook(metadata=[]),
        notebook(metadata={"facesr": "x"}),
        notebook(metadata={"facesr": {"title": ["x"]}}),
        notebook(None),
        notebook(cell(source=None)),
        notebook(cell(source=[1, 2])),
        notebook(cell(source={"a": 1})),
        notebook(cell(metadata=None)),
        notebook({"cell_type": "code"}),
        notebook({}),
        notebook(cells={}),
        notebook(cells="x"),
        json.dumps({"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": 3}]}]}),
    ],
)
def test_a_broken_notebook_is_named(text: str, tmp_path: Path) -> None:
    file = touch(tmp_path / "sam.ipynb", text)
    found = grade(file, [LESSON], 5)
    assert not found.marks
    assert "not a readable notebook" in found.problem or "no copy of" in found.problem


def test_cells_that_nobody_could_have_run_do_no_harm() -> None:
    deep = "(" * 3000 + ")" * 3000
    sources = [
        "\0",
        "\ud800",
        deep,
        "x = " + "-" * 5000 + "1",
        "def f(",
        "%",
        "%%",
        "!",
        "?",
        "%%time",
        "%time",
        "\r\r",
        "a\u2028b",
    ]
    assert Notebook([*sources, "def my_f(x):\n    return x"]).names["my_f"](3) == 3


LINES = """
low = 0.2
low = 0.3
low, wide = 0.2, 0.6
wide = 0.6
wide = low * 3
ends = [0.2, 0.8]
ends[0] = low
ends.append(1)
ends.reverse()
del low
low += 0.0
low = ends[0]
low = max(ends)
box = {"low": low}
low = box["low"]
t = torch.tensor(0.2)
t.add_(0.1)
t += 0.1
low = t
my_scale = logistic
logistic = my_scale
low = halve(0.4)
low = halve(ends)
spoil(ends)
ends = make()
global_low()
print(ends, low)
1 / 0
raise ValueError
low = 1 / 0
torch.sigmoid(t)
for low in (0.1, 0.2): pass
if low < 0.25: wide = 0.6
if spin(): low = 0.2
assert low == 0.2
low = [x for x in ends if x < 0.5][0]
(low := 0.2)
low = spin() or 0.2
my_scale(t)
check_bounded_scale(my_scale)
%time low = 0.2
import math
low = math.sqrt(0.04)
from functools import partial
my_scale = partial(scale_by, 0.2)
my_scale = lambda r: scale_by(0.2, r)
my_scale = Scale()
""".strip().splitlines()
BLOCKS = [
    "def logistic(raw):\n    return low + wide * torch.sigmoid(raw)",
    "def my_scale(raw):\n    return low + wide * raw.sigmoid()",
    "def my_scale(raw):\n    return ends[0] + 0.6 * raw.sigmoid()",
    "def my_scale(raw):\n    raise NotImplementedError",
    "def scale_by(low, raw):\n    return low + 0.6 * raw.sigmoid()",
    "def halve(x):\n    return x / 2",
    "def spoil(x):\n    x[0] = 0.9",
    "def make():\n    return [0.2, 0.8]",
    "def spin():\n    while True:\n        return 0",
    "def global_low():\n    global low\n    low = 0.2",
    "@partial\ndef my_scale(raw):\n    return t + 0.6 * raw.sigmoid()",
    "class Scale:\n    low = low\n    def __call__(self, raw):\n        return self.low + wide * raw.sigmoid()",
    "try:\n    low = ends[5]\nexcept IndexError:\n    low = 0.2",
]


@pytest.mark.parametrize("seed", range(20))
def test_a_verdict_is_never_another_than_a_notebooks(seed: int) -> None:
    """Random notebooks, run as a kernel does: cells in order, each up to its first error."""
    draw, judged = random.Random(seed), 0
    for _ in range(40):
        parts = draw.sample(LINES, 8) + draw.sample(BLOCKS, 6) + ["my_scale = my_scale"]
        draw.shuffle(parts)
        cells = [
            "import torch\nfrom facesr_lib.exercises.human_gan import check_bounded_scale",
            "low, wide, t = 0.2, 0.6, torch.tensor(0.2)",
        ]
        while parts:
            cells.append("\n".join(parts.pop() for _ in range(min(len(parts), draw.choice([1, 1, 2])))))
        truth: dict[str, object] = {}
        for source in cells:
            try:
                code = TransformerManager().transform_cell(source.replace("%time ", ""))
                exec(code, truth)
            except Exception:
                continue
        right = check_bounded_scale(truth.get("my_scale")).passed
        try:
            found = attempt("my_scale", CHECK, Notebook(cells)).passed
        except CannotJudge:
            continue
        judged += 1
        assert found == right, "\n---\n".join(cells)
    assert judged > 4


def test_the_gradebook_runs_no_formula(tmp_path: Path) -> None:
    marks = (
        Mark(1, "Sum", True, "Well done"),
        Mark(2, "Rest", False, '=HYPERLINK("http://x")'),
        Mark(3, "More", False, "Cannot", False),
    )
    rows = [
        ("=cmd|' /C calc'!A0", Graded(Path("=cmd.ipynb"), "10_x", marks)),
        ("@eva\nnew", Graded(Path("e.ipynb"), "", problem="\t+1")),
        (" -2", Graded(Path("\uff1d1.ipynb"), "", problem='He said "no", twice')),
    ]
    file = tmp_path / "grades.csv"
    for _ in range(2):  # the second replaces the first
        write_gradebook(file, rows)
    with open(file, encoding="utf-8-sig", newline="") as text:
        found = list(csv.DictReader(text))
    assert [row["verdict"] for row in found] == [
        "passed",
        "not passed",
        "cannot be judged",
        "cannot be judged",
        "cannot be judged",
    ]
    assert [row["exercise"] for row in found] == ["1. Sum", "2. Rest", "3. More", "", ""]
    assert found[0]["reason"] == ""
    assert found[-1]["reason"] == 'He said "no", twice'
    cells = [value for row in found for value in row.values()]
    assert not [value for value in cells if value.lstrip()[:1] in ("=", "+", "-", "@", "\uff1d")]
    assert found[0]["student"] == "'=cmd|' /C calc'!A0"
    assert found[3]["student"] == "'@eva\nnew"


def test_a_gradebook_replaces_no_other_file(tmp_path: Path) -> None:
    thesis = touch(tmp_path / "thesis.csv", "years,of,work\n")
    for path, message in ((thesis, "another file"), (tmp_path, "is a folder"), (tmp_path / "no" / "x.csv", "no folder")):
        with pytest.raises(ValueError, match=message):
            write_gradebook(path, [])
    assert thesis.read_text() == "years,of,work\n"
