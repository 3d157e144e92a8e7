"""A notebook whose outputs are still: HTML that runs and loads nothing, or plain text. One preparation for every page.

Sphinx (`build`) and nbconvert (`export`) then have nothing left to choose, and show the same.
"""

import copy
import re
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from bs4 import BeautifulSoup, Tag
from markupsafe import Markup, escape

from facesr_tools.report.offline import remove_loading
from facesr_tools.runner.log import ANSI
from facesr_tools.site.mathml import mathml
from facesr_tools.site.widgets import STATE, VIEW, still

Save = Callable[[bytes, str], str]
"""Puts a picture's bytes somewhere, given its suffix (".png"), and returns its address for the page."""

NO_ALT = "Picture without a description"
LIVE = "Interactive part: run the notebook to use it."
_SUFFIXES = {"image/svg+xml": ".svg", "image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp"}
_DATA = re.compile(r"data:([\w/+.-]+)((?:;[\w=-]+)*?)(;base64)?,(.*)", re.DOTALL)
_PROGRESS = re.compile(r"\s*(\S+: +)?\d+%\||0it \[")  # a bar as plain text, long since full
_ZOOM = 480  # pixels: a picture wider than this is small on a phone, and opens alone when it is touched


def prepare(notebook: Mapping[str, Any], save: Save | None = None) -> dict[str, Any]:
    """A copy of a notebook (version 4, as a dict) in which every output is `text/html` or text, and no widget state is left.

    save: where pictures go; without it they stay in the page as data URIs.
    """
    still_notebook = copy.deepcopy(dict(notebook))
    widgets = (still_notebook["metadata"].pop("widgets", {}).get(STATE) or {}).get("state") or {}
    for cell in still_notebook["cells"]:
        for output in cell.get("outputs", []):
            if output["output_type"] == "stream":
                output["text"] = plain_text(_joined(output.get("text", "")))
            elif output["output_type"] != "error":
                output["data"] = _still(output, widgets, save)
        cell["outputs"] = [output for output in cell.get("outputs", []) if output.get("data", True)]
        if cell["cell_type"] != "code":
            del cell["outputs"]
    return still_notebook


def clean(html: str, save: Save | None = None) -> Markup:
    """A piece of HTML that a notebook made as part of a page: nothing runs or loads, pictures have alternative texts."""
    soup = BeautifulSoup(html, "html.parser")
    remove_loading(soup)
    for style in soup.find_all("style"):
        if ".output_html" in str(style):  # IPython's colours of programs; the pages have their own, by day and by night
            style.decompose()
    for frame in soup.find_all("iframe", srcdoc=True):
        frame["title"] = frame.get("title") or "A page in the page"
        if save:
            frame["src"], frame["loading"] = save(str(frame["srcdoc"]).encode(), ".html"), "lazy"
            del frame["srcdoc"]
    for picture in soup.find_all("img"):
        picture["alt"] = str(picture.get("alt") or "").strip() or NO_ALT
        if save:
            _to_file(picture, save)
    for table in soup.find_all("table"):
        if not table.find_parent("table"):
            name = " ".join(table.caption.get_text().split()) if table.caption else "Table"
            attributes = {"class": "scroll", "role": "group", "aria-label": name, "tabindex": "0"}
            table.wrap(soup.new_tag("div", attrs=attributes))
    for tag in soup.find_all(id=True):
        if f"#{tag['id']}" not in html:
            del tag["id"]  # another output of the page may use the same
    return Markup(str(soup))


def plain_text(text: str) -> str:
    """Text of a terminal as it looked in the end: without colours, and a line that was overwritten in its last state."""
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in ANSI.sub("", text).split("\n"))
    return re.sub(r".\x08", "", "\n".join(lines))


def _still(output: Mapping[str, Any], widgets: Mapping[str, Any], save: Save | None) -> dict[str, str]:
    """The richest form of an output that needs neither a kernel nor a script; {} if nothing is worth showing."""
    data: Mapping[str, Any] = output.get("data") or {}
    model = data[VIEW].get("model_id") if isinstance(data.get(VIEW), dict) else None
    if model in widgets:
        drawn = clean(still(widgets, str(model)), save)
        return {"text/html": drawn} if drawn else {}
    if "text/html" in data:
        return {"text/html": clean(_joined(data["text/html"]), save)}
    for kind in _SUFFIXES:
        if kind in data:
            content = _joined(data[kind])
            encoded = b64encode(content.encode()).decode() if kind == "image/svg+xml" else content
            facts = output.get("metadata", {}).get(kind) or {}
            size = Markup("").join(Markup(' {}="{}"').format(key, facts[key]) for key in ("width", "height") if key in facts)
            picture = Markup('<img src="data:{};base64,{}"{} alt="{}">')
            return {"text/html": clean(picture.format(kind, encoded.replace("\n", ""), size, facts.get("alt") or ""), save)}
    if "text/latex" in data:
        tex = _joined(data["text/latex"]).strip("$ \n").removeprefix(r"\displaystyle ")
        return {"text/html": mathml(tex, display=True)}
    text = plain_text(_joined(data.get("text/plain", "")))
    if VIEW in data and _PROGRESS.match(text):
        return {}
    if VIEW in data or "application/javascript" in data:
        return {"text/html": f'<p class="note">{escape(LIVE)}</p>'}
    return {"text/plain": text}


def _to_file(picture: Tag, save: Save) -> None:
    """Move a picture out of the page, so that pages load quickly and pictures when they are scrolled to."""
    found = _DATA.fullmatch(str(picture.get("src") or ""))
    if not found or found[1] not in _SUFFIXES:
        return
    try:
        content = b64decode(found[4]) if found[3] else unquote_to_bytes(found[4])
    except Error:
        return
    picture["src"], picture["loading"] = save(content, _SUFFIXES[found[1]]), "lazy"
    width = re.fullmatch(r"(\d+)(?:\.\d+)?(?:px)?", str(picture.get("width") or ""))
    if width and int(width[1]) > _ZOOM and not picture.find_parent("a"):
        picture.wrap(BeautifulSoup().new_tag("a", attrs={"class": "zoom", "href": str(picture["src"])}))


def _joined(value: Any) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value)
