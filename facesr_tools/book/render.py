"""One page of Jupyter Book's document tree (MyST's AST, as JSON) as HTML.

https://mystmd.org/spec describes the nodes. Formulas arrive with KaTeX's HTML, of which only the MathML is used: browsers draw it
without a style sheet or a font. What no rule knows keeps its text.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup, escape

from facesr_tools.book.assets import Assets
from facesr_tools.book.elements import code, element, mathml, pixels
from facesr_tools.book.fragment import NO_ALT, clean
from facesr_tools.book.outputs import draw_outputs
from facesr_tools.launch import source_link

Node = Mapping[str, Any]
_PLAIN = {  # node -> element that does nothing but hold its children
    "paragraph": "p",
    "strong": "strong",
    "emphasis": "em",
    "underline": "u",
    "delete": "del",
    "smallcaps": "span",
    "subscript": "sub",
    "superscript": "sup",
    "keyboard": "kbd",
    "blockquote": "blockquote",
    "summary": "summary",
    "definitionList": "dl",
    "definitionTerm": "dt",
    "definitionDescription": "dd",
    "tabSet": "div",
    "aside": "aside",
}
_FOLDED = {"hide-input", "hide-cell", "solution"}  # tags of cells that open when they are clicked


@dataclass(frozen=True)
class Heading:
    """An entry of a page's table of contents."""

    depth: int
    id: str
    text: str


