"""The edge explorer and its static twin: maps are the library's, inks and shares mean what they say, controls redraw."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import binary_dilation
from torch import Tensor

from facesr_lib.data import astronaut_face
from facesr_lib.explore.canvas import png
from facesr_lib.explore.edges import (
    DETECTORS,
    SETTINGS,
    EdgeDetector,
    bicubic_methods,
    edge_explorer,
    edge_grid,
    edge_view,
    kept,
    overlay,
)
from facesr_lib.image import Bicubic, canny, dog, edge_residual, gaussian_blur, resize_bicubic, rgb_to_grey, sobel


@pytest.fixture(scope="module")
def face() -> Tensor:
    return astronaut_face(64)


def test_detectors_are_those_of_the_library(face: Tensor) -> None:
    grey = rgb_to_grey(face)
    across, down = sobel(grey).chunk(2, dim=1)
    assert torch.equal(EdgeDetector("Canny", thresholds=(50, 255))(face), canny(face, 50, 255))
    assert torch.equal(EdgeDetector("DoG", sigmas=(1.0, 2.0))(face), dog(grey, 1.0, 2.0))
    assert torch.equal(EdgeDetector("edge block", window=5)(face), edge_residual(grey, 5))
    torch.testing.assert_close(EdgeDetector("Sobel")(face), (across**2 + down**2).sqrt() / 4)
    blurred = gaussian_blur(grey, 7, 1.0)
    assert torch.equal(EdgeDetector("Canny", blur=1.0)(face), canny(blurred, 100, 200))
    with pytest.raises(ValueError, match="unknown edge operator 'Prewitt'"):
        EdgeDetector("Prewitt")


def test_scales_are_those_of_the_docstring() -> None:
    step = torch.zeros(1, 3, 16, 16)
    step[..., 8:] = 1
    assert EdgeDetector("Sobel")(step).amax().item() == pytest.approx(1)
    line = torch.zeros(1, 3, 33, 33)
    line[..., 16] = 1
    for operator in ("DoG", "LoG"):
        assert EdgeDetector(operator)(line)[0, 0, 16, 16] > 0.05
    # A Laplacian times sigma^2 does not depend on the scale: twice the blob, twice sigma, the same answer.
    y, x = torch.meshgrid(torch.arange(65.0) - 32, torch.arange(65.0) - 32, indexing="ij")
    answers = [
        EdgeDetector("LoG", sigma=s)(torch.exp(-(x**2 + y**2) / (2 * s**2)).expand(1, 3, -1, -1))[0, 0, 32, 32].item()
        for s in (2.0, 4.0)
    ]
    assert answers == pytest.approx([0.5, 0.5], abs=2e-3)  # 2 / (1 + 1)^2


def test_names_list_what_is_used() -> None:
    assert [d.name for d in DETECTORS] == ["Sobel", "Canny (100, 200)", "DoG (1, 1.6)", "LoG (1.3)", "edge block (7x7)"]
    assert EdgeDetector("Canny", blur=0.5).name == "Canny (100, 200; blur 0.5)"
    assert EdgeDetector("DoG", blur=0.5).name == "DoG (1, 1.6)"


def test_a_signed_map_is_drawn_around_grey(face: Tensor) -> None:
    for detector in DETECTORS:
        nothing = detector.drawn(torch.zeros(1, 1, 2, 2))
        assert (nothing == (0.5 if detector.operator in ("DoG", "LoG") else 0)).all()
        drawn = detector.drawn(detector(face))
        assert 0 <= drawn.amin() < drawn.amax() <= 1


def test_overlay_prints_two_inks_on_white() -> None:
    hr, sr = torch.tensor([0.0, 1.0, 0.0, 1.0]).view(1, 1, 1, 4), torch.tensor([0.0, 0.0, 1.0, 1.0]).view(1, 1, 1, 4)
    paper, orange, blue, both = (255 * overlay(hr, sr)[0, :, 0]).round().int().T.tolist()
    assert paper == [255, 255, 255]
    assert orange == [0xD5, 0x5E, 0x00]
    assert blue == [0x00, 0x72, 0xB2]
    assert max(both) < 60


def test_kept_counts_edges_with_a_neighbour() -> None:
    generator = torch.Generator().manual_seed(0)
    a, b = ((torch.rand(1, 1, 20, 30, generator=generator) < share).float() for share in (0.2, 0.05))
    near = binary_dilation(b[0, 0].numpy(), np.ones((3, 3)))
    assert kept(a, b).item() == pytest.approx((a[0, 0].numpy() * near).sum() / a.sum().item())
    assert kept(a, a).item() == 1
    assert kept(0 * a, b).isnan()


def test_the_read_out_tells_how_well_the_maps_agree(face: Tensor) -> None:
    sr = bicubic_methods()["bicubic x4"](face)
    assert torch.equal(sr, resize_bicubic(Bicubic(4)(face), 4).clamp(0, 1))
    _, text = edge_view(face, sr, EdgeDetector("Canny"), "bicubic x4")
    maps = canny(face, 100, 200), canny(sr, 100, 200)
    assert f"{kept(*maps).item():.0%} of HR's edges are found again" in text
    assert f"{kept(maps[1], maps[0]).item():.0%} of those of bicubic x4 are true" in text
    _, text = edge_view(face, face, EdgeDetector("Canny"), "perfect")
    assert "100% of HR's edges are found again, 100% of those of perfect are true" in text
    _, text = edge_view(face, sr, EdgeDetector("DoG"))
    maps = [dog(rgb_to_grey(x)).flatten() for x in (face, sr)]
    assert f"Correlation of the two maps {np.corrcoef(*maps)[0, 1]:.2f}" in text
    assert "Correlation of the two maps 1.00; that of SR has 100% of the strength" in edge_view(
        face, face, EdgeDetector("LoG")
    )[1]  # fmt: skip


def test_the_grid_shows_hr_sr_and_overlay_by_every_detector(face: Tensor) -> None:
    sr = bicubic_methods()["bicubic x2"](face)
    figure, columns = edge_grid(face, "bicubic x2"), 1 + len(DETECTORS)
    shown = [np.asarray(axes.images[0].get_array()) for axes in figure.axes]
    assert len(shown) == 3 * columns
    np.testing.assert_allclose(shown[columns], sr[0].permute(1, 2, 0), atol=1e-6)
    np.testing.assert_allclose(shown[2][..., 0], canny(face, 100, 200)[0, 0])
    np.testing.assert_allclose(shown[columns + 2][..., 0], canny(sr, 100, 200)[0, 0])
    texts = [text.get_text() for text in figure.axes[2 * columns].texts]
    assert texts == ["only in HR", "only in\nbicubic x2", "in both"]


def test_every_setting_redraws_its_detector_and_no_other_is_shown(face: Tensor) -> None:
    box = edge_explorer({"face": face})
    _, method, operator, *sliders, picture, readout = box.children
    sliders = dict(zip(("blur", "thresholds", "sigmas", "sigma", "window"), sliders, strict=True))
    moved = {"blur": 1.0, "thresholds": (20, 60), "sigmas": (1.5, 3.0), "sigma": 2.0, "window": 12}
    for name, used in SETTINGS.items():
        operator.value = name
        assert readout.value.startswith(name)
        assert {s for s, slider in sliders.items() if slider.layout.display == "flex"} == set(used)
        for setting, slider in sliders.items():
            before, old = picture.value, slider.value
            slider.value = moved[setting]
            assert (picture.value != before) == (setting in used), (name, setting)
            slider.value = old
            assert picture.value == before
    method.value = "bicubic x8"
    view = edge_view(face, bicubic_methods()["bicubic x8"](face), EdgeDetector("edge block"), "bicubic x8")
    assert (picture.value, readout.value) == (png(view[0]), view[1])
