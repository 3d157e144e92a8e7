"""A small project through the real Jupyter Book: what its pages say, and that nothing in them leads nowhere or elsewhere."""

from __future__ import annotations

import json
import re
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
import tiny_site
from bs4 import BeautifulSoup
from typer.testing import CliRunner

from facesr_tools.book import BookError, build, build_book, jupyter_book
from facesr_tools.cli.main import app
from facesr_tools.launch import REPOSITORY, TAG, launch_links
from facesr_tools.runner.notebooks import read_notebooks

PAGES = [
    "00_first.html",
    "10_second.html",
    "90_third.html",
    "claims.html",
    "index.html",
    "install.html",
    "metrics.html",
    "model_human_gan.html",
]


def read(site: Path, page: str) -> BeautifulSoup:
    return BeautifulSoup((site / page).read_text(encoding="utf-8"), "html.parser")


def problems(site: Path) -> list[str]:
    """Every link, anchor, picture, style and script of a site that leads nowhere, or that a browser would load from elsewhere."""
    soups = {path.name: read(site, path.name) for path in site.glob("*.html")}
    found = []
    for name, soup in soups.items():
        for tag in soup.find_all(True):
            for key in ("href", "src", "poster", "data"):
                target = urlsplit(str(tag.get(key) or "data:"))
                where = f"{name}: <{tag.name} {key}={str(tag.get(key))[:80]}>"
                if target.scheme == "data":
                    continue
                if target.scheme or target.netloc:
                    if tag.name != "a" or target.scheme not in ("https", "mailto"):
                        found.append(where)
                    continue
                path = unquote(target.path) or name
                page = soups.get(path)
                if not (site / path).is_file() or (target.fragment and page and not page.find(id=target.fragment)):
                    found.append(where)
            found += [f"{name}: {tag.name} has {key}" for key in tag.attrs if key.startswith("on") or key == "srcset"]
        found += [f"{name}: {tag}" for tag in soup.find_all("img") if not str(tag.get("alt") or "").strip()]
        ids = [tag["id"] for tag in soup.find_all(id=True)]
        found += [f"{name}: two elements are called {twice}" for twice in {one for one in ids if ids.count(one) > 1}]
        levels = [int(tag.name[1]) for tag in soup.find_all(re.compile("^h[1-6]$"))]
        found += [f"{name}: headings {levels}"] * (levels[0] != 1 or levels.count(1) != 1)
        found += [f"{name}: h{after} follows h{before}" for before, after in pairwise(levels) if after > before + 1]
    for path in (site / "site.css", *site.glob("files/*.html")):
        found += [
            f"{path.name}: {load}" for load in re.findall(r"@import.{20}|url\((?!['\"]?data:).{20}", path.read_text())
        ]
    return found


def test_everything_on_every_page_leads_somewhere_and_nothing_loads_from_elsewhere(site: Path) -> None:
    assert sorted(path.name for path in site.glob("*.html")) == PAGES
    assert problems(site) == []


def test_the_check_above_sees_what_is_wrong(tmp_path: Path) -> None:
    page = '<h1>a</h1><h3>b</h3><img src="a.png"><a href="#no">x</a><a href="http://plain.example">y</a>'
    page += '<script src="//cdn.example/a.js"></script>'
    (tmp_path / "a.html").write_text(page)
    (tmp_path / "site.css").write_text("@import url(https://fonts.example/a.css);")
    assert len(problems(tmp_path)) == 7


