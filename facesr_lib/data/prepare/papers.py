"""Which prepared sets a paper's `paper` preset needs, and which of them are there."""

from __future__ import annotations

from pathlib import Path

from facesr_lib.data.prepare.catalogue import CATALOGUE
from facesr_lib.data.prepared import prepared_facts, prepared_sets

PAPERS = tuple(dict.fromkeys(paper for description in CATALOGUE.values() for paper in description.used_by))


def sets_of(paper: str, *kinds: str) -> tuple[str, ...]:
    """Names of the sets that a paper used, the first preferred; `kinds` narrows them ("faces", "cartoons", "real LR")."""
    return tuple(
        name
        for name, description in CATALOGUE.items()
        if paper in description.used_by and (not kinds or description.kind in kinds)
    )


def paper_data(paper: str, data_root: Path) -> tuple[list[str], list[str]]:
    """What of a paper's data is prepared in DATA_ROOT, and what has yet to be: for each kind one of its sets is enough.

    Real LR faces may come with the faces' own set.
    """
    sets = prepared_sets(data_root)
    if facts := prepared_facts(data_root):
        sets[facts["name"]] = facts
    found: list[str] = []
    lacking: list[str] = []
    for kind in dict.fromkeys(CATALOGUE[name].kind for name in sets_of(paper)):
        wanted = sets_of(paper, kind)
        there = [name for name in wanted if name in sets]
        if kind == "real LR":
            there += [name for name in found if "real_lr/train" in sets[name]["parts"]]
        found += [name for name in there if name not in found]
        if not there:
            lacking.append(" or ".join(wanted))
    return found, lacking
