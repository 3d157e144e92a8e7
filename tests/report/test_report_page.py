from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup

from facesr_lib.data import ImageSet
from facesr_lib.evaluate import Run
from facesr_lib.metrics import PSNR
from facesr_lib.papers import find_paper
from facesr_lib.plot import image_grid
from facesr_tools.report import build_report, collect, show_report

StartRun = Callable[..., Run]
HOSTILE = '<script>alert("x")</script><img src=http://evil.example/x.png onerror=alert(1)>'
LOADING = re.compile(
    r"""\b(?:src|srcset|data|poster)\s*=\s*["']?+\s*+(?!data:)|@import|url\(|<link|<script|<iframe|\bimport\s*\(""", re.IGNORECASE
)


def record(run: Run, text: str = "plain") -> Run:
    faces = ImageSet(text, np.zeros((2, 8, 8, 3), np.uint8), ("a", "b"), text)
    metric = replace(PSNR, convention=text)
    run.score("bicubic", faces, metric, [20.0, 21.0])
    run.score(text, faces, metric, [22.0, 23.5])
    run.table("t", [{text: text, "n": 1}], text)
    run.figure(image_grid({text.replace("$", ""): torch.rand(2, 3, 8, 8)}), "f", text, text)
    run.note(text)
    run.backend(text, text)
    run.config({text: text}, name=text)
    run.published(find_paper("human_gan").published()[0], method=text, images=faces, metric=metric, differs=text)
    run.finish()
    return run


