"""The published numbers: counted, and compared cell by cell with the tables of the papers' specifications, parsed here anew."""

from __future__ import annotations

import csv
import re
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest

from facesr_lib.papers import find_paper

Cells = dict[tuple[str, str, str], float]  # (table, row, column) -> value
NUMBER = r"(?<![\w.])\d*\.?\d+"


def ours(paper: str) -> Cells:
    references = find_paper(paper).published()
    cells = {(r.table, r.row, r.column): r.value for r in references}
    assert len(cells) == len(references), "a cell twice"
    return cells


def numbers(text: str) -> list[float | None]:
    return [None if word == "-" else float(word) for word in text.replace("*", "").split() if word not in ("/", "|")]


def markdown_rows(text: str, heading: str) -> list[list[str]]:
    """The rows of the first Markdown table after `heading`, header and ruler left out."""
    lines = text[text.index(heading) :].splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("|"))
    table = [line for line in lines[start : start + 40] if line.startswith("|")]
    stop = next((i for i, line in enumerate(lines[start:]) if not line.startswith("|")), len(table))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:stop]]


def fill(cells: Cells, table: str, row: str, columns: list[str], values: list[float | None]) -> None:
    assert len(columns) == len(values)
    cells |= {(table, row, column): value for column, value in zip(columns, values, strict=True) if value is not None}


def selfsr(text: str) -> Cells:
    cells: Cells = {}
    kinds = ["PSNR", "SSIM", "LPIPS", "FID"]
    for name, celeba, helen, size in markdown_rows(text, "Table I "):
        columns = [f"{place} {kind}" for place in ("CelebA", "Helen") for kind in kinds] + ["parameters"]
        fill(cells, "Table I", name, columns, numbers(f"{celeba} {helen} {size}"))
    second = text[text.index("Table II (") : text.index("Table III, columns")].split(":", 1)[1]
    for name, value in re.findall(rf"\s*(.+?)\s({NUMBER})[,.]", " ".join(second.split()) + " "):
        cells["Table II", name, "FID"] = float(value)
    third = text[text.index("Table III, columns") : text.index("Table IV, columns")].split(":", 1)[1]
    adaptation = "CycleGAN-style adaptation"
    names = ["vanilla", adaptation, f"{adaptation} + identity loss", "flow field + identity loss"]
    for name, pair in zip(names, re.findall(rf"({NUMBER})/({NUMBER})", third), strict=True):
        fill(cells, "Table III", name, ["FID", "FID of translated LR"], [float(value) for value in pair])
    fourth = text[text.index("Table IV, columns") : text.index("## Figures")].split("[read from the text]:\n", 1)[1]
    rows = [row for half in fourth.split("|") for row in half.split(";")]
    names = ["1: concatenation", "2: no growing", "3: no R1", "4: full model"]
    labels = [f"{pairing} {name}" for pairing in ("paired", "unpaired") for name in names]
    for label, row in zip(labels, rows, strict=True):
        fill(cells, "Table IV", label, kinds, numbers(row))
    return cells


def teacher_student(text: str) -> Cells:
    cells: Cells = {}
    text = text.replace("**", "")
    for table, places, kinds in (
        ("Table 1", ("LS3D-W", "FFHQ"), ("FID", "LPIPS", "PSNR", "SSIM")),
        ("Table 2", ("WIDER", "WebFace"), ("FID", "NIQE")),
    ):
        section = text[text.index(f"{table} (") : text.index(f"Table {int(table[-1]) + 1} (")].split("): ", 1)[1]
        for item in section.split(";"):
            name, values = item.split(maxsplit=1)
            fill(cells, table, name, [f"{place} {kind}" for place in places for kind in kinds], numbers(values))
    rows = markdown_rows(text, "Table 3")
    assert len(rows) == 9
    for name, ffhq, wider in rows:
        columns = [f"FFHQ {kind}" for kind in ("FID", "LPIPS", "PSNR", "SSIM")] + ["WIDER FID", "WIDER NIQE"]
        plain_name = re.sub(r" \((\"the TNet trained with cycle.*|no DSNet)\)$", "", name)
        fill(cells, "Table 3", plain_name, columns, numbers(f"{ffhq} {wider}"))
    return cells