@dataclass
class Page:
    """Draws one page, and collects what the site needs of it.

    location: of the source, relative to the staged project ("notebooks/02_edges.ipynb"), where relative links start. addresses:
    Jupyter Book's address of a page ("/edges") -> its file. state: of the page's widgets, by model id.
    """

    location: str
    addresses: Mapping[str, str]
    assets: Assets
    state: Mapping[str, Any] = field(default_factory=dict)
    headings: list[Heading] = field(default_factory=list)
    notes: list[Markup] = field(default_factory=list)

    def draw(self, root: Node) -> Markup:
        """The tree below `root`; footnotes come last."""
        body = self.children(root)
        if not self.notes:
            return body
        notes = Markup("").join(self.notes)
        return body + Markup('<section class="notes" aria-label="Footnotes"><ol>{}</ol></section>').format(notes)

    def children(self, node: Node) -> Markup:
        """All children of a node."""
        return Markup("").join(self.node(child) for child in node.get("children") or [])

    def node(self, node: Node) -> Markup:
        """One node."""
        kind = str(node["type"])
        if kind in _PLAIN:
            return element(_PLAIN[kind], self.children(node))
        rule: Callable[[Node], Markup] | None = getattr(self, f"_{kind}", None)
        if rule is not None:
            return rule(node)
        return self.children(node) if node.get("children") else Markup(escape(node.get("value", "")))

    # Text

    def _text(self, node: Node) -> Markup:
        return Markup(escape(node["value"]))

    def _comment(self, node: Node) -> Markup:
        return Markup("")

    def _break(self, node: Node) -> Markup:
        return Markup("<br>")

    def _inlineCode(self, node: Node) -> Markup:
        return element("code", node["value"])

    def _span(self, node: Node) -> Markup:
        return element("span", self.children(node), class_=node.get("class"))

    def _abbreviation(self, node: Node) -> Markup:
        return element("abbr", self.children(node), title=node.get("title"))

    def _html(self, node: Node) -> Markup:
        return clean(str(node["value"]), self.assets)

    def _cite(self, node: Node) -> Markup:
        return self.children(node) or Markup(escape(f"@{node.get('label', '')}"))  # no bibliography: it was no citation

    def _heading(self, node: Node) -> Markup:
        depth, name, text = min(int(node["depth"]), 6), str(node.get("html_id") or ""), self.children(node)
        if name:
            self.headings.append(Heading(depth, name, text.striptags()))
            text += Markup('<a class="anchor" href="#{}" aria-label="Link to: {}">#</a>').format(name, text.striptags())
        return element(f"h{depth}", text, id=name)

    def _list(self, node: Node) -> Markup:
        start = node.get("start") if node.get("ordered") and node.get("start") != 1 else None
        return element("ol" if node.get("ordered") else "ul", self.children(node), start=start)

    def _listItem(self, node: Node) -> Markup:
        children = list(node.get("children") or [])
        if not node.get("spread") or len(children) == 1:  # a line of its own, not a paragraph in a line
            inside = Markup("").join(
                self.children(child) if child["type"] == "paragraph" else self.node(child) for child in children
            )
        else:
            inside = self.children(node)
        if "checked" in node:
            mark = Markup('<input type="checkbox" disabled{}> ').format(Markup(" checked" if node["checked"] else ""))
            inside = mark + inside
        return element("li", inside)

    def _thematicBreak(self, node: Node) -> Markup:
        return Markup("<hr>")

    def _footnoteReference(self, node: Node) -> Markup:
        name = node.get("identifier") or node.get("enumerator")
        return Markup('<sup><a href="#note-{}" id="from-note-{}">{}</a></sup>').format(
            name, name, node.get("enumerator")
        )

    def _footnoteDefinition(self, node: Node) -> Markup:
        name = node.get("identifier") or node.get("enumerator")
        back = Markup('<a href="#from-note-{}" aria-label="Back to the text">↩</a>').format(name)
        self.notes.append(element("li", self.children(node) + back, id=f"note-{name}"))
        return Markup("")

    # Formulas and code

    def _inlineMath(self, node: Node) -> Markup:
        return mathml(node) or element("code", node["value"], class_="tex")

    def _math(self, node: Node) -> Markup:
        formula = mathml(node) or element("code", node["value"], class_="tex")
        number = element("span", f"({node['enumerator']})", class_="number") if node.get("label") else ""
        return element("div", formula, number, class_="math scroll", id=node.get("html_id"))

    def _code(self, node: Node) -> Markup:
        return code(str(node.get("value", "")), str(node.get("lang") or ""))

    def _mermaid(self, node: Node) -> Markup:
        return code(str(node["value"]), "")

    def _mystRole(self, node: Node) -> Markup:
        return element("code", node.get("value", ""))

    # Links and pictures

    def _link(self, node: Node) -> Markup:
        inside, address = self.children(node), self.address(node)
        return element("a", inside, href=address, class_=node.get("class")) if address else inside

    def _crossReference(self, node: Node) -> Markup:
        page = self.addresses.get(str(node.get("url")), "") if node.get("url") else ""
        name = f"#{node['html_id']}" if node.get("html_id") else ""
        return element("a", self.children(node), href=page + name) if page or name else self.children(node)

    def address(self, node: Node) -> str:
        """Where a link leads: a page, a file of the site, the web, or the project's own files in public."""
        url = str(node.get("url") or "")
        page, mark, part = url.partition("#")
        if page in self.addresses:
            return self.addresses[page] + mark + part
        if node.get("static"):
            return self.assets.collected(url) or ""
        if re.match(r"(https?|mailto):", url):
            return url
        if re.match(r"[\w+.-]+:|//", url) or not url:
            return ""
        if not page:
            return url
        path = posixpath.normpath(posixpath.join(posixpath.dirname(self.location), page))
        return "" if path.startswith("..") else source_link(path + "/" * page.endswith("/")) + mark + part

    def _image(self, node: Node) -> Markup:
        alt = str(node.get("alt") or "").strip() or NO_ALT
        address = self.assets.collected(str(node.get("url") or ""))
        if address is None:
            return Markup("[{}]").format(alt)
        return element("img", src=address, alt=alt, width=pixels(node.get("width")), loading="lazy")

    # Blocks

    def _block(self, node: Node) -> Markup:
        if node.get("visibility") == "remove":
            return Markup("")
        return self._cell(node) if node.get("kind") == "notebook-code" else self.children(node)

    def _cell(self, node: Node) -> Markup:
        """A code cell and its outputs; solutions and folded cells open on a click."""
        data = node.get("data") or {}
        tags = set(data.get("tags") or [])
        source = Markup("").join(self._code(n) for n in node["children"] if n["type"] == "code")
        outputs = Markup("").join(self._outputs(n) for n in node["children"] if n["type"] == "outputs")
        if "remove-input" in tags:
            source = Markup("")
        if tags & _FOLDED or node.get("visibility") == "hide":
            title = "Solution" if "solution" in tags else "Show this cell"
            inside = element("details", element("summary", title), source, outputs if "hide-input" not in tags else "")
            return element("div", inside, outputs if "hide-input" in tags else "", class_="cell")
        if (data.get("jupyter") or {}).get("source_hidden"):
            source = element("details", element("summary", "Show the code"), source)
        exercise = element("p", "Your turn", class_="your-turn") if "exercise" in tags else ""
        return element("div", exercise, source, outputs, class_="cell exercise" if exercise else "cell")

    def _outputs(self, node: Node) -> Markup:
        if node.get("visibility") == "remove":
            return Markup("")
        found = [child["jupyter_data"] for child in node.get("children") or [] if child.get("jupyter_data")]
        return draw_outputs(found, self.state, self.assets)

    def _div(self, node: Node) -> Markup:
        return element("div", self.children(node), class_=node.get("class"))

    def _details(self, node: Node) -> Markup:
        return element("details", self.children(node), open=bool(node.get("open")))

    def _tabItem(self, node: Node) -> Markup:
        return element("section", element("p", element("strong", node.get("title", ""))), self.children(node))

    def _admonition(self, node: Node) -> Markup:
        return element("aside", self.children(node), class_=f"admonition {node.get('kind', 'note')}")

    def _admonitionTitle(self, node: Node) -> Markup:
        return element("p", self.children(node), class_="admonition-title")

    def _container(self, node: Node) -> Markup:
        return element("figure", self.children(node), id=node.get("html_id"), class_=node.get("class"))

    def _caption(self, node: Node) -> Markup:
        return element("figcaption", self.children(node))

    def _captionNumber(self, node: Node) -> Markup:
        return Markup("")  # our captions begin with what they say

    def _grid(self, node: Node) -> Markup:
        columns = (node.get("columns") or [3])[-1]
        return element("div", self.children(node), class_="grid", style=f"--columns: {int(columns)}")

    def _card(self, node: Node) -> Markup:
        """A card; its title is a heading below the last one, and the link of the whole card."""
        depth, address, parts = self.headings[-1].depth + 1 if self.headings else 2, self.address(node), []
        for child in node.get("children") or []:
            if child["type"] == "cardTitle":
                title = self.children(child)
                parts.append(element(f"h{min(depth, 6)}", element("a", title, href=address) if address else title))
            elif child["type"] in ("header", "footer"):
                parts.append(element("div", self.children(child), class_=f"card-{child['type']}"))
            else:
                parts.append(self.node(child))
        return element("div", *parts, class_="card linked" if address else "card")

    def _table(self, node: Node) -> Markup:
        rows = [list(row.get("children") or []) for row in node.get("children") or []]
        head = [row for row in rows if row and all(cell.get("header") for cell in row)]
        body = [row for row in rows if row not in head]
        parts = [element("thead", *[self._row(row, "col") for row in head])] if head else []
        table = element("table", *parts, element("tbody", *[self._row(row, "row") for row in body]))
        return element("div", table, class_="scroll", role="group", **{"aria-label": "Table"})

    def _row(self, cells: Iterable[Node], scope: str) -> Markup:
        return element("tr", *[self._tableCell(cell, scope) for cell in cells])

    def _tableCell(self, node: Node, scope: str = "row") -> Markup:
        spans = {key: node[key] for key in ("colspan", "rowspan") if node.get(key)}
        name = "number" if node.get("align") == "right" else None
        if node.get("header"):
            return element("th", self.children(node), scope=scope, class_=name, **spans)
        return element("td", self.children(node), class_=name, **spans)
