"""Which prepared sets a paper's `paper` preset needs, and which of them exist."""

from pathlib import Path

from facesr_lib.data.prepared import prepared_facts, prepared_sets
from facesr_lib.papers import PAPERS, Paper
from facesr_tools.prepare.catalogue import CATALOGUE


def used_by(name: str) -> list[str]:
    """Keys of the papers that used a set."""
    return [paper.key for paper in PAPERS if name in paper.data_sets]


def paper_data(paper: Paper, data_root: Path) -> tuple[list[str], list[str]]:
    """The prepared and the missing sets of a paper in `data_root`; one set of each kind is enough.

    A set of faces may include real LR faces.
    """
    sets = prepared_sets(data_root)
    if facts := prepared_facts(data_root):
        sets[facts["name"]] = facts
    found: list[str] = []
    lacking: list[str] = []
    for kind in dict.fromkeys(CATALOGUE[name].kind for name in paper.data_sets):
        wanted = [name for name in paper.data_sets if CATALOGUE[name].kind == kind]
        there = [name for name in wanted if name in sets]
        if kind == "real LR":
            there += [name for name in found if "real_lr/train" in sets[name]["parts"]]
        found += [name for name in there if name not in found]
        if not there:
            lacking.append(" or ".join(wanted))
    return found, lacking
