"""The project that Sphinx reads: notebooks as they were executed and the repository's Markdown, copied, in the site's order."""

import hashlib
import json
import posixpath
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from facesr_lib.config import PROFILES
from facesr_lib.papers import PAPERS
from facesr_tools.distilled_page import main_tables
from facesr_tools.durations import duration
from facesr_tools.launch import launch_links, source_link
from facesr_tools.quote import largest
from facesr_tools.runner.machine import readable
from facesr_tools.runner.notebooks import Notebook
from facesr_tools.site.landing import EXECUTED, EXTRA, template
from facesr_tools.site.outputs import prepare

RESULTS = "results"  # the page of what is committed
_DOCUMENTS = {  # of the repository: the file, its page, what the site calls it
    "README.md": ("install", "Install and run"),
    "docs/results.md": ("docs/results", "Results at a glance"),
    "docs/ways.md": ("docs/ways", "Ways through the notebooks"),
    "docs/metrics.md": ("docs/metrics", "What the scores mean"),
    "docs/data.md": ("docs/data", "The papers' data"),
    "docs/binder.md": ("docs/binder", "Binder and Colab"),
    "docs/rehearsing.md": ("docs/rehearsing", "Before a run at the published size"),
    "docs/reliability.md": ("docs/reliability", "What was tried to break it"),
    "docs/site.md": ("docs/site", "How this site is made"),
    "THIRD_PARTY.md": ("third_party", "Licences of data, weights and packages"),
    "CONTRIBUTING.md": ("contributing", "Contributing"),
}
_BADGE = re.compile(r"\[!\[([^\]]*)\]\(https?://[^)]*\)\]\([^)]*\)[ \t]*")  # a linked picture on the web
_CODE = re.compile(r"(^```.*?^```|`[^`\n]+`)", re.DOTALL | re.MULTILINE)
_REMOTE = re.compile(r"!\[([^\]]*)\]\((https?://[^)\s]*)[^)]*\)|<img\b[^>]*\bsrc=[\"']?https?://[^>]*>")
_LINK = re.compile(r"(?<!!)(\[(?:[^\[\]]|\[[^\]]*\])*\])\((?![a-z]+:|#|/)([^()\s#]+)(#[^()\s]*)?\)")
_TITLE = re.compile(r"#\s*@title\s+(.+)")  # of a cell's form in Colab


@dataclass(frozen=True)
class Source:
    """A page to be: its name without suffix, where it stands in the navigation, and its notebook if it is one."""

    page: str
    section: str
    label: str
    notebook: Notebook | None = None


def stage_notebooks(project: Path, notebooks: Sequence[Notebook], results: Path, profile: str, root: Path | None) -> list[Source]:
    """Write notebooks to `project`/notebooks: as executed in `results`, or without outputs where they were not."""
    files = project / EXTRA / "files"
    files.mkdir(parents=True)
    (project / "notebooks").mkdir()

    def save(content: bytes, suffix: str) -> str:
        name = hashlib.sha256(content).hexdigest()[:16] + suffix  # the same content is kept once
        (files / name).write_bytes(content)
        return f"../files/{name}"

    found, archive = [], dict[str, bytes]()
    for notebook in notebooks:
        executed = results / notebook.name / "notebook.ipynb"
        run = executed.is_file()
        content = published(json.loads((executed if run else notebook.path).read_text(encoding="utf-8")))
        downloads = [("Download without results", save(notebook.path.read_bytes(), ".ipynb"))]
        if run:
            archive[f"{notebook.name}.ipynb"] = json.dumps(content, ensure_ascii=False, indent=1).encode()
            downloads.insert(0, ("Download", save(archive[f"{notebook.name}.ipynb"], ".ipynb")))
        facts = template("facts.html.j2").render(
            notebook=notebook,
            profile=profile,
            times=[(name, duration(60 * notebook.minutes[name])) for name in PROFILES if name in notebook.minutes],
            run=_execution(executed.parent, notebook) if run else None,
            launch=launch_links(notebook.name),
            downloads=downloads,
        )
        page = _page(prepare(content, save), facts, root)
        page["cells"] += _committed(notebook, root)
        text = json.dumps(page, ensure_ascii=False, indent=1)
        (project / "notebooks" / f"{notebook.name}.ipynb").write_text(text, encoding="utf-8")
        found.append(Source(f"notebooks/{notebook.name}", _section(notebook), notebook.title, notebook))
    if archive:
        with ZipFile(project / EXTRA / EXECUTED, "w", ZIP_DEFLATED) as together:
            for name, whole in archive.items():
                together.writestr(ZipInfo(name, (1980, 1, 1, 0, 0, 0)), whole, ZIP_DEFLATED)  # the same notebooks, the same bytes
    return found


