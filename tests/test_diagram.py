"""Drawings of networks say what the modules do: their boxes, sizes and shortcuts, in words and on paper."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import Rectangle
from torch import Tensor, nn

from facesr_lib.papers import human_gan, isr_kd, selfsr, teacher_student
from facesr_tools.diagram import Box, Diagram, Whole


class Toy(nn.Module):
    """A shortcut over two layers, an activation, a change of size, a learned scale, and a function from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.last = nn.ConvTranspose2d(8, 5, 4, stride=2, padding=1)
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor, shortcut: bool = True) -> Tensor:
        first = F.relu(self.first(x))
        second = self.second(first)
        return self.last(second + self.scale * first if shortcut else second)


X = {"x": torch.zeros(2, 3, 6, 4)}


def by_text(diagram: Diagram, text: str) -> Box:
    (box,) = [box for box in diagram.boxes if box.text.startswith(text)]
    return box


def test_boxes_are_the_modules_children_with_the_sizes_of_a_real_pass() -> None:
    network = Toy()
    sizes: dict[str, tuple[int, ...]] = {}
    for name, module in network.named_children():
        module.register_forward_hook(lambda _m, _i, output, name=name: sizes.update({name: tuple(output.shape[1:])}))
    diagram = Diagram.of_network("toy", network, X)
    layers = {box.text.split()[0]: box.size for box in diagram.boxes if box.kind == "layer"}
    assert layers == {name: "×".join(map(str, size)) for name, size in sizes.items()}
    assert list(layers) == [name for name, _ in network.named_children()]
    assert by_text(diagram, "first").text == "first Conv2d 3×3, relu"
    assert by_text(diagram, "last").text == "last ConvTranspose2d 4×4, stride 2"


def test_a_shortcut_is_found_and_gone_when_the_network_has_none() -> None:
    diagram = Diagram.of_network("toy", Toy(), X)
    scaled, total = by_text(diagram, "×"), by_text(diagram, "+")
    assert scaled.sources == [by_text(diagram, "scale (learned)"), by_text(diagram, "first")]
    assert total.sources == [by_text(diagram, "second"), scaled]
    assert by_text(diagram, "last").sources == [total]
    plain = Diagram.of_network("toy", Toy(), X, shortcut=False)
    assert [box.text.split()[0] for box in plain.boxes] == ["x", "first", "second", "last"]
    assert [box.sources for box in plain.boxes] == [[], *([box] for box in plain.boxes[:-1])]


def test_an_activation_that_only_one_reader_sees_stays_a_box_of_its_own() -> None:
    class Fork(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Conv2d(3, 3, 1)

        def forward(self, x: Tensor) -> Tensor:
            y = self.layer(x)
            return torch.cat([y, F.relu(y)], 1)

    diagram = Diagram.of_network("fork", Fork(), X)
    assert [box.text for box in diagram.boxes] == ["x", "layer Conv2d 1×1", "relu", "concatenate"]
    assert by_text(diagram, "concatenate").sources == [by_text(diagram, "layer"), by_text(diagram, "relu")]


def test_depth_equal_layers_and_functions_as_boxes() -> None:
    row = nn.Sequential(*[nn.Sequential(nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 3, padding=1)) for _ in range(4)])
    assert [box.text for box in Diagram.of_network("row", row, X).boxes] == ["x", "0…3 2 × Conv2d"]
    inside = [box.text for box in Diagram.of_network("row", row, X, depth=2).boxes]
    assert inside == ["x", *(f"{i}.{j} Conv2d {k}×{k}" for i in range(4) for j, k in ((0, 1), (1, 3)))]
    tnet = teacher_student.networks(teacher_student.Config.preset("smoke"))["tnet"][0]
    edges = [Whole("outline", lambda sr: sr[:, :1]), Whole("details", lambda sr: sr[:, :1] * 2)]
    unfolded = Diagram.of_network("tnet", tnet, {"LR": torch.zeros(1, 3, 16, 16)}, edges=edges)
    assert [box.text for box in unfolded.boxes if box.text in ("outline", "details")] == ["outline", "details"]
    feedback = [box for box in unfolded.boxes if box.text.startswith("feedback")]
    assert [box.text.endswith("again") for box in feedback] == [False, True, True]
    assert by_text(unfolded, "outline").size == "1×64×64"


