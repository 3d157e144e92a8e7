"""The site's own pages, written as Markdown: the first one, verdicts, departures from the papers, their exhibits."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from importlib.resources import as_file, files
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from facesr_lib import __version__
from facesr_lib.config import PROFILES
from facesr_lib.papers import PAPERS, Paper
from facesr_tools.durations import duration
from facesr_tools.judge import VERDICTS
from facesr_tools.launch import REPOSITORY, source_link
from facesr_tools.report.departures import OTHERWISE, SILENT, Departure, departures
from facesr_tools.report.exhibits import Exhibit, exhibits
from facesr_tools.report.page import PROFILE_MEANING
from facesr_tools.site.api import LIBRARY
from facesr_tools.site.headlines import Headline, effect_of

if TYPE_CHECKING:
    from facesr_tools.site.stage import Source

EXTRA = "extra"  # its content lies beside the pages: pictures out of notebooks, and notebooks to download
EXECUTED = "executed-notebooks.zip"  # all that were run, to read without running
COMPARISONS = 4  # of a claim, that its row shows at most
TITLE = "Four face super-resolution papers, taught and reproduced"
INTRODUCTIONS = {  # how the first page presents them
    "human_gan": (
        "The plainest GAN, x2: a generator, a discriminator, and nothing that ties the output to the input. "
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


def write_landing(
    project: Path,
    sources: Sequence[Source],
    judged: Sequence[Mapping[str, Any]],
    profile: str,
    demo: bool,
    found: Mapping[str, Headline],
) -> None:
    """Write index.md, which also holds the order of all `sources`, and claims.md if there is something `judged`.

    demo: whether the site has one; found: the papers' headlines.
    """
    with as_file(files("facesr_tools.site") / "covers") as covers:
        shutil.copytree(covers, project / EXTRA / "covers")
        words = {paper.key: json.loads((covers / f"{paper.key}.json").read_bytes()) for paper in PAPERS}
    sections: dict[str, list[Source]] = {}
    for source in sources:
        sections.setdefault(source.section, []).append(source)
    text = template("index.md.j2").render(
        title=TITLE,
        profile=profile,
        meaning=PROFILE_MEANING[profile],
        cards=[card for card in (_card(paper, sources, judged) for paper in PAPERS) if card],
        headlines=found,
        covers=words,
        seeds=next((source for source in sources if source.page == "seeds"), None),
        lessons=[(source, aim(source)) for source in sections.get("Lessons", [])],
        notebooks=[source for source in sources if source.notebook],
        models=sections.get("Models", []),
        documents=sections.get("The project", []),
        committed=next((source for source in sources if source.page == "results"), None),
        archive=EXECUTED if (project / EXTRA / EXECUTED).is_file() else "",
        report=next((source for source in sources if source.notebook and source.notebook.always), None),
        sections=sections,
        profiles=PROFILES,
        duration=duration,
        judged=judged,
        demo=demo,
        version=__version__,
        repository=REPOSITORY,
    )
    (project / "index.md").write_text(text, encoding="utf-8")
    if judged:
        text = template("claims.md.j2").render(papers=judged, profile=profile, meaning=PROFILE_MEANING[profile])
        (project / "claims.md").write_text(text, encoding="utf-8")


def write_departures(project: Path) -> None:
    """Write departures.md; a name that has an entry in the API pages leads there."""

    def link(one: Departure) -> str:
        names = one.where.split(".")
        name = next((name for name in names[1:] if name[:1].isupper()), names[-1])  # a field's class
        target = f"{LIBRARY}.papers.{one.paper}" + f".{name}" * (len(names) > 1)
        return f"{{py:obj}}`{one.where} <{target}>`" if one.where.startswith(one.paper or "/") else f"`{one.where}`"

    groups = [(paper.title, departures(paper)) for paper in PAPERS] + [("Modules that the papers share", departures(None))]
    text = template("departures.md.j2").render(
        groups=groups, kinds=(OTHERWISE, SILENT), link=link, data=source_link("docs/data.md")
    )
    (project / "departures.md").write_text(text, encoding="utf-8")


def write_exhibits(project: Path, sources: Sequence[Source]) -> bool:
    """Write exhibits.md, which leads to the notebooks among `sources`; False if no paper has a list of its exhibits."""
    papers = [(paper, listed) for paper in PAPERS if (listed := exhibits(paper))]
    pages = {source.notebook.name: source for source in sources if source.notebook}

    def link(one: Exhibit) -> str:
        page = pages.get(one.notebook)
        return f"[{page.notebook.name}](/{page.page}.ipynb)" if page and page.notebook else one.notebook

    if papers:
        text = template("exhibits.md.j2").render(papers=papers, link=link)
        (project / "exhibits.md").write_text(text, encoding="utf-8")
    return bool(papers)


def read_claims(results: Path) -> list[dict[str, Any]]:
    """The papers of `results`/claims.json with `chips`, the counts in a fixed order; empty if nothing was judged yet."""
    try:
        papers = json.loads((results / "claims.json").read_bytes())["papers"]
    except (OSError, ValueError, KeyError):
        return []
    for paper in papers:
        paper["chips"] = [(verdict, paper["counts"][verdict]) for verdict in VERDICTS if paper["counts"].get(verdict)]
        for claim in paper["claims"]:
            claim["effects"] = _effects(claim["measured"])
    return list(papers)


def _effects(measured: Sequence[dict[str, Any]]) -> list[str]:
    """A line per comparison of a claim, at most `COMPARISONS`: "GAN better than bicubic: PSNR −13.2 dB [−14.6, −11.7]"."""
    lines = []
    for statement, parts in groupby(measured, key=lambda part: part["statement"]):
        effects = [f"{part['metric'].removesuffix(' (dB)')} {effect_of(part)}" for part in parts]
        lines.append(f"{statement}: {'; '.join(effects)}")
    more = len(lines) - COMPARISONS
    return lines[:COMPARISONS] + ([f"{more} more in the report"] if more > 0 else [])


def aim(source: Source) -> str:
    """What a notebook is for, from its own first cell ("**Aim:** ..."); empty if it does not say."""
    if source.notebook is None:
        return ""
    cells = json.loads(source.notebook.path.read_text(encoding="utf-8"))["cells"]
    first = next(("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"), "")
    found = re.search(r"\*\*Aim:\*\*\s*(.+?)\s*(?:\n\s*\n|\Z)", first, re.DOTALL)
    text = " ".join(found[1].split()) if found else ""
    return text[:1].upper() + text[1:]


def template(name: str) -> Any:
    """A template of the site. `plain` in it is text that Markdown shows as it is; `prose` is, too, but for `code`.

    HTML is escaped in *.html.j2.
    """
    environment = Environment(
        loader=PackageLoader("facesr_tools.site"),
        autoescape=lambda name: bool(name and name.endswith(".html.j2")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["plain"] = _plain
    environment.filters["prose"] = _prose
    return environment.get_template(name)


def _plain(text: object) -> str:
    return _escaped(" ".join(str(text).split()))


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>$|#@~])", r"\\\1", text)


def _prose(text: str) -> str:
    parts = re.split(r"(`[^`]+`)", " ".join(text.split()))  # every second one is code
    return "".join(part.replace("|", r"\|") if place % 2 else _escaped(part) for place, part in enumerate(parts))


def _card(paper: Paper, sources: Sequence[Source], judged: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """What the template needs of one paper; None if the site has no notebook of it.

    Its picture shows cartoons (`cover_pictures`): no person's face stands on the first page, whatever the results show.
    """
    own = [source for source in sources if source.notebook and source.notebook.paper == paper.key]
    if not own:
        return None
    verdicts: Mapping[str, Any] = next((found for found in judged if found["paper"] == paper.key), {})
    return {
        "key": paper.key,
        "name": paper.name,
        "number": PAPERS.index(paper) + 1,
        "title": paper.title,
        "authors": paper.authors,
        "chips": verdicts.get("chips", []),
        "text": INTRODUCTIONS[paper.key],
        "link": own[0].page,
    }
