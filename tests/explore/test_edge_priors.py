"""The edge-prior picture and its widget: what they show follows the settings."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from facesr_lib.explore.edge_priors import edge_priors, edge_priors_widget
from facesr_lib.image import Bicubic, average_pool, resize_bicubic
from facesr_lib.papers.teacher_student.networks import Canny, DoG, NoEdges, RecurrentSR


@pytest.fixture(scope="module")
def network() -> RecurrentSR:
    torch.manual_seed(0)
    network = RecurrentSR(4, 1)
    nn.init.normal_(network.reconstruct[-1].weight, std=0.1)
    return network


@pytest.fixture(scope="module")
def faces() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    hr = (resize_bicubic(torch.rand(2, 3, 4, 4, generator=generator), 8) > 0.5).float()
    return Bicubic(4)(hr), hr


def shown(figure) -> dict[str, list[np.ndarray]]:
    """Title of a column -> the pictures below it."""
    columns: dict[str, list[np.ndarray]] = {}
    grid = figure.axes[0].get_gridspec()
    titles = [figure.axes[i].get_title() for i in range(grid.ncols)]
    for i, axes in enumerate(figure.axes):
        columns.setdefault(titles[i % grid.ncols], []).append(np.asarray(axes.images[0].get_array()))
    return columns


def test_rows_show_what_the_steps_receive(network: RecurrentSR, faces: tuple[Tensor, Tensor]) -> None:
    lr, hr = faces[0][:1], faces[1][:1]
    settings = [network.edges, (NoEdges(), NoEdges())]
    columns = shown(edge_priors(network, lr, hr, settings))
    with torch.no_grad():
        outputs = network(lr)
    canny = average_pool(Canny(100, 200)(outputs[0]), 2)[0, 0]
    np.testing.assert_allclose(columns["into step 2"][0][..., 0], canny.numpy(), atol=1e-6)
    assert canny.sum() > 0
    dog = average_pool(DoG(1.0, 1.6)(outputs[1]), 2)[0, 0]
    np.testing.assert_allclose(columns["into step 3"][0][..., 0], (0.5 + 0.5 * dog).clamp(0, 1).numpy(), atol=1e-6)
    assert (columns["into step 2"][1] == 0).all()
    assert (columns["into step 3"][1] == 0.5).all()
    change = columns["change, x8"]
    assert (change[0] == 0.5).all()
    assert (change[1] != 0.5).any()


def test_one_face_and_a_setting_are_needed(network: RecurrentSR, faces: tuple[Tensor, Tensor]) -> None:
    with pytest.raises(ValueError, match="2 faces"):
        edge_priors(network, *faces, [network.edges])
    with pytest.raises(ValueError, match="0 settings"):
        edge_priors(network, faces[0][:1], faces[1][:1], [])


def test_every_slider_draws_another_picture(network: RecurrentSR, faces: tuple[Tensor, Tensor]) -> None:
    box = edge_priors_widget(network, *faces)
    face, thresholds, sigmas, picture, _ = box.children
    seen = [picture.value]
    for slider, value in ((face, 1), (thresholds, (20, 40)), (sigmas, (2.0, 3.0))):
        slider.value = value
        seen.append(picture.value)
    assert len(set(seen)) == 4
    assert all(Image.open(io.BytesIO(png)).size[0] > 400 for png in seen)
