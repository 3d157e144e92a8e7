"""The shared canvas draws each picture's own pixels below its title, and an explorer redraws once for every change."""

from __future__ import annotations

import io

import ipywidgets as widgets
import numpy as np
import torch
from PIL import Image

from facesr_lib.explore.canvas import GAP, TITLE, explorer, panels, png
from facesr_lib.plot.figures import NotebookFigure

CHECKS = torch.tensor([[[[0.0, 1.0], [0.2, 0.4]]]])


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def test_every_panel_shows_its_own_pixels_equally_large() -> None:
    row = panels({"small": CHECKS, "large": torch.full((1, 3, 6, 6), 0.6)}, side=14)  # 12 is nearer to 14 than 18 is
    assert row.shape == (TITLE + 12, 2 * 12 + GAP, 3)
    assert row.dtype == np.uint8
    small, large = row[TITLE:, :12], row[TITLE:, 12 + GAP :]
    assert [np.unique(quarter).tolist() for quarter in (small[:6, :6], small[:6, 6:])] == [[0], [255]]
    assert [np.unique(quarter).tolist() for quarter in (small[6:, :6], small[6:, 6:])] == [[51], [102]]
    assert (large == 153).all()
    assert (row[TITLE:, 12 : 12 + GAP] == 255).all()


def test_pictures_may_be_taller_than_wide_and_larger_than_asked_for() -> None:
    assert panels({"tall": torch.zeros(1, 1, 8, 4)}, side=16).shape == (TITLE + 16, 8, 3)
    assert panels({"large": torch.zeros(1, 1, 300, 300)}, side=16).shape == (TITLE + 300, 300, 3)


def test_titles_are_written_above_their_panel() -> None:
    image = torch.zeros(1, 3, 128, 128)
    with_title, without = panels({"HR": image, "LR": image}), panels({"HR": image, "": image})
    strip = slice(0, TITLE)
    assert (with_title[strip] < 128).any()
    different = (with_title != without).any(axis=(0, 2)).nonzero()[0]
    middle = 256 + GAP + 128
    assert middle - 20 < different.min() < middle < different.max() < middle + 20
    assert (with_title[TITLE:] == without[TITLE:]).all()


def test_a_png_holds_the_pixels_or_the_figure() -> None:
    drawn = panels({"": CHECKS}, side=2)
    np.testing.assert_array_equal(pixels(png(drawn)), drawn)
    assert pixels(png(NotebookFigure(figsize=(2, 1)))).ndim == 3


def test_an_explorer_calls_its_view_once_per_change_with_every_value() -> None:
    calls: list[dict[str, object]] = []

    def view(level: float, kind: str) -> tuple[np.ndarray, str]:
        calls.append({"level": level, "kind": kind})
        return np.full((2, 2, 3), round(255 * level), dtype=np.uint8), f"{kind} {level}"

    level = widgets.FloatSlider(value=0.0, min=0, max=1, step=0.2)
    kind = widgets.Dropdown(options=["a", "b"])
    box = explorer(view, {"level": level, "kind": kind})
    assert box.children[:2] == (level, kind)
    picture, readout = box.children[2:]
    level.value = 0.2
    assert (pixels(picture.value) == 51).all()
    kind.value = "b"
    assert readout.value == "b 0.2"
    level.value = 0.2  # no change
    expected = [(0.0, "a"), (0.2, "a"), (0.2, "b")]
    assert calls == [{"level": value, "kind": name} for value, name in expected]


def test_pictures_stand_first_and_the_chosen_one_is_viewed() -> None:
    pictures = {"black": torch.zeros(1, 3, 8, 8), "white": torch.ones(1, 3, 8, 8)}
    box = explorer(lambda hr, level: (panels({"": hr}, side=8), f"{level}"), {"level": widgets.IntSlider()}, pictures)
    (menu, _), level, picture, readout = box.children[0].children, *box.children[1:]
    assert (pixels(picture.value)[TITLE:] == 0).all()
    menu.value = "white"
    assert (pixels(picture.value)[TITLE:] == 255).all()
    level.value = 7
    assert readout.value == "7"


def test_settings_that_a_choice_does_not_use_are_hidden() -> None:
    controls = {"kind": widgets.Dropdown(options=["none", "a", "both"]), "a": widgets.IntSlider(), "b": widgets.IntSlider()}
    uses = {"none": (), "a": ("a",), "both": ("a", "b")}
    explorer(lambda **values: (np.zeros((1, 1, 3), np.uint8), ""), controls, uses=("kind", uses))
    for kind in ("none", "both", "a"):
        controls["kind"].value = kind
        assert {name for name in "ab" if controls[name].layout.display == "flex"} == set(uses[kind])
        assert controls["kind"].layout.display is None
