"""Markdown as a page to print: one HTML file for A4, without scripts, that opens without network."""

from markupsafe import escape

from facesr_tools.report.offline import make_offline
from facesr_tools.site.export import markdown_html

# Sizes in points are meant for paper; on a screen the same page is enlarged. They leave room, since the machine that prints may
# have other fonts: in DejaVu Sans, the widest usual one, a lesson plan fits into 85 % of its two pages.
# `font-size-adjust` shrinks a font of large letters.
_STYLE = """
@page { size: A4; margin: 10mm 12mm; }
body { font: 9pt/1.28 "Liberation Sans", Arial, Helvetica, sans-serif; font-size-adjust: .52; color: #1b1f24; margin: 0 auto; }
h1 { font-size: 14pt; line-height: 1.2; margin: 0 0 2pt; }
.anchor-link { display: none; } h2 { font-size: 11pt; margin: 7pt 0 3pt; border-bottom: .6pt solid #0072b2; break-after: avoid; }
p, ul { margin: 3pt 0; } ul { padding-left: 12pt; } li { margin: 1.6pt 0; }
table { border-collapse: collapse; width: 100%; margin: 4pt 0; font-size: 8.6pt; line-height: 1.22; }
th, td { text-align: left; vertical-align: top; padding: 2pt 4pt; border-bottom: .5pt solid #b8c0c8; }
tr { break-inside: avoid; } td:nth-child(-n+2) { white-space: nowrap; font-variant-numeric: tabular-nums; }
code { font: .92em "Liberation Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
pre { font-size: 8.6pt; background: #f5f7f9; padding: 4pt 6pt; white-space: pre-wrap; break-inside: avoid; }
blockquote { margin: 3pt 0 8pt 2pt; padding-left: 6pt; border-left: 2pt solid #d5dae0; }
@media screen { body { max-width: 60rem; padding: 1rem; font-size: 1rem; } h1 { font-size: 1.6rem; }
  h2 { font-size: 1.2rem; margin-top: 1.2rem; } table, pre { font-size: .92rem; } table { display: block; overflow-x: auto; } }
/* A telephone has no room for the five columns of a timetable: each row becomes a paragraph, its minutes first. */
@media screen and (max-width: 40rem) { table:has(th:nth-child(5)) { thead { display: none; }
  tr { display: block; padding: .5rem 0; border-bottom: .5pt solid #b8c0c8; } td { display: block; border: 0; padding: 1pt 0; }
  td:nth-child(-n+2) { display: inline-block; font-weight: bold; } td:nth-child(2)::before { content: "short: "; }
  td:nth-child(2) { margin-left: 1rem; font-weight: normal; }
  td:nth-child(4)::before { content: "Ask first: "; font-weight: bold; }
  td:nth-child(5)::before { content: "What goes wrong: "; font-weight: bold; } } }
"""


def page(title: str, markdown: str) -> str:
    """A complete HTML page of a Markdown text."""
    head = f'<meta charset="utf-8"><title>{escape(title)}</title>'
    head += f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style>'
    return make_offline(
        f'<!doctype html><html lang="en"><head>{head}</head><body><main>{markdown_html(markdown)}</main></body></html>\n'
    )
