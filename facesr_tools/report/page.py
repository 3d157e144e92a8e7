"""The report: one HTML page per profile that shows what every notebook found, and opens anywhere without network.

Per paper it judges the claims and sets our numbers beside the published ones; claims.json and tables/ hold the same for machines.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from IPython.display import HTML
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from facesr_lib import __version__
from facesr_lib.config import check_profile
from facesr_lib.evaluate.tables import Table
from facesr_lib.files import write_atomically
from facesr_lib.papers import PAPERS
from facesr_lib.plot.figures import png_html
from facesr_tools.durations import duration
from facesr_tools.judge import Judged, judge
from facesr_tools.report.departures import departures
from facesr_tools.report.exports import write_claims, write_tables
from facesr_tools.report.model_cards import FOLDER as MODEL_CARDS
from facesr_tools.report.model_cards import write_model_cards
from facesr_tools.report.offline import CONTENT_POLICY
from facesr_tools.report.paper_view import paper_view
from facesr_tools.report.result import BrokenResult, load_result
from facesr_tools.report.rivals import with_rivals
from facesr_tools.report.scores import Headline, headline, score_groups

# What a reader must know about a profile before reading any number of it.
PROFILE_MEANING = {
    "smoke": "Smoke profile: it proves that everything runs. Networks and data are tiny and the numbers mean nothing.",
    "quick": "Quick profile: small networks, few steps, packaged faces. The numbers show whether a method learns; "
    "they are not a reproduction of the published ones.",
    "evening": "Evening profile: small networks, hours on a CPU, packaged faces unless others are named. The numbers decide "
    "at this scale; they are not a reproduction of the published ones.",
    "workshop": "Workshop profile: reduced networks and schedules for one GPU and ten minutes. The numbers show the trend; "
    "they are not a reproduction of the published ones.",
    "paper": "Paper profile: the papers' networks and schedules. A number is a reproduction only as far as the conditions "
    "written beside it agree.",
}
_TABLES = "tables"
_OWN = (_TABLES, MODEL_CARDS, "site")  # folders beside those of the notebooks
_LINKS = {
    "notebook.html": "executed notebook (page)",
    "notebook.ipynb": "executed notebook",
    "notebook.failed.ipynb": "notebook as it failed",
    "log.txt": "log",
}


def collect(out: Path, profile: str) -> list[dict[str, Any]]:
    """Everything below `<out>/<profile>`, one dict per notebook folder, in the order of their names.

    Keys: notebook, folder, result (None unless there is a sound result.json), provenance (None if unreadable), problems (texts
    for the reader: a broken file, a missing result, a failed notebook). A folder without result.json, or with a
    notebook.failed.ipynb, did not finish. Raises ValueError for an unknown profile; no folder at all gives an empty list.
    """
    root = out / check_profile(profile)
    folders = (
        [folder for folder in root.iterdir() if folder.is_dir() and folder.name not in _OWN and folder.name[0] != "."]
        if root.is_dir()
        else []
    )
    return [_entry(folder) for folder in sorted(folders)]


def build_report(out: Path, profile: str, *, running: str = "") -> Path:
    """Write `<out>/<profile>/report.html` from what `collect` finds, and return its path.

    Beside it: claims.json (every claim with its verdict, effects and intervals), model_cards/<paper>.md and
    tables/{scores,published,claims,departures,exhibits}.csv, each written atomically. Claims are judged from 10,000 seeded
    resamples, so the same results give the same page; smoke runs are not judged. running: a notebook to leave out, because it
    is the one that builds the report and so cannot have finished.
    """
    entries = [entry for entry in collect(Path(out), profile) if entry["notebook"] != running]
    results = [entry["result"] for entry in entries if entry["result"]]
    verdicts = {
        paper.key: judge(paper.claims, with_rivals(of_paper(results, paper.key)), judged=profile != "smoke") for paper in PAPERS
    }
    folder = Path(out) / profile
    folder.mkdir(parents=True, exist_ok=True)
    write_claims(folder / "claims.json", verdicts, profile)
    write_tables(folder / _TABLES, verdicts, results)
    cards = write_model_cards(Path(out), profile, entries, verdicts)
    write_atomically(folder / "report.html", _render(entries, verdicts, cards, profile))
    return folder / "report.html"


def show_report(path: Path, height: int = 800) -> HTML:
    """The page inside a notebook, in a frame of its own so that neither's style reaches the other. height: in pixels."""
    # Links to parts of the page must not resolve against the notebook's address.
    page = path.read_text(encoding="utf-8").replace("<head>", '<head><base href="about:srcdoc">', 1)
    style = f"width: 100%; height: {height}px; border: 1px solid #8886"
    frame = f'<div><iframe title="facesr report" style="{style}" srcdoc="{escape(page)}"></iframe></div>'
    return HTML(frame)


