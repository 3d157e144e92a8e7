"""Flow pictures, preset flows and fitted flows against closed forms."""

from __future__ import annotations

import colorsys
import io
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from facesr_lib.explore.canvas import panels, png
from facesr_lib.explore.flow import (
    FLOW_KINDS,
    fit_flow,
    flow_colors,
    flow_explorer,
    flow_figure,
    flow_grid,
    folds,
    preset_flow,
    turn,
)
from facesr_lib.image import warp
from facesr_lib.losses import total_variation


def constant(dx: float, dy: float, height: int = 8, width: int = 8) -> Tensor:
    return torch.tensor([dx, dy]).view(1, 2, 1, 1).expand(1, 2, height, width).clone()


def soft(size: int = 24, seed: int = 0) -> Tensor:
    cells = torch.rand(1, 3, 6, 6, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(cells, size=(size, size), mode="bilinear", align_corners=True)


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


@settings(deadline=None, max_examples=50)
@given(st.floats(0, 2 * math.pi), st.floats(0, 6))
def test_colours_are_hsv(angle: float, length: float) -> None:
    color = flow_colors(constant(length * math.cos(angle), length * math.sin(angle)), limit=4.0)[0, :, 0, 0]
    expected = colorsys.hsv_to_rgb(angle / (2 * math.pi), min(length / 4, 1), 1)
    np.testing.assert_allclose(color.numpy(), expected, atol=1e-4)


def test_a_third_of_a_turn_permutes_the_channels() -> None:
    flow = torch.randn(2, 2, 5, 7, generator=torch.Generator().manual_seed(0))
    colors = flow_colors(flow)
    torch.testing.assert_close(flow_colors(turn(flow, 120)), colors[:, [2, 0, 1]], atol=1e-4, rtol=0)
    torch.testing.assert_close(flow_colors(3 * flow), colors)


def test_no_motion_is_white_and_the_longest_arrow_has_full_colour() -> None:
    assert (flow_colors(torch.zeros(1, 2, 4, 4)) == 1).all()
    flow = constant(0.0, 0.0)
    flow[0, 1, 2, 3] = 0.5
    colors = flow_colors(flow)
    assert colors.amin() == 0
    assert colors[0, :, 2, 3].amin() == 0
    assert (colors.amin(1) < 1).sum() == 1


@pytest.mark.parametrize("wrong", [torch.zeros(2, 4, 4), torch.zeros(1, 3, 4, 4), torch.zeros(1, 2, 0, 4)])
def test_what_is_no_flow_is_refused(wrong: Tensor) -> None:
    for function in (flow_colors, folds):
        with pytest.raises(ValueError, match="flow: expected"):
            function(wrong)


def test_limits_and_unequal_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="limit"):
        flow_colors(constant(1, 0), limit=0.0)
    with pytest.raises(ValueError, match="one image and one flow"):
        flow_figure(torch.rand(1, 3, 8, 9), constant(1, 0))
    with pytest.raises(ValueError, match="one image and one flow"):
        flow_figure(torch.rand(2, 3, 8, 8), constant(1, 0).expand(2, -1, -1, -1))


@pytest.mark.parametrize(("dx", "dy"), [(3.0, 0.0), (0.0, 3.0), (-2.0, 1.0), (1.0, -3.0)])
def test_arrows_lead_from_where_a_dot_is_drawn_to_where_it_was(dx: float, dy: float) -> None:
    image = torch.zeros(1, 1, 20, 28)
    image[0, 0, 10, 12] = 1
    flow = constant(dx, dy, 20, 28)
    drawn_y, drawn_x = (warp(image, flow)[0, 0] == 1).nonzero()[0].tolist()
    figure = flow_figure(image, flow)
    figure.canvas.draw()
    axes = figure.axes[0]
    arrows = axes.collections[0]
    gain = float(axes.get_title().split(" x")[1].rstrip(")")) if " x" in axes.get_title() else 1.0
    assert np.allclose([arrows.U, arrows.V], np.full_like([arrows.U, arrows.V], gain) * [[dx], [dy]])
    assert (arrows.angles, arrows.scale_units, arrows.scale) == ("xy", "xy", 1)
    assert arrows.pivot == "tail"
    assert (drawn_x + arrows.U[0] / gain, drawn_y + arrows.V[0] / gain) == (12, 10)
    # On the screen: where y grows downwards on the axis, an arrow that looks down points down.
    start, end = axes.transData.transform([(5, 5), (5 + dx, 5 + dy)])
    assert np.sign(end - start).tolist() == [np.sign(dx), -np.sign(dy)]


def test_short_arrows_are_enlarged_and_the_title_says_so() -> None:
    titles = [
        flow_figure(torch.rand(1, 3, 32, 32), constant(length, 0, 32, 32)).axes[0].get_title() for length in (0.0, 0.25, 8.0)
    ]
    assert [title.partition("(")[2] for title in titles] == ["", "arrows x10)", ""]


def test_the_legend_counts_pixels() -> None:
    legend = flow_figure(torch.rand(1, 3, 8, 8), constant(2.5, 0)).axes[2]
    assert [label.get_text() for label in legend.get_xticklabels()] == ["-2.5", "0", "2.5"]
    wheel = legend.images[0].get_array()
    np.testing.assert_allclose(wheel[64, -1], colorsys.hsv_to_rgb(0, 1, 1), atol=0.05)  # right
    np.testing.assert_allclose(wheel[-1, 64], colorsys.hsv_to_rgb(0.25, 1, 1), atol=0.05)  # down
    assert (wheel[0, 0] == 1).all()


