"""Scores of images (one float64 value each) and of image sets, the convention and the backend in the name or arguments."""

from facesr_lib.metrics.evaluate import evaluate
from facesr_lib.metrics.external import evaluate_folder, spandrel_method
from facesr_lib.metrics.features import image_set_features, make_extractor, set_convention, set_scores
from facesr_lib.metrics.frechet import frechet_distance, kernel_distance, kernel_distance_subsets
from facesr_lib.metrics.identity import identity_similarity
from facesr_lib.metrics.landmarks import landmark_error
from facesr_lib.metrics.lpips import lpips_metric
from facesr_lib.metrics.niqe import niqe, niqe_name
from facesr_lib.metrics.psnr import psnr
from facesr_lib.metrics.ssim import ssim
from facesr_lib.metrics.weights import WeightsMissing, if_available

__all__ = [
    "WeightsMissing",
    "evaluate",
    "evaluate_folder",
    "frechet_distance",
    "identity_similarity",
    "if_available",
    "image_set_features",
    "kernel_distance",
    "kernel_distance_subsets",
    "landmark_error",
    "lpips_metric",
    "make_extractor",
    "niqe",
    "niqe_name",
    "psnr",
    "set_convention",
    "set_scores",
    "spandrel_method",
    "ssim",
]
