"""Saved widgets and other live outputs without a kernel: states of ipywidgets 8 and 7, and of our explorers."""

from __future__ import annotations

import copy
import json
from typing import Any

import ipywidgets
import nbformat
import pytest
import tiny_site
import torch
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_notebook, new_output

from facesr_lib.explore.degradation import degradation_explorer
from facesr_tools.site.outputs import clean, plain_text, prepare
from facesr_tools.site.widgets import VIEW, still


def soup_of(state: dict[str, Any], model: str) -> BeautifulSoup:
    return BeautifulSoup(still(state, model), "html.parser")


def saved(widget: ipywidgets.Widget) -> dict[str, Any]:
    """The state that a front end would save with the notebook, as it comes back from a file."""
    state = ipywidgets.Widget.get_manager_state(widgets=None)["state"]
    assert widget.model_id in state
    result: dict[str, Any] = json.loads(json.dumps(state))
    return result


CONTROLS = [
    (ipywidgets.IntSlider(value=3, max=9, description="n"), "n 3"),
    (ipywidgets.FloatSlider(value=1.25, max=5, description="sigma", readout_format=".1f"), "sigma 1.2"),
    (ipywidgets.FloatRangeSlider(value=(1, 2), max=5, description="sigmas"), "sigmas 1.00 – 2.00"),
    (ipywidgets.SelectionSlider(options=["a", "b"], value="b", description="pick"), "pick b"),
    (ipywidgets.Dropdown(options=[("one", 1), ("two", 2)], value=2, description="how many"), "how many two"),
    (ipywidgets.Checkbox(value=True, description="sure"), "sure yes"),
]


@pytest.mark.parametrize(("widget", "said"), CONTROLS, ids=[said for _, said in CONTROLS])
def test_a_control_says_its_value(widget: ipywidgets.Widget, said: str) -> None:
    soup = soup_of(saved(widget), widget.model_id)
    assert [item.get_text() for item in soup("li")] == [said]
    assert "live notebook" in soup.get_text()


def test_hidden_widgets_stay_hidden_and_the_picture_says_what_made_it() -> None:
    soup = soup_of(tiny_site.widget_state(), "box")
    assert "unused" not in soup.get_text()
    (picture,) = soup("img")
    assert picture["alt"] == "What the explorer draws with scale 4, kind bicubic"


def test_an_explorer_of_ours_and_its_state_by_version_7() -> None:
    explorer = degradation_explorer({"noise": torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))})
    state = saved(explorer)
    soup = soup_of(state, explorer.model_id)
    text = soup.get_text(" ", strip=True)
    assert all(name in text for name in ("recipe", "scale", "enlarge by", "dB"))
    assert "motion" not in [str(item.contents[0]).strip() for item in soup("li")]  # not used by the first recipe
    assert "stays on the machine" not in text  # nobody can bring a file to a page
    assert len(soup("img")) == 1
    old = copy.deepcopy(state)
    for model in old.values():
        new_in_8 = ("tooltip", "tabbable", "description_allow_html", "behavior", "titles")
        model["state"] = {key: value for key, value in model["state"].items() if key not in new_in_8}
    assert still(old, explorer.model_id) == still(state, explorer.model_id)


@pytest.mark.parametrize(
    "broken", [{}, {"box": None}, {"box": {}}, {"box": {"model_name": "VBoxModel", "state": {"children": ["IPY_MODEL_gone"]}}}]
)
def test_what_cannot_be_drawn_leaves_no_hole(broken: dict[str, Any]) -> None:
    assert still(broken, "box") == ""


def shown(data: dict[str, Any], state: dict[str, Any] | None = None) -> str:
    """What a page would say for an output, as plain text."""
    widgets = {tiny_site.STATE: {"version_major": 2, "version_minor": 0, "state": state or {}}}
    cell = new_code_cell("x", outputs=[new_output("display_data", data=data)])
    prepared = prepare(new_notebook(cells=[cell], metadata={"widgets": widgets}))
    nbformat.validate(nbformat.from_dict(prepared))
    assert "widgets" not in prepared["metadata"]
    (still_data,) = [output["data"] for output in prepared["cells"][0]["outputs"]] or [{}]
    assert set(still_data) <= {"text/html", "text/plain"}
    return BeautifulSoup("".join(still_data.values()), "html.parser").get_text(" ", strip=True)


def test_the_richest_form_that_needs_no_script() -> None:
    assert shown({"text/html": "<b>rich</b>", "text/plain": "plain"}) == "rich"
    assert shown({"text/plain": "ImageSet('a', 3)"}) == "ImageSet('a', 3)"
    assert shown({"application/javascript": "alert(1)"}) == "Interactive part: run the notebook to use it."
    assert shown({VIEW: {"model_id": "gone"}, "text/plain": "VBox()"}) == "Interactive part: run the notebook to use it."
    assert shown({VIEW: {"model_id": "gone"}, "text/plain": "train:  50%|###  | 1/2"}) == ""


def test_a_progress_bar_is_a_line() -> None:
    bar = ipywidgets.HBox([ipywidgets.HTML("train: 100%"), ipywidgets.FloatProgress(value=3, max=3), ipywidgets.HTML("3/3")])
    assert shown({VIEW: {"model_id": bar.model_id}, "text/plain": "x"}, saved(bar)) == "train: 100% 3/3"


def test_html_of_an_output_or_a_widget_cannot_run_or_load() -> None:
    state = tiny_site.widget_state()
    hostile = '<img src="https://evil.example/a.png"><b onclick="x()">bold</b><script>x()</script>'
    state["text"]["state"]["value"] = hostile
    text = shown({VIEW: {"model_id": "box"}, "text/plain": "x"}, state)
    assert "bold" in text
    assert "evil" not in clean(hostile)
    assert "x()" not in clean(hostile)


def test_fragments_keep_ids_only_where_they_refer_to_them() -> None:
    assert clean('<svg><g id="a"/><use href="#a"/></svg>').count('"a"') == 1
    assert "id=" not in clean('<p id="a">x</p>')
    assert "fff" not in clean("<style>.output_html .k { color: #fff }</style>x")


def test_vector_pictures_become_files_in_which_no_script_runs() -> None:
    svg = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    kept: list[bytes] = []
    cell = new_code_cell("x", outputs=[new_output("display_data", data={"image/svg+xml": svg})])
    prepared = prepare(new_notebook(cells=[cell]), lambda content, suffix: kept.append(content) or f"files/a{suffix}")
    assert kept == [svg.encode()]  # a browser runs no script of an <img>
    assert '<img alt="Picture without a description" loading="lazy" src="files/a.svg"' in str(prepared)


def test_text_is_as_a_terminal_shows_it_in_the_end() -> None:
    assert plain_text("\x1b[31mred\x1b[0m\n  5%\r100%\r\nab\x08c\n") == "red\n100%\nac\n"
