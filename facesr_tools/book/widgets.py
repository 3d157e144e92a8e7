"""Widgets as they were saved with a notebook, drawn without a kernel: labels, controls that do not move, pictures.

Reads the state that nbclient and JupyterLab save under `metadata.widgets`, of ipywidgets 7 and 8: by model id a model's name
and state, where a reference to another model is the text "IPY_MODEL_<id>" and pictures are base64 in `buffers`.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from markupsafe import Markup
from PIL import Image, UnidentifiedImageError

from facesr_tools.book.assets import Assets
from facesr_tools.book.fragment import clean

STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
_REFERENCE = "IPY_MODEL_"
_BOXES = ("Box", "VBox", "HBox", "GridBox", "Tab", "Accordion")
_LISTS = ("Dropdown", "Select", "RadioButtons", "ToggleButtons")
_NOTE = "These controls move in a live notebook; here they show how it starts."


def draw(state: Mapping[str, Any], model: str, assets: Assets) -> Markup:
    """The widget with the id `model` and all it contains, with a note if it has controls; empty if it is hidden or unknown."""
    view = _View(state, assets, _settings(state, model))
    drawn = view.widget(model)
    if not drawn or not view.controls:
        return Markup('<div class="widget">{}</div>').format(drawn) if drawn else Markup("")
    note = Markup('<p class="widget-note">{}</p>').format(_NOTE)
    return Markup('<div class="widget explorer" role="group" aria-label="Explorer">{}{}</div>').format(drawn, note)


@dataclass
class _View:
    state: Mapping[str, Any]
    assets: Assets
    settings: str  # what the controls say, in words, to describe the picture that they made
    controls: int = 0  # drawn so far

    def widget(self, model: str) -> Markup:
        """One widget; empty if it is hidden or unknown."""
        kind, state = _model(self.state, model)
        if not kind or _hidden(self.state, state):
            return Markup("")
        if kind in _BOXES:
            return self._box(kind, state)
        label = _text(state.get("description"))
        if kind == "FloatProgress" or kind == "IntProgress":
            return Markup('<progress max="{}" value="{}" aria-label="Progress"></progress>').format(
                _number(state.get("max"), 1), _number(state.get("value"), 0)
            )
        if kind in ("HTML", "HTMLMath", "Label"):
            value = _text(state.get("value"))
            shown = Markup("<span>{}</span>").format(value) if kind == "Label" else clean(value, self.assets)
            return Markup('<div class="widget-text">{}{}</div>').format(f"{label} " if label else "", shown)
        if kind == "Image":
            return self._picture(model, state)
        control = _control(kind, state)
        if control is None:
            return Markup('<p class="widget-text">[{}: only in a live notebook]</p>').format(kind)
        self.controls += 1
        if kind in ("Button", "FileUpload", "ToggleButton"):
            return control
        return Markup('<label class="control"><span class="name">{}</span>{}</label>').format(label, control)

    def _box(self, kind: str, state: Mapping[str, Any]) -> Markup:
        children = [self.widget(child) for child in _children(state)]
        titles = list(state.get("titles") or [])
        if kind in ("Tab", "Accordion") and titles:
            heads = [Markup("<p><strong>{}</strong></p>").format(title) for title in titles]
            children = [head + child for head, child in zip(heads, children, strict=False)]
        inside = Markup("").join(children)
        return (
            Markup('<div class="{}">{}</div>').format("row" if kind == "HBox" else "stack", inside)
            if inside
            else inside
        )

    def _picture(self, model: str, state: Mapping[str, Any]) -> Markup:
        content = _buffer(self.state[model], "value")
        try:
            with Image.open(BytesIO(content)) as picture:
                width, height = picture.size
                suffix = f".{(picture.format or 'png').lower()}"
        except (UnidentifiedImageError, OSError):
            return Markup("")
        alt = f"What the explorer draws{f' with {self.settings}' if self.settings else ''}"
        return Markup('<img src="{}" width="{}" height="{}" alt="{}" loading="lazy">').format(
            self.assets.save(content, suffix), width, height, alt
        )


def _control(kind: str, state: Mapping[str, Any]) -> Markup | None:
    """A control that does not move, with its value; None for kinds that have no still form."""
    value = _value(kind, state)
    if kind in ("Button", "ToggleButton", "FileUpload"):
        return Markup('<button type="button" disabled>{}</button>').format(_text(state.get("description")) or kind)
    if kind in ("Checkbox", "Valid"):
        return Markup('<input type="checkbox" disabled{}>').format(Markup(" checked") if state.get("value") else "")
    if kind in _LISTS:
        return Markup("<select disabled><option>{}</option></select>").format(value)
    if kind == "SelectionSlider":
        last = max(0, len(_options(state)) - 1)
        return _range(0, last, [int(_number(state.get("index"), 0))], value)
    if kind.endswith("Slider"):
        ends = state.get("value") if kind.endswith("RangeSlider") else [state.get("value")]
        low, high = _number(state.get("min"), 0), _number(state.get("max"), 100)
        return _range(low, high, [_number(end, low) for end in ends or []], value)
    if kind in ("Text", "IntText", "FloatText", "BoundedIntText", "BoundedFloatText", "Combobox", "Textarea"):
        return Markup('<input type="text" disabled value="{}">').format(value)
    return None


def _range(low: float, high: float, ends: Sequence[float], text: str) -> Markup:
    """A slider: a bar filled up to its value, or between its two values, which stand behind it in words."""
    share = [100 * min(max((end - low) / (high - low), 0), 1) if high > low else 0 for end in ends] or [0]
    start, end = (0 if len(share) == 1 else share[0]), share[-1]
    thumbs = Markup("").join(Markup('<i style="left: {:.4g}%"></i>').format(at) for at in share)
    bar = Markup('<b style="left: {:.4g}%; width: {:.4g}%"></b>').format(start, end - start)
    return Markup('<span class="slider" aria-hidden="true">{}{}</span><span class="readout">{}</span>').format(
        bar, thumbs, text
    )


def _value(kind: str, state: Mapping[str, Any]) -> str:
    """A control's value in words."""
    if kind in _LISTS or kind == "SelectionSlider":
        options, index = _options(state), state.get("index")
        return options[index] if isinstance(index, int) and 0 <= index < len(options) else _text(state.get("value"))
    value = state.get("value")
    spec = _text(state.get("readout_format"))
    return " – ".join(_format(number, spec) for number in value) if isinstance(value, list) else _format(value, spec)


