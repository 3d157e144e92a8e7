from __future__ import annotations

import base64
import io
import os
import re
import textwrap
from pathlib import Path
from typing import Any

import nbformat
import pytest
import tiny_site
from bs4 import BeautifulSoup, Tag
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from facesr_tools.report.offline import make_offline
from facesr_tools.site.export import export_notebook, export_notebooks

WIDGET = "application/vnd.jupyter.widget-view+json"


def png() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (3, 2), "red").save(content, "PNG")
    return content.getvalue()


def export(folder: Path, *cells: Any, **metadata: Any) -> BeautifulSoup:
    """Export a notebook of these cells and read the page back."""
    nbformat.write(new_notebook(cells=list(cells), metadata=metadata), folder / "n.ipynb")
    page = export_notebook(folder / "n.ipynb", folder / "n.html").read_text(encoding="utf-8")
    assert_offline(page)
    return BeautifulSoup(page, "html.parser")


def output(**data: Any) -> Any:
    return new_code_cell("x = 1", execution_count=1, outputs=[new_output("display_data", data=data)])


def assert_offline(page: str) -> None:
    """No element loads or runs anything: only data URIs, links to click, and the policy that makes the browser agree."""
    soup = BeautifulSoup(page, "html.parser")
    assert not soup.find_all(["script", "link", "object", "embed", "base"])
    for tag in soup.find_all(True):
        for name, value in tag.attrs.items():
            loads = name in ("src", "srcset", "poster", "data", "background") or (name.endswith("href") and tag.name != "a")
            assert not (loads and not str(value).startswith(("data:", "#"))), f"<{tag.name} {name}={value}>"
            assert not name.startswith("on"), f"<{tag.name} {name}>"
    for style in [tag.get_text() for tag in soup.find_all("style")] + [str(tag["style"]) for tag in soup.find_all(style=True)]:
        assert not re.search(r"@import|url\(\s*['\"]?(?!['\"]?(?:data:|#))", style)
    policy = soup.find("meta", attrs={"http-equiv": "Content-Security-Policy"})
    assert isinstance(policy, Tag)
    assert "default-src 'none'" in str(policy["content"])


def test_the_page_keeps_text_code_outputs_and_title(tmp_path: Path) -> None:
    soup = export(
        tmp_path,
        new_markdown_cell("# A heading\n\nSome *text* and [a link](https://example.org/page)."),
        new_code_cell("print(41 + 1)", execution_count=1, outputs=[new_output("stream", text="42\n")]),
        output(**{"image/png": base64.b64encode(png()).decode(), "text/plain": "<Figure>"}),
        facesr={"title": "My <title>"},
    )
    text = soup.get_text()
    assert all(part in text for part in ("A heading", "print", "42"))
    assert soup.title is not None
    assert soup.title.get_text() == "My <title>"
    assert [str(a["href"]) for a in soup.find_all("a") if "example" in str(a["href"])] == ["https://example.org/page"]
    assert base64.b64decode(str(soup.find_all("img")[-1]["src"]).partition(",")[2]) == png()


def test_web_pictures_become_their_words_and_local_ones_are_embedded(tmp_path: Path) -> None:
    (tmp_path / "pic.png").write_bytes(png())
    badge = "[![Open in Binder](https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/a/b)"
    soup = export(tmp_path, new_markdown_cell(f"{badge}\n\n![face](pic.png)\n\n![gone](missing.png)"))
    assert "[Open in Binder]" in soup.get_text()
    assert "[gone]" in soup.get_text()
    (picture,) = soup.find_all("img")
    assert picture["alt"] == "face"
    assert base64.b64decode(str(picture["src"]).partition(",")[2]) == png()


def test_formulas_are_readable_without_a_script(tmp_path: Path) -> None:
    soup = export(
        tmp_path, new_markdown_cell(r"Inline $x^2$, costs \$5, `$code$`." + "\n\n$$\\frac{a}{b} \\tag{1}$$\n\n$$\\nonsense$$")
    )
    assert [formula["display"] for formula in soup.find_all("math")] == ["inline", "block"]
    assert all(part in soup.get_text() for part in ("costs $5", "$code$", r"\nonsense", "(1)"))


