"""Losses that compare edges."""

import torch.nn.functional as F
from torch import Tensor

from facesr_lib.image import sobel
from facesr_lib.image.check import check_pair, check_some


def sobel_l1(sr: Tensor, hr: Tensor) -> Tensor:
    """Mean absolute difference of both images' Sobel derivatives, per pixel of distance: two (N, C, H, W) -> scalar.

    A ramp that rises by s per pixel differs from a flat image by s in one of its two derivatives, so the mean is s / 2. A
    constant added to a channel changes nothing. Gradient losses are an old idea; Mathieu, Couprie and LeCun (ICLR 2016)
    compare the derivatives' absolute values instead. Raises ValueError for unequal shapes, no image, or a side of one pixel.
    """
    check_pair(check_some(sr, "sr"), hr, channels=None, scored=False)
    return F.l1_loss(sobel(sr), sobel(hr)) / 8  # Sobel's weights add up to a rise over two pixels, counted four times
