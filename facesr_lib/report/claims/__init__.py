"""What the papers claim, as data: each claim names the methods, the metric and the data set that can decide it.

One file per paper. Methods are called what the notebooks call them in `run.score(method, ...)`; a claim whose methods nobody
scored is "not run", never wrong. `facesr_lib.report.judge` decides.
"""

from facesr_lib.report.claims import human_gan, isr_kd, selfsr, teacher_student
from facesr_lib.report.claims.records import Claim, Paper, Part, metric_family

PAPERS: tuple[Paper, ...] = (human_gan.PAPER, selfsr.PAPER, teacher_student.PAPER, isr_kd.PAPER)

__all__ = ["PAPERS", "Claim", "Paper", "Part", "metric_family"]
