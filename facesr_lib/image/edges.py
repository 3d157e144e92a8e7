"""Edge maps: inputs of the papers' networks, and what an edge loss compares."""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from facesr_lib.image.blur import gaussian_blur, gaussian_taps, separable
from facesr_lib.image.check import check_images
from facesr_lib.image.color import rgb_to_grey
from facesr_lib.image.quantize import to_uint8


def canny(x: Tensor, low: float, high: float) -> Tensor:
    """OpenCV's Canny edges of each image, on the CPU: (N, 1 or 3, H, W) in [0, 1] -> (N, 1, H, W), 0 or 1, no gradient.

    The thresholds are grey levels (0..255) of the Sobel gradient |gx| + |gy|, aperture 3, without a blur, as in cv2.Canny.
    RGB is first converted to full-range grey and rounded to 8 bit. The result has `x`'s dtype and device.
    Raises ValueError unless 0 <= low <= high, or for other numbers of channels.
    """
    check_images(x, "x")
    if not 0 <= low <= high:
        raise ValueError(f"canny thresholds: expected 0 <= low <= high, got low={low}, high={high}")
    grey = to_uint8(_grey(x.detach()))[:, 0].cpu().numpy()
    edges = np.stack([cv2.Canny(image, low, high) for image in grey]) if len(grey) else grey
    return (torch.from_numpy(edges)[:, None] > 0).to(x)


def sobel(x: Tensor) -> Tensor:
    """Sobel's derivatives of every channel: (N, C, H, W) -> (N, 2C, H, W), all d/dx then all d/dy, border reflected (101).

    Unnormalised, as cv2.Sobel with ksize 3: a step of height 1 gives 4. Differentiable.
    """
    check_images(x, "x")
    smooth, slope = x.new_tensor([1.0, 2.0, 1.0]), x.new_tensor([-1.0, 0.0, 1.0])
    return torch.cat([separable(x, smooth, slope), separable(x, slope, smooth)], dim=1)


def dog(x: Tensor, sigma1: float = 1.0, sigma2: float = 1.6) -> Tensor:
    """Difference of Gaussians blur(x, sigma1) - blur(x, sigma2): (N, C, H, W) -> same shape, about [-1, 1]. Differentiable.

    Equals the difference of two cv2.GaussianBlur(image, (0, 0), sigma) of a float image: taps reach 4 sigma, border reflected
    without repeating the edge pixel. With sigma2 = 1.6 sigma1 it is close to the Laplacian of a Gaussian (Marr and Hildreth
    1980). Raises ValueError for a sigma <= 0 or images too small to reflect the wider kernel.
    """
    return gaussian_blur(x, _opencv_kernel(sigma1), sigma1) - gaussian_blur(x, _opencv_kernel(sigma2), sigma2)


def laplacian_of_gaussian(x: Tensor, sigma: float) -> Tensor:
    """d2/dx2 + d2/dy2 of the image blurred with `sigma` pixels: (N, C, H, W) -> same shape. Differentiable.

    Negative on a bright line, unlike `dog`, which is positive there. Equals scipy.ndimage.gaussian_laplace: the derivatives of
    the sampled Gaussian, taps to about 4 sigma, border reflected without repeating the edge pixel. Below 0.6 pixels the
    samples are too few for a second derivative. Raises ValueError as `dog` does.
    """
    smooth = gaussian_taps(x, _opencv_kernel(sigma), sigma)
    offsets = torch.arange(len(smooth)).to(smooth) - len(smooth) // 2
    curve = (offsets**2 / sigma**4 - 1 / sigma**2) * smooth
    return separable(x, smooth, curve) + separable(x, curve, smooth)


def edge_residual(x: Tensor, k: int) -> Tensor:
    """ISR-KD's edge block, ReLU(x - mean over k x k): (N, C, H, W) -> same shape, >= 0. Differentiable.

    The mean leaves out pixels outside the image. An even window reaches (k - 1) // 2 pixels up and left and k // 2 down and
    right. Raises ValueError for k < 1.
    """
    check_images(x, "x")
    if k < 1:
        raise ValueError(f"k: expected a window of at least 1 pixel, got {k}")
    # A windowed mean is one matrix per axis: exact at the border, and several times faster than pooling over k * k pixels.
    device = "cpu" if x.is_meta else x.device.type  # autocast knows no meta device, on which sizes are computed
    with torch.autocast(device, enabled=False):  # in half precision a flat area would not stay flat
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = _window_mean(x.shape[2], k).to(wide) @ wide @ _window_mean(x.shape[3], k).to(wide).T
        return F.relu(wide - mean).to(x.dtype)


def _window_mean(n: int, k: int) -> Tensor:
    """The matrix (n, n) that replaces every pixel of a line of n by the mean of its k-pixel window, cut at the ends."""
    offset = torch.arange(n) - torch.arange(n)[:, None]
    inside = ((offset >= -((k - 1) // 2)) & (offset <= k // 2)).double()
    return inside / inside.sum(1, keepdim=True)


def _grey(x: Tensor) -> Tensor:
    if x.shape[1] not in (1, 3):
        raise ValueError(f"x: expected grey or RGB images (N, 1 or 3, H, W), got shape {tuple(x.shape)}")
    return x if x.shape[1] == 1 else rgb_to_grey(x)


def _opencv_kernel(sigma: float) -> int:
    """The odd kernel size that OpenCV chooses for a float image: the taps reach 4 sigma."""
    return round(8 * sigma + 1) | 1
