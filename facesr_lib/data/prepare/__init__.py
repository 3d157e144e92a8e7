"""The papers' data sets, from download to packed images."""

from facesr_lib.data.prepare.archives import ArchiveError
from facesr_lib.data.prepare.catalogue import CATALOGUE, described
from facesr_lib.data.prepare.description import Description, PrepareError
from facesr_lib.data.prepare.pipeline import BAD_IMAGES, prepare, verify
from facesr_lib.data.prepare.sources import source_folder
from facesr_lib.download import DownloadFailed

__all__ = [
    "BAD_IMAGES",
    "CATALOGUE",
    "ArchiveError",
    "Description",
    "DownloadFailed",
    "PrepareError",
    "described",
    "prepare",
    "source_folder",
    "verify",
]
