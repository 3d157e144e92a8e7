"""What notebooks show beside results: the library's own source, pictures of ideas."""

from facesr_lib.explore.roadmap import roadmap
from facesr_lib.explore.source import show_source

__all__ = ["roadmap", "show_source"]
