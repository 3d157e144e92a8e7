"""`facesr bench`: how fast the library is on this machine, against a plain form of the same work in the same run.

`measure` times; `plain` holds the textbook forms; `works`, `others` and `explorers` list what is timed; `page` writes the tables
of docs/performance.md.
"""

from facesr_tools.bench.measure import Result, Work, measure

__all__ = ["Result", "Work", "measure"]
