"""Super-resolve picture files: with the networks of a checkpoint, or with bicubic interpolation."""

from facesr_tools.upscale.files import Job, JobOutcome, plan, upscale_files
from facesr_tools.upscale.methods import FoundCheckpoint, bicubic, choose, from_checkpoint, trained_checkpoints
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
    "from_checkpoint",
    "plan",
    "read_picture",
    "trained_checkpoints",
    "upscale_files",
    "write_picture",
]
