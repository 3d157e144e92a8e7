"""Saved widgets as still HTML: what the controls say, and the picture that they made. No kernel, no widget manager.

Reads the state that nbclient and JupyterLab save under `metadata.widgets`, of ipywidgets 7 and 8: by model id a model's name
and state, where a reference to another model is the text "IPY_MODEL_<id>" and pictures are base64 in `buffers`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup

STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
_REFERENCE = "IPY_MODEL_"
_CHOICES = ("Dropdown", "Select", "RadioButtons", "ToggleButtons", "SelectionSlider")
_NOTE = "The controls move in a live notebook; this is how it starts."


def still(state: Mapping[str, Any], model: str) -> Markup:
    """The widget with the id `model` and all it contains as HTML; empty if it is hidden, unknown, or shows nothing.

    state: all models by id. Pictures are data URIs; what they show is said by the controls.
    """
    controls: list[tuple[str, str]] = []
    parts: list[Markup] = []
    for identity, kind, own in _visible(state, model):
        label, value = _text(own.get("description")), own.get("value")
        if kind == "Image":
            found = [b["data"] for b in state[identity].get("buffers") or [] if b.get("path") == ["value"]]
            settings = ", ".join(f"{name} {said}" for name, said in controls)
            alt = f"What the explorer draws{f' with {settings}' if settings else ''}"
            picture = Markup('<p><img src="data:image/{};base64,{}" alt="{}"></p>')
            parts += [picture.format(own.get("format") or "png", content, alt) for content in found[:1]]
        elif kind in ("HTML", "HTMLMath"):
            parts.append(Markup('<div class="text">{} {}</div>').format(label, Markup(_text(value))))
        elif kind == "Label":
            parts.append(Markup('<div class="text">{} {}</div>').format(label, _text(value)))
        elif kind in _CHOICES or kind.endswith(("Slider", "Text", "Checkbox")):
            controls.append((label, _value(kind, own)))
    if controls:
        items = Markup("").join(Markup("<li>{} <b>{}</b></li>").format(name, value) for name, value in controls)
        said = Markup('<ul class="controls">{}</ul>').format(items)
        note = Markup('<p class="note">{}</p>').format(_NOTE)
        opening = Markup('<div class="explorer" role="group" aria-label="Explorer">')
        return opening + said + Markup("").join(parts) + note + Markup("</div>")
    return Markup('<div class="widget">{}</div>').format(Markup("").join(parts)) if parts else Markup("")


def _visible(state: Mapping[str, Any], model: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Id, kind ("IntSlider") and state of a widget and of what is in it, from top to bottom, without what is hidden."""
    kind, own = _model(state, model)
    layout = _model(state, str(own.get("layout", "")).removeprefix(_REFERENCE))[1]
    if layout.get("display") == "none" or layout.get("visibility") == "hidden":
        return
    children = [str(child).removeprefix(_REFERENCE) for child in own.get("children") or []]
    if any(_model(state, child)[0] == "FileUpload" for child in children):
        return  # nobody can bring a file to a page; what stands beside the button is about the file
    yield model, kind, own
    for child in children:
        yield from _visible(state, child)


def _model(state: Mapping[str, Any], model: str) -> tuple[str, Mapping[str, Any]]:
    found = state.get(model)
    if not isinstance(found, dict) or not isinstance(found.get("state"), dict):
        return "", {}
    return str(found.get("model_name", "")).removesuffix("Model"), found["state"]


def _value(kind: str, own: Mapping[str, Any]) -> str:
    """A control's value in words: a choice by its label, numbers as the slider would write them."""
    options, index, value = own.get("_options_labels") or [], own.get("index"), own.get("value")
    if kind in _CHOICES and isinstance(index, int) and 0 <= index < len(options):
        return str(options[index])
    if isinstance(value, bool):
        return "yes" if value else "no"
    spec = _text(own.get("readout_format")).replace("~", "")  # D3's formats are Python's, as far as sliders use them
    return " – ".join(_number(one, spec) for one in (value if isinstance(value, list) else [value]))


def _number(value: Any, spec: str) -> str:
    try:
        return format(value, spec) if isinstance(value, int | float) else _text(value)
    except ValueError:
        return str(value)


def _text(value: Any) -> str:
    return "" if value is None else str(value).replace("\u200b", "")
