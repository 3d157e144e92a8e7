"""Flow fields as pictures, by hand, and fitted: what SelfSR's first stage predicts and how much it may bend.

A flow is (N, 2, H, W) in pixels, flow[:, 0] to the right and flow[:, 1] down, as in `facesr_lib.image.warp`. It says where
each pixel takes its colour from: an arrow points from the pixel that is drawn to the source, and the image moves against it.
"""

import math
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import matplotlib as mpl
import torch
import torch.nn.functional as F
from torch import Tensor

from facesr_lib.data.images import Pixels
from facesr_lib.explore.canvas import explorer, panels
from facesr_lib.explore.losses import descend
from facesr_lib.image import check_images, check_square, warp
from facesr_lib.losses import total_variation
from facesr_lib.plot.figures import PALETTE, STYLE, NotebookFigure, image_grid

_ARROWS = 16  # along the longer side
_SEED = 0  # of the shaken field and of the noise that a fit starts from
# Name -> flow (2, S, S) to the right and down, from the coordinates x and y, (S, S) in [-1, 1].
FLOW_KINDS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "shift": lambda x, y: torch.stack([torch.ones_like(x), torch.zeros_like(x)]),
    "zoom": lambda x, y: torch.stack([-x, -y]),
    "swirl": lambda x, y: torch.stack([-y, x]) * torch.exp(-2 * (x**2 + y**2)),
    "wave": lambda x, y: torch.stack([torch.sin(2 * math.pi * y), torch.zeros_like(x)]),
    "shake": lambda x, y: F.interpolate(_noise(1, 2, 6, 6), size=x.shape, mode="bicubic", align_corners=True)[0],
}


def flow_colors(flow: Tensor, limit: float | None = None) -> Tensor:
    """The flow as an image (N, 3, H, W) in [0, 1]: hue = direction (red looks right), saturation = length / limit, white = none.

    limit: the length in pixels at which the colour is full; by default that of the longest arrow in the batch.
    The colour circle of Baker et al. ("A database and evaluation methodology for optical flow", 2011) is the same idea with
    other hues. Raises ValueError for other shapes or if `limit` is not positive.
    """
    _check_flow(flow)
    if limit is not None and not limit > 0:
        raise ValueError(f"limit: expected a length in pixels above 0, got {limit}")
    length = flow.norm(dim=1, keepdim=True)
    full = max(length.max().item(), 1e-12) if limit is None else limit
    saturation = (length / full).clamp(max=1)
    hue = torch.atan2(flow[:, 1:], flow[:, :1]) / (2 * math.pi)  # in turns
    sector = (6 * hue + torch.tensor([5.0, 3.0, 1.0], device=flow.device).view(1, 3, 1, 1)) % 6
    return 1 - saturation * torch.minimum(sector, 4 - sector).clamp(0, 1)  # HSV with value 1


