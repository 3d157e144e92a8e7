"""Edge maps: inputs of the papers' networks, and what an edge loss compares."""

import torch
import torch.nn.functional as F
from torch import Tensor

from facesr_lib.image.blur import gaussian_blur, gaussian_taps, separable
from facesr_lib.image.check import check_images, check_number, widest


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
    1980). Raises ValueError for a sigma below 0.001 or images too small to reflect the wider kernel.
    """
    return gaussian_blur(x, _opencv_kernel(sigma1, "sigma1"), sigma1) - gaussian_blur(x, _opencv_kernel(sigma2, "sigma2"), sigma2)


def laplacian_of_gaussian(x: Tensor, sigma: float) -> Tensor:
    """d2/dx2 + d2/dy2 of the image blurred with `sigma` pixels: (N, C, H, W) -> same shape. Differentiable.

    Negative on a bright line, unlike `dog`, which is positive there. Equals scipy.ndimage.gaussian_laplace: the derivatives of
    the sampled Gaussian, taps to about 4 sigma, border reflected without repeating the edge pixel. Below 0.6 pixels the
    samples are too few for a second derivative. Raises ValueError for such a sigma, and as `dog` does.
    """
    smooth = gaussian_taps(x, _opencv_kernel(sigma, "sigma", 0.6), sigma)
    offsets = torch.arange(len(smooth)).to(smooth) - len(smooth) // 2
    curve = (offsets**2 / sigma**4 - 1 / sigma**2) * smooth
    return separable(x, smooth, curve) + separable(x, curve, smooth)


def edge_residual(x: Tensor, k: int) -> Tensor:
    """ISR-KD's edge block, ReLU(x - mean over k x k): (N, C, H, W) -> same shape, >= 0. Differentiable.

    The mean leaves out pixels outside the image. An even window reaches (k - 1) // 2 pixels up and left and k // 2 down and
    right. Raises ValueError for k < 1.
    """
    check_images(x, "x")
    check_number(k, "k", 1)
    # A windowed mean is one matrix per axis: exact at the border, and several times faster than pooling over k * k pixels.
    device = "cpu" if x.is_meta else x.device.type  # autocast knows no meta device, on which sizes are computed
    with torch.autocast(device, enabled=False):  # in half precision a flat area would not stay flat
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = _window_mean(wide, 2, k) @ wide @ _window_mean(wide, 3, k).T
        return F.relu(wide - mean).to(x.dtype)


def _window_mean(x: Tensor, axis: int, k: int) -> Tensor:
    """The matrix (n, n) that replaces every pixel of a line along `axis` by the mean of its k-pixel window, cut at the ends."""
    places = torch.arange(x.shape[axis], device=x.device)  # made there: a copy would make the host wait for the device
    offset = places - places[:, None]
    inside = ((offset >= -((k - 1) // 2)) & (offset <= k // 2)).to(widest(x))
    return (inside / inside.sum(1, keepdim=True)).to(x.dtype)


def _opencv_kernel(sigma: float, name: str, least: float = 0.001) -> int:
    """The odd kernel size that OpenCV chooses for a float image: the taps reach 4 sigma."""
    check_number(sigma, name, least, 1000)
    return round(8 * sigma + 1) | 1