def isr_kd(text: str) -> Cells:
    cells: Cells = {}
    for name, face, cartoon in markdown_rows(text, "## Published numbers"):
        columns = [f"{kind} {metric}" for kind in ("face", "cartoon") for metric in ("PSNR", "SSIM", "FID")]
        fill(cells, "result log", name.replace(' ("vanilla")', ""), columns, numbers(f"{face} {cartoon}"))
    for name, cartoons, faces in markdown_rows(text, "## Incremental splits"):
        values = [float(count.replace(",", "")) for count in (cartoons, faces)]
        fill(cells, "incremental splits", name, ["cartoon", "face"], list(values))
    return cells


PARSERS = {"selfsr": selfsr, "teacher_student": teacher_student, "isr_kd": isr_kd}
COUNTS = {
    "human_gan": {"section 6.1": 1},
    "selfsr": {"Table I": 80, "Table II": 8, "Table III": 8, "Table IV": 32},  # 9 x 8 and 8 sizes, 8, 4 x 2, 8 x 4
    "teacher_student": {"Table 1": 48, "Table 2": 28, "Table 3": 54},  # two methods have neither PSNR nor SSIM
    "isr_kd": {"result log": 36, "incremental splits": 8},
}


@pytest.mark.parametrize("paper", list(COUNTS))
def test_no_number_is_missing(paper: str) -> None:
    counts = Counter(reference.table for reference in find_paper(paper).published())
    assert counts == COUNTS[paper]


@pytest.mark.parametrize("paper", list(PARSERS))
def test_every_number_is_the_papers(paper: str, shared: Path) -> None:
    text = (shared / "papers" / f"{paper}.md").read_text(encoding="utf-8")
    assert ours(paper) == PARSERS[paper](text)


@pytest.mark.parametrize(
    ("paper", "table", "row", "column", "value", "unit"),
    [
        ("selfsr", "Table I", "SelfSR paired", "CelebA PSNR", 26.59, "dB"),
        ("selfsr", "Table I", "DICGAN", "parameters", 21.8, "M"),
        ("selfsr", "Table II", "Bulat et al.", "FID", 26.41, ""),
        ("selfsr", "Table III", "vanilla", "FID of translated LR", 24.28, ""),
        ("selfsr", "Table IV", "unpaired 4: full model", "LPIPS", 0.1141, ""),
        ("teacher_student", "Table 1", "GFPGAN", "LS3D-W LPIPS", 0.094, ""),
        ("teacher_student", "Table 2", "ours", "WIDER NIQE", 6.0863, ""),
        ("teacher_student", "Table 3", "TNet", "FFHQ PSNR", 22.06, "dB"),
        ("isr_kd", "result log", "20k + 20k, extended", "cartoon SSIM", 0.6009, ""),
        ("isr_kd", "incremental splits", "Cartoon-CelebA-4", "cartoon", 50000, "images"),
    ],
)
def test_single_cells(paper: str, table: str, row: str, column: str, value: float, unit: str) -> None:
    (cell,) = find_paper(paper).published(table=table, row=row, column=column)
    assert (cell.value, cell.unit) == (value, unit)


@pytest.mark.parametrize(("row", "off"), [("2: no growing", "growing is off"), ("3: no R1", "R1 is off")])
def test_the_rows_of_selfsrs_table_iv_say_what_is_off(row: str, off: str) -> None:
    for setting in ("paired", "unpaired"):
        cells = find_paper("selfsr").published(table="Table IV", row=f"{setting} {row}")
        assert len(cells) == 4
        assert all(cell.conditions.endswith(off) for cell in cells)


def test_units_and_conditions_are_always_said() -> None:
    for paper in COUNTS:
        for reference in find_paper(paper).published():
            assert reference.paper == paper
            assert reference.conditions
            assert (reference.unit == "dB") == ("PSNR" in reference.column)
        file = files("facesr_lib.papers").joinpath(paper, "published.csv")
        header = next(csv.reader(file.read_text(encoding="utf-8").splitlines()))
        assert header == ["paper", "table", "row", "column", "value", "unit", "conditions"]