def page(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def test_a_report_shows_everything_that_was_recorded(start: StartRun, tmp_path: Path) -> None:
    record(start(paper="human_gan"), "method one")
    soup = page(build_report(tmp_path, "smoke"))
    text = " ".join(soup.get_text(" ").split())
    for part in ("A demo", "22.75 ± 1.06", "20.50", "+2.25, better", "25.66 dB", "N = 2", "150 FFHQ test images", "method one"):
        assert part in text
    assert "numbers mean nothing" in text  # what the smoke profile is
    assert "The smoke profile shrinks" in text  # beside the published number
    (picture,) = soup.find_all("img")
    assert picture["alt"] == "method one"
    assert str(picture["src"]).startswith("data:image/png;base64,")


def test_the_page_is_sound_html_for_every_reader(start: StartRun, tmp_path: Path) -> None:
    record(start("10_a"))
    record(start("20_b"))
    (tmp_path / "smoke" / "30_c").mkdir()
    path = build_report(tmp_path, "smoke")
    soup = page(path)
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert soup.html is not None
    assert soup.html["lang"] == "en"
    assert soup.find("meta", attrs={"name": "viewport"})
    levels = [int(tag.name[1]) for tag in soup.find_all(re.compile("^h[1-6]$"))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for table in soup.find_all("table"):
        assert table.caption is not None
        assert table.caption.get_text().strip()
        assert all(head.get("scope") in ("col", "row") for head in table.find_all("th"))
    names = [tag["id"] for tag in soup.find_all(id=True)]
    assert len(names) == len(set(names))
    assert {str(link["href"])[1:] for link in soup.find_all("a") if str(link["href"]).startswith("#")} <= set(names)
    styles = path.read_text(encoding="utf-8")
    assert "prefers-color-scheme: dark" in styles
    assert "@media print" in styles


def test_the_page_loads_nothing_and_runs_nothing(start: StartRun, tmp_path: Path) -> None:
    record(start())
    path = build_report(tmp_path, "smoke")
    assert not LOADING.findall(path.read_text(encoding="utf-8"))
    assert page(path).select_one("meta[http-equiv=Content-Security-Policy][content*=\"default-src 'none'\"]")


def test_hostile_texts_are_shown_not_obeyed(start: StartRun, tmp_path: Path) -> None:
    record(start(title=HOSTILE, paper=HOSTILE), HOSTILE)
    failed = tmp_path / "smoke" / "<i>20"
    failed.mkdir()
    error = {"output_type": "error", "ename": "Error", "evalue": HOSTILE}
    (failed / "notebook.failed.ipynb").write_text(json.dumps({"cells": [{"outputs": [error]}]}))
    path = build_report(tmp_path, "smoke")
    soup = page(path)
    assert not soup.find_all("script")
    assert len(soup.find_all("img")) == 1
    assert not soup.find_all("i")
    assert not LOADING.findall(re.sub(r"&lt;.*?&gt;", "", path.read_text(encoding="utf-8")))
    assert soup.get_text().count('alert("x")') > 10


def test_what_did_not_finish_is_said(start: StartRun, tmp_path: Path) -> None:
    record(start("10_good"))
    start("20_stopped")
    broken, failed, both = (tmp_path / "smoke" / name for name in ("30_broken", "40_failed", "50_both"))
    broken.mkdir()
    (broken / "result.json").write_text('{"schema": 1')
    failed.mkdir()
    error = {"output_type": "error", "ename": "NonFiniteLoss", "evalue": "loss is nan at step 3"}
    (failed / "notebook.failed.ipynb").write_text(json.dumps({"cells": [{}, {"outputs": [error]}]}))
    record(start("50_both"))
    (both / "notebook.failed.ipynb").write_text("no notebook at all")
    (tmp_path / "smoke" / "report.html").write_text("an old report is no notebook")
    (tmp_path / "smoke" / ".cache").mkdir()
    (tmp_path / "smoke" / "site").mkdir()

    entries = {entry["notebook"]: entry for entry in collect(tmp_path, "smoke")}
    assert list(entries) == ["10_good", "20_stopped", "30_broken", "40_failed", "50_both"]
    assert [name for name, entry in entries.items() if entry["finished"]] == ["10_good"]
    assert [name for name, entry in entries.items() if entry["result"]] == ["10_good", "50_both"]
    soup = page(build_report(tmp_path, "smoke"))
    (warning,) = [box.get_text(" ") for box in soup.find_all(class_="warning") if "Did not finish" in box.get_text()]
    assert "4 of 5" in warning
    for part in ("20_stopped", "no result.json", "30_broken", "damaged", "40_failed", "NonFiniteLoss: loss is nan at step 3"):
        assert part in warning
    assert "10_good" not in warning


def test_the_notebook_that_builds_the_report_is_left_out(start: StartRun, tmp_path: Path) -> None:
    record(start("10_a"))
    start("90_report")
    assert "90_report" in build_report(tmp_path, "smoke").read_text(encoding="utf-8")
    assert "90_report" not in build_report(tmp_path, "smoke", running="90_report").read_text(encoding="utf-8")


def test_missing_pieces_become_warnings(start: StartRun, tmp_path: Path) -> None:
    run = record(start())
    (run.folder / "figures" / "f.png").write_bytes(b"<html>")
    (run.folder / "provenance.json").write_text("[1")
    text = page(build_report(tmp_path, "smoke")).get_text(" ")
    assert "Missing picture" in text
    assert "provenance.json is missing or unreadable" in text


def test_mixed_commits_are_pointed_out(start: StartRun, tmp_path: Path) -> None:
    for name, sha in (("10_a", "a" * 40), ("20_b", "b" * 40)):
        run = record(start(name))
        origin = json.loads((run.folder / "provenance.json").read_text())
        origin["git"] = {"sha": sha, "dirty": False}
        (run.folder / "provenance.json").write_text(json.dumps(origin))
    text = page(build_report(tmp_path, "smoke")).get_text(" ")
    assert "2 different commits" in text
    assert "uncommitted" not in text


def test_nothing_run_yet_and_unknown_profiles(tmp_path: Path) -> None:
    assert collect(tmp_path, "quick") == []
    assert "Nothing was run" in build_report(tmp_path, "quick").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="smoke, quick, evening, workshop, paper"):
        build_report(tmp_path, "fast")


def test_the_files_of_a_run_are_linked(start: StartRun, tmp_path: Path) -> None:
    run = record(start())
    (run.folder / "notebook.html").write_text("")
    links = [str(link["href"]) for link in page(build_report(tmp_path, "smoke")).find_all("a")]
    assert "10_demo/notebook.html" in links
    assert "10_demo/log.txt" not in links


def test_the_page_can_be_shown_inside_a_notebook(start: StartRun, tmp_path: Path) -> None:
    record(start())
    path = build_report(tmp_path, "smoke")
    (frame,) = BeautifulSoup(str(show_report(path).data), "html.parser").find_all("iframe")
    assert "src" not in frame.attrs
    inner = BeautifulSoup(str(frame["srcdoc"]), "html.parser")
    assert inner.h1 == page(path).h1
    assert inner.base is not None