def test_a_step_shows_which_network_and_picture_each_term_comes_from() -> None:
    config = isr_kd.Config.preset("smoke")
    method = isr_kd.ISRKD(config, isr_kd.networks(config)["generator"][0])
    method.build()
    before = [p.clone() for p in method.networks["generator"].parameters()]
    hr = torch.rand(4, 3, 32, 32)
    batch = {"lr": config.degradation(hr), "hr": hr, "new": torch.tensor([True, True, False, False])}
    diagram = Diagram.of_step("step", method, batch)
    names = {box: box.text.split()[0] for box in diagram.boxes}
    read = {box.text: {names[source] for source in box.sources} for box in diagram.boxes if box.kind == "term"}
    assert read["reconstruction"] == read["edge"] == {"generator", "hr"}  # edges: Canny's, by way of masks
    assert read["kd_output"] == read["kd_bottleneck"] == {"generator", "teacher"}
    assert read["adversarial"] == read["d_fake"] == {"discriminator"}
    assert by_text(diagram, "teacher").sources == [by_text(diagram, "lr")]
    assert all(torch.equal(a, b) for a, b in zip(before, method.networks["generator"].parameters(), strict=True))  # not trained
    assert "update" not in vars(method)


@pytest.mark.parametrize("paper", [human_gan, isr_kd, selfsr, teacher_student])
def test_every_network_of_every_paper_can_be_drawn_without_overlaps(paper: object) -> None:
    with torch.device("meta"):
        made = paper.networks(paper.Config.preset("quick"))  # type: ignore[attr-defined]
        for name, (network, shape) in made.items():
            options = {"edges": [Whole("edges", lambda sr: sr[:, :1])] * 2} if hasattr(network, "edges") else {}
            diagram = Diagram.of_network(name, network, {"input": torch.zeros(1, *shape)}, depth=2, **options)
            check_drawing(diagram)


def check_drawing(diagram: Diagram) -> None:
    figure = diagram.draw()
    renderer = FigureCanvasAgg(figure).get_renderer()
    (axes,) = figure.axes
    boxes = [patch.get_window_extent() for patch in axes.patches if isinstance(patch, Rectangle)]
    assert len(boxes) == len(diagram.boxes)
    for above, below in pairwise(boxes):
        assert above.y0 > below.y1
    title, *texts = axes.texts
    words = [text for text in texts if text.get_text()]
    assert min(text.get_fontsize() for text in words) >= 7
    extents = [text.get_window_extent(renderer) for text in words]
    for extent in extents:
        assert any(b.x0 <= extent.x0 and extent.x1 <= b.x1 and b.y0 <= extent.y0 and extent.y1 <= b.y1 for b in boxes)
    for number, extent in enumerate(extents):
        assert not any(extent.overlaps(other) for other in extents[number + 1 :])
    assert all(box.text in diagram.alt for box in diagram.boxes)
    inside = figure.bbox
    assert title.get_window_extent(renderer).y1 <= inside.y1


def test_lines_share_no_stretch_of_a_lane() -> None:
    config = teacher_student.Config.preset("smoke")
    tnet, shape = teacher_student.networks(config)["tnet"]
    edges = [Whole("edges", lambda sr: sr[:, :1])] * 2
    diagram = Diagram.of_network("tnet", tnet, {"LR": torch.zeros(1, *shape)}, edges=edges)
    row = {box: number for number, box in enumerate(diagram.boxes)}
    ways: dict[int, list[tuple[int, int]]] = {}
    for source, lane in diagram._lanes().items():
        last = max(row[box] for box in diagram.boxes if source in box.sources)
        ways.setdefault(lane, []).append((row[source], last))
    assert len(ways) > 1
    for taken in ways.values():
        assert all(end <= start for (_, end), (start, _) in pairwise(sorted(taken)))
