"""The papers' data sets, from download to packed images."""

from facesr_tools.download import DownloadFailed
from facesr_tools.prepare.archives import ArchiveError
from facesr_tools.prepare.catalogue import CATALOGUE, described
from facesr_tools.prepare.description import Description, PrepareError
from facesr_tools.prepare.papers import paper_data, used_by
from facesr_tools.prepare.pipeline import BAD_IMAGES, prepare, verify
from facesr_tools.prepare.sources import source_folder

__all__ = [
    "BAD_IMAGES",
    "CATALOGUE",
    "ArchiveError",
    "Description",
    "DownloadFailed",
    "PrepareError",
    "described",
    "paper_data",
    "prepare",
    "source_folder",
    "used_by",
    "verify",
]
