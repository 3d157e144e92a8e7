"""Canny's edges as OpenCV draws them, on the images' own device: nothing leaves a GPU, and nothing waits for it."""

import math
from functools import reduce

import torch
import torch.nn.functional as F
from torch import Tensor

from facesr_lib.image.check import check_images
from facesr_lib.image.color import rgb_to_grey
from facesr_lib.image.quantize import to_uint8

TAN_22, TAN_67 = 13573 / 32768, 79109 / 32768  # OpenCV's tangents of 22.5 and 67.5 degrees, which decide ties


def canny(x: Tensor, low: float, high: float) -> Tensor:
    """Canny edges of each image, equal to cv2.Canny's: (N, 1 or 3, H, W) in [0, 1] -> (N, 1, H, W), 0 or 1, no gradient.

    The thresholds are grey levels (0..255) of the Sobel gradient |gx| + |gy|, aperture 3, without a blur, as in cv2.Canny.
    RGB is first converted to full-range grey and rounded to 8 bit. The result has `x`'s dtype and device.
    Raises ValueError unless 0 <= low <= high, or for other numbers of channels.
    """
    check_images(x, "x")
    if not 0 <= low <= high < math.inf:
        raise ValueError(f"canny thresholds: expected 0 <= low <= high, both finite, got low={low}, high={high}")
    if x.shape[1] not in (1, 3):
        raise ValueError(f"x: expected grey or RGB images (N, 1 or 3, H, W), got shape {tuple(x.shape)}")
    x = x.detach()
    slope = _ridges(to_uint8(x if x.shape[1] == 1 else rgb_to_grey(x)).float())
    return _hysteresis(slope > math.floor(low), slope > math.floor(high)).to(x.dtype)


def _ridges(grey: Tensor) -> Tensor:
    """|gx| + |gy| where it is largest across the edge, elsewhere 0. Grey levels are whole: float32 holds all of it exactly."""
    g = F.pad(grey, (1, 1, 1, 1), mode="replicate")
    down, across = g[..., :-2, :] + 2 * g[..., 1:-1, :] + g[..., 2:, :], g[..., :-2] + 2 * g[..., 1:-1] + g[..., 2:]
    gx, gy = down[..., 2:] - down[..., :-2], across[..., 2:, :] - across[..., :-2, :]
    x, y = gx.abs(), gy.abs()
    slope = x + y
    padded, (height, width) = F.pad(slope, (1, 1, 1, 1)), grey.shape[-2:]

    def at(row: int, column: int) -> Tensor:
        return padded[..., 1 + row : 1 + row + height, 1 + column : 1 + column + width]

    flat, steep = y < x * TAN_22, y > x * TAN_67
    diagonal, falling, larger = ~(flat | steep), gx * gy < 0, torch.maximum
    return slope * (  # levels are whole: what is above b - 1 is at least b, which is enough on one side along an axis
        (flat & (slope > larger(at(0, -1), at(0, 1) - 1)))
        | (steep & (slope > larger(at(-1, 0), at(1, 0) - 1)))
        | (diagonal & falling & (slope > larger(at(-1, 1), at(1, -1))))
        | (diagonal & ~falling & (slope > larger(at(-1, -1), at(1, 1))))
    )


def _hysteresis(weak: Tensor, strong: Tensor) -> Tensor:
    """The pixels of `weak` that a path of neighbouring `weak` pixels joins to a `strong` one: (N, 1, H, W) bool, three times.

    Connected components, in a number of rounds that depends on the size only, so that no device is asked whether it is done.
    The nodes are blocks of 2 x 2, whose pixels all touch. Every node points to the root of its tree, itself at first, and all
    strong ones to node 0. In a round each root joins the lowest root beside its tree. Two rounds merge every tree that has a
    neighbour: if it is the lowest of them and none joins it, each neighbour joined a lower tree, which it joins next.
    """
    (batch, _, height, width), device = weak.shape, weak.device
    weak, strong = (F.pad(mask, (2, width % 2, 2, height % 2)) for mask in (weak, strong))  # an empty block before every line
    rows, columns = weak.shape[2] // 2, weak.shape[3] // 2
    blocks = weak.view(batch, rows, 2, columns, 2)
    nw, ne, sw, se = (blocks[:, :, i, :, j].flatten() for i in (0, 1) for j in (0, 1))
    nodes, near = torch.arange(nw.numel(), device=device), []
    for edge, facing, step in ((ne | se, nw | sw, 1), (sw | se, nw | ne, columns), (se, nw, columns + 1), (sw, ne, columns - 1)):
        joined = edge & facing.roll(-step)
        near += [torch.where(joined, nodes + step, nodes), torch.where(joined.roll(step), nodes - step, nodes)]
    neighbours = torch.cat(near)

    root = torch.where(strong.view(blocks.shape).any(4).any(2).flatten(), 0, nodes)
    deep, ask = (rows * columns).bit_length(), device.type == "cpu"  # whether it is done: free to ask there
    for turn in range(2 * deep):
        lowest = reduce(torch.minimum, root.index_select(0, neighbours).view(8, -1))
        parent = nodes.scatter_reduce(0, root, lowest, "amin")
        if ask and torch.equal(parent, nodes):  # faces need about four rounds
            break
        for _ in range(deep - turn // 2):  # as an image has at most 2 ** of that trees left, each then points to its root
            parent, before = parent.index_select(0, parent), parent
            if ask and torch.equal(parent, before):
                break
        root = parent.index_select(0, root)
    found = (root == 0).view(batch, 1, rows, 1, columns, 1).expand(batch, 1, rows, 2, columns, 2).reshape(weak.shape)
    return (found & weak)[..., 2 : 2 + height, 2 : 2 + width]
