"""The project that Jupyter Book reads: executed notebooks and the repository's Markdown, copied, in the order of the site."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from facesr_lib.papers import PAPERS as TABLE
from facesr_tools.book.jupyter_book import TEMPLATE
from facesr_tools.durations import duration
from facesr_tools.runner.machine import readable
from facesr_tools.runner.notebooks import Notebook

PAPERS = {paper.key: paper.name for paper in TABLE}
_DOCUMENTS = (  # of the repository: the file, its name in the project, what the site calls it
    ("README.md", "install.md", "Install and run"),  # Jupyter Book takes a page called README for the first one
    ("docs/metrics.md", "docs/metrics.md", "What the scores mean"),
    ("docs/data.md", "docs/data.md", "The papers' data"),
    ("docs/binder.md", "docs/binder.md", "Binder and Colab"),
    ("THIRD_PARTY.md", "THIRD_PARTY.md", "Licences of data, weights and packages"),
    ("CONTRIBUTING.md", "CONTRIBUTING.md", "Contributing"),
)
_BADGE = re.compile(r"\[!\[([^\]]*)\]\(https?://[^)]*\)\]\([^)]*\)[ \t]*")  # a linked picture on the web
_CODE = re.compile(r"(^```.*?^```|`[^`\n]+`)", re.DOTALL | re.MULTILINE)
_REMOTE = re.compile(r"!\[([^\]]*)\]\((https?://[^)\s]*)[^)]*\)|<img\b[^>]*\bsrc=[\"']?https?://[^>]*>")


@dataclass(frozen=True)
class Execution:
    """The run that a notebook's page shows."""

    when: str
    took: str
    where: str
    outdated: bool  # the notebook has changed since


@dataclass(frozen=True)
class Source:
    """A page to be: its file in the staged project, where it stands in the navigation, and its notebook if it is one."""

    path: str
    section: str
    label: str
    notebook: Notebook | None = None
    execution: Execution | None = None

    @property
    def page(self) -> str:
        """The name of the page's file."""
        return f"{Path(self.path).stem.lower()}.html"


def stage_notebooks(project: Path, notebooks: Sequence[Notebook], results: Path) -> list[Source]:
    """Copy notebooks to `project`/notebooks: as executed in `results`, or without outputs where they were not."""
    (project / "notebooks").mkdir()
    found = []
    for notebook in notebooks:
        executed = results / notebook.name / "notebook.ipynb"
        source = executed if executed.is_file() else notebook.path
        content = published(json.loads(source.read_text(encoding="utf-8")))
        path = f"notebooks/{notebook.name}.ipynb"
        (project / path).write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
        execution = _execution(results / notebook.name, notebook) if source == executed else None
        found.append(Source(path, _section(notebook), notebook.title, notebook, execution))
    return found


def stage_documents(project: Path, root: Path | None) -> list[Source]:
    """Copy the Markdown of the repository `root`, with what it refers to; nothing if the library came without one."""
    found = []
    for file, path, label in _DOCUMENTS:
        if root and (root / file).is_file():
            (project / path).parent.mkdir(exist_ok=True)
            text = re.sub(r"^# .*", f"# {label}", markdown(_read(root / file)), count=1, flags=re.MULTILINE)
            (project / path).write_text(text, encoding="utf-8")
            found.append(Source(path, "The project", label))
    if root and (root / "docs" / "images").is_dir():
        shutil.copytree(root / "docs" / "images", project / "docs" / "images")
    if root and (root / "LICENSE").is_file():
        shutil.copyfile(root / "LICENSE", project / "LICENSE")
    return found


def stage_model_cards(project: Path, results: Path) -> list[Source]:
    """Copy `results`/model_cards/*.md; the YAML on top, which is for model hubs, moves into a folded block at the end."""
    found, order = [], list(PAPERS)
    cards = sorted((results / "model_cards").glob("*.md"))
    for card in sorted(cards, key=lambda card: order.index(card.stem) if card.stem in order else len(order)):
        text = markdown(_read(card))
        head = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
        if head:
            text = f"{text[head.end() :].strip()}\n\n:::{{dropdown}} For model hubs\n```yaml\n{head[1]}\n```\n:::\n"
        path = f"model_cards/model_{card.stem}.md"
        (project / path).parent.mkdir(exist_ok=True)
        (project / path).write_text(text, encoding="utf-8")
        found.append(Source(path, "Models", f"{PAPERS.get(card.stem, card.stem)}: model card"))
    return found


