"""The explorer shows what the functions give, redraws for every control, and its static twins agree with it."""

from __future__ import annotations

import math

import ipywidgets as widgets
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from bs4 import BeautifulSoup
from torch import Tensor

from facesr_lib.explore.canvas import panels
from facesr_lib.explore.loss_explorer import BAR_END, bars_html, loss_bars, loss_explorer, loss_grid, loss_view
from facesr_lib.explore.losses import DAMAGES, Damage, LossScale, Reading, heat, image_losses, loss_gradient, wish


@pytest.fixture(scope="module")
def face() -> Tensor:
    cells = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    return F.interpolate(cells, size=(32, 32), mode="bilinear", align_corners=True)


def controls(box: widgets.VBox) -> dict[str, widgets.Widget]:
    """Every control by its description."""
    found = {}
    for child in box.children:
        if isinstance(child, widgets.VBox | widgets.HBox):
            found |= controls(child)
        elif getattr(child, "description", ""):
            found[child.description] = child
    return found


def shares(readout: str) -> dict[str, str]:
    rows = BeautifulSoup(readout, "html.parser").find_all("tr")[1:]
    return {row.find_all("td")[0].text: row.find_all("td")[-1].text for row in rows}


def test_view_shows_the_maps_of_the_chosen_loss(face: Tensor) -> None:
    damage = Damage(shift=1)
    pixels, readout = loss_view(LossScale(face, image_losses()), damage, "L2")
    _, gradient = loss_gradient(F.mse_loss, damage(face), face)
    expected = {"HR": face, "damaged": damage(face), "what it wants added": wish(gradient), "how much": heat(gradient)}
    np.testing.assert_array_equal(pixels, panels(expected, side=192))
    assert list(shares(readout)) == [*image_losses(), "PSNR", "SSIM"]
    assert "shift 1" in readout


def test_bars_are_cut_marked_and_escaped() -> None:
    readings = {
        "a < b": Reading("0.5", 1.5, False),
        "far": Reading("9", 30.0, True),
        "liked": Reading("-1", -0.4, False),
        "none": Reading("0", math.nan, False),
    }
    table = BeautifulSoup(bars_html(readings, "noise 8"), "html.parser")
    rows = table.find_all("tr")[1:]
    widths = [float(row.div["style"].split("width:")[1].split("%")[0]) for row in rows]
    assert widths == [50.0, 100.0, 0.0, 0.0]
    assert [row.find_all("td")[0].text for row in rows] == list(readings)
    assert [row.find_all("td")[-1].text for row in rows] == ["1.50", "30.00", "-0.40", "n/a"]


def test_every_control_redraws(face: Tensor) -> None:
    box = loss_explorer({"one": face, "other": face.flip(3)})
    found, (picture, readout) = controls(box), box.children[-2:]
    assert set(shares(readout.value).values()) == {"0.00"}
    values = {
        "shift (px)": 1,
        "blur sigma (px)": 1,
        "noise (grey levels)": 8,
        "contrast (factor)": 0.8,
        "warmth (colour cast)": 0.1,
    }
    seen = [(picture.value, readout.value)]
    for name, value in values.items():
        found[name].value = value
        seen.append((picture.value, readout.value))
    assert len({p for p, _ in seen}) == len({r for _, r in seen}) == 6
    found["gradient of"].value = "L2"
    assert picture.value != seen[-1][0]
    assert readout.value == seen[-1][1]
    found["picture"].value = "other"
    assert picture.value != seen[-1][0]


def test_a_slow_loss_is_only_asked_while_it_is_chosen(face: Tensor) -> None:
    calls = []

    def slow(sr: Tensor, hr: Tensor) -> Tensor:
        calls.append(1)
        return (sr - hr).abs().max()

    box = loss_explorer({"face": face}, slow={"LPIPS": slow})
    found, readout = controls(box), box.children[-1]
    found["shift (px)"].value = 1
    assert not calls
    assert list(shares(readout.value)) == [*image_losses(), "PSNR", "SSIM"]
    found["gradient of"].value = "LPIPS"
    assert len(calls) == 4  # HR, bicubic SR, the damaged picture, and its gradient
    assert "LPIPS" in shares(readout.value)
    found["shift (px)"].value = 2
    assert len(calls) == 6
    found["gradient of"].value = "L1"
    assert "LPIPS" not in shares(readout.value)
    assert len(calls) == 6


def test_the_grid_shows_wishes_and_shares(face: Tensor) -> None:
    figure = loss_grid(face, damages=DAMAGES[:2])
    titles = [axes.get_title() for axes in figure.axes[:5]]
    assert titles == ["damaged", *image_losses()]
    scale = LossScale(face, image_losses())
    for row, damage in enumerate(DAMAGES[:2]):
        cells = figure.axes[5 * row : 5 * row + 5]
        assert cells[0].get_xlabel() == damage.name
        for axes, (name, loss) in zip(cells[1:], image_losses().items(), strict=True):
            expected = wish(loss_gradient(loss, damage(face), face)[1])[0].permute(1, 2, 0)
            np.testing.assert_allclose(axes.images[0].get_array(), expected.numpy(), atol=1e-6)
            assert axes.get_xlabel() == f"{scale(damage(face))[name].share:.2f} x bicubic"


def test_bars_are_as_long_as_their_shares(face: Tensor) -> None:
    figure = loss_bars(face)
    scale = LossScale(face, image_losses())
    for axes, damage in zip(figure.axes, DAMAGES, strict=True):
        readings = scale(damage(face)).values()
        lengths = [bar.get_width() for bar in axes.patches]
        assert lengths == pytest.approx([min(reading.share, BAR_END) for reading in readings])
        assert [text.get_text() for text in axes.texts] == [reading.text for reading in readings]
