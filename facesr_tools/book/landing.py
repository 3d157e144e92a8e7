"""The site's own pages, written as Markdown for Jupyter Book: the first one, and the verdicts on every claim."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from facesr_lib import __version__
from facesr_lib.config import PROFILES
from facesr_lib.evaluate.judge import VERDICTS
from facesr_lib.papers import PAPERS as CLAIMING
from facesr_tools.book.stage import PAPERS, Source
from facesr_tools.durations import duration
from facesr_tools.launch import REPOSITORY
from facesr_tools.report.page import PROFILE_MEANING

TITLE = "Four face super-resolution papers, taught and reproduced"


# How the first page presents each paper.
INTRODUCTIONS = {
    "human_gan": (
        "The plainest GAN, x2: a generator, a critic, and nothing that ties the output to the input. "
        "See what its loss leaves out, and what a pixel term or a plain sharpening filter does about it."
    ),
    "selfsr": (
        "Nobody knows how faces in the wild were degraded. A flow field and a CycleGAN learn it; "
        "a network that grows x2, x4, x8 then trains on the pairs they make."
    ),
    "teacher_student": (
        "A teacher learns with pairs, a student on real faces that have none, "
        "and both are fed the edges of what they have drawn so far."
    ),
    "isr_kd": (
        "A network for faces learns cartoons and forgets faces. "
        "Distillation from its former self, and a few replayed faces, keep what it knew."
    ),
}


def write_landing(project: Path, sources: Sequence[Source], results: Path, profile: str) -> list[Source]:
    """Write index.md (first) and, if the results were judged, claims.md into `project`; return both as sources."""
    judged = read_claims(results)
    cards = [_card(project, paper, sources, judged) for paper in PAPERS]
    own = [Source("index.md", "", "Home")]
    text = _template("index.md.j2").render(
        title=TITLE,
        profile=profile,
        meaning=PROFILE_MEANING[profile],
        cards=[card for card in cards if card],
        lessons=[(source, aim(source)) for source in sources if source.section == "Lessons"],
        notebooks=[source for source in sources if source.notebook],
        models=[source for source in sources if source.section == "Models"],
        documents=[source for source in sources if source.section == "The project"],
        report=next((source for source in sources if source.notebook and source.notebook.always), None),
        profiles=PROFILES,
        duration=duration,
        judged=judged,
        papers=CLAIMING,
        version=__version__,
        repository=REPOSITORY,
    )
    (project / "index.md").write_text(text, encoding="utf-8")
    if judged:
        text = _template("claims.md.j2").render(papers=judged, profile=profile, meaning=PROFILE_MEANING[profile])
        (project / "claims.md").write_text(text, encoding="utf-8")
        own.append(Source("claims.md", "Results", "Verdict per claim"))
    return own


def read_claims(results: Path) -> list[dict[str, Any]]:
    """The papers of `results`/claims.json with `chips`, the counts in a fixed order; empty if nothing was judged yet."""
    try:
        papers = json.loads((results / "claims.json").read_bytes())["papers"]
    except (OSError, ValueError, KeyError):
        return []
    for paper in papers:
        paper["chips"] = [(verdict, paper["counts"][verdict]) for verdict in VERDICTS if paper["counts"].get(verdict)]
    return list(papers)


def aim(source: Source) -> str:
    """What a notebook is for, from its own first cell ("**Aim:** ..."); empty if it does not say."""
    if source.notebook is None:
        return ""
    cells = json.loads(source.notebook.path.read_text(encoding="utf-8"))["cells"]
    first = next(("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"), "")
    found = re.search(r"\*\*Aim:\*\*\s*(.+?)\s*(?:\n\s*\n|\Z)", first, re.DOTALL)
    text = " ".join(found[1].split()) if found else ""
    return text[:1].upper() + text[1:]


def _card(
    project: Path, paper: str, sources: Sequence[Source], judged: Sequence[Mapping[str, Any]]
) -> dict[str, Any] | None:
    """What the template needs of one paper; None if the site has no notebook of it."""
    own = [source for source in sources if source.notebook and source.notebook.paper == paper]
    if not own:
        return None
    record = next(record for record in CLAIMING if record.key == paper)
    verdicts: Mapping[str, Any] = next((found for found in judged if found["paper"] == paper), {})
    return {
        "name": PAPERS[paper],
        "number": list(PAPERS).index(paper) + 1,
        "title": record.title,
        "authors": record.authors,
        "chips": verdicts.get("chips", []),
        "text": INTRODUCTIONS[paper],
        "link": own[0].path,
        "picture": _cover(project, paper),
    }


def _cover(project: Path, paper: str) -> str:
    """Put the paper's picture into the project and return its path there: cartoon faces, out of a `quick` run on cartoons.

    No person's face stands on the first page, whatever faces the results show.
    """
    path = f"covers/{paper}.png"
    (project / path).parent.mkdir(exist_ok=True)
    (project / path).write_bytes((files("facesr_tools.book") / path).read_bytes())
    return path


def _template(name: str) -> Any:
    environment = Environment(
        loader=PackageLoader("facesr_tools.book"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["plain"] = plain
    return environment.get_template(name)


def plain(text: str) -> str:
    """Text that Markdown shows as it is, also in a table."""
    return re.sub(r"([\\`*_{}\[\]<>$|#@~])", r"\\\1", " ".join(str(text).split()))
