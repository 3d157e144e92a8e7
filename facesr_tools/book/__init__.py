"""The site: executed notebooks, the project's documents and the verdicts as pages that need no network."""

from facesr_tools.book.build import build_book
from facesr_tools.book.jupyter_book import BookError

__all__ = ["BookError", "build_book"]
