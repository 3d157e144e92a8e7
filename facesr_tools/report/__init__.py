"""The report: one page per profile that shows what every notebook found."""

from facesr_tools.report.page import build_report, collect, show_report
from facesr_tools.report.result import BrokenResult, load_result

__all__ = ["BrokenResult", "build_report", "collect", "load_result", "show_report"]
