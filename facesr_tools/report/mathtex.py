"""TeX formulas as pictures, for pages that must read without network and without a script.

The pictures come from Matplotlib's own mathematics typesetter. It knows most of what our notebooks use; a formula it cannot set
stays visible as its TeX source.
"""

from __future__ import annotations

import functools
import io
import re
from base64 import b64encode

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import math_to_image

_SIZE = 11.0  # points, the size of a notebook's text
# Common commands that Matplotlib's typesetter lacks, and its equivalents.
_SAME = {
    r"\\l[Vv]ert|\\r[Vv]ert": r"\\|",
    r"\\le(?![a-zA-Z])": r"\\leq",
    r"\\ge(?![a-zA-Z])": r"\\geq",
    r"\\ne(?![a-zA-Z])": r"\\neq",
    r"\\tfrac": r"\\frac",
    r"\\frac\s*(\w)\s*(\w)": r"\\frac{\1}{\2}",
    r"\\(?:bigg?|Bigg?)[lr]?(?![a-zA-Z])": "",
    r"\\arg(min|max)(?![a-zA-Z])": r"\\operatorname{arg\1}",
    r"\\operatorname\*": r"\\operatorname",
    r"\\(?:nonumber|notag|label\{[^}]*\})": "",
}


def math_html(tex: str, *, display: bool) -> Markup:
    r"""A formula (without its dollar signs) as HTML: a picture with the TeX as alternative text, or the TeX itself.

    display: on lines of its own, where `aligned`, `align` and `equation` environments become one line per `\\` and `\tag{n}` a
    number at the right.
    """
    if not display:
        return _picture(tex, False) or Markup("<code>${}$</code>").format(tex)
    tag = re.search(r"\\tag\{([^}]*)\}", tex)
    body = re.sub(r"\\tag\{[^}]*\}|\\(?:begin|end)\{(?:aligned|align|equation|gathered|gather|split)\*?\}", "", tex)
    lines = [line.replace("&", " ").strip() for line in re.split(r"\\\\(?:\[[^\]]*\])?", body)]
    pictures = [_picture(line, True) for line in lines if line]
    if not pictures or any(not picture for picture in pictures):
        return Markup('<pre class="tex">{}</pre>').format(tex.strip())
    number = Markup(" &emsp; ({})").format(tag[1]) if tag else Markup("")
    return Markup('<p style="text-align: center">{}{}</p>').format(Markup("<br>").join(pictures), number)


@functools.lru_cache(maxsize=1024)
def _picture(tex: str, display: bool) -> Markup:
    """The formula as an <img> that holds an SVG, a little larger when displayed; empty if it cannot be set."""
    source = " ".join(tex.split())
    for pattern, replacement in _SAME.items():
        source = re.sub(pattern, replacement, source)
    if display:
        source = source.replace(r"\frac", r"\dfrac")
    content = io.BytesIO()
    font = FontProperties(size=_SIZE + display, math_fontfamily="cm")
    try:
        with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "facesr"}):
            depth = math_to_image(f"${source}$", content, prop=font, dpi=72, format="svg")
    except ValueError:
        return Markup("")
    svg = re.sub(rb"<metadata>.*?</metadata>", b"", content.getvalue(), flags=re.DOTALL)  # it holds the date
    picture = '<img class="math" alt="{}" src="data:image/svg+xml;base64,{}" style="vertical-align: -{:g}pt">'
    return Markup(picture).format(tex.strip(), b64encode(svg).decode(), depth)
