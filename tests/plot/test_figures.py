from __future__ import annotations

import io
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
import torch
from PIL import Image

from facesr_lib.plot import PALETTE, curves, image_grid, style
from facesr_lib.plot.figures import STYLE, png_html

BATCH = {"LR": torch.zeros(3, 3, 4, 4), "HR": torch.ones(3, 1, 8, 8)}


def test_importing_changes_no_setting() -> None:
    code = """if True:
        import matplotlib
        before = dict(matplotlib.rcParams)
        from facesr_lib.plot.figures import style
        assert before == dict(matplotlib.rcParams)
        style()
        assert before != dict(matplotlib.rcParams)"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_style_reaches_later_figures_only_when_asked() -> None:
    with mpl.rc_context():
        mpl.rcdefaults()
        image_grid(BATCH)
        curves([{"step": 1, "a": 2}], "a")
        assert mpl.rcParams["axes.grid"] is False
        style()
        assert mpl.rcParams["axes.grid"] is STYLE["axes.grid"] is True
        assert mpl.rcParams["axes.prop_cycle"].by_key()["color"] == list(PALETTE)


def test_palette_colours_differ_for_the_colour_blind() -> None:
    """Simulated red- and green-blind vision (Vienot, Brettel and Mollon 1999) must keep every pair of colours apart."""
    rgb = np.array([mpl.colors.to_rgb(color) for color in PALETTE]) ** 2.2
    to_lms = np.array([[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]])
    red_blind = np.array([[0, 2.02344, -2.52581], [0, 1, 0], [0, 0, 1]])
    green_blind = np.array([[1, 0, 0], [0.494207, 0, 1.24827], [0, 0, 1]])
    for loss in (np.eye(3), red_blind, green_blind):
        seen = (rgb @ (np.linalg.inv(to_lms) @ loss @ to_lms).T).clip(0, 1) ** (1 / 2.2)
        distances = np.linalg.norm(seen[:, None] - seen[None], axis=2) + np.eye(len(seen)) * 9
        assert distances.min() > 0.1


def test_a_grid_shows_the_chosen_images_in_their_own_pixels() -> None:
    images = torch.rand(3, 3, 8, 8)
    figure = image_grid({"LR": images[:, :, ::2, ::2], "HR": images}, rows=[2, 0], labels={"HR": ["a", "b", "c"]})
    axes = np.array(figure.axes).reshape(2, 2)
    assert [ax.get_title() for ax in axes[0]] == ["LR", "HR"]
    assert [ax.get_xlabel() for ax in axes[:, 1]] == ["c", "a"]
    figure.draw_without_rendering()
    extents = [ax.get_window_extent() for ax in figure.axes]
    assert [extent.width for extent in extents] == pytest.approx([extent.height for extent in extents])  # pixels are square
    shown = axes[0, 1].get_images()[0]
    np.testing.assert_array_equal(shown.get_array(), images[2].permute(1, 2, 0).numpy())
    assert axes[0, 0].get_images()[0].get_interpolation() == "nearest"
    assert shown.get_interpolation() != "nearest"


def test_rows_are_labelled_at_their_left_also_below_a_zoom() -> None:
    for zoom, step in ((None, 2), ((0.0, 0.0, 0.5), 4)):
        figure = image_grid(BATCH, rows=[0, 1], row_labels=["first", "second"], zoom=zoom)
        assert [axes.get_ylabel() for axes in figure.axes[::step]] == ["first", "second"]
        assert sum(bool(axes.get_ylabel()) for axes in figure.axes) == 2


def test_a_zoom_shows_the_framed_part_of_every_size() -> None:
    images = torch.rand(1, 3, 8, 8)
    figure = image_grid({"LR": images[:, :, ::2, ::2], "HR": images}, zoom=(0.25, 0.5, 0.5))
    low, high = (ax.get_images()[0].get_array() for ax in np.array(figure.axes).reshape(2, 2)[1])
    np.testing.assert_array_equal(high, images[0, :, 2:6, 4:8].permute(1, 2, 0).numpy())
    np.testing.assert_array_equal(low, images[0, :, ::2, ::2][:, 1:3, 2:4].permute(1, 2, 0).numpy())
    (frame,) = figure.axes[1].patches
    assert (frame.get_xy(), frame.get_width(), frame.get_height()) == ((3.5, 1.5), 4, 4)


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ({}, {}, "there must be a column"),
        ({"a": torch.zeros(1, 3, 4, 4), "b": torch.zeros(2, 3, 4, 4)}, {}, "same number"),
        ({"a": torch.zeros(3, 4, 4)}, {}, "shape"),
        ({"a": torch.zeros(1, 2, 4, 4)}, {}, "shape"),
        (BATCH, {"zoom": (0.8, 0.0, 0.5)}, "zoom"),
        (BATCH, {"rows": []}, "rows"),
    ],
)
def test_bad_grids_are_refused(columns: dict[str, torch.Tensor], options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        image_grid(columns, **options)  # type: ignore[arg-type]


def test_curves_skip_what_a_row_lacks_and_average() -> None:
    rows = [{"step": str(i), "loss": str(float(i)), "psnr": "" if i % 2 else "30"} for i in range(6)]
    axes = curves(rows, "loss", "psnr", average=3).axes[0]
    raw, mean, psnr_raw, psnr = axes.get_lines()
    assert list(raw.get_ydata()) == [0, 1, 2, 3, 4, 5]
    np.testing.assert_allclose(mean.get_ydata(), [1, 2, 3, 4])
    assert list(mean.get_xdata()) == [2, 3, 4, 5]
    assert list(psnr_raw.get_xdata()) == [0, 2, 4]
    assert mean.get_linestyle() != psnr.get_linestyle()
    with pytest.raises(ValueError, match=r"'nope'; it has step, loss, psnr"):
        curves(rows, "nope")


def test_a_figure_shows_itself_as_png_and_embeds_at_drawn_size() -> None:
    content = curves([{"step": 1, "a": 2}, {"step": 2, "a": 1}], "a")._repr_png_()
    width, height = Image.open(io.BytesIO(content)).size
    tag = str(png_html(content, '"<b>'))
    assert f'width="{round(width * 0.64)}" height="{round(height * 0.64)}"' in tag
    assert 'alt="&quot;&lt;b&gt;"' in tag
    with pytest.raises(ValueError, match="PNG"):
        png_html(b"GIF89a", "x")
