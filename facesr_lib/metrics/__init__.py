"""Scores: one float64 value per image, the convention in the function's name or arguments."""

from facesr_lib.metrics.evaluate import evaluate
from facesr_lib.metrics.psnr import psnr
from facesr_lib.metrics.ssim import ssim

__all__ = ["evaluate", "psnr", "ssim"]
