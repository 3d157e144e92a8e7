"""How heavy the site's pages are: `python -m facesr_tools.site.page_weights SITE DOCUMENT` writes a table into a document.

A page weighs what its HTML does, and what it shows without a click: pictures, and scripts but the theme's, which a browser loads
once. The index of the search is among them, on every page. Of the demo everything counts, since it loads all of its folder.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from urllib.parse import unquote

from facesr_lib.files import write_atomically

PAGES = {
    "the first page": "index.html",
    "the page of seeds": "seeds.html",
    "a lesson": "notebooks/00_start_here.html",
    "a paper's notebook": "notebooks/10_human_face_gan.html",
    "the report's page": "notebooks/90_report.html",
}
_BLOCK = re.compile(r"(?<=<!-- page weights -->\n).*?(?=<!-- /page weights -->)", re.DOTALL)
_SHOWN = re.compile(r'<(?:img|script|source|iframe)\b[^>]*?\ssrc="([^":?#]+)|<img[^>]*src="([^":?#]+)')


def page_weight(page: Path) -> tuple[int, int]:
    """Bytes of a page's HTML, and of what it shows besides: the files that it names, each once, but for the theme's."""
    html = page.read_text(encoding="utf-8")
    named = {unquote(found[1] or found[2]) for found in _SHOWN.finditer(html)}
    files = {(page.parent / name).resolve() for name in named if "_static/" not in name or name.endswith("seeds.js")}
    return page.stat().st_size, sum(file.stat().st_size for file in files if file.is_file())


def table(site: Path) -> str:
    """The weights of those `PAGES` that the site has, of the report file beside it and of the demo, as Markdown."""
    rows = [(name, *page_weight(site / page)) for name, page in PAGES.items() if (site / page).is_file()]
    report, demo = site.with_name("report.html"), site / "demo"
    rows += [("the report, one file", report.stat().st_size, 0)] if report.is_file() else []
    if demo.is_dir():
        page = (demo / "index.html").stat().st_size
        rows.append(("the demo, networks included", page, _all(demo) - page))
    lines = [f"| {name} | {_kb(own)} | {_kb(more) if more else ''} |" for name, own, more in rows]
    lines.append(f"| the whole site | | {_kb(_all(site))} |")
    return "\n".join(["| page | HTML | shown besides |", "|---|--:|--:|", *lines])


def _all(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _kb(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1_000_000 else f"{size / 1000:.0f} kB"


def main(site: Path, document: Path) -> None:
    """Write the table of `site` between the document's two marks. Raises ValueError if it has none."""
    text = document.read_text(encoding="utf-8")
    if not _BLOCK.search(text):
        raise ValueError(f"{document}: no lines <!-- page weights --> and <!-- /page weights --> to write between")
    write_atomically(document, _BLOCK.sub(lambda _: f"\n{table(site)}\n\n", text, count=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