def of_paper(results: Sequence[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """The results of one paper's notebooks."""
    return [result for result in results if result["paper"] == key]


def _entry(folder: Path) -> dict[str, Any]:
    problems, result = [], None
    if (folder / "result.json").is_file():
        try:
            result = load_result(folder / "result.json")
        except BrokenResult as error:
            problems.append(f"The result is damaged and left out: {error}. Run the notebook again.")
    elif not (folder / "notebook.failed.ipynb").exists():
        problems.append("There is no result.json: the notebook is still running, or stopped before its last cell.")
    if (folder / "notebook.failed.ipynb").exists():
        reason = _failure(folder / "notebook.failed.ipynb")
        problems.append(f"The notebook failed{f': {reason}' if reason else ''}.")
    finished = result is not None and not (folder / "notebook.failed.ipynb").exists()
    entry: dict[str, Any] = {"notebook": folder.name, "folder": folder, "result": result, "finished": finished}
    return {**entry, "provenance": _provenance(folder), "problems": problems}


def _provenance(folder: Path) -> dict[str, Any] | None:
    try:
        value = json.loads((folder / "provenance.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _failure(notebook: Path) -> str:
    """The last error in a failed notebook, in one line; empty if it shows none."""
    try:
        cells = json.loads(notebook.read_bytes())["cells"]
        outputs = [output for cell in cells for output in cell.get("outputs", []) if output["output_type"] == "error"]
        return f"{outputs[-1]['ename']}: {outputs[-1]['evalue']}".strip()[:300].rstrip(".") if outputs else ""
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""


def _render(entries: list[dict[str, Any]], verdicts: dict[str, list[Judged]], cards: list[Path], profile: str) -> str:
    results = [entry["result"] for entry in entries if entry["result"]]
    environment = Environment(
        loader=PackageLoader("facesr_tools.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        data=list({(d["name"], d["checksum"]): d for e in entries if e["result"] for d in e["result"]["data"]}.values()),
        cards={f"paper-{card.stem}": f"{MODEL_CARDS}/{card.name}" for card in cards},
        papers=[paper_view(paper, verdicts[paper.key], results, profile, _places(entries)) for paper in PAPERS],
        shared=departures(None),
        entries=[_view(entry, number) for number, entry in enumerate(entries, 1)],
        unfinished=[_view(entry, number) for number, entry in enumerate(entries, 1) if not entry["finished"]],
        profile=profile,
        meaning=PROFILE_MEANING[profile],
        origin=_common_origin(entries),
        policy=CONTENT_POLICY,
        version=__version__,
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def _places(entries: list[dict[str, Any]]) -> dict[tuple[str, str], str]:
    """By notebook and name: the id on the page of every figure and table that was recorded."""
    return {
        (entry["notebook"], item["name"]): f"n{number}-{item['name']}"
        for number, entry in enumerate(entries, 1)
        if entry["result"]
        for item in (*entry["result"]["tables"], *entry["result"]["figures"])
    }


def _view(entry: dict[str, Any], number: int) -> dict[str, Any]:
    """What the template needs of one notebook, ready to print."""
    folder, result, origin = entry["folder"], entry["result"], entry["provenance"]
    links = [(f"{quote(folder.name)}/{file}", text) for file, text in _LINKS.items() if (folder / file).is_file()]
    view = {"id": f"n{number}", "notebook": entry["notebook"], "problems": entry["problems"], "links": links}
    view |= {"result": result, "provenance": _flat(origin or {}), "headline": None}
    seconds = (origin or {}).get("wall_seconds")
    view["minutes"] = duration(seconds) if isinstance(seconds, int | float) else ""
    view["title"] = result["title"] if result else entry["notebook"]
    if result:
        best: Headline | None = headline(result)
        tables = [Table(t["name"], t["caption"], tuple(t["columns"]), tuple(map(tuple, t["rows"]))) for t in result["tables"]]
        view |= {"headline": best, "score_groups": score_groups(result["scores"]), "tables": tables}
        view["figures"] = [{**figure, "picture": _picture(folder, figure)} for figure in result["figures"]]
        known = result["paper"] in {paper.key for paper in PAPERS}  # whose section shows every comparison
        every = [headline(result, comparison) for comparison in result["published"]]
        view["comparisons"] = [best] if known and best and best.reference else every
        view["paper_id"] = f"paper-{result['paper']}" if known else ""
        view["configs"] = [
            (name, result["config_hash"].get(name, ""), _flat(fields)) for name, fields in result["config"].items()
        ]
    return view


def _picture(folder: Path, figure: dict[str, Any]) -> Markup | None:
    """The saved PNG as an <img>; None if the file is gone or no PNG."""
    try:
        return Markup(png_html((folder / "figures" / f"{figure['name']}.png").read_bytes(), figure["alt"]))
    except (OSError, ValueError):
        return None


def _common_origin(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Commits and hardware over all runs: one line at the top, and a warning where the runs do not belong together."""
    origins = [entry["provenance"] for entry in entries if entry["provenance"] and entry["result"]]
    states = [origin.get("git") or {} for origin in origins]
    commits = sorted({str(state["sha"])[:10] for state in states if state.get("sha")})
    machines = sorted({_machine(origin) for origin in origins})
    warnings = []
    if len(commits) > 1:
        warnings.append(f"These results come from {len(commits)} different commits: run all notebooks again to compare them.")
    if any(state.get("dirty") for state in states):
        warnings.append("At least one result was made from sources with uncommitted changes.")
    return {"commits": commits, "machines": machines, "warnings": warnings}


def _machine(origin: dict[str, Any]) -> str:
    gpu, cpu = origin.get("gpu") or {}, origin.get("cpu") or {}
    return str(gpu.get("name") or f"{cpu.get('model') or 'unknown CPU'}, {cpu.get('usable_cores') or '?'} cores")


def _flat(value: dict[str, Any]) -> list[tuple[str, str]]:
    """Nested JSON as pairs to list, the names joined by dots; package versions in one line."""
    pairs: list[tuple[str, str]] = []
    for key, item in value.items():
        if key == "packages" and isinstance(item, dict):
            pairs.append((key, ", ".join(f"{name} {version}" for name, version in item.items())))
        elif isinstance(item, dict):
            pairs += [(f"{key}.{name}", text) for name, text in _flat(item)]
        else:
            pairs.append((key, "none" if item is None else str(item)))
    return pairs