def write_configuration(project: Path, title: str, sources: Sequence[Source]) -> None:
    """Write myst.yml, with the pages in this order, and the description of a theme that Jupyter Book asks for."""
    (project / "theme").mkdir()
    (project / "theme" / "template.yml").write_text(TEMPLATE)
    contents = [{"file": source.path} for source in sources]
    # JSON is YAML.
    # GitHub's Markdown links to a heading by its text, which Jupyter Book otherwise advises against.
    rules = [{"id": "reference-target-explicit", "severity": "ignore"}]
    book = {"version": 1, "project": {"title": title, "toc": contents, "error_rules": rules}}
    book["site"] = {"template": "./theme"}
    (project / "myst.yml").write_text(json.dumps(book, indent=1), encoding="utf-8")


def published(notebook: dict[str, Any]) -> dict[str, Any]:
    """A notebook as the site shows it and offers it for download: without the runner's traces, paths of this machine among them.

    What stays of the metadata: the kernel and the widgets' state, and the project's own facts.
    """
    runner = notebook["metadata"].get("papermill", {})
    out = str(runner.get("parameters", {}).get("OUTPUT_DIR") or "")
    cells = []
    for cell in notebook["cells"]:
        tags = cell["metadata"].get("tags", [])
        if "injected-parameters" in tags:
            continue
        kept = {key: cell["metadata"][key] for key in ("tags", "jupyter") if cell["metadata"].get(key)}
        cells.append({**cell, "metadata": kept})
        if cell["cell_type"] == "markdown":
            cells[-1]["source"] = markdown("".join(cell["source"]))
    metadata = {key: notebook["metadata"][key] for key in ("kernelspec", "widgets") if key in notebook["metadata"]}
    whole = {**notebook, "cells": cells, "metadata": metadata}
    if not out:
        return whole
    escaped = json.dumps(out)[1:-1]  # as it stands in JSON text
    shown: dict[str, Any] = json.loads(json.dumps(whole).replace(escaped, "runs"))
    return shown


def markdown(text: str) -> str:
    """GitHub's Markdown as Jupyter Book should read it.

    No pictures on the web: badges go (a page has its own buttons), others become links. "@name" is a name, not a citation.
    """
    parts = _CODE.split(_BADGE.sub("", text))
    for number in range(0, len(parts), 2):  # between pieces of code
        part = _REMOTE.sub(lambda found: f"[{found[1] or 'picture'}]({found[2]})" if found[2] else "", parts[number])
        parts[number] = re.sub(r"(?<![\w\\])@(?=\w)", r"\\@", part)
    return "".join(parts)


def _section(notebook: Notebook) -> str:
    if notebook.paper in PAPERS:
        return f"{list(PAPERS).index(notebook.paper) + 1} {PAPERS[notebook.paper]}"
    return "Results" if notebook.always else "Lessons"


def _execution(folder: Path, notebook: Notebook) -> Execution:
    """When, how long and where a notebook ran, from what the run left in its folder; unknown things are left out."""
    origin, marker = _json(folder / "provenance.json"), _json(folder / "done.json")
    try:
        when = datetime.fromisoformat(str(origin["finished"])).astimezone(UTC)
    except (KeyError, ValueError):
        when = datetime.fromtimestamp((folder / "notebook.ipynb").stat().st_mtime, UTC)
    took = [f"{duration(marker['seconds'])}, {readable(marker['peak_memory'])} of memory"] if marker else []
    cpu, gpu = origin.get("cpu") or {}, origin.get("gpu") or {}
    machine = gpu.get("name") or (f"{cpu.get('model')}, {cpu.get('usable_cores')} cores" if cpu else "")
    commit = str((origin.get("git") or {}).get("sha") or "")[:7]
    where = [machine, f"facesr {origin['facesr']}" if "facesr" in origin else "", f"commit {commit}" if commit else ""]
    return Execution(
        when=f"{when.day} {when:%B %Y}",
        took="".join(took),
        where=", ".join(part for part in where if part),
        outdated=bool(marker) and marker.get("source") != notebook.digest(),
    )


def _json(path: Path) -> Mapping[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
