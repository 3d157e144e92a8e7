"""An executed notebook as one HTML file that opens without network, by nbconvert; and Markdown as HTML in the same way.

nbconvert's own page loads require.js, MathJax, Mermaid and the widget manager from the web when it is opened. Here outputs
are still (`outputs.prepare`), formulas are MathML, all scripts go, and a content security policy in the page makes the
browser refuse whatever else might ask for the network.
"""

import logging
from pathlib import Path

import nbformat
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from facesr_lib.files import write_atomically
from facesr_tools.report.offline import make_offline
from facesr_tools.site.mathml import mathml
from facesr_tools.site.outputs import prepare

# nbconvert lets a program in an output (`show_source`) inherit the font of text. Chromium aligns cells of formulas by style only.
_STYLE = """<style>
.jp-RenderedHTMLCommon.jp-OutputArea-output pre { font-family: var(--jp-code-font-family) }
.math { display: flex; align-items: center } .math math { margin: 0 auto } .scroll { overflow-x: auto }
mtd[columnalign="right"] { text-align: right } mtd[columnalign="left"] { text-align: left }
.controls { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 0 1.5em } .note { font-style: italic }
</style>"""


def export_notebook(ipynb: Path, html: Path) -> Path:
    """Write the executed notebook `ipynb` as the self-contained page `html` (atomically) and return its path.

    Pictures stored beside the notebook are embedded. Raises ValueError if `ipynb` is no notebook.
    """
    try:
        notebook = nbformat.read(ipynb, as_version=4)
    except Exception as error:  # nbformat raises a different class for each way a file can be broken
        raise ValueError(f"{ipynb.name} is not a readable notebook: {type(error).__name__}: {error}") from error
    notebook = nbformat.from_dict(prepare(notebook))
    notebook.metadata["title"] = notebook.metadata.get("facesr", {}).get("title") or ipynb.stem
    resources = {"metadata": {"name": ipynb.stem, "path": str(ipynb.resolve().parent)}}
    quiet = logging.getLogger("facesr.nbconvert")  # it warns of pictures of a cell, since those have no alt text
    quiet.setLevel(logging.ERROR)
    exporter = _OfflineExporter(embed_images=True, log=quiet)  # type: ignore[no-untyped-call]
    page, _ = exporter.from_notebook_node(notebook, resources=resources)
    write_atomically(html, make_offline(page.replace("</head>", f"{_STYLE}</head>", 1)))
    return html


def export_notebooks(folder: Path) -> list[Path]:
    """Write `notebook.html` beside every executed `<folder>/*/notebook.ipynb` that has none or an older one; return them all."""
    pages = []
    for notebook in sorted(folder.glob("*/notebook.ipynb")):
        page = notebook.with_suffix(".html")
        if not page.exists() or page.stat().st_mtime < notebook.stat().st_mtime:
            export_notebook(notebook, page)
        pages.append(page)
    return pages


def markdown_html(source: str, *, path: str = "", attachments: dict[str, dict[str, str]] | None = None) -> str:
    """Markdown as HTML without scripts: formulas as MathML, diagrams as their source.

    path: the folder of the pictures it names, which are embedded. attachments: those of its cell.
    """
    renderer = _Renderer(escape=False, embed_images=True, path=path, attachments=attachments)
    return str(MarkdownWithMath(renderer=renderer).render(source))


class _Renderer(IPythonRenderer):
    """nbconvert's Markdown renderer with formulas as MathML and diagrams (Mermaid) as their source."""

    def block_mermaidjs(self, code: str) -> str:
        return str(Markup("<pre>{}</pre>").format(code.strip()))

    def inline_math(self, body: str) -> str:
        return str(mathml(body, display=False))

    def block_math(self, body: str) -> str:
        return str(mathml(body, display=True))

    def latex_environment(self, name: str, body: str) -> str:
        return str(mathml(rf"\begin{{{name}}}{body}\end{{{name}}}", display=True))


class _OfflineExporter(HTMLExporter):
    """nbconvert's HTML page whose Markdown goes through `_Renderer`."""

    @pass_context
    def markdown2html(self, context: Context, source: str) -> str:
        path = context.get("resources", {}).get("metadata", {}).get("path", "")
        attachments = context.get("cell", {}).get("attachments", {})
        return markdown_html(source, path=path, attachments=attachments)
