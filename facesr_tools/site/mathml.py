r"""TeX formulas as MathML, which browsers draw without a script, a font or the network.

`mathml` is used by every page made of a notebook; `setup` makes it the way in which Sphinx draws formulas.
"""

import functools
import re
from typing import Any

from latex2mathml.converter import convert
from markupsafe import Markup

_TAG = re.compile(r"\\tag\{([^}]*)\}")
_DROPPED = re.compile(r"\\(?:nonumber|notag|label\{[^}]*\})")
_ALIGNED = re.compile(r"\\(begin|end)\{(?:align|aligned|split|gather|gathered|equation)\*?\}")
# TeX sets a thin space between the name of a function and its argument; MathML needs to be told.
_NAME = r"<mi>(?:log|ln|exp|sin|cos)</mi>"
_APPLIED = re.compile(rf"((?<!<msub>){_NAME}|<msub>{_NAME}<mrow><mn>\d+</mn></mrow></msub>)(?=<m(?:i|n|row|frac|over|sub)>)")

_BAR = re.compile(r"<mo(?: stretchy=\"false\")?>(?:&#x0007C;|\|)</mo>")  # an absolute value; browsers set it as an operator


@functools.lru_cache(maxsize=2048)
def mathml(tex: str, *, display: bool) -> Markup:
    r"""A formula (without its dollar signs) as a `<math>` element; its source as code where it cannot be read.

    display: on a line of its own, where `\tag{n}` becomes a number at the right.
    """
    tag = _TAG.search(tex)
    source = _ALIGNED.sub(r"\\\1{align*}", _DROPPED.sub("", _TAG.sub("", tex))).strip()
    try:
        math = convert(source, display="block" if display else "inline")
    except Exception:  # the converter has a class for each way a formula can be broken, and IndexError for the others
        math = "\\failed"
    if re.search(r"\\[A-Za-z]", math):  # a command that it does not know stays in its result
        return Markup('<pre class="tex">{}</pre>' if display else '<code class="tex">${}$</code>').format(tex.strip())
    math = _BAR.sub(r'<mo stretchy="false" lspace="0" rspace="0">|</mo>', math)
    math = Markup(_APPLIED.sub(r'\1<mspace width="0.17em"/>', math))
    if not display:
        return math
    number = Markup('<span class="number">({})</span>').format(tag[1]) if tag else Markup()
    return Markup('<div class="math scroll">{}{}</div>\n').format(math, number)


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx; `html_math_renderer = "mathml"` then chooses it."""
    from docutils import nodes  # comes with Sphinx, which the pages beside the report do without

    def inline(translator: Any, node: Any) -> None:
        translator.body.append(mathml(node.astext(), display=False))
        raise nodes.SkipNode

    def block(translator: Any, node: Any) -> None:
        translator.body.append(mathml(node.astext(), display=True))
        raise nodes.SkipNode

    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
