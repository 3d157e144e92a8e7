"""The site: executed notebooks, the project's documents and the verdicts as pages that need no network."""

from facesr_tools.site.build import SiteError, build_site

__all__ = ["SiteError", "build_site"]
