"""Slides: a page per row of the timetable, with the run's figures, in one file that runs and loads nothing."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from PIL import Image

from facesr_tools.classroom import read_lesson
from facesr_tools.classroom.lesson_plan import read_plan, with_plans
from facesr_tools.classroom.slides import slides

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


PLANS = with_plans(map(read_lesson, sorted(NOTEBOOKS.glob("*.ipynb"))))


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A run that has every figure of every lesson plan."""
    for plan in PLANS:
        for row in read_plan(plan).blocks:
            for notebook in row.notebooks:
                folder = tmp_path / "quick" / notebook
                (folder / "figures").mkdir(parents=True, exist_ok=True)
                known = json.loads((folder / "result.json").read_text())["figures"] if (folder / "result.json").is_file() else []
                for name in row.figures:
                    (folder / "figures" / f"{name}.png").write_bytes(PNG)
                    known.append({"name": name, "caption": f"{name} <is> shown", "alt": f'"{name}" drawn'})
                (folder / "result.json").write_text(json.dumps({"figures": known}))
    return tmp_path


@pytest.mark.parametrize("key", PLANS)
def test_every_row_is_a_page_with_its_question_and_figures(runs: Path, key: str) -> None:
    plan = read_plan(key)
    text = slides(plan, PLANS[key], runs)
    first, *pages, last = BeautifulSoup(text, "html.parser").find_all("section")
    assert first.h1.get_text() in plan.title
    assert [page.h2.get_text() for page in pages] == [row.title for row in plan.blocks]
    for page, row in zip(pages, plan.blocks, strict=True):
        assert [image["alt"] for image in page.find_all("img")] == [f'"{name}" drawn' for name in row.figures]
        assert [caption.get_text() for caption in page.find_all("figcaption")] == [f"{name} <is> shown" for name in row.figures]
        assert page.find(class_="ask").get_text(strip=True)
    assert len(last.find_all("li")) == len(plan.home)
    assert "<script" not in text
    assert "http" not in text.replace("http-equiv", "")
    assert "{{" not in text


def test_wide_figures_stand_above_each_other(runs: Path) -> None:
    def stacked() -> bool:
        pages = BeautifulSoup(slides(read_plan("isr_kd"), PLANS["isr_kd"], runs), "html.parser")
        return any("stacked" in figures["class"] for figures in pages.find_all(class_="figures"))

    assert not stacked()
    for name in ("forgetting", "course"):  # the two figures of one row
        Image.new("RGB", (300, 100)).save(runs / "quick" / "40_isr_kd" / "figures" / f"{name}.png")
        assert stacked() == (name == "course")


def test_a_figure_that_the_run_lacks_is_named_with_the_command_that_makes_it(runs: Path) -> None:
    (runs / "quick" / "40_isr_kd" / "figures" / "course.png").unlink()
    with pytest.raises(ValueError, match="no figure 'course' of 40_isr_kd; first: facesr run 40 --profile quick"):
        slides(read_plan("isr_kd"), PLANS["isr_kd"], runs)
    (runs / "quick" / "40_isr_kd" / "result.json").write_text("{}")
    with pytest.raises(ValueError, match=r"result\.json does not say what domains\.png shows"):
        slides(read_plan("isr_kd"), PLANS["isr_kd"], runs)
