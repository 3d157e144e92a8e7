"""The outputs of a code cell as HTML: the richest form that needs neither a kernel nor a script."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from facesr_tools.book import widgets
from facesr_tools.book.assets import Assets
from facesr_tools.book.fragment import NO_ALT, SUFFIXES, clean
from facesr_tools.report.mathtex import math_html
from facesr_tools.runner.log import ANSI

_LIVE = "Interactive part: run the notebook to use it."


def draw_outputs(outputs: Sequence[Mapping[str, Any]], state: Mapping[str, Any], assets: Assets) -> Markup:
    """Outputs as Jupyter Book gives them (nbformat's, with long data moved to files) below each other.

    state: of the page's widgets, by model id. Consecutive texts of one stream are one block.
    """
    parts: list[Markup] = []
    stream = ""
    for number, output in enumerate(outputs):
        following = outputs[number + 1] if number + 1 < len(outputs) else {}
        if output["output_type"] == "stream":
            stream += _whole(output if "path" in output else output.get("text", ""), assets)
            if following.get("name") != output.get("name"):
                parts.append(_text(stream, "stderr" if output.get("name") == "stderr" else "stdout"))
                stream = ""
        elif output["output_type"] == "error":
            trace = _whole(output if "path" in output else output.get("traceback", ""), assets)
            parts.append(_text(trace or f"{output.get('ename')}: {output.get('evalue')}", "error"))
        else:
            parts.append(_rich(output, state, assets))
    inside = Markup("\n").join(part for part in parts if part)
    return Markup('<div class="outputs">{}</div>').format(inside) if inside else Markup("")


def _rich(output: Mapping[str, Any], state: Mapping[str, Any], assets: Assets) -> Markup:
    data: Mapping[str, Any] = output.get("data") or {}
    if widgets.VIEW in data:
        drawn = _widget(data[widgets.VIEW], state, assets)
        if drawn is not None:
            return drawn
    if "text/html" in data:
        return Markup('<div class="rich">{}</div>').format(clean(_whole(data["text/html"], assets), assets))
    for kind, suffix in SUFFIXES.items():
        if kind in data:
            return _picture(_stored(data[kind], kind, suffix, assets), (output.get("metadata") or {}).get(kind))
    if "text/latex" in data:
        tex = _whole(data["text/latex"], assets).strip("$ \n").removeprefix(r"\displaystyle ")
        return clean(str(math_html(tex, display=True)), assets)
    if widgets.VIEW in data or "application/javascript" in data:
        return Markup('<p class="widget-note">{}</p>').format(_LIVE)
    return _text(_whole(data.get("text/plain", ""), assets), "result")


def _widget(view: Any, state: Mapping[str, Any], assets: Assets) -> Markup | None:
    """The widget as saved; None if its state was not."""
    try:
        model = str(json.loads(_whole(view, assets))["model_id"])
    except (ValueError, KeyError, TypeError):
        return None
    return widgets.draw(state, model, assets) if model in state else None


def _stored(data: Any, kind: str, suffix: str, assets: Assets) -> str:
    """The address of a picture, which Jupyter Book has stored already unless it is text (SVG)."""
    if isinstance(data, dict) and "path" in data:
        return assets.collected(data["path"]) or ""
    content = _whole(data, assets)
    return assets.save(content.encode() if kind == "image/svg+xml" else b64decode(content), suffix)


def _picture(address: str, facts: Any) -> Markup:
    """A picture output; its alternative text is in the output's metadata, where nbconvert looks for it too."""
    facts = facts if isinstance(facts, dict) else {}
    size = Markup("").join(Markup(' {}="{}"').format(key, facts[key]) for key in ("width", "height") if key in facts)
    alt = str(facts.get("alt") or NO_ALT)
    return Markup('<img src="{}"{} alt="{}" loading="lazy">').format(address, size, alt)


def _text(text: str, kind: str) -> Markup:
    """Plain output. A line that was overwritten by carriage returns (a progress bar) appears in its last state."""
    plain = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in ANSI.sub("", text).split("\n")).strip("\n")
    plain = re.sub(r".\x08", "", plain)
    return Markup('<pre class="{}">{}</pre>').format(kind, plain) if plain.strip() else Markup("")


def _whole(value: Any, assets: Assets) -> str:
    """Data or text, wherever Jupyter Book put it: in place, or in a file if it is long."""
    if isinstance(value, list):
        return "".join(map(str, value))
    if isinstance(value, dict):
        if "path" in value:
            return assets.text(value["path"])
        value = value.get("content", "")
    return value if isinstance(value, str) else json.dumps(value)
