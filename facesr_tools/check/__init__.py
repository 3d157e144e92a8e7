"""`facesr check`: a run beside the reference that is committed, for someone who ran it again.

`read` finds the scores of both; `compare` says which lie outside the reference's range over seeds; `codecheck` writes the
manifest of a CODECHECK, `crate` packs the run as a Workflow Run RO-Crate.
"""

from facesr_tools.check.compare import Check, compare
from facesr_tools.check.read import CannotCompare, read_reference, read_run

__all__ = ["CannotCompare", "Check", "compare", "read_reference", "read_run"]
