"""A small project through the real Sphinx: what its pages say, and that nothing in them leads nowhere or elsewhere."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit
from zipfile import ZipFile

import nbformat
import pytest
import tiny_site
from bs4 import BeautifulSoup
from typer.testing import CliRunner

from facesr_lib.papers import PAPERS, Paper
from facesr_tools.cli.main import app
from facesr_tools.launch import REPOSITORY, TAG, launch_links
from facesr_tools.report.departures import departures
from facesr_tools.report.exhibits import Exhibit
from facesr_tools.runner.notebooks import read_notebooks
from facesr_tools.site import build, landing
from facesr_tools.site.build import SiteError, build_site
from facesr_tools.site.headlines import CLAIMS
from facesr_tools.site.landing import template, write_exhibits
from facesr_tools.site.seed_page import write_seed_page
from facesr_tools.site.stage import Source, markdown

PAGES = {
    "api/index",
    "bibliography",
    "claims",
    "departures",
    "docs/metrics",
    "glossary",
    "index",
    "install",
    "models/human_gan",
    "notebooks/00_first",
    "notebooks/10_second",
    "notebooks/90_third",
    "results",
    "results-quick-colour",
    "search",
    "seeds",
}


def read(site: Path, page: str) -> BeautifulSoup:
    return BeautifulSoup((site / f"{page}.html").read_text(encoding="utf-8"), "html.parser")


def problems(site: Path) -> list[str]:
    """Every link, anchor, picture, style and script of a site that leads nowhere, or that a browser would load from elsewhere."""
    site = site.resolve()
    soups = {path: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser") for path in site.rglob("*.html")}
    names = {path: [str(tag["id"]) for tag in soup.find_all(id=True)] for path, soup in soups.items()}
    found = []
    for own, soup in soups.items():
        name = own.relative_to(site)
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
                path = (own.parent / unquote(target.path)).resolve() if target.path else own
                known = not target.fragment or path not in names or target.fragment in names[path]
                if not path.is_file() or not known:
                    found.append(where)
            found += [f"{name}: {tag.name} has {key}" for key in tag.attrs if key.startswith("on") or key == "srcset"]
        found += [f"{name}: {tag}" for tag in soup.find_all("img") if not str(tag.get("alt") or "").strip()]
        found += [f"{name}: two are called {twice}" for twice, count in Counter(names[own]).items() if count > 1]
        levels = [int(tag.name[1]) for tag in (soup.article or soup).find_all(re.compile("^h[1-6]$"))]
        found += [f"{name}: headings {levels}"] * (levels[:1] != [1] or levels.count(1) != 1)
        found += [f"{name}: h{after} follows h{before}" for before, after in pairwise(levels) if after > before + 1]
    for path in (site / "_static" / "site.css", *site.glob("files/*.html")):
        loads = re.findall(r"@import.{20}|url\((?!['\"]?data:).{20}", path.read_text()) if path.is_file() else []
        found += [f"{path.name}: {load}" for load in loads]
    return found


def test_everything_on_every_page_leads_somewhere_and_nothing_loads_from_elsewhere(site: Path) -> None:
    assert {str(path.relative_to(site).with_suffix("")) for path in site.rglob("*.html")} >= PAGES
    assert problems(site) == []


def test_sphinx_has_no_remarks(site: Path) -> None:
    """Among them a docstring of the library that is no valid text for it."""
    said = (site.parents[2] / "said.txt").read_text().splitlines()
    assert [line for line in said if line.startswith("  ")] == []


def test_the_check_of_pages_sees_what_is_wrong(tmp_path: Path) -> None:
    page = '<h1>a</h1><h3>b</h3><img src="a.png"><a href="#no">x</a><a href="http://plain.example">y</a>'
    page += '<script src="//cdn.example/a.js"></script>'
    (tmp_path / "a.html").write_text(page)
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static" / "site.css").write_text("@import url(https://fonts.example/a.css);")
    assert len(problems(tmp_path)) == 7


def test_a_notebooks_page(site: Path) -> None:
    soup = read(site, "notebooks/00_first")
    article = soup.article
    assert article is not None
    text = article.get_text(" ", strip=True)
    assert article.h1 is not None
    assert article.h1.get_text().startswith("The first")
    assert "30 s quick" in text
    assert "CPU (smoke, quick); GPU (workshop, paper)" in text
    assert {link["href"] for link in soup.select("a.button:not(.plain)")} == set(launch_links("00_first").values())
    assert [str(link["href"]) for link in soup.select(".prev-next-area a")] == ["../index.html", "10_second.html"]
    assert [link["href"] for link in soup.select("nav.page-toc a")] == ["#formulas", "#pictures", "#exercises", "#one"]
    assert {"10_second.html", "10_second.html#the-end", "#pictures"} <= {link["href"] for link in article("a", href=True)}
    assert "Written by npm @someone/package." in text
    assert "badges.example" not in str(soup)  # a badge is a button now


def test_formulas_are_mathml(site: Path) -> None:
    formulas = read(site, "notebooks/00_first").select("article math")
    assert [formula["display"] for formula in formulas] == ["inline", "block"]
    assert formulas[1].mfrac is not None
    assert "MathJax" not in (site / "notebooks" / "00_first.html").read_text()


def test_cells_and_outputs(site: Path) -> None:
    soup = read(site, "notebooks/00_first")
    text = soup.get_text(" ", strip=True)
    alts = [picture["alt"] for picture in soup.select("article img")]
    assert alts == [
        "A red bar.",
        "Picture without a description",
        "A black bar.",
        "What the explorer draws with scale 4, kind bicubic",
    ]
    stored = {path.read_bytes() for path in (site / "files").glob("*.png")}
    assert {tiny_site.png(color) for color in ("red", "green", "black", "blue")} <= stored
    assert "evil" not in str(soup)
    assert "kept" in text
    assert "100%" in text
    assert "5%" not in text
    assert "the last line" in text
    (solution,) = soup.select("article details")
    assert solution.summary is not None
    assert solution.summary.get_text(strip=True).startswith("Solution")
    assert "return" in solution.get_text()
    assert not solution.has_attr("open")
    assert len(soup.select(".cell.tag_exercise")) == 1
    assert "E: bad" in read(site, "notebooks/10_second").select_one(".cell_output").get_text()  # type: ignore[union-attr]


def test_explorers_show_their_first_view(site: Path) -> None:
    (explorer,) = read(site, "notebooks/00_first").select(".explorer")
    assert [item.get_text() for item in explorer.select(".controls li")] == ["scale 4", "kind bicubic"]
    assert len(explorer("img")) == 1
    assert "24.9 dB" in explorer.get_text()
    assert "live notebook" in explorer.get_text()
    assert not read(site, "notebooks/00_first").find("script", type=re.compile("jupyter"))


def test_nothing_of_the_machine_that_ran_it_is_published(site: Path) -> None:
    for path in [*site.rglob("*.html"), *site.glob("files/*.ipynb"), site / "searchindex.js"]:
        if "OUTPUT_DIR =" not in path.read_text():  # the downloadable notebook as committed in this test holds it itself
            assert "/home/someone" not in path.read_text(), path
    assert "runs/quick" in read(site, "notebooks/00_first").get_text()


def test_downloads_are_the_notebooks(site: Path) -> None:
    links = read(site, "notebooks/00_first").select("a[download]")
    assert [link["download"] for link in links] == ["00_first.ipynb"] * 2
    executed, plain = (nbformat.read(site / "notebooks" / str(link["href"]), as_version=4) for link in links)
    nbformat.validate(executed)
    assert sum(bool(cell.get("outputs")) for cell in executed.cells) == 4
    assert executed.metadata.widgets
    assert not [cell for cell in executed.cells if "injected-parameters" in cell.metadata.get("tags", [])]
    assert not any(cell.get("outputs") for cell in plain.cells)


def test_no_kernel_starts_and_a_notebook_without_results_says_so(site: Path) -> None:
    assert not (site.parents[2] / "executed").exists()  # which the third notebook would write
    soup = read(site, "notebooks/90_third")
    assert "Not executed in this build." in soup.get_text()
    assert len(soup.select("a[download]")) == 1


def test_the_first_page(site: Path) -> None:
    soup = read(site, "index")
    text = soup.get_text(" ", strip=True)
    (card,) = [card for card in soup.select("div.sd-card") if "Human-face GAN" in card.get_text()]
    assert "notebooks/10_second.html" in {link["href"] for link in card("a")}
    counts = ["1 reproduced", "1 undecided", "1 points for"]
    assert [chip.get_text() for chip in card.select(".verdict")] == ["undecided (2 seeds)", *counts]
    assert [part.get_text() for part in card.select("dl.effects :is(dt, dd)")] == ["PSNR (dB)", "+0.5 dB [−1.0, +2.0]"]
    assert "3 people in 6 images, 2 training seeds" in card.get_text()
    columns = [column.get_text() for column in card.select("figcaption span")]
    assert (columns[0], columns[-1]) == ("LR", "HR")
    assert ", ".join(columns) in str(card.select_one("figure img")["alt"])
    assert "See how formulas survive." in text
    rows = [[cell.get_text(strip=True) for cell in row("td")] for row in soup.select("article table tr")]
    assert any(row[0] == "The first" and "30 s" in row and row[-1].startswith("CPU (smoke") for row in rows if row)
    assert "@software{facesr," in soup.get_text()
    captions = [caption.get_text(strip=True) for caption in soup.select("nav.bd-links .caption")]
    assert captions == ["Lessons", "1 Human-face GAN", "Results", "Models", "Reference", "The project"]
    verdicts = read(site, "claims")
    assert "It | works *well*." in verdicts.get_text()
    assert [badge.get_text() for badge in verdicts.select("td .verdict.points-for")] == ["points for (1 seed)"]
    assert "PSNR [−0.3, +0.9] is wide." in verdicts.get_text()
    lines = [line.get_text() for line in verdicts.select("td:has(.points-for) .where")]
    effects = [f"A better than {name}: PSNR +0.30 dB [−0.30, +0.90]; SSIM +0.30 [−0.30, +0.90]" for name in "BCDE"]
    assert lines == [*effects, "1 more in the report"]


def test_links_out_of_the_site_lead_to_the_repository_at_this_version(site: Path) -> None:
    links = {str(link["href"]) for page in ("install", "docs/metrics") for link in read(site, page).select("article a")}
    assert {f"{REPOSITORY}/blob/{TAG}/{name}" for name in ("pyproject.toml", "facesr_lib", "LICENSE")} <= links


def test_search_knows_what_the_pages_say(site: Path) -> None:
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    assert index.startswith("Search.setIndex(")  # a script and not JSON: a page on the disk may not fetch
    assert "zebrafish" in index
    assert "facesr_lib.metrics" in index


def test_every_public_function_has_its_description(site: Path) -> None:
    soup = read(site, "api/facesr_lib.metrics")
    psnr = soup.find(id="facesr_lib.metrics.psnr")
    assert psnr is not None
    assert "crop" in psnr.get_text()
    assert psnr.find_next("dd").get_text(strip=True)  # type: ignore[union-attr]
    overview = [link.get_text() for link in read(site, "api/index").select("article li a")]
    assert {"facesr_lib.image", "facesr_lib.papers.human_gan"} <= set(overview)


def test_terms_and_papers_can_be_referred_to(site: Path) -> None:
    glossary, papers = read(site, "glossary"), read(site, "bibliography")
    assert glossary.find(id="term-PSNR") is not None
    assert "SSIM" in [term.get_text().rstrip("#") for term in glossary("dt")]
    assert "From Error Visibility to Structural Similarity".lower() in papers.get_text().lower()
    assert "Image super resolution of human face images using GAN" in papers.get_text()
    assert glossary.select('a[href^="bibliography.html#"]')


def test_an_earlier_site_survives_a_failure_and_is_replaced_as_a_whole(
    tmp_path: Path, sphinx: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebooks = read_notebooks(tiny_site.write_project(tmp_path))
    results = tmp_path / "runs" / tiny_site.PROFILE
    (results / "site").mkdir()
    (results / "site" / "index.html").write_text("earlier")
    (results / "site" / "old.html").write_text("earlier")
    before = {path.name for path in results.iterdir()} | {".site.lock"}  # which stays

    def fail(project: Path, site: Path, profile: str) -> list[str]:
        raise SiteError("no")

    def succeed(project: Path, site: Path, profile: str) -> list[str]:
        site.mkdir()
        (site / "index.html").write_text("new")
        return []

    monkeypatch.setattr(build, "run_sphinx", fail)
    with pytest.raises(SiteError):
        build_site(notebooks, tmp_path / "runs", tiny_site.PROFILE, root=None)
    assert (results / "site" / "index.html").read_text() == "earlier"
    assert {path.name for path in results.iterdir()} | {".site.lock"} == before
    monkeypatch.setattr(build, "run_sphinx", succeed)
    page = build_site(notebooks, tmp_path / "runs", tiny_site.PROFILE, root=None)
    assert page == results / "site" / "index.html"
    assert page.read_text() == "new"
    assert not (results / "site" / "old.html").exists()
    assert {path.name for path in results.iterdir()} | {".site.lock"} == before


def test_what_sphinx_cannot_read_is_reported_in_its_words(tmp_path: Path, sphinx: None) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "conf.py").write_text("raise ValueError('a wrong word')")
    with pytest.raises(SiteError, match=r"last words(.|\n)*a wrong word"):
        build.run_sphinx(tmp_path / "project", tmp_path / "site", "quick")


def test_no_results_no_site() -> None:
    answer = CliRunner().invoke(app, ["site", "--profile", "smoke", "--out", "nowhere"])
    assert answer.exit_code == 2
    assert "first: make reproduce" in answer.output


def test_missing_packages_are_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "_NEEDED", ("no_such_package", "json"))
    with pytest.raises(SiteError, match=r"^no_such_package: not installed.*facesr\[site\]"):
        build.check_tools()


def test_markdown_of_github_means_the_same_to_sphinx(tmp_path: Path) -> None:
    def seen(text: str) -> str:
        return markdown(text, "docs/data.md", tmp_path)

    (tmp_path / "README.md").write_text("")
    assert seen("[![Binder](https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/a/b) text") == "text"
    assert seen("![a face](https://x.org/a.png)") == "[a face](https://x.org/a.png)"
    assert seen("![local](a.png)") == "![local](a.png)"
    assert seen("[`x`](../README.md#a)") == "[`x`](/install.md#a)"
    assert seen("[x](../CONTRIBUTING.md)") == f"[x]({REPOSITORY}/blob/{TAG}/CONTRIBUTING.md)"  # no page here
    assert seen("[x](#a) [y](https://x.org) [z](../tests/)") == f"[x](#a) [y](https://x.org) [z]({REPOSITORY}/tree/{TAG}/tests)"
    assert seen("`f[0](x)`\n```\nmodels[0](x)\n```\n") == "`f[0](x)`\n```\nmodels[0](x)\n```\n"


def test_plain_text_survives_markdown_and_tables() -> None:
    plain = template("index.md.j2").environment.filters["plain"]
    assert plain("a|b *c* [d] x_1 $y$\nz") == r"a\|b \*c\* \[d\] x\_1 \$y\$ z"


def test_code_in_prose_stays_code() -> None:
    filters = template("departures.md.j2").environment.filters
    assert filters["prose"]("a_b in `paper_x`, *not*  `c|d` `") == r"a\_b in `paper_x`, \*not\* `c\|d` \`"


def test_departures_are_listed_and_lead_to_the_api(site: Path) -> None:
    article = read(site, "departures").article
    assert article is not None
    tables = article.find_all("table")
    found = [one for paper in (*PAPERS, None) for one in departures(paper)]
    texts = [[" ".join(cell.get_text(" ").split()) for cell in row("td")] for table in tables for row in table.select("tbody tr")]
    straight = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "…": "...", " ": None})
    assert sorted(row[1].translate(straight) for row in texts) == sorted(re.sub("[ `]", "", one.text) for one in found)
    links = {str(link["href"]) for table in tables for link in table("a")}
    assert "api/facesr_lib.papers.human_gan.html#facesr_lib.papers.human_gan.Config" in links
    assert "api/facesr_lib.papers.selfsr.html#facesr_lib.papers.selfsr.Generator" in links


def test_exhibits_lead_to_notebooks_or_say_why_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = (Exhibit("Fig. 1", "It | works.", "10_second", "samples"), Exhibit("Table I", "Numbers.", why="No *public* code."))
    monkeypatch.setattr(landing, "exhibits", lambda paper: listed if paper.key == "human_gan" else ())
    sources = [
        Source("notebooks/10_second", "x", "y", notebook) for notebook in read_notebooks(tiny_site.write_project(tmp_path))[1:2]
    ]
    assert write_exhibits(tmp_path, sources)
    page = (tmp_path / "exhibits.md").read_text()
    assert "| Fig. 1 | It \\| works. | [10_second](/notebooks/10_second.ipynb): samples |" in page
    assert "| Table I | Numbers. | Not here: No \\*public\\* code. |" in page
    monkeypatch.setattr(landing, "exhibits", lambda paper: ())
    assert not write_exhibits(tmp_path, sources)


def test_what_is_committed_stands_on_the_first_page_on_its_own_and_below_its_notebook(site: Path) -> None:
    first = read(site, "index").find("a", string=re.compile("Committed results"))
    assert first is not None
    assert first["href"] == "results.html"
    assert "5 seeds" in read(site, "results").get_text()
    assert "In colour." in read(site, "results-quick-colour").get_text()
    second = " ".join(read(site, "notebooks/10_second").get_text(" ").split())
    assert "22.56 ± 1.47" in second
    assert "layers" not in second
    assert "Committed results" not in read(site, "notebooks/00_first").select_one("article").get_text()


def test_all_executed_notebooks_come_in_one_file(site: Path) -> None:
    link = read(site, "index").find("a", href="executed-notebooks.zip")
    assert link is not None
    with ZipFile(site / "executed-notebooks.zip") as together:
        names = together.namelist()
        assert names == sorted(names)
        assert "10_second.ipynb" in names
        assert json.loads(together.read("10_second.ipynb"))["nbformat"] == 4


def test_without_a_script_the_page_of_seeds_shows_all_of_them(site: Path) -> None:
    soup = read(site, "seeds")
    text = soup.article.get_text(" ", strip=True)
    assert "1 of 2 verdicts are the same for every one of the 3 choices of seeds." in text
    assert soup.select_one("form.seed-choice").has_attr("hidden")
    first, second = soup.select("tbody[data-claim]")
    assert "<human_gan.effective> is so." in first.get_text()
    assert first.select_one(".verdict").get_text() == "undecided (2 seeds)"
    assert "1 of 3 choices of seeds say so." in first.get_text(" ")
    assert first.select_one(".effect").get_text() == "+0.5 dB [−1.0, +2.0]"
    assert first.svg["aria-label"] == "seed 0 +2.000 dB; seed 1 −1.000 dB"
    assert second["class"] == ["stable"]
    assert [line.get("visibility") for line in second.select("line.interval, line.effect")] == ["hidden", None]
    assert "<human_gan.speed> is so." in text.partition("Not on this page")[2]


def test_a_profile_without_choices_has_no_page_of_seeds(tmp_path: Path) -> None:
    (tmp_path / "results" / "quick").mkdir(parents=True)
    assert not write_seed_page(tmp_path, tmp_path)
    assert not write_seed_page(tmp_path, None)


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.key)
def test_a_headline_sets_the_papers_method_beside_bicubic(paper: Paper) -> None:
    (claim,) = [claim for claim in paper.claims if claim.id == CLAIMS[paper.key]]
    assert {part.terms[1:] for part in claim.parts} == {(("bicubic", -1.0),)}
    assert "PSNR" in {part.metric for part in claim.parts}
