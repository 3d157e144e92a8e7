"""The report leads from every figure and table of a paper to the one of this run, or says why there is none."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bs4 import BeautifulSoup
from matplotlib.figure import Figure

from facesr_lib.data import ImageSet
from facesr_lib.evaluate import Run
from facesr_lib.metrics import PSNR
from facesr_tools.report import build_report
from facesr_tools.report.exhibits import Exhibit

FACES = ImageSet("faces", np.zeros((2, 8, 8, 3), np.uint8), ("a", "b"), "drawn for this test")
LIST = (
    Exhibit("Fig. 1", "Results.", "10_demo", "samples"),
    Exhibit("Table I", "Numbers.", "10_demo", "numbers"),
    Exhibit("Fig. 2", "A curve.", "10_demo", "never_recorded"),
    Exhibit("Fig. 3", "A photograph <i>.", why="No public code."),
)


def test_exhibits_lead_to_their_cells(start: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("paper_view", "exports"):
        monkeypatch.setattr(f"facesr_tools.report.{module}.exhibits", lambda paper: LIST if paper.key == "human_gan" else ())
    run = start(paper="human_gan")
    for method in ("bicubic", "GAN"):
        run.score(method, FACES, PSNR, [20.0, 21.0])
    figure = Figure(figsize=(1, 1))
    run.figure(figure, "samples", "A caption", "What it shows")
    run.table("numbers", [{"a": 1}], "A table")
    run.finish()
    page = BeautifulSoup(build_report(tmp_path, "smoke").read_text(encoding="utf-8"), "html.parser")
    (part,) = [part for part in page.find_all("details") if part.summary and "Every figure and table" in part.summary.get_text()]
    rows = [row.find_all(["th", "td"]) for row in part.select("tbody tr")]
    assert [row[0].get_text() for row in rows] == [one.id for one in LIST]
    assert [row[1].get_text() for row in rows] == [one.what for one in LIST]
    links = [str(link["href"]) for link in part.find_all("a")]
    assert len(links) == 2
    drawn, table = (page.find(id=link.removeprefix("#")) for link in links)
    assert drawn is not None
    assert table is not None
    assert drawn.name == "figure"
    assert "A caption" in drawn.get_text()
    assert "A table" in table.get_text()
    assert "not in this run" in rows[2][2].get_text()
    assert rows[3][2].get_text() == "Not here: No public code."
    written = list(csv.DictReader((tmp_path / "smoke" / "tables" / "exhibits.csv").read_text().splitlines()))
    assert [(row["paper"], row["id"], row["cell"]) for row in written] == [("human_gan", one.id, one.cell) for one in LIST]