def _committed(notebook: Notebook, root: Path | None) -> list[dict[str, Any]]:
    """A last cell with the notebook's main tables as they are committed in the repository `root`; none where there are none."""
    folder = largest(root) if root else None
    paper = next((paper for paper in PAPERS if paper.key == notebook.paper), None)
    tables = main_tables(folder, paper, notebook.name) if folder and paper else []
    if not folder or not tables:
        return []
    head = f"## Committed results\n\nFrom a run of the `{folder.name}` profile that [the repository keeps](/{RESULTS}.md):"
    text = "\n\n".join([head, *(path.read_text(encoding="utf-8").strip() for path in tables)])
    return [{"cell_type": "markdown", "id": "committed", "metadata": {}, "source": text}]


def stage_results(project: Path, root: Path | None) -> list[Source]:
    """Copy the pages of all committed results, first those of the largest profile that has some."""
    if not root:
        return []
    found, first = list[Source](), largest(root)
    for path in sorted(root.glob("results/*/README.md"), key=lambda path: path.parent != first):
        page = RESULTS if path.parent == first else f"{RESULTS}-{path.parent.name}"
        text = markdown(path.read_text(encoding="utf-8"), path.relative_to(root).as_posix(), root)
        _write(project / f"{page}.md", text)
        found.append(Source(page, "Results", f"Committed results ({path.parent.name.replace('-', ' ')})"))
    return found


def stage_documents(project: Path, root: Path | None) -> list[Source]:
    """Copy the Markdown of the repository `root`, with its pictures and licence; nothing if the library came without one."""
    found = []
    for file, (page, label) in _DOCUMENTS.items():
        if root and (root / file).is_file():
            text = markdown((root / file).read_text(encoding="utf-8"), file, root)
            text = re.sub(r"^# .*", f"# {label}", text, count=1, flags=re.MULTILINE)
            _write(project / f"{page}.md", text)
            found.append(Source(page, "The project", label))
    if root and (root / "docs" / "images").is_dir():
        shutil.copytree(root / "docs" / "images", project / "docs" / "images")
    return found


def stage_model_cards(project: Path, results: Path) -> list[Source]:
    """Copy `results`/model_cards/*.md; the YAML on top, which is for model hubs, moves into a folded block at the end."""
    found = []
    for paper in PAPERS:
        card = results / "model_cards" / f"{paper.key}.md"
        if not card.is_file():
            continue
        text = markdown(card.read_text(encoding="utf-8"), card.name, None)
        head = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
        if head:
            text = f"{text[head.end() :].strip()}\n\n:::{{dropdown}} For model hubs\n```yaml\n{head[1]}\n```\n:::\n"
        _write(project / f"models/{paper.key}.md", text)
        found.append(Source(f"models/{paper.key}", "Models", f"{paper.name}: model card"))
    return found


def published(notebook: dict[str, Any]) -> dict[str, Any]:
    """A notebook as the site offers it for download: without the runner's traces, paths of this machine among them.

    What stays of the metadata: the kernel and the widgets' state, and the project's own facts.
    """
    runner = notebook["metadata"].get("papermill", {})
    out = str(runner.get("parameters", {}).get("OUTPUT_DIR") or "")
    cells = []
    for cell in notebook["cells"]:
        if "injected-parameters" not in cell["metadata"].get("tags", []):
            kept = {key: cell["metadata"][key] for key in ("tags", "jupyter") if cell["metadata"].get(key)}
            cells.append({**cell, "metadata": kept})
    metadata = {key: notebook["metadata"][key] for key in ("kernelspec", "widgets") if key in notebook["metadata"]}
    whole = {**notebook, "cells": cells, "metadata": metadata}
    escaped = json.dumps(out)[1:-1]  # as it stands in JSON text
    shown: dict[str, Any] = json.loads(json.dumps(whole).replace(escaped, "runs")) if out else whole
    return shown


