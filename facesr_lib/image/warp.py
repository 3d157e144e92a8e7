"""Move pixels along a flow field."""

import torch
import torch.nn.functional as F
from torch import Tensor

from facesr_lib.image.check import check_images


def warp(x: Tensor, flow: Tensor) -> Tensor:
    """Sample each image at the pixel grid plus a flow, bilinearly: output[p] = x[p + flow[p]] (SelfSR, eq. 1).

    x (N, C, H, W); flow (N, 2, H, W) in pixels, flow[:, 0] to the right and flow[:, 1] down -> (N, C, H, W).
    Positions outside the image take the nearest border pixel. A zero flow returns x to within rounding. Differentiable with
    respect to both. Raises ValueError if `flow` has another shape.
    """
    check_images(x, "x")
    n, _, height, width = x.shape
    check_images(flow, "flow")
    if flow.shape != (n, 2, height, width):
        raise ValueError(f"flow: expected shape {(n, 2, height, width)} for these images, got {tuple(flow.shape)}")
    with torch.autocast("cpu" if x.is_meta else x.device.type, enabled=False):  # half precision cannot hold fractions of a pixel
        wide = torch.promote_types(x.dtype, torch.float32)
        position_x = torch.arange(width, device=x.device, dtype=wide) + flow[:, 0].to(wide)
        position_y = torch.arange(height, device=x.device, dtype=wide)[:, None] + flow[:, 1].to(wide)
        # grid_sample counts from -1 to 1 between the image's outer edges (align_corners=False).
        grid = torch.stack([(2 * position_x + 1) / width - 1, (2 * position_y + 1) / height - 1], dim=-1)
        return F.grid_sample(x.to(wide), grid, mode="bilinear", padding_mode="border", align_corners=False).to(x.dtype)
