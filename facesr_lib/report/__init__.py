"""Reports: what a run records, where it is kept, and the page that shows it.

`export_notebook` is in `facesr_lib.report.notebook_html`: it needs nbconvert, which a notebook that only records need not load.
"""

from facesr_lib.report.bootstrap import set_replicates
from facesr_lib.report.figures import PALETTE, curves, image_grid, style
from facesr_lib.report.page import build_report, collect, show_report
from facesr_lib.report.paper_view import verdicts
from facesr_lib.report.reference import Reference, published
from facesr_lib.report.result import BrokenResult, load_result
from facesr_lib.report.run import Run, default_output_dir
from facesr_lib.report.scoring import Backends, Scoring
from facesr_lib.report.tables import Table

__all__ = [
    "PALETTE",
    "Backends",
    "BrokenResult",
    "Reference",
    "Run",
    "Scoring",
    "Table",
    "build_report",
    "collect",
    "curves",
    "default_output_dir",
    "image_grid",
    "load_result",
    "published",
    "set_replicates",
    "show_report",
    "style",
    "verdicts",
]
