"""Verdicts and published numbers on the page, in claims.json and in the CSV tables."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bs4 import BeautifulSoup

from facesr_lib.data import ImageSet
from facesr_lib.evaluate import Run
from facesr_lib.evaluate.claims import Claim, Part, better
from facesr_lib.metrics import PSNR, SSIM
from facesr_lib.papers import HUMAN_GAN, find_paper
from facesr_tools.judge import VERDICTS, Judged, Measured
from facesr_tools.report import build_report, collect
from facesr_tools.report.intervals import draw_interval, side
from facesr_tools.report.reasons import reason
from facesr_tools.verdicts import interval_text, verdicts

StartRun = Callable[..., Run]


def drawn(name: str, n: int, each: int) -> ImageSet:
    people = tuple(f"person {i // each}" for i in range(n))
    return ImageSet(name, np.zeros((n, 8, 8, 3), np.uint8), people, "drawn for this test")


FACES, TWO = drawn("faces/test", 50, 5), drawn("d", 2, 1)


def record(run: Run, faces: ImageSet | None = None) -> None:
    """The GAN 4 dB under bicubic, the pixel term 1 dB above it, the drift unknown."""
    rng, faces = np.random.default_rng(0), faces or FACES
    base = rng.normal(24, 2, 50)
    for name, gain in (("bicubic", 0), ("GAN", -4), ("GAN + pixel term", 1)):
        for metric, unit in ((PSNR, 1.0), (SSIM, 0.02)):
            run.score(name, faces, metric, unit * (base + gain + rng.normal(0, 0.3, 50)))
    run.published(find_paper("human_gan").published()[0], method="GAN", images=faces, metric=PSNR, differs="other faces")
    run.finish()


def text(path: Path) -> str:
    return " ".join(BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").get_text(" ").split())


def claims(tmp_path: Path, profile: str) -> dict[str, dict[str, Any]]:
    data = json.loads((tmp_path / profile / "claims.json").read_text(encoding="utf-8"))
    return {claim["id"]: claim for paper in data["papers"] for claim in paper["claims"]}


@pytest.mark.parametrize(("profile", "head"), [("quick", "on quick "), ("workshop", "on workshop "), ("paper", "")])
def test_every_verdict_names_its_scale(start: StartRun, tmp_path: Path, profile: str, head: str) -> None:
    """One seed points for or against; published numbers need the paper's data, which these are not in any profile."""
    record(start(paper="human_gan", profile=profile))
    shown = text(build_report(tmp_path, profile))
    assert f"{head}(1 seed): of 8 claims 1 points for, 1 points against, 3 not comparable here, 3 not run" in shown
    assert "none of its 17 claims was run" in shown
    found = claims(tmp_path, profile)
    assert found["human_gan.pixel_term"]["shown"] == "points for (1 seed)"
    assert found["human_gan.effective"]["shown"] == "points against (1 seed)"
    assert found["human_gan.psnr"]["why"] == "The published number is of ffhq-1024 at the paper's size."
    assert found["human_gan.colour"]["shown"] == "not run"
    assert found["isr_kd.forgetting"]["shown"] == "not run"
    badges = BeautifulSoup((tmp_path / profile / "report.html").read_text(), "html.parser").select(".verdict")
    assert {badge.get_text() for badge in badges} == {"points for (1 seed)", "points against (1 seed)", "not comparable here"}


def test_on_the_papers_data_at_its_size_claims_are_reproduced_or_not(start: StartRun, tmp_path: Path) -> None:
    record(start(paper="human_gan", profile="paper"), drawn("ffhq-1024/test", 50, 5))
    shown = text(build_report(tmp_path, "paper"))
    assert "Claims: of 8 claims 1 reproduced, 3 not reproduced, 1 not applicable, 3 not run." in shown
    found = claims(tmp_path, "paper")
    assert found["human_gan.pixel_term"]["shown"] == "reproduced"
    assert found["human_gan.psnr"]["shown"] == "not reproduced"
    below = found["human_gan.below_best"]
    assert below["shown"] == "not applicable"  # a GAN 4 dB under bicubic stays under 28 dB, too
    assert re.match("It requires GAN better than bicubic, or worse by less than 1, which does not hold: PSNR", below["why"])
    (ours,) = set(re.findall(r"ours (\d+\.\d+), published 25.66", shown))
    assert float(ours) == pytest.approx(found["human_gan.psnr"]["measured"][0]["effect"] + 25.66, abs=0.01)