def flow_figure(image: Tensor, flow: Tensor) -> NotebookFigure:
    """One image (1, 1 or 3, H, W) in [0, 1] with the flow (1, 2, H, W) as arrows, the coloured flow, and a legend.

    Arrows too short to see are enlarged by a round factor, which the title names.
    Raises ValueError if the sizes of image and flow differ or there are several images.
    """
    check_images(image, "image")
    _check_flow(flow)
    if len(image) != 1 or flow.shape[0] != 1 or image.shape[2:] != flow.shape[2:]:
        shapes = f"got {tuple(image.shape)} and {tuple(flow.shape)}"
        raise ValueError(f"expected one image and one flow of its size, {shapes}: cut them with [:1]")
    image, flow = image.detach().float().cpu(), flow.detach().float().cpu()
    longest = flow.norm(dim=1).max().item()
    full = longest or 1.0
    columns = {"image": image, "coloured": flow_colors(flow, full), "legend": _wheel()}
    figure = image_grid(columns, cell=3)
    figure.set_size_inches(9.6, 3.7)
    left, middle, legend = figure.axes
    stride = max(1, math.ceil(max(flow.shape[2:]) / _ARROWS))
    gain = max(factor for factor in (1, 2, 5, 10, 20, 50) if factor == 1 or 0 < factor * longest <= 1.5 * stride)
    with mpl.rc_context(STYLE):
        y, x = (torch.arange(stride // 2, side, stride) for side in flow.shape[2:])
        u, v = flow[0][:, y][:, :, x]
        # In the data's own units, so that the downward y axis of an image needs no change of sign.
        scaling: dict[str, Any] = {"angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.009}
        left.quiver(x, y, gain * u, gain * v, **scaling, color=PALETTE[0], edgecolor="white", linewidth=0.5)
        left.set(xlim=(-0.5, flow.shape[3] - 0.5), ylim=(flow.shape[2] - 0.5, -0.5), aspect="equal")
        left.set_title("where each pixel looks" + (f" (arrows x{gain})" if gain > 1 else ""))
        middle.set(title=f"flow, longest {longest:.2g} px", aspect="equal")
        middle.spines[:].set(visible=True, color="0.8")  # a flow of zero is white
        ends, labels = (0, 64, 128), (f"{-full:.2g}", "0", f"{full:.2g}")
        legend.set(xticks=ends, xticklabels=labels, yticks=ends, yticklabels=labels)
        legend.set(title="legend (px)", xlabel="to the right", ylabel="down", aspect="equal")
    return figure


def preset_flow(kind: str, size: int, amount: float) -> Tensor:
    """A smooth flow (1, 2, size, size) whose longest arrow has `amount` pixels; a negative amount reverses every arrow.

    kind: "shift" looks right, "zoom" inwards (so the image grows), "swirl" around the middle, less at the border, "wave" left
    and right alternately, "shake" in smooth random directions, always the same. Raises ValueError for others or size < 2.
    """
    if size < 2:
        raise ValueError(f"size: expected at least 2 pixels, got {size}")
    if kind not in FLOW_KINDS:
        raise ValueError(f"unknown flow {kind!r}: choose one of {', '.join(FLOW_KINDS)}")
    axis = torch.linspace(-1, 1, size)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    field = FLOW_KINDS[kind](x, y)
    return (amount * field / field.norm(dim=0).max())[None]


def flow_grid(image: Tensor, amounts: tuple[float, ...] = (0.5, 1, 2)) -> NotebookFigure:
    """A square face (1, C, S, S) in [0, 1] under every kind of flow (rows) at several strengths in pixels (columns).

    The first column shows the flow in `flow_colors`. Raises ValueError unless `image` is one square image.
    """
    size = check_square(image, "image")
    image = image.detach().float().cpu()
    columns = {"flow": torch.cat([flow_colors(preset_flow(kind, size, 1.0)) for kind in FLOW_KINDS])}
    for amount in amounts:
        flows = torch.cat([preset_flow(kind, size, amount) for kind in FLOW_KINDS])
        columns[f"{amount:g} px"] = warp(image.expand(len(flows), -1, -1, -1), flows)
    return image_grid(columns, row_labels=list(FLOW_KINDS))


def flow_explorer(image: Tensor) -> widgets.VBox:
    """Choose a flow, its strength and its direction: the warped face (1, C, S, S) beside the coloured flow; twin: `flow_grid`.

    The direction turns every arrow by an angle: a zoom turned by 90 degrees is a spin. The line below gives the share of the
    flow that folds. Raises ValueError unless `image` is one square image.
    """
    size = check_square(image, "image")
    image = image.detach().float().cpu()
    most = max(2.0, size / 8)
    kind = widgets.Dropdown(options=list(FLOW_KINDS), value="swirl", description="flow")
    amount = widgets.FloatSlider(value=most / 2, min=0, max=most, step=most / 40, description="strength (px)")
    direction = widgets.IntSlider(value=0, min=0, max=355, step=5, description="turned by (deg)")

    def view(kind: str, amount: float, direction: int) -> tuple[Pixels, str]:
        flow = turn(preset_flow(kind, size, amount), direction)
        text = f"Hue = direction, full colour = {most:.3g} px, white = none. {folds(flow).item():.1%} of the flow folds."
        return panels({"warped face": warp(image, flow), "flow": flow_colors(flow, most)}), text

    return explorer(view, {"kind": kind, "amount": amount, "direction": direction})


def turn(flow: Tensor, degrees: float) -> Tensor:
    """Turn every arrow of a flow (N, 2, H, W) by an angle, clockwise as seen on an image (from right towards down)."""
    _check_flow(flow)
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return torch.stack([c * flow[:, 0] - s * flow[:, 1], s * flow[:, 0] + c * flow[:, 1]], dim=1)


def fit_flow(source: Tensor, target: Tensor, smoothness: float, steps: int = 200) -> Tensor:
    """The flow f (N, 2, H, W) in pixels that warps `source` to look like `target`; both (N, C, H, W) in [0, 1].

    Minimises mean |warp(source, f) - target| + smoothness * total_variation(f) by `descend`, from near zero; no network. The
    step falls from 0.1 px to 0. Like any local search it needs images that overlap. A large `smoothness` also slows a shift,
    which it does not penalise. Raises ValueError for unequal shapes or a negative smoothness.
    """
    check_images(source, "source")
    if source.shape != target.shape:
        raise ValueError(f"target: expected the source's shape {tuple(source.shape)}, got {tuple(target.shape)}")
    if not smoothness >= 0:
        raise ValueError(f"smoothness: expected a weight of at least 0, got {smoothness}")

    def objective(flow: Tensor) -> Tensor:
        return (warp(source, flow) - target).abs().mean() + smoothness * total_variation(flow)

    # The total variation of a constant field has no gradient: start from a little noise.
    start = 1e-3 * _noise(len(source), 2, *source.shape[2:]).to(source)
    return descend(objective, start, steps, rate=0.1, limits=None)


def folds(flow: Tensor) -> Tensor:
    """Share of the pixels at which p -> p + flow(p) folds, (N,): there the warped image shows a part twice, once mirrored.

    A pixel folds if the determinant of the map's Jacobian, by forward differences, is not positive. Raises as `flow_colors`.
    """
    _check_flow(flow)
    across = flow[:, :, :-1, 1:] - flow[:, :, :-1, :-1]
    down = flow[:, :, 1:, :-1] - flow[:, :, :-1, :-1]
    determinant = (1 + across[:, 0]) * (1 + down[:, 1]) - across[:, 1] * down[:, 0]
    return (determinant <= 0).float().mean((1, 2))


def _noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(_SEED))


def _wheel(size: int = 129) -> Tensor:
    """The colour of every arrow up to length 1, drawn where it ends; white outside the circle."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, size), torch.linspace(-1, 1, size), indexing="ij")
    inside = (x**2 + y**2 <= 1).float()
    return flow_colors(torch.stack([x, y])[None] * inside, 1.0)


def _check_flow(flow: Tensor) -> None:
    if not isinstance(flow, Tensor) or flow.ndim != 4 or flow.shape[1] != 2 or 0 in flow.shape:
        found = tuple(flow.shape) if isinstance(flow, Tensor) else type(flow).__name__
        raise ValueError(f"flow: expected a tensor (N, 2, H, W) in pixels, got {found}")
