"""A reader's own table beside the one that this repository keeps in results/, for the notebooks."""

from __future__ import annotations

import csv
import json
from html import escape
from pathlib import Path

from IPython.display import HTML

from facesr_lib.evaluate import Run, Table
from facesr_lib.evaluate.tables import Cell
from facesr_lib.files import checkout_root
from facesr_tools.quote import largest
from facesr_tools.seeds import seeds_text


def beside_kept(run: Run, table: Table, root: Path | None = None) -> HTML:
    """`table`, which `run` has just recorded, beside the same one from results/ of the repository `root`, to show in a cell.

    Takes the run's own profile or, where nothing is kept of it, the largest one that is. Where there is no such table, as in an
    installed copy without the repository, a line says so. root: the checkout unless given.
    """
    root = root or checkout_root()
    own = root / "results" / run.profile if root else None
    folder = own if own and (own / "README.md").is_file() else largest(root) if root else None
    path = folder / "tables" / run.notebook / f"{table.name}.csv" if folder else None
    if path is None or not path.is_file():
        where = f"results/{run.profile}" if run.profile != "smoke" else "results"
        kept = (
            f"<p>The table “{escape(table.name)}” is not here to compare with: the repository keeps such tables in {where}.</p>"
        )
    else:
        kept = _kept(path).html()
    return HTML(f'<div style="display: flex; flex-wrap: wrap; gap: 1em 3em">{table.html()}{kept}</div>')


def _kept(path: Path) -> Table:
    """A table as `facesr results` wrote it; its caption says which profile and seeds it is from."""
    folder = path.parents[2]
    seeds = json.loads((folder / "provenance.json").read_bytes())["seeds"]
    head, *lines = csv.reader(path.read_text(encoding="utf-8").splitlines())
    spread = f"mean and standard deviation (sd) over seeds {seeds_text(seeds)}" if len(seeds) > 1 else f"seed {seeds[0]}"
    rows = tuple(tuple(map(_cell, line)) for line in lines)
    return Table(path.stem, f"Kept in results/{folder.name}: {spread}", tuple(head), rows)


def _cell(text: str) -> Cell:
    """A CSV cell as a number where it is one; None where it is empty."""
    if not text:
        return None
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError:
        return text
