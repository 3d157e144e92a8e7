"""What a notebook records and what follows from it: runs, scores, claims, bootstrap intervals. Knows no paper."""

from facesr_lib.evaluate.bootstrap import set_replicates
from facesr_lib.evaluate.reading import answer
from facesr_lib.evaluate.reference import Reference
from facesr_lib.evaluate.run import Run, default_output_dir
from facesr_lib.evaluate.scoring import Backends, Scoring
from facesr_lib.evaluate.tables import Table