def markdown(text: str, path: str, root: Path | None) -> str:
    """GitHub's Markdown as Sphinx should read it; `path` is the file's place in the repository `root`.

    No pictures on the web: badges go (a page has its own buttons), others become links. Links lead to the site's pages
    where the file is one, else to the file in public.
    """
    codes: list[str] = []

    def hide(found: re.Match[str]) -> str:
        codes.append(found[0])
        return f"\0{len(codes) - 1}\0"

    def lead(found: re.Match[str]) -> str:
        file = posixpath.normpath(posixpath.join(posixpath.dirname(path), found[2]))
        if file in _DOCUMENTS and root and (root / file).is_file():
            address = f"/{_DOCUMENTS[file][0]}.md"
        elif re.fullmatch(r"notebooks/\w+\.ipynb", file):
            address = f"/{file}"
        else:
            address = source_link(file + "/" * found[2].endswith("/"))
        return f"{found[1]}({address}{found[3] or ''})"

    text = _CODE.sub(hide, _BADGE.sub("", text))
    text = _REMOTE.sub(lambda found: f"[{found[1] or 'picture'}]({found[2]})" if found[2] else "", text)
    return re.sub("\0(\\d+)\0", lambda found: codes[int(found[1])], _LINK.sub(lead, text))


def _page(notebook: dict[str, Any], facts: str, root: Path | None) -> dict[str, Any]:
    """A prepared notebook as its page: the facts below the title, Markdown for Sphinx, cells folded as their tags say."""
    notebook["metadata"]["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}  # a run may have left none
    for cell in notebook["cells"]:
        tags = cell["metadata"].setdefault("tags", [])
        if cell["cell_type"] == "markdown":
            cell["source"] = markdown("".join(cell["source"]), "notebooks/x.ipynb", root)
        hidden = cell["metadata"].pop("jupyter", {}).get("source_hidden")
        if hidden or "solution" in tags:
            solution, titled = "solution" in tags, _TITLE.match("".join(cell["source"]))
            tags.append("hide-cell" if solution else "hide-input")
            words = "Solution" if solution else titled[1] if titled else "Show the code"
            cell["metadata"]["mystnb"] = {"code_prompt_show": words, "code_prompt_hide": words}
    first = next((cell for cell in notebook["cells"] if cell["cell_type"] == "markdown"), None)
    if first is not None:
        title, _, rest = first["source"].partition("\n")
        facts = re.sub(r"\n\s*\n+", "\n", facts)  # a blank line would end the HTML
        first["source"] = f"{title}\n\n{facts}\n\n{rest.strip()}\n"
    return notebook


def _section(notebook: Notebook) -> str:
    for number, paper in enumerate(PAPERS, 1):
        if notebook.paper == paper.key:
            return f"{number} {paper.name}"
    return "Results" if notebook.always else "Lessons"


def _execution(folder: Path, notebook: Notebook) -> dict[str, Any]:
    """When, how long and where a notebook ran, from what the run left in its folder; unknown things are left out."""
    origin, marker = _json(folder / "provenance.json"), _json(folder / "done.json")
    try:
        when = datetime.fromisoformat(str(origin["finished"])).astimezone(UTC)
    except (KeyError, ValueError):
        when = datetime.fromtimestamp((folder / "notebook.ipynb").stat().st_mtime, UTC)
    cpu, gpu = origin.get("cpu") or {}, origin.get("gpu") or {}
    machine = gpu.get("name") or (f"{cpu.get('model')}, {cpu.get('usable_cores')} cores" if cpu else "")
    commit = str((origin.get("git") or {}).get("sha") or "")[:7]
    where = [machine, f"facesr {origin['facesr']}" if "facesr" in origin else "", f"commit {commit}" if commit else ""]
    took = f"{duration(marker['seconds'])}, {readable(marker['peak_memory'])} of memory" if marker else ""
    return {
        "when": f"{when.day} {when:%B %Y}",
        "took": took,
        "where": ", ".join(part for part in where if part),
        "outdated": bool(marker) and marker.get("source") != notebook.digest(),
    }


def _json(path: Path) -> Mapping[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
