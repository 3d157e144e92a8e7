"""Every kind of node that Jupyter Book hands over, as HTML."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from pygments.styles import get_style_by_name

import facesr_lib.evaluate
from facesr_tools.book.assets import Assets
from facesr_tools.book.elements import code, element
from facesr_tools.book.fragment import clean
from facesr_tools.book.landing import plain
from facesr_tools.book.outputs import draw_outputs
from facesr_tools.book.render import Page
from facesr_tools.book.site import STYLES
from facesr_tools.book.stage import markdown
from facesr_tools.launch import source_link

KATEX = '<span class="katex"><math><mi>x</mi></math></span><span class="katex-html" aria-hidden="true">x</span>'


def text(value: str) -> dict[str, Any]:
    return {"type": "text", "value": value}


def node(type_: str, *children: Any, **fields: Any) -> dict[str, Any]:
    return {
        "type": type_,
        "children": [text(child) if isinstance(child, str) else child for child in children],
        **fields,
    }


@pytest.fixture
def page(tmp_path: Path) -> Page:
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "a-1f.png").write_bytes(b"picture")
    return Page(
        "docs/data.md", {"/": "index.html", "/edges": "02_edges.html"}, Assets(tmp_path / "site", tmp_path / "public")
    )


SIMPLE = {
    "paragraph": (node("paragraph", "a < b"), "<p>a &lt; b</p>"),
    "strong": (node("strong", "x"), "<strong>x</strong>"),
    "emphasis": (node("emphasis", "x"), "<em>x</em>"),
    "inlineCode": ({"type": "inlineCode", "value": "<b>"}, "<code>&lt;b&gt;</code>"),
    "break": ({"type": "break"}, "<br>"),
    "span": (node("span", "3", **{"class": "verdict"}), '<span class="verdict">3</span>'),
    "abbreviation": (node("abbreviation", "SR", title="super"), '<abbr title="super">SR</abbr>'),
    "list": (node("list", node("listItem", node("paragraph", "a"))), "<ul><li>a</li></ul>"),
    "ordered": (
        node("list", node("listItem", node("paragraph", "a"), spread=True), ordered=True, start=3),
        '<ol start="3"><li>a</li></ol>',
    ),
    "task": (
        node("listItem", node("paragraph", "a"), checked=True),
        '<li><input type="checkbox" disabled checked> a</li>',
    ),
    "details": (node("details", node("summary", "s"), "t", open=True), "<details open><summary>s</summary>t</details>"),
    "admonition": (
        node("admonition", node("admonitionTitle", "Note"), kind="note"),
        '<aside class="admonition note"><p class="admonition-title">Note</p></aside>',
    ),
    "figure": (
        node("container", node("caption", node("paragraph", "c")), html_id="f"),
        '<figure id="f"><figcaption><p>c</p></figcaption></figure>',
    ),
    "inlineMath": ({"type": "inlineMath", "value": "x", "html": KATEX}, "<math><mi>x</mi></math>"),
    "broken math": ({"type": "inlineMath", "value": r"\no{<}"}, r'<code class="tex">\no{&lt;}</code>'),
    "cite": ({"type": "cite", "label": "someone", "error": True}, "@someone"),
    "role": ({"type": "mystRole", "name": "what", "value": "x"}, "<code>x</code>"),
    "comment": ({"type": "comment", "value": "secret"}, ""),
    "unknown with children": (node("newInMyst3", "kept"), "kept"),
    "unknown with value": ({"type": "newInMyst3", "value": "<kept>"}, "&lt;kept&gt;"),
    "removed block": (node("block", "x", visibility="remove"), ""),
}


@pytest.mark.parametrize(("tree", "html"), SIMPLE.values(), ids=SIMPLE)
def test_nodes(page: Page, tree: dict[str, Any], html: str) -> None:
    assert str(page.node(tree)) == html


LINKS = {
    "a page": ({"url": "/edges", "internal": True}, "02_edges.html"),
    "a part of a page": ({"url": "/edges#dog"}, "02_edges.html#dog"),
    "the first page": ({"url": "/"}, "index.html"),
    "a part of this page": ({"url": "#here"}, "#here"),
    "the web": ({"url": "https://x.org/?a=1&b"}, "https://x.org/?a=1&b"),
    "a collected file": ({"url": "/a-1f.png", "static": True}, "files/a-1f.png"),
    "a file that is no page": ({"url": "../pyproject.toml#L3"}, source_link("pyproject.toml") + "#L3"),
    "a folder": ({"url": "images/"}, source_link("docs/images/")),
    "outside the repository": ({"url": "../../etc/passwd"}, ""),
    "a script": ({"url": "javascript:alert(1)"}, ""),
    "another host": ({"url": "//evil.example"}, ""),
    "a file outside": ({"url": "/../secret", "static": True}, ""),
}


@pytest.mark.parametrize(("fields", "address"), LINKS.values(), ids=LINKS)
def test_links(page: Page, fields: dict[str, Any], address: str) -> None:
    link = BeautifulSoup(page.node(node("link", "here", **fields)), "html.parser")
    assert link.get_text() == "here"
    assert [a["href"] for a in link("a")] == ([address] if address else [])


def test_cross_references_lead_to_pages_and_parts(page: Page) -> None:
    assert page.node(node("crossReference", "x", html_id="eq1")) == '<a href="#eq1">x</a>'
    assert page.node(node("crossReference", "x", html_id="a", url="/edges")) == '<a href="02_edges.html#a">x</a>'
    assert page.node(node("crossReference", "x")) == "x"


def test_pictures_come_from_the_site_or_not_at_all(page: Page) -> None:
    shown = page.node({"type": "image", "url": "/a-1f.png", "alt": "A <b>", "width": "80px"})
    assert shown == '<img src="files/a-1f.png" alt="A &lt;b&gt;" width="80" loading="lazy">'
    assert "without a description" in page.node({"type": "image", "url": "/a-1f.png"})
    assert page.node({"type": "image", "url": "https://evil.example/a.png", "alt": "A face"}) == "[A face]"


def test_headings_are_listed_and_cards_stand_below_them(page: Page) -> None:
    heading = node("heading", "Papers & ", node("emphasis", "more"), depth=2, html_id="papers")
    card = node("card", node("cardTitle", "One"), node("paragraph", "body"), url="/edges")
    soup = BeautifulSoup(page.draw(node("root", heading, node("grid", card, columns=[1, 1, 2, 2]))), "html.parser")
    assert [(h.depth, h.id, h.text) for h in page.headings] == [(2, "papers", "Papers & more")]
    assert soup.h3 is not None
    assert soup.h3.a is not None
    assert soup.h3.a["href"] == "02_edges.html"
    assert soup.select_one(".grid")["style"] == "--columns: 2"  # type: ignore[index]


def test_tables_have_headers_and_scroll_in_a_box(page: Page) -> None:
    head = node("tableRow", node("tableCell", "a", header=True), node("tableCell", "b", header=True, align="right"))
    body = node("tableRow", node("tableCell", "1"), node("tableCell", "2", align="right"))
    soup = BeautifulSoup(page.node(node("table", head, body)), "html.parser")
    assert [th["scope"] for th in soup("th")] == ["col", "col"]
    assert [cell.get("class") for cell in soup("td")] == [None, ["number"]]
    assert soup.table is not None
    assert soup.table.parent is not None
    assert soup.table.parent["class"] == ["scroll"]


def test_footnotes_come_last_and_lead_back(page: Page) -> None:
    note = node("footnoteDefinition", node("paragraph", "Said so."), identifier="1", enumerator="1")
    here = node("paragraph", "x", {"type": "footnoteReference", "identifier": "1", "enumerator": "1"})
    soup = BeautifulSoup(page.draw(node("root", note, here)), "html.parser")
    assert [link["href"] for link in soup("a")] == ["#note-1", "#from-note-1"]
    assert all(soup.find(id=str(link["href"])[1:]) for link in soup("a"))


@pytest.mark.parametrize(
    ("data", "folded"),
    [
        ({"tags": ["solution"]}, "Solution"),
        ({"tags": ["hide-cell"]}, "Show this cell"),
        ({"jupyter": {"source_hidden": True}}, "Show the code"),
        ({}, None),
    ],
)
def test_folded_cells(page: Page, data: dict[str, Any], folded: str | None) -> None:
    output = {"type": "output", "jupyter_data": {"output_type": "stream", "name": "stdout", "text": "out"}}
    cell = node("block", {"type": "code", "lang": "python", "value": "x = 1"}, node("outputs", output), data=data)
    soup = BeautifulSoup(page.node({**cell, "kind": "notebook-code"}), "html.parser")
    assert (soup.summary.get_text() if soup.summary else None) == folded
    hidden = soup.details.get_text() if soup.details else ""
    assert ("x = 1" in hidden) == (folded is not None)
    assert ("out" in hidden) == (folded in ("Solution", "Show this cell"))


def test_code_is_highlighted_and_unknown_languages_are_text() -> None:
    assert '<span class="k">def</span>' in code("def f(): pass", "python")
    assert code("a < b", "no-such-language").striptags().strip() == "a < b"
    assert "%pip" in code("%pip install x", "python").striptags()


def test_elements_escape_text_and_attributes_and_leave_out_what_is_empty() -> None:
    made = element("a", '"<', title='"<', href="", open=False, class_="x")
    assert made == '<a title="&#34;&lt;" class="x">&#34;&lt;</a>'


OUTPUTS = {
    "the richest form wins": ({"text/html": "<b>rich</b>", "text/plain": "plain"}, "rich"),
    "without state a widget is a remark": (
        {"application/vnd.jupyter.widget-view+json": {"model_id": "gone"}, "text/plain": "VBox()"},
        "Interactive part: run the notebook to use it.",
    ),
    "scripts do not run": ({"application/javascript": "alert(1)"}, "Interactive part: run the notebook to use it."),
    "plain text": ({"text/plain": "ImageSet('a', 3)"}, "ImageSet('a', 3)"),
}


@pytest.mark.parametrize(("data", "shown"), OUTPUTS.values(), ids=OUTPUTS)
def test_outputs(page: Page, data: dict[str, Any], shown: str) -> None:
    html = draw_outputs([{"output_type": "display_data", "data": data}], {}, page.assets)
    assert BeautifulSoup(html, "html.parser").get_text().strip() == shown


def test_one_stream_is_one_block_and_an_error_keeps_its_lines(page: Page) -> None:
    stream = [
        {"output_type": "stream", "name": name, "text": part} for name, part in (("stdout", "a"), ("stdout", "b\n"))
    ]
    stream.append({"output_type": "stream", "name": "stderr", "text": "\x1b[31mc\x1b[0m\n"})
    error = {"output_type": "error", "ename": "E", "evalue": "v", "traceback": "line 1\nline 2"}
    soup = BeautifulSoup(draw_outputs([*stream, error], {}, page.assets), "html.parser")
    assert [(pre["class"], pre.get_text()) for pre in soup("pre")] == [
        (["stdout"], "ab"),
        (["stderr"], "c"),
        (["error"], "line 1\nline 2"),
    ]


def test_vector_pictures_become_files_in_which_no_script_runs(page: Page, tmp_path: Path) -> None:
    svg = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    html = draw_outputs([{"output_type": "display_data", "data": {"image/svg+xml": svg}}], {}, page.assets)
    (file,) = (tmp_path / "site" / "files").glob("*.svg")
    assert file.read_text() == svg  # a browser runs no script of an <img>
    assert f'<img src="files/{file.name}"' in html


def test_fragments_keep_ids_only_where_they_refer_to_them(page: Page) -> None:
    assert clean('<svg><g id="a"/><use href="#a"/></svg>', page.assets).count('"a"') == 1
    assert "id=" not in clean('<p id="a">x</p>', page.assets)
    assert "fff" not in clean("<style>.output_html .k { color: #fff }</style>x", page.assets)


def test_markdown_of_github_means_the_same_to_jupyter_book() -> None:
    badge = "[![Binder](https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/a/b) text"
    assert markdown(badge) == "text"
    assert markdown("![a face](https://x.org/a.png)") == "[a face](https://x.org/a.png)"
    assert markdown("![local](a.png)") == "![local](a.png)"
    assert markdown("by @name, me@x.org, `@code`\n```\n@decorator\n```\n@end") == (
        "by \\@name, me@x.org, `@code`\n```\n@decorator\n```\n\\@end"
    )


def test_plain_text_survives_markdown_and_tables() -> None:
    assert plain("a|b *c* [d] x_1 $y$\nz") == r"a\|b \*c\* \[d\] x\_1 \$y\$ z"


def luminance(color: str) -> float:
    """WCAG 2.2's relative luminance of "#rrggbb"."""
    parts = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_colours_can_be_read_by_day_and_by_night() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    sheet = Path(facesr_lib.evaluate.__file__).parent.joinpath("templates", "colors.css").read_text()
    for rules, style in zip(sheet.split("@media"), STYLES, strict=True):
        colors = dict(re.findall(r"--([\w-]+): (#\w{6})", rules))
        pairs = [("ink", "paper"), ("ink", "tint"), ("soft", "paper"), ("soft", "tint"), ("accent", "paper")]
        pairs += [("accent", "tint"), ("warn", "paper"), ("warn", "warn-tint"), ("ink", "warn-tint")]
        assert [pair for pair in pairs if contrast(*(colors[name] for name in pair)) < 4.5] == []
        words = {f"#{facts['color']}" for _, facts in get_style_by_name(style) if facts["color"]}
        assert [word for word in words if contrast(word, colors["tint"]) < 4.5] == []
