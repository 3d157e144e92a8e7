"""The pages: navigation, table of contents, buttons and search around what `render` drew. Plain files that open from a disk."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from pygments.formatters import HtmlFormatter

from facesr_lib.config import PROFILES
from facesr_tools.book.assets import Assets
from facesr_tools.book.jupyter_book import Project
from facesr_tools.book.render import Page
from facesr_tools.book.stage import Source
from facesr_tools.book.widgets import STATE
from facesr_tools.durations import duration
from facesr_tools.launch import REPOSITORY, launch_links

# Nothing from elsewhere, whatever a page says. "file:" lets the site open from a disk, where it has no host to be "self".
POLICY = "default-src 'self' file: data:; style-src 'self' file: 'unsafe-inline'; object-src 'none'; connect-src 'none'"
STYLES = ("xcode", "lightbulb")  # of code, by day and by night: the readable ones of those that come with Pygments


@dataclass(frozen=True)
class Download:
    """A file to keep: its address in the site, the name it should get, and what it is."""

    address: str
    name: str
    text: str


def write_site(site: Path, project: Project, sources: Sequence[Source], profile: str) -> None:
    """Write every page of `sources`, in their order, the style sheet, the script and the search index into the folder `site`."""
    assets = Assets(site, project.public)
    content = [project.content[f"/{source.path}"] for source in sources]
    addresses = {_address(page): source.page for source, page in zip(sources, content, strict=True)}
    template = _environment().get_template("page.html.j2")
    for number, (source, data) in enumerate(zip(sources, content, strict=True)):
        state = ((data.get("widgets") or {}).get(STATE) or {}).get("state") or {}
        page = Page(source.path, addresses, assets, state)
        body = page.draw(data["mdast"])
        html = template.render(
            policy=POLICY,
            source=source,
            title=str(data["frontmatter"].get("title") or source.label),
            home=number == 0,
            body=body,
            contents=[heading for heading in page.headings if heading.depth <= 3],
            navigation=_navigation(sources),
            before=sources[number - 1] if number else None,
            after=sources[number + 1] if number + 1 < len(sources) else None,
            times=_times(source),
            downloads=_downloads(source, data, assets),
            launch=launch_links(source.notebook.name) if source.notebook else {},
            profile=profile,
            repository=REPOSITORY,
        )
        (site / source.page).write_text(_tidy(html), encoding="utf-8")
    for name, text in (("site.css", _style()), ("site.js", _environment().get_template("site.js").render())):
        (site / name).write_text(text, encoding="utf-8")
    # A script and not JSON: a page that was opened from a disk may not fetch, but it may load a script.
    index = json.dumps(_search(project.search, addresses), ensure_ascii=False, separators=(",", ":"))
    (site / "search-index.js").write_text(f"window.facesrIndex = {index};\n", encoding="utf-8")


def _address(page: Mapping[str, Any]) -> str:
    """How Jupyter Book writes a link to a page."""
    return "/" if page["slug"] == "index" else f"/{page['slug']}"


def _navigation(sources: Sequence[Source]) -> list[tuple[str, list[Source]]]:
    """The pages by section, in the order of each section's first page."""
    sections: dict[str, list[Source]] = {}
    for source in sources:
        sections.setdefault(source.section, []).append(source)
    return list(sections.items())


def _times(source: Source) -> list[tuple[str, str]]:
    """Profile and minutes of a notebook, in words."""
    known = source.notebook.minutes if source.notebook else {}
    return [(profile, duration(60 * known[profile])) for profile in PROFILES if profile in known]


def _downloads(source: Source, data: Mapping[str, Any], assets: Assets) -> list[Download]:
    """A notebook with its outputs, if it has some, and without."""
    if source.notebook is None:
        return []
    found = []
    name = f"{source.notebook.name}.ipynb"
    exports = data["frontmatter"].get("exports") or []
    executed = next((export["url"] for export in exports if export.get("format") == "ipynb"), "")
    if source.execution and executed:
        found.append(Download(assets.collected(executed) or "", name, "Download"))
    plain = assets.save(source.notebook.path.read_bytes(), ".ipynb")
    return [*found, Download(plain, name, "Download without results")]


def _search(records: Sequence[Mapping[str, Any]], addresses: Mapping[str, str]) -> list[dict[str, str]]:
    """Jupyter Book's records, one per section: address, page, section, and the section's text."""
    found = []
    for record in records:
        page, mark, part = str(record["url"]).partition("#")
        names = [record["hierarchy"].get(f"lvl{level}") for level in range(1, 7)]
        names = [str(name) for name in names if name]
        if record["type"] == "content" and page in addresses and names:
            text = " ".join(str(record.get("content") or "").split())
            found.append({"u": addresses[page] + mark + part, "p": names[0], "s": " › ".join(names[1:]), "t": text})
    return found


def _environment() -> Environment:
    """Templates of the site, and the report's for the colours they share."""
    return Environment(
        loader=ChoiceLoader([PackageLoader("facesr_tools.book"), PackageLoader("facesr_lib.evaluate")]),
        autoescape=lambda name: bool(name and name.endswith(".html.j2")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _style() -> str:
    """The style sheet: the site's own, and the colours of programs by day and by night."""
    day, night = (HtmlFormatter(style=style).get_style_defs(".highlight") for style in STYLES)
    rules = [_colours_only(day), "@media (prefers-color-scheme: dark) {", _colours_only(night), "}"]
    return _environment().get_template("site.css").render() + "\n".join(rules) + "\n"


def _colours_only(rules: str) -> str:
    """Pygments' rules for kinds of words, without those for the box, whose look is the site's."""
    return "\n".join(rule for rule in rules.splitlines() if rule.startswith(".highlight ."))


def _tidy(html: str) -> str:
    """Without the blank lines that templates leave; the insides of <pre> have none of the template's making."""
    head, mark, rest = html.partition("<main")
    return re.sub(r"\n\s*\n+", "\n", head) + mark + rest
