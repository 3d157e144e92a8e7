"""Verdicts and published numbers on the page, in claims.json and in the CSV tables."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bs4 import BeautifulSoup

from facesr_lib.data import ImageSet
from facesr_lib.evaluate import Run, verdicts
from facesr_lib.evaluate.claims import Part
from facesr_lib.evaluate.judge import Measured
from facesr_lib.evaluate.verdicts import interval_text
from facesr_lib.metrics import PSNR, SSIM
from facesr_lib.papers import HUMAN_GAN, find_paper
from facesr_tools.report import build_report, collect
from facesr_tools.report.intervals import draw_interval, side

StartRun = Callable[..., Run]


def drawn(name: str, n: int, each: int) -> ImageSet:
    people = tuple(f"person {i // each}" for i in range(n))
    return ImageSet(name, np.zeros((n, 8, 8, 3), np.uint8), people, "drawn for this test")


FACES, TWO = drawn("faces/test", 50, 5), drawn("d", 2, 1)


def record(run: Run) -> None:
    """The GAN 4 dB under bicubic, the pixel term 1 dB above it, the drift unknown."""
    rng = np.random.default_rng(0)
    base = rng.normal(24, 2, 50)
    for name, gain in (("bicubic", 0), ("GAN", -4), ("GAN + pixel term", 1)):
        for metric, unit in ((PSNR, 1.0), (SSIM, 0.02)):
            run.score(name, FACES, metric, unit * (base + gain + rng.normal(0, 0.3, 50)))
    run.published(find_paper("human_gan").published()[0], method="GAN", images=FACES, metric=PSNR, differs="other faces")
    run.finish()


def text(path: Path) -> str:
    return " ".join(BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").get_text(" ").split())


def claims(tmp_path: Path, profile: str) -> dict[str, dict[str, Any]]:
    data = json.loads((tmp_path / profile / "claims.json").read_text(encoding="utf-8"))
    return {claim["id"]: claim for paper in data["papers"] for claim in paper["claims"]}


@pytest.mark.parametrize(("profile", "preface"), [("quick", "on quick: "), ("workshop", "on workshop: "), ("paper", "")])
def test_every_verdict_names_its_profile_unless_it_is_the_papers(
    start: StartRun, tmp_path: Path, profile: str, preface: str
) -> None:
    record(start(paper="human_gan", profile=profile))
    shown = text(build_report(tmp_path, profile))
    assert f"{preface}of 8 claims 2 reproduced, 3 not reproduced, 3 not run" in shown
    assert "none of its 17 claims was run" in shown
    found = claims(tmp_path, profile)
    assert found["human_gan.pixel_term"]["shown"] == f"{preface}reproduced"
    assert found["human_gan.effective"]["shown"] == f"{preface}not reproduced"
    assert found["human_gan.colour"]["shown"] == "not run"
    assert found["isr_kd.forgetting"]["shown"] == "not run"
    badges = BeautifulSoup((tmp_path / profile / "report.html").read_text(), "html.parser").select(".verdict")
    assert {badge.get_text() for badge in badges} == {f"{preface}reproduced", f"{preface}not reproduced"}


def test_a_smoke_run_decides_nothing(start: StartRun, tmp_path: Path) -> None:
    record(start(paper="human_gan"))
    shown = text(build_report(tmp_path, "smoke"))
    assert "not judged: smoke proves only that it runs" in shown
    assert "for it" not in shown
    verdicts = {claim["verdict"] for claim in claims(tmp_path, "smoke").values()}
    assert verdicts == {"not judged", "not run", "needs their images"}


def test_effects_intervals_and_conditions_are_spelled_out(start: StartRun, tmp_path: Path) -> None:
    record(start(paper="human_gan", profile="quick"))
    shown = text(build_report(tmp_path, "quick"))
    effect = claims(tmp_path, "quick")["human_gan.pixel_term"]["measured"][0]
    assert 4.8 < effect["low"] < effect["effect"] < effect["high"] < 5.2
    assert (effect["n"], effect["people"], effect["seeds"], effect["notebook"]) == (50, 10, 1, "10_demo")
    assert f"PSNR (dB) +{effect['effect']:.2f} dB [+{effect['low']:.2f}, +{effect['high']:.2f}]" in shown
    assert "faces/test, N = 50 images of 10 people, one seed" in shown
    assert "other faces" in shown
    assert "Needs PSNR of GAN before the drop, GAN halfway to the drop (validation faces)" in shown


def test_pictures_of_intervals_have_words(start: StartRun, tmp_path: Path) -> None:
    record(start(paper="human_gan", profile="quick"))
    soup = BeautifulSoup(build_report(tmp_path, "quick").read_text(encoding="utf-8"), "html.parser")
    drawings = soup.select("svg.interval")
    assert len(drawings) == 2 + 1 + 2 + 2
    assert all(drawing["role"] == "img" and "95 % interval" in str(drawing["aria-label"]) for drawing in drawings)


def test_the_tables_for_machines_agree_with_the_page(start: StartRun, tmp_path: Path) -> None:
    record(start(paper="human_gan", profile="quick"))
    build_report(tmp_path, "quick")
    folder = tmp_path / "quick" / "tables"
    rows = {path.stem: list(csv.DictReader(path.read_text().splitlines())) for path in folder.iterdir()}
    assert {"scores", "published", "claims", "departures"} <= set(rows)
    assert len(rows["scores"]) == 6
    (line,) = rows["published"]
    assert float(line["value"]) == 25.66
    assert float(line["difference"]) == pytest.approx(float(line["mean"]) - 25.66)
    assert line["differs"] == "other faces"
    found = claims(tmp_path, "quick")
    assert {row["claim"] for row in rows["claims"]} == set(found)
    assert all(row["verdict"] == found[row["claim"]]["verdict"] for row in rows["claims"])
    assert [entry["notebook"] for entry in collect(tmp_path, "quick")] == ["10_demo"]  # tables/ is no notebook


def test_the_same_results_give_the_same_verdicts(start: StartRun, tmp_path: Path) -> None:
    record(start(paper="human_gan", profile="quick"))
    build_report(tmp_path, "quick")
    once = (tmp_path / "quick" / "claims.json").read_bytes()
    build_report(tmp_path, "quick")
    assert (tmp_path / "quick" / "claims.json").read_bytes() == once


def test_a_whole_published_table_is_shown_with_ours_in_its_cell(start: StartRun, tmp_path: Path) -> None:
    run = start("20_selfsr", paper="selfsr", profile="quick")
    run.score("SelfSR", TWO, PSNR, [26.0, 27.0])
    run.score("SelfSR", TWO, PSNR, [28.0, 29.0], seed=9)
    run.score("bicubic", TWO, PSNR, [23.0, 24.0])
    for row, method in (("SelfSR paired", "SelfSR"), ("Bicubic", "bicubic")):
        (cell,) = find_paper("selfsr").published(table="Table I", row=row, column="CelebA PSNR")
        run.published(cell, method=method, images=TWO, metric=PSNR, differs="all")
    run.finish()
    soup = BeautifulSoup(build_report(tmp_path, "quick").read_text(encoding="utf-8"), "html.parser")
    (details,) = [part for part in soup.find_all("details") if part.summary.get_text().split(": ")[-1] == "Table I"]
    rows = {tr.th.get_text(): [td.get_text(" ") for td in tr.find_all("td")] for tr in details.select("tbody tr")}
    assert len(rows) == 9
    assert rows["SelfSR paired"][0] == "26.59 dB 27.50 ± 0.71"
    assert rows["DIC"][0] == "27.37 dB"
    assert rows["Bicubic"][-1] == ""
    shown = text(tmp_path / "quick" / "report.html")
    assert re.search(r"\+0\.91 .*all SelfSR, PSNR \(dB\) on d", shown)
    assert "2 × 2 seeds" in shown


def measured(effect: float, low: float, high: float, **changes: Any) -> Measured:
    part = Part("x", (("A", 1.0), ("B", -1.0)), "PSNR", margin=changes.pop("margin", 0.0))
    metric = changes.pop("metric", PSNR)
    usual = {"notebook": "n", "dataset": "d", "metric": metric.label, "unit": metric.unit, "convention": ""}
    usual |= {"n": 9, "people": None}
    usual |= {"seeds": 1, "p_for": 0.5, "p_against": 0.5}
    return Measured(part, effect=effect, low=low, high=high, **{**usual, **changes})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (measured(0.6543, 0.4, 0.91), "+0.65 dB [+0.40, +0.91]"),
        (measured(-0.001234, -0.0015, -0.0009, metric=SSIM), "−0.00123 [−0.00150, −0.00090]"),
        (measured(120, 80, 160), "+120 dB [+80, +160]"),
        (measured(0.5, -np.inf, np.inf), "+0.500 dB"),
        (measured(np.nan, -np.inf, np.inf), "no number"),
        (measured(0, 0, 0), "0.000 dB [0.000, 0.000]"),
        (measured(-0.0001, -0.2, 0.2), "0.00 dB [−0.20, +0.20]"),
    ],
)
def test_intervals_in_words(given: Measured, words: str) -> None:
    assert interval_text(given) == words


def test_the_drawing_shows_on_which_side_an_interval_lies() -> None:
    cases = {
        "for": measured(2, 1.5, 2.5, margin=1),
        "against": measured(0, -1, 0.5, margin=1),
        "open": measured(1, 0, 2, margin=1),
    }
    for state, case in cases.items():
        assert side(case) == state
        svg = BeautifulSoup(str(draw_interval(case, 2.0)), "html.parser").svg
        assert svg is not None
        assert state in svg["class"]
        bar, line = svg.select_one(".bar"), svg.select_one(".margin")
        assert bar is not None
        assert line is not None
        left, right = float(str(bar["x"])), float(str(bar["x"])) + float(str(bar["width"]))
        middle = float(str(line["x1"]))
        assert {"for": left > middle, "against": right < middle, "open": left < middle < right}[state]
    assert draw_interval(measured(1, -np.inf, np.inf), 2.0) == ""


def test_a_notebook_shows_the_verdicts_on_its_own_paper(tmp_path: Path) -> None:
    def started(paper: str | None, profile: str) -> Run:
        return Run.start("10_x", title="X", paper=paper, profile=profile, seed=0, device="cpu", output_dir=str(tmp_path))

    run = started("human_gan", "quick")
    better = np.linspace(24.5, 25.5, 40)
    faces = drawn("faces", 40, 1)
    run.score("GAN", faces, PSNR, better - 5)
    run.score("GAN + pixel term", faces, PSNR, better)
    run.score("GAN", faces, SSIM, better / 100)
    run.score("GAN + pixel term", faces, SSIM, better / 50)
    table = verdicts(run, HUMAN_GAN.claims)
    found = {row[0]: row[1:] for row in table.rows}
    verdict, effect = found["A pixel term in the loss beats the paper's purely adversarial loss."]
    assert verdict == "on quick: reproduced"
    assert effect.startswith("+5.0")
    assert table.caption.startswith("X: on quick: of 8 claims")
