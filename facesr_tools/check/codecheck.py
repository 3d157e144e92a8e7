"""codecheck.yml: the configuration file of a CODECHECK (codecheck.org.uk/spec/config/1.0), in which a person certifies a rerun.

It is written at the root of the run. What only a person can say (who checked, the certificate's identifier) is marked `FIXME`, as
CODECHECK's own template does: its validator refuses the file until they are filled in. What was filled in is kept.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from facesr_lib import __version__
from facesr_lib.files import write_atomically
from facesr_lib.papers import PAPERS
from facesr_tools.check.compare import Check
from facesr_tools.check.read import CannotCompare, Side

NAME = "codecheck.yml"
VERSION = "https://codecheck.org.uk/spec/config/1.0/"
REPOSITORY = "https://github.com/facesr/facesr"


def write_codecheck(run: Side, check: Check, record: Path, summary: str) -> Path:
    """Write codecheck.yml beside the run's profiles and return its path.

    record: the file with the check's result, which is listed first. summary: one line for the certificate.
    Raises CannotCompare if an earlier codecheck.yml cannot be read.
    """
    path = run.folder / NAME
    fields = _unfinished() | _earlier(path)
    fields |= {"summary": summary, "check_time": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")}
    fields["manifest"] = [
        {"file": record.relative_to(run.folder).as_posix(), "comment": "every score beside the reference's range"}
    ]
    fields["manifest"] += [_listed(run, check, found.folder) for found in run.results if found.result["scores"]]
    text = yaml.safe_dump(fields, explicit_start=True, sort_keys=False, allow_unicode=True, width=120)
    write_atomically(path, text)
    return path


def codechecker(folder: Path) -> str:
    """Who checked, as filled in at codecheck.yml; empty where nobody has."""
    people = _earlier(folder / NAME).get("codechecker") or [{}]
    name = str(people[0].get("name", ""))
    return "" if name.startswith("FIXME") else name


def _unfinished() -> dict[str, Any]:
    titles = "; ".join(paper.title for paper in PAPERS)
    paper = {"title": f"facesr {__version__}, which reproduces: {titles}", "authors": [{"name": "The facesr authors"}]}
    return {
        "version": VERSION,
        "paper": {**paper, "reference": REPOSITORY},
        "manifest": [],
        "codechecker": [{"name": "FIXME: who checked"}],
        "summary": "",
        "repository": REPOSITORY,
        "check_time": "",
        "report": "FIXME: the DOI of the certificate",
    }


def _earlier(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise CannotCompare(f"{path}: cannot be read ({error}); mend it, or move it away") from error
    if not isinstance(found, dict):
        raise CannotCompare(f"{path}: expected fields such as codechecker; mend it, or move it away")
    return found


def _listed(run: Side, check: Check, folder: Path) -> dict[str, str]:
    scores = [score for score in check.scores if score.place.notebook == folder.name]
    counts = [(where, sum(score.where == where for score in scores)) for where in ("inside", "outside", "unjudged")]
    words = ", ".join(f"{count} {where}" for where, count in counts if count) or "none compared"
    file = (folder / "result.json").relative_to(run.folder).as_posix()
    return {"file": file, "comment": f"the scores of notebook {folder.name}, per image: {words}"}