@pytest.mark.parametrize("kind", FLOW_KINDS)
def test_preset_flows_have_the_length_asked_for(kind: str) -> None:
    flow = preset_flow(kind, 17, 2.5)
    assert flow.shape == (1, 2, 17, 17)
    assert flow.norm(dim=1).max().item() == pytest.approx(2.5, abs=1e-5)
    torch.testing.assert_close(preset_flow(kind, 17, -5.0), -2 * flow)
    assert folds(preset_flow(kind, 64, 1.0)).item() == 0  # smooth


def test_preset_flows_do_what_their_names_say() -> None:
    image = soft(9)
    torch.testing.assert_close(warp(image, preset_flow("shift", 9, 2.0))[..., :7], image[..., 2:])
    zoom, swirl = preset_flow("zoom", 9, 2.0), preset_flow("swirl", 9, 2.0)
    assert zoom[0, :, 4, 4].tolist() == [0, 0]
    assert zoom[0, 0, 4, 8] < 0 < zoom[0, 0, 4, 0]  # looks inwards
    torch.testing.assert_close(torch.rot90(swirl, 1, (2, 3)), turn(swirl, 90))  # the same from every side
    assert not folds(turn(zoom, 90)).any()
    with pytest.raises(ValueError, match="shift, zoom, swirl, wave, shake"):
        preset_flow("twist", 9, 1.0)
    with pytest.raises(ValueError, match="size"):
        preset_flow("zoom", 1, 1.0)


def test_grid_shows_every_kind_at_every_strength() -> None:
    image = soft(16)
    figure = flow_grid(image, (0, 1))
    shown = [np.asarray(axes.images[0].get_array()) for axes in figure.axes]
    assert len(shown) == 3 * len(FLOW_KINDS)
    for row, kind in enumerate(FLOW_KINDS):
        assert figure.axes[3 * row].get_ylabel() == kind
        np.testing.assert_allclose(shown[3 * row + 1], image[0].permute(1, 2, 0).numpy(), atol=1e-6)
        expected = warp(image, preset_flow(kind, 16, 1.0))[0].permute(1, 2, 0).numpy()
        np.testing.assert_allclose(shown[3 * row + 2], expected, atol=1e-6)
    with pytest.raises(ValueError, match="one square image"):
        flow_grid(torch.rand(1, 3, 8, 9))


def test_every_control_of_the_explorer_draws_another_picture() -> None:
    kind, amount, direction, picture, caption = flow_explorer(soft(32)).children
    seen = [picture.value]
    for control, value in ((kind, "zoom"), (amount, 1.0), (direction, 90)):
        control.value = value
        seen.append(picture.value)
    assert len(set(seen)) == 4
    assert pixels(seen[0]).shape == (24 + 256, 2 * 256 + 8, 3)
    assert "0.0% of the flow folds" in caption.value


def test_the_explorer_at_strength_zero_shows_the_face_itself() -> None:
    image = soft(32)
    _, amount, _, picture, _ = flow_explorer(image).children
    amount.value = 0
    assert picture.value == png(panels({"warped face": image, "flow": torch.ones_like(image)}))


def test_folds_counts_where_the_map_turns_over() -> None:
    columns = torch.arange(8.0).expand(8, 8)
    still = torch.zeros(8, 8)
    mirrored = torch.stack([7 - 2 * columns, still])  # p -> 7 - x
    pressed = torch.stack([-columns, still])  # every column on the first one
    stretched = torch.stack([columns, columns.T])
    upside_down = torch.stack([7 - 2 * columns, 7 - 2 * columns.T])  # half a turn keeps the orientation
    flows = torch.stack([mirrored, pressed, stretched, upside_down])
    assert folds(flows).tolist() == [1, 1, 0, 0]
    half = torch.where(columns < 4, 0.0, 1.5 * (4 - columns))  # x below 4, 6 - x / 2 above
    assert folds(torch.stack([half, still])[None]).item() == pytest.approx(3 / 7)


def test_a_fit_finds_the_flow_that_was_applied() -> None:
    source, true = soft(24), preset_flow("zoom", 24, 1.0)
    fitted = fit_flow(source, warp(source, true), 0.01)
    assert not fitted.requires_grad
    assert (fitted - true).norm(dim=1).mean() < 0.1 * true.norm(dim=1).mean()


def test_smoothness_holds_a_swirl_but_lets_a_shift_go() -> None:
    source, shift, swirl = soft(24), constant(1.0, 0.0, 24, 24), preset_flow("swirl", 24, 1.0)
    shifted, swirled = (fit_flow(source, warp(source, flow), 0.3).norm(dim=1).mean().item() for flow in (shift, swirl))
    assert shifted == pytest.approx(1, abs=0.1)
    assert swirled < 0.8 * swirl.norm(dim=1).mean().item()


@pytest.mark.parametrize("smoothness", [0.01, 0.3, 2.0])
def test_a_fit_ends_below_what_is_known(smoothness: float) -> None:
    source, true = soft(24), preset_flow("swirl", 24, 1.5)
    target = warp(source, true)

    def objective(flow: Tensor) -> float:
        return ((warp(source, flow) - target).abs().mean() + smoothness * total_variation(flow)).item()

    fitted = objective(fit_flow(source, target, smoothness))
    assert fitted < min(objective(true), objective(0 * true)) + 0.005  # 0.056 before the fit


def test_a_fit_is_the_same_every_time_and_refuses_nonsense() -> None:
    source, target = soft(8), soft(8, seed=1)
    assert torch.equal(fit_flow(source, target, 0.1, steps=5), fit_flow(source, target, 0.1, steps=5))
    with pytest.raises(ValueError, match="target"):
        fit_flow(source, soft(9), 0.1)
    with pytest.raises(ValueError, match="smoothness"):
        fit_flow(source, target, -1.0)
