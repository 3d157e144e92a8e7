"""Small pieces of HTML: elements, programs with colours, formulas."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import TextLexer, get_lexer_by_name
from pygments.util import ClassNotFound

_EMPTY = ("img", "br", "hr", "input")


def element(name: str, *inside: object, **attributes: object) -> Markup:
    """An HTML element; text in it is escaped. Attributes that are None, False or "" are left out; `class_` is class."""
    written = Markup("")
    for key, value in attributes.items():
        if value is True:
            written += Markup(" {}").format(key)
        elif value not in (None, False, "") or key == "alt":
            written += Markup(' {}="{}"').format(key.rstrip("_"), value)
    start = Markup("<{}{}>").format(Markup(name), written)
    return start if name in _EMPTY else start + Markup("").join(map(escape, inside)) + Markup(f"</{name}>")


def code(source: str, language: str) -> Markup:
    """A program, highlighted; `language` as in Markdown, unknown ones are plain text."""
    try:
        lexer = get_lexer_by_name("ipython3" if language in ("python", "ipython3") else language or "text")
    except ClassNotFound:
        lexer = TextLexer()
    return Markup('<div class="code">{}</div>').format(Markup(highlight(source, lexer, HtmlFormatter())))


def mathml(node: Mapping[str, Any]) -> Markup:
    """The MathML of a formula; empty where KaTeX could not read it."""
    found = re.search(r"<math\b.*</math>", str(node.get("html") or ""), re.DOTALL)
    return Markup(found[0]) if found else Markup("")


def pixels(width: Any) -> str | None:
    """A picture's width if it is in pixels; others (percentages) do not fit an attribute."""
    found = re.fullmatch(r"(\d+)(px)?", str(width or ""))
    return found[1] if found else None