def test_a_notebooks_page(site: Path) -> None:
    soup = read(site, "00_first.html")
    text = soup.get_text(" ", strip=True)
    assert soup.h1 is not None
    assert soup.h1.get_text() == "The first"
    assert "30 s quick" in text
    assert "CPU (smoke, quick); GPU (workshop, paper)" in text
    assert {link["href"] for link in soup.select(".buttons a.button:not(.plain)")} == set(
        launch_links("00_first").values()
    )
    assert [link.get_text() for link in soup.select("nav.around a")] == ["PreviousHome", "NextThe second"]
    assert [link["href"] for link in soup.select("aside.toc a")] == ["#formulas", "#pictures", "#exercises", "#one"]
    assert {"10_second.html", "10_second.html#the-end", "#pictures"} <= {
        link["href"] for link in soup.select("main a[href]")
    }
    assert len(soup.select("main math")) == 2
    assert "frac" not in "".join(str(rest) for rest in soup.select("main .katex-html"))
    assert "Written by npm @someone/package." in text
    assert "Colab" not in "".join(
        paragraph.get_text() for paragraph in soup.select("main > p")
    )  # a badge is a button now


def test_cells_and_outputs(site: Path) -> None:
    soup = read(site, "00_first.html")
    text = soup.get_text(" ", strip=True)
    alts = [picture["alt"] for picture in soup.select("main img")]
    assert alts == [
        "A red bar.",
        "Picture without a description",
        "A black bar.",
        "What the explorer draws with scale 4, kind bicubic",
    ]
    colors = {"red", "green", "black", "blue"}
    stored = {path.read_bytes() for path in (site / "files").glob("*.png")}
    assert {tiny_site.png(color) for color in colors} <= stored
    assert "evil" not in str(soup)
    assert "kept" in text
    assert "100%" in text
    assert "5%" not in text
    assert "the last line" in text
    (solution,) = [fold for fold in soup.select("main details") if "Solution" in fold.get_text()]
    assert "return" in solution.get_text()
    assert not solution.has_attr("open")
    assert "Your turn" in text
    error = read(site, "10_second.html").select_one("pre.error")
    assert error is not None
    assert error.get_text() == "E: bad"


def test_nothing_of_the_machine_that_ran_it_is_published(site: Path) -> None:
    for path in [*site.glob("*.html"), *site.glob("files/*.ipynb"), site / "search-index.js"]:
        if (
            "OUTPUT_DIR =" not in path.read_text()
        ):  # the downloadable notebook as committed in this test holds it itself
            assert "/home/someone" not in path.read_text(), path
    assert "runs/quick" in read(site, "00_first.html").get_text()


def test_explorers_show_their_first_view(site: Path) -> None:
    (explorer,) = read(site, "00_first.html").select(".explorer")
    assert [name.get_text() for name in explorer.select(".control .name")] == ["scale", "kind"]
    assert [one.get_text() for one in explorer.select("option, .readout")] == ["4", "bicubic"]
    assert all(control.has_attr("disabled") for control in explorer.select("select, input, button"))
    assert "live notebook" in explorer.get_text()


def test_downloads_are_the_notebooks(site: Path) -> None:
    links = read(site, "00_first.html").select("a[download]")
    assert [link["download"] for link in links] == ["00_first.ipynb"] * 2
    executed, plain = (nbformat.read(site / str(link["href"]), as_version=4) for link in links)
    nbformat.validate(executed)
    assert sum(bool(cell.get("outputs")) for cell in executed.cells) == 4
    assert not [cell for cell in executed.cells if "injected-parameters" in cell.metadata.get("tags", [])]
    assert not any(cell.get("outputs") for cell in plain.cells)


def test_no_kernel_starts_and_a_notebook_without_results_says_so(site: Path) -> None:
    assert not (site.parents[2] / "executed").exists()  # which the third notebook would write
    soup = read(site, "90_third.html")
    assert "Not executed in this build." in soup.get_text()
    assert len(soup.select("a[download]")) == 1