def test_explorers_show_how_they_start(tmp_path: Path) -> None:
    widgets = {tiny_site.STATE: {"version_major": 2, "version_minor": 0, "state": tiny_site.widget_state()}}
    soup = export(tmp_path, output(**{WIDGET: {"model_id": "box"}, "text/plain": "VBox()"}), widgets=widgets)
    (picture,) = soup.find_all("img")
    assert picture["alt"] == "What the explorer draws with scale 4, kind bicubic"
    assert base64.b64decode(str(picture["src"]).partition(",")[2]) == tiny_site.png("blue")


def test_widgets_and_progress_bars_do_not_leave_holes(tmp_path: Path) -> None:
    soup = export(
        tmp_path,
        output(**{WIDGET: {"model_id": "a"}, "text/plain": "IntSlider(value=0)"}),
        output(**{WIDGET: {"model_id": "b"}, "text/plain": "training:   0%|          | 0/3 [00:00<?, ?it/s]"}),
        output(**{WIDGET: {"model_id": "c"}, "text/html": "<b>still form</b>", "text/plain": "w"}),
        output(**{"application/javascript": "fetch('https://evil.example')", "text/plain": "<Javascript>"}),
        widgets={"application/vnd.jupyter.widget-state+json": {"version_major": 2, "version_minor": 0, "state": {}}},
    )
    text = soup.get_text()
    assert text.count("Interactive part: run the notebook to use it.") == 2
    assert "still form" in text
    assert "it/s" not in text
    assert "evil" not in text


def test_diagrams_stay_readable_as_their_source(tmp_path: Path) -> None:
    soup = export(tmp_path, new_markdown_cell("```mermaid\ngraph LR; LR-->SR\n```"))
    (source,) = [block for block in soup.find_all("pre") if "LR-->SR" in block.get_text()]
    assert not source.find_parent(class_="jp-Mermaid")  # nbconvert's style hides that until its script has drawn it


def test_hostile_outputs_cannot_load_or_run(tmp_path: Path) -> None:
    hostile = """
      <script src="https://evil.example/a.js"></script><link rel="stylesheet" href="https://evil.example/a.css">
      <img src="//evil.example/a.png" srcset="https://evil.example/b.png 2x" onerror="alert(1)">
      <iframe src="https://evil.example"></iframe><object data="https://evil.example/o"></object>
      <video poster="https://evil.example/p.png" src="https://evil.example/v.mp4"></video>
      <a href="javascript:alert(1)">click</a><svg><image xlink:href="https://evil.example/i.png"/></svg>
      <style>@import "https://evil.example/x.css"; p { background: url( 'https://evil.example/y.png' ) }</style>
      <p style="background:url(https://evil.example/z.png)">kept</p><meta http-equiv="refresh" content="0;url=https://evil.example">
      <base href="https://evil.example/">"""
    hostile = textwrap.dedent(hostile)  # indented, Markdown would take it for code
    soup = export(tmp_path, new_markdown_cell(hostile), output(**{"text/html": hostile, "text/plain": "x"}))
    assert "evil.example" not in str(soup)
    assert soup.get_text().count("kept") == 2


def test_what_needs_no_network_is_left_alone() -> None:
    page = '<p style="color: red; background: url(data:image/png;base64,AA)"><a href="https://x.org">x</a>'
    page += '<img alt="" src="data:,"/></p>'
    assert page in make_offline(page)


def test_a_file_that_is_no_notebook_is_named(tmp_path: Path) -> None:
    for content in ("", "{}", "no json", '{"nbformat": 99}'):
        (tmp_path / "bad.ipynb").write_text(content)
        with pytest.raises(ValueError, match=r"bad\.ipynb"):
            export_notebook(tmp_path / "bad.ipynb", tmp_path / "bad.html")
        assert not (tmp_path / "bad.html").exists()


def test_every_executed_notebook_gets_a_page_and_only_when_it_is_newer(tmp_path: Path) -> None:
    for name in ("00_a", "10_b"):
        (tmp_path / name).mkdir()
        nbformat.write(
            nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(f"# {name}")]), tmp_path / name / "notebook.ipynb"
        )
    (tmp_path / "20_unfinished").mkdir()
    pages = export_notebooks(tmp_path)
    assert pages == [tmp_path / "00_a" / "notebook.html", tmp_path / "10_b" / "notebook.html"]
    assert "00_a" in pages[0].read_text()
    for page in pages:
        page.write_text("kept")
    later = pages[1].stat().st_mtime + 10
    os.utime(tmp_path / "10_b" / "notebook.ipynb", (later, later))
    export_notebooks(tmp_path)
    assert pages[0].read_text() == "kept"
    assert pages[1].read_text() != "kept"