def _format(value: Any, spec: str) -> str:
    """A number as D3 would write it; D3's formats are Python's, as far as sliders use them."""
    try:
        return format(value, spec.replace("~", "")) if isinstance(value, int | float) else _text(value)
    except ValueError:
        return str(value)


def _settings(state: Mapping[str, Any], model: str) -> str:
    """What the visible controls say: "picture portrait, scale 4"."""

    def pairs(model: str) -> Iterator[str]:
        kind, own = _model(state, model)
        if not kind or _hidden(state, own):
            return
        for child in _children(own):
            yield from pairs(child)
        label = _text(own.get("description"))
        if label and (kind in _LISTS or kind.endswith("Slider")):
            yield f"{label} {_value(kind, own)}"

    return ", ".join(pairs(model))


def _model(state: Mapping[str, Any], model: str) -> tuple[str, Mapping[str, Any]]:
    """A model's kind ("IntSlider") and state; ("", {}) if there is none."""
    found = state.get(model)
    if not isinstance(found, dict) or not isinstance(found.get("state"), dict):
        return "", {}
    return str(found.get("model_name", "")).removesuffix("Model"), found["state"]


def _children(state: Mapping[str, Any]) -> list[str]:
    return [str(child).removeprefix(_REFERENCE) for child in state.get("children") or []]


def _hidden(all_state: Mapping[str, Any], state: Mapping[str, Any]) -> bool:
    layout = _model(all_state, str(state.get("layout", "")).removeprefix(_REFERENCE))[1]
    return layout.get("display") == "none" or layout.get("visibility") == "hidden"


def _options(state: Mapping[str, Any]) -> list[str]:
    return [str(label) for label in state.get("_options_labels") or []]


def _buffer(model: Mapping[str, Any], name: str) -> bytes:
    found = [b["data"] for b in model.get("buffers") or [] if b.get("path") == [name] and b.get("encoding") == "base64"]
    return b64decode(found[0]) if found else b""


def _text(value: Any) -> str:
    return "" if value is None else str(value).replace("\u200b", "")


def _number(value: Any, otherwise: float) -> float:
    return value if isinstance(value, int | float) else otherwise
