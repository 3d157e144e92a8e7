"""Figures and tables of the papers: what each shows, and where a run remakes it (`exhibits.toml` in a paper's folder)."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files

from facesr_lib.papers import Paper


@dataclass(frozen=True)
class Exhibit:
    """A figure or table of a paper: `what` it shows, and where a run remakes it, or `why` none does.

    notebook, cell: the notebook's file without suffix, and the name given to `run.figure` or `run.table` there.
    """

    id: str
    what: str
    notebook: str = ""
    cell: str = ""
    why: str = ""


def exhibits(paper: Paper) -> tuple[Exhibit, ...]:
    """Every figure and table of the paper, in its order."""
    text = files("facesr_lib.papers").joinpath(paper.key, "exhibits.toml").read_text(encoding="utf-8")
    return tuple(Exhibit(**entry) for entry in tomllib.loads(text)["exhibit"])
