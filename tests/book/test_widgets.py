"""Saved widgets, drawn without a kernel: states of ipywidgets 8 and 7, of our explorers, and of what runs save."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import ipywidgets
import pytest
import tiny_site
import torch
from bs4 import BeautifulSoup

from facesr_lib.explore import degradation_explorer
from facesr_tools.book.assets import Assets
from facesr_tools.book.widgets import draw


@pytest.fixture
def assets(tmp_path: Path) -> Assets:
    return Assets(tmp_path / "site", tmp_path)


def soup_of(state: dict[str, Any], model: str, assets: Assets) -> BeautifulSoup:
    return BeautifulSoup(draw(state, model, assets), "html.parser")


def saved(widget: ipywidgets.Widget) -> dict[str, Any]:
    """The state that a front end would save with the notebook, as it comes back from a file."""
    state = ipywidgets.Widget.get_manager_state(widgets=None)["state"]
    assert widget.model_id in state
    result: dict[str, Any] = json.loads(json.dumps(state))
    return result


CONTROLS = {
    "IntSlider": (ipywidgets.IntSlider(value=3, max=9, description="n"), "n", "3"),
    "FloatSlider": (
        ipywidgets.FloatSlider(value=1.25, max=5, description="sigma", readout_format=".1f"),
        "sigma",
        "1.2",
    ),
    "FloatRangeSlider": (
        ipywidgets.FloatRangeSlider(value=(1, 2), max=5, description="sigmas"),
        "sigmas",
        "1.00 – 2.00",
    ),
    "IntRangeSlider": (ipywidgets.IntRangeSlider(value=(100, 200), max=600, description="t"), "t", "100 – 200"),
    "SelectionSlider": (ipywidgets.SelectionSlider(options=["a", "b"], value="b", description="pick"), "pick", "b"),
    "Dropdown": (
        ipywidgets.Dropdown(options=[("one", 1), ("two", 2)], value=2, description="how many"),
        "how many",
        "two",
    ),
    "Checkbox": (ipywidgets.Checkbox(value=True, description="sure"), "sure", ""),
}


@pytest.mark.parametrize(("widget", "label", "value"), CONTROLS.values(), ids=CONTROLS)
def test_controls_show_label_and_value_and_do_not_move(
    widget: ipywidgets.Widget, label: str, value: str, assets: Assets
) -> None:
    soup = soup_of(saved(widget), widget.model_id, assets)
    assert [name.get_text() for name in soup.select(".name")] == [label]
    assert "".join(shown.get_text() for shown in soup.select(".readout, option")) == value
    assert all(control.has_attr("disabled") for control in soup.select("input, select, button"))
    assert "live notebook" in soup.get_text()


@pytest.mark.parametrize(("value", "left"), [(2, 0), (5, 50), (8, 100)])
def test_a_slider_stands_where_its_value_is(value: int, left: float, assets: Assets) -> None:
    state = tiny_site.widget_state()
    state["scale"]["state"] |= {"value": value}
    thumb = soup_of(state, "box", assets).select_one(".slider i")
    assert thumb is not None
    assert thumb["style"] == f"left: {left:g}%"


def test_hidden_widgets_stay_hidden_and_the_picture_says_what_made_it(assets: Assets) -> None:
    soup = soup_of(tiny_site.widget_state(), "box", assets)
    assert "unused" not in soup.get_text()
    (picture,) = soup("img")
    assert picture["alt"] == "What the explorer draws with scale 4, kind bicubic"
    assert (picture["width"], picture["height"]) == ("600", "40")
    (file,) = (assets._folder).glob("*.png")
    assert file.read_bytes() == tiny_site.png("blue")


def test_html_in_a_widget_cannot_run_or_load(assets: Assets) -> None:
    state = tiny_site.widget_state()
    state["text"]["state"]["value"] = (
        '<img src="https://evil.example/a.png"><b onclick="x()">bold</b><script>x()</script>'
    )
    html = str(soup_of(state, "box", assets))
    assert "<b>bold</b>" in html
    assert "evil" not in html
    assert "script" not in html


def test_a_progress_bar_is_a_line_without_a_note(assets: Assets) -> None:
    parts = [ipywidgets.HTML("train: 100%"), ipywidgets.FloatProgress(value=3, max=3), ipywidgets.HTML(" 3/3 [00:01]")]
    bar = ipywidgets.HBox(parts)
    soup = soup_of(saved(bar), bar.model_id, assets)
    assert " ".join(soup.get_text(" ").split()) == "train: 100% 3/3 [00:01]"
    assert soup.progress is not None
    assert soup.progress["value"] == soup.progress["max"]


def test_an_explorer_of_ours(assets: Assets) -> None:
    explorer = degradation_explorer({"noise": torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))})
    soup = soup_of(saved(explorer), explorer.model_id, assets)
    assert {"recipe", "scale", "enlarge by"} <= {name.get_text() for name in soup.select(".name")}
    assert len(soup("img")) == 1
    assert "dB" in soup.get_text()
    assert "motion" not in [name.get_text() for name in soup.select(".name")]  # not used by the first recipe


def as_version_7(state: dict[str, Any]) -> dict[str, Any]:
    """The same state as ipywidgets 7 would save it: other version numbers, and no field that version 8 added."""
    old = copy.deepcopy(state)
    for model in old.values():
        model["model_module_version"] = "1.5.0"
        model["state"] = {
            key: "1.5.0" if key.endswith("_module_version") else value
            for key, value in model["state"].items()
            if key not in ("tooltip", "tabbable", "description_allow_html", "behavior", "titles")
        }
    return old


def test_states_of_version_7_look_the_same(assets: Assets) -> None:
    explorer = degradation_explorer({"noise": torch.zeros(1, 3, 32, 32)})
    state = saved(explorer)
    assert draw(as_version_7(state), explorer.model_id, assets) == draw(state, explorer.model_id, assets)


@pytest.mark.parametrize(
    "broken",
    [{}, {"box": None}, {"box": {}}, {"box": {"model_name": "VBoxModel", "state": {"children": ["IPY_MODEL_gone"]}}}],
)
def test_what_cannot_be_drawn_leaves_no_hole(broken: dict[str, Any], assets: Assets) -> None:
    assert draw(broken, "box", assets) == ""


def test_kinds_without_a_still_form_are_named(assets: Assets) -> None:
    state = {"a": {"model_name": "ColorPickerModel", "state": {}}}
    assert re.sub("<[^>]*>", "", draw(state, "a", assets)) == "[ColorPicker: only in a live notebook]"