def test_runs_of_several_seeds_become_one_verdict(start: StartRun, tmp_path: Path) -> None:
    """As one pooled report has them: each run's own scores, each with its seed."""
    run = start(paper="human_gan", profile="quick")
    rng = np.random.default_rng(0)
    base = rng.normal(24, 2, 50)
    for seed, gain in enumerate((0.3, 0.5, 0.4, 0.0)):
        for metric, unit in ((PSNR, 1.0), (SSIM, 0.1)):
            run.score("GAN", FACES, metric, unit * base, seed=seed)
            run.score("GAN + pixel term", FACES, metric, unit * (base + gain + rng.normal(0, 0.01, 50)), seed=seed)
    run.finish()
    shown = text(build_report(tmp_path, "quick"))
    found = claims(tmp_path, "quick")["human_gan.pixel_term"]
    psnr, ssim = found["measured"]
    assert (found["seeds"], psnr["seeds"], psnr["seeds_agree"], ssim["seeds_agree"]) == (4, 4, 3, 3)
    assert psnr["effects"] == pytest.approx([0.3, 0.5, 0.4, 0.0], abs=0.01)
    assert (psnr["smallest"], ssim["smallest"]) == (0.1, 0.005)
    assert "counts from 0.1 dB, 3 of 4 seeds agree" in shown
    assert "N = 50 images of 10 people, 4 seeds" in shown


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
    part = Part("x", (("A", 1.0), ("B", -1.0)), "PSNR", margin=changes.pop("margin", 0.0), on=changes.pop("on", ""))
    metric = changes.pop("metric", PSNR)
    usual = {"notebook": "n", "dataset": "d", "metric": metric.label, "unit": metric.unit, "convention": ""}
    usual |= {"n": 9, "people": None}
    usual |= {"seeds": 1, "p_for": 0.5, "p_against": 0.5, "p_small": 0.5}
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
    assert side(measured(0.1, -0.2, 0.4, smallest=0.5)) == "small"
    assert side(measured(0.1, -0.2, 0.5, smallest=0.5)) == "small"  # on the line is not beyond it
    assert side(measured(0.1, -0.2, 0.6, smallest=0.5)) == side(measured(2, 1.5, 2.5, comparable=False)) == "open"
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
    assert verdict == "points for (1 seed)"
    assert effect.startswith("+5.0")
    assert f"of {len(table.rows)} claims" in table.caption
    assert f"{len(HUMAN_GAN.claims) - len(table.rows)} more need scores" in table.caption
    assert {row[1] for row in table.rows}.isdisjoint({"not run", "needs their images"})  # those of other notebooks


CLAIM = Claim("p.0", "t", "w", "paper", better("A", "B", "PSNR"))


def judged(verdict: Any, *items: Measured, **changes: Any) -> Judged:
    return Judged(changes.pop("claim", CLAIM), verdict, items, changes.pop("missing", ()), **changes)


NOT_WORKING = measured(-8, -9, -7, p_against=0.0001)
REQUIRING = replace(CLAIM, requires=(NOT_WORKING.part,))


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (judged("supported", measured(2, 1, 3), decision="for"), ""),
        (judged("not run"), ""),
        (
            judged("undecided", measured(0.3, -0.3, 0.9, smallest=0.1), decision="open"),
            "PSNR (dB) +0.30 dB [−0.30, +0.90] reaches over what counts, 0.1 dB: more test people or seeds would narrow it.",
        ),
        (
            judged("undecided", measured(0.3, -0.3, 0.9, smallest=0.1, effects=(1.0, 0.8, -0.9, -0.3, 0.9)), decision="open"),
            "2 of 5 seeds speak against it: more",
        ),
        (judged("undecided", measured(0.3, -0.3, 0.9, smallest=0.1, effects=(-0.3,)), decision="open"), "0.1 dB: more"),
        (
            judged("undecided", measured(3, 2, 4, smallest=0.1), decision="open"),
            "is clear alone, but not among so many comparisons.",
        ),
        (
            judged("undecided", measured(9, -np.inf, np.inf, problem="one person or image gives no interval"), decision="open"),
            "One person or image gives no interval.",
        ),
        (judged("undecided", measured(2, 1, 3), missing=CLAIM.parts, decision="open"), "PSNR of A, B (faces) is missing."),
        (judged("undecided", measured(2, 1, 3), claim=REQUIRING, decision="open"), "was not measured: PSNR of A, B (faces)."),
        (
            judged("undecided", measured(2, 1, 3), claim=REQUIRING, required=(measured(0, -1, 1),), decision="open"),
            "It requires x, which is undecided: PSNR (dB) 0.0 dB [−1.0, +1.0] reaches",
        ),
        (
            judged("not applicable", measured(2, 1, 3), claim=REQUIRING, required=(NOT_WORKING,)),
            "It requires x, which does not hold: PSNR (dB) −8.0 dB [−9.0, −7.0].",
        ),
        (
            judged("too small to matter", measured(0.02, 0.01, 0.03, smallest=0.1, p_small=0.001), decision="small"),
            "PSNR (dB) +0.020 dB [+0.010, +0.030] is less than 0.1 dB.",
        ),
        (judged("not comparable here", measured(2, 1, 3, on="celeba", comparable=False)), "is of celeba at the paper's size."),
    ],
)
def test_why_nothing_was_decided_is_one_sentence(item: Judged, words: str) -> None:
    found = reason(item)
    assert found.endswith(words) if words.endswith(".") else words in found
    assert bool(found) == bool(words)
    assert found.count(". ") == 0


def test_verdicts_have_colours_that_the_page_knows() -> None:
    """Each has a rule of its own in both style sheets, or is one that is only counted."""
    for sheet in ("report/templates/report.css", "site/static/site.css"):
        rules = files("facesr_tools").joinpath(sheet).read_text(encoding="utf-8")
        slugs = [verdict.replace(" ", "-") for verdict in VERDICTS if verdict not in ("not run", "too small to matter")]
        assert [slug for slug in slugs if f".{slug}" not in rules] == []
