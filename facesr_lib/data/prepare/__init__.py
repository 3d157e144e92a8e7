"""The papers' data sets, from download to packed images."""

from facesr_lib.data.prepare.archives import ArchiveError
from facesr_lib.data.prepare.catalogue import CATALOGUE, described
from facesr_lib.data.prepare.description import Description, PrepareError
from facesr_lib.data.prepare.papers import PAPERS, paper_data, sets_of
from facesr_lib.data.prepare.pipeline import BAD_IMAGES, prepare, verify
from facesr_lib.data.prepare.sources import source_folder
from facesr_lib.download import DownloadFailed

__all__ = [
    "BAD_IMAGES",
    "CATALOGUE",
    "PAPERS",
    "ArchiveError",
    "Description",
    "DownloadFailed",
    "PrepareError",
    "described",
    "paper_data",
    "prepare",
    "sets_of",
    "source_folder",
    "verify",
]