def test_the_first_page(site: Path) -> None:
    soup = read(site, "index.html")
    text = soup.get_text(" ", strip=True)
    (card,) = [card for card in soup.select(".card") if "Human-face GAN" in card.get_text()]
    assert card.a is not None
    assert card.a["href"] == "10_second.html"
    assert [chip.get_text() for chip in card.select(".verdict.reproduced")] == ["1 reproduced"]
    assert "See how formulas survive." in text
    rows = [[cell.get_text() for cell in row.select("td")] for row in soup.select("main table tr")]
    assert ["The first", "12 s", "30 s", "10 min", "3 h", "CPU (smoke, quick); GPU (workshop, paper)"] in rows
    assert "@software{facesr," in soup.get_text()
    claims = read(site, "claims.html")
    assert "It | works *well*." in claims.get_text()


def test_links_out_of_the_site_lead_to_the_repository_at_this_version(site: Path) -> None:
    links = {
        str(link["href"]) for page in ("install.html", "metrics.html") for link in read(site, page).select("main a")
    }
    assert f"{REPOSITORY}/blob/{TAG}/pyproject.toml" in links
    assert f"{REPOSITORY}/blob/{TAG}/facesr_lib" in links
    assert any(re.fullmatch(r"files/LICENSE-\w+", link) for link in links)


def test_search_knows_every_section(site: Path) -> None:
    script = (site / "search-index.js").read_text(encoding="utf-8")
    index = json.loads(script.removeprefix("window.facesrIndex = ").rstrip(";\n"))
    assert [entry["u"] for entry in index if "zebrafish" in entry["t"]] == ["00_first.html#pictures"]
    assert {entry["u"].partition("#")[0] for entry in index} >= set(PAGES)


def test_an_earlier_site_survives_a_failure_and_is_replaced_as_a_whole(
    tmp_path: Path, jupyter_book: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebooks = read_notebooks(tiny_site.write_project(tmp_path))
    results = tmp_path / "runs" / tiny_site.PROFILE
    (results / "book").mkdir()
    (results / "book" / "index.html").write_text("earlier")
    before = {path.name for path in results.iterdir()}
    with monkeypatch.context() as broken:
        broken.setattr(build, "write_site", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            build_book(notebooks, tmp_path / "runs", tiny_site.PROFILE, root=None)
    assert (results / "book" / "index.html").read_text() == "earlier"
    assert {path.name for path in results.iterdir()} == before
    page = build_book(notebooks, tmp_path / "runs", tiny_site.PROFILE, root=None)
    assert page == results / "book" / "index.html"
    assert not (results / "book" / "install.html").exists()
    assert {path.name for path in results.iterdir()} == before
    assert problems(page.parent) == []


def test_no_results_no_site() -> None:
    answer = CliRunner().invoke(app, ["book", "--profile", "smoke", "--out", "nowhere"])
    assert answer.exit_code == 2
    assert "first: make reproduce" in answer.output


def test_missing_programs_are_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    with monkeypatch.context() as patch:
        patch.setattr(jupyter_book, "find_node", lambda: None)
        with pytest.raises(BookError, match=r"Node 20.*facesr\[site\]"):
            jupyter_book.check_tools()
        patch.setattr(metadata, "version", version)
        with pytest.raises(BookError, match=r"Jupyter Book 2 is not installed.*facesr\[site\]"):
            jupyter_book.check_tools()
        patch.setattr(metadata, "version", lambda _: "1.0.4")
        with pytest.raises(BookError, match=r"1\.0\.4"):
            jupyter_book.check_tools()


def test_an_old_node_of_the_system_will_not_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jupyter_book.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert jupyter_book.find_node() is None
    for version, usable in (("v18.19.0", False), ("v20.0.0", True)):
        for name in ("node", "npm"):
            (tmp_path / name).write_text(f"#!/bin/sh\necho {version}\n")
            (tmp_path / name).chmod(0o755)
        assert (jupyter_book.find_node() is not None) == usable


def test_what_jupyter_book_cannot_read_is_reported_in_its_words(tmp_path: Path, jupyter_book: None) -> None:
    (tmp_path / "myst.yml").write_text("version: nonsense\nsite: [")
    with pytest.raises(BookError, match="last words"):
        build.read_project(tmp_path)
