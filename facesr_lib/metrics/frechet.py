"""Distances between two sets of features: the Frechet distance (FID) and the kernel distance (KID)."""

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

Features = NDArray[np.float64]
_LARGEST = 1e45  # whose sixth power, in the kernel, is still a number
_BLOCK = 1024  # rows of a kernel matrix held at once


def frechet_distance(f1: ArrayLike, f2: ArrayLike) -> float:
    """Squared Frechet distance of the Gaussians fitted to two feature sets (N, D) and (M, D), 0 for equal ones, lower is better.

    ||mu_1 - mu_2||^2 + tr S_1 + tr S_2 - 2 tr (S_1 S_2)^(1/2), sample covariances (division by n - 1), as FID (Heusel et
    al., NeurIPS 2017). The last trace is the sum of the singular values of X_1 X_2^T / sqrt((n - 1) (m - 1)), X the centred
    features. This never takes the square root of a rounding error, so fewer images than dimensions are handled exactly, and
    no epsilon is added to a diagonal. QR keeps the matrix at most D x D. Float64. The value falls as N grows: compare only
    sets of one size. Warns when N < D. Raises ValueError for other shapes, fewer than two images, NaN or infinity.
    """
    a, b = _checked(f1, f2)
    n, dim = min(len(a), len(b)), a.shape[1]
    if n < dim:
        biased = "the value is biased upwards and only comparable at equal N; give the kernel distance (KID) beside it"
        warnings.warn(f"Frechet distance of {n} images in {dim} dimensions: {biased}", stacklevel=2)
    mean_a, mean_b = a.mean(axis=0), b.mean(axis=0)
    root_a, root_b = _covariance_root(a - mean_a), _covariance_root(b - mean_b)
    covariance = np.linalg.svd(root_a @ root_b.T, compute_uv=False).sum()
    means = np.square(mean_a - mean_b).sum()
    return float(max(0.0, means + np.square(root_a).sum() + np.square(root_b).sum() - 2 * covariance))


def kernel_distance(f1: ArrayLike, f2: ArrayLike) -> float:
    """Unbiased squared MMD of two feature sets (N, D) and (M, D) under the kernel (a.b / D + 1)^3, lower is better.

    KID (Binkowski et al., ICLR 2018) over the full sets, float64. Its expectation does not depend on N or M, so few images do;
    sets from one distribution score around 0, also slightly below. Raises ValueError as `frechet_distance` does.
    """
    a, b = _checked(f1, f2)
    n, m = len(a), len(b)
    within = (_kernel_sum(a, a) - _kernel_diagonal(a)) / (n * (n - 1)) + (_kernel_sum(b, b) - _kernel_diagonal(b)) / (m * (m - 1))
    return float(within - 2 * _kernel_sum(a, b) / (n * m))


def _checked(f1: ArrayLike, f2: ArrayLike) -> tuple[Features, Features]:
    sets = []
    for name, features in (("f1", f1), ("f2", f2)):
        array = np.asarray(features, dtype=np.float64)
        if array.ndim != 2 or array.shape[1] == 0 or len(array) < 2:
            raise ValueError(f"{name}: expected features (N, D) of at least 2 images, got shape {array.shape}")
        if not (fit := np.abs(array) < _LARGEST).all():
            rows = np.flatnonzero(~fit.all(axis=1))[:10].tolist()
            raise ValueError(f"{name}: NaN, infinity or more than {_LARGEST:g} in the features of images {rows}")
        sets.append(array)
    if sets[0].shape[1] != sets[1].shape[1]:
        raise ValueError(f"the sets have {sets[0].shape[1]} and {sets[1].shape[1]} dimensions: were two networks used?")
    return sets[0], sets[1]


def _covariance_root(centred: Features) -> Features:
    """A matrix R of at most D rows with R^T R the sample covariance of centred features (N, D)."""
    n, dim = centred.shape
    rows = np.linalg.qr(centred, mode="r") if n > dim else centred
    return np.asarray(rows / np.sqrt(n - 1))


def _kernel(a: Features, b: Features) -> Features:
    return (a @ b.T / a.shape[1] + 1) ** 3


def _kernel_sum(a: Features, b: Features) -> float:
    return float(sum(_kernel(a[start : start + _BLOCK], b).sum() for start in range(0, len(a), _BLOCK)))


def _kernel_diagonal(a: Features) -> float:
    return float(((np.square(a).sum(axis=1) / a.shape[1] + 1) ** 3).sum())
