"""Super-resolve picture files: with a trained network, or with bicubic interpolation."""

from facesr_tools.upscale.files import Job, JobOutcome, plan, upscale_files
from facesr_tools.upscale.methods import (
    FoundCheckpoint,
    bicubic,
    choose,
    find_upscaler,
    from_checkpoint,
    from_shipped,
    trained_checkpoints,
)
from facesr_tools.upscale.pictures import PictureFile, read_picture, write_picture
from facesr_tools.upscale.tiles import Upscaler

__all__ = [
    "FoundCheckpoint",
    "Job",
    "JobOutcome",
    "PictureFile",
    "Upscaler",
    "bicubic",
    "choose",
    "find_upscaler",
    "from_checkpoint",
    "from_shipped",
    "plan",
    "read_picture",
    "trained_checkpoints",
    "upscale_files",
    "write_picture",
]
