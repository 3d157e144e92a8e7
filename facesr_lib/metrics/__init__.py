"""Scores of images (one float64 value each) and of image sets. Each metric has a record (`Metric`) that states its convention."""

from facesr_lib.metrics.features import image_set_features, make_extractor, set_scores
from facesr_lib.metrics.frechet import frechet_distance, kernel_distance
from facesr_lib.metrics.identity import identity_metric, identity_similarity
from facesr_lib.metrics.lpips import lpips_metric
from facesr_lib.metrics.metric import Metric, evaluate
from facesr_lib.metrics.niqe import niqe, niqe_metric
from facesr_lib.metrics.pixels import PSNR, SSIM, psnr, psnr_metric, ssim, ssim_metric
from facesr_lib.metrics.weights import WeightsMissing, if_available
