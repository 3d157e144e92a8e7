"""README.md of a folder of committed results: one page that says what they are, what produced them, and what they show."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from facesr_lib.files import write_atomically
from facesr_lib.papers import PAPERS, Paper
from facesr_tools.choices import FILE
from facesr_tools.durations import duration
from facesr_tools.judge import VERDICTS
from facesr_tools.report.exhibits import exhibits
from facesr_tools.report.page import PROFILE_MEANING
from facesr_tools.seed_files import FOLDER as SEEDS
from facesr_tools.seeds import seeds_text


def write_page(folder: Path) -> None:
    """Write `folder`/README.md from provenance.json, claims.json and tables/."""
    origin = json.loads((folder / "provenance.json").read_bytes())
    seeds, profile = origin["seeds"], origin["profile"]
    count = f"{len(seeds)} training seeds ({seeds_text(seeds)})" if len(seeds) > 1 else f"one training seed ({seeds[0]})"
    numbers = ", ".join(name[:2] for name, hashes in origin["config_hash"].items() if hashes)  # lessons have no config
    lines = [f"# Results of the `{profile}` profile", "", f"Notebooks {numbers}; {count}. {PROFILE_MEANING[profile]}"]
    lines += [origin["note"]] if origin.get("note") else []
    lines += ["Written by `facesr results`; change nothing here by hand.", "", *_origin(origin), ""]
    lines += ["## Verdicts", "", *verdict_counts(folder), ""]
    for paper in PAPERS:
        notebooks = sorted({one.notebook for one in exhibits(paper)})
        tables = [path for notebook in notebooks for path in main_tables(folder, paper, notebook)]
        if tables:
            lines += [f"## {paper.name}", "", f"*{paper.title}*", ""]
        for path in tables:
            lines += [f"{path.parent.name}, {path.stem} ([CSV]({path.relative_to(folder).with_suffix('.csv').as_posix()})):", ""]
            lines += [path.read_text(encoding="utf-8").strip(), ""]
    lines += ["## Files", "", "| file | what it holds |", "|---|---|"]
    lines += ["| `scores.csv` | the mean of every method by every metric on every data set, a row per seed |"]
    lines += [
        "| `claims.json` | every claim: verdict, effects with intervals, corrected p-values, numbers of images, people, seeds |"
    ]
    if (folder / FILE).is_file():
        lines += [f"| `{FILE}` | the verdicts, effects and intervals that every choice of the seeds gives; the site shows them |"]
    lines += ["| `tables/` | the tables of the papers' notebooks; in CSV, a column `... sd` holds the spread over seeds |"]
    lines += ["| `curves/` | what every training logged, thinned |"]
    lines += [f"| `{SEEDS}/` | every image's score, per seed: `facesr results` judges them again, pools more with them |"]
    lines += ["| `provenance.json` | commit, configs, data checksums, packages, hardware, times, memory |"]
    write_atomically(folder / "README.md", ("\n".join(lines) + "\n"))


def main_tables(folder: Path, paper: Paper, notebook: str) -> list[Path]:
    """The Markdown files of a notebook's main tables: those that remake one of the paper's, and the one called "results"."""
    named = {one.cell for one in exhibits(paper) if one.notebook == notebook} | {"results"}
    return [path for path in sorted((folder / "tables" / notebook).glob("*.md")) if path.stem in named]


def verdict_counts(folder: Path) -> list[str]:
    """The lines of a Markdown table: per paper, how many of its claims got which verdict."""
    claims = json.loads((folder / "claims.json").read_bytes())
    found = Counter(claim["verdict"] for claim in claims)
    shown = [verdict for verdict in (*VERDICTS, *sorted(set(found) - set(VERDICTS))) if found[verdict]]
    lines = [f"| paper | {' | '.join(shown)} |", "|---|" + "---:|" * len(shown)]
    for paper in PAPERS:
        own = Counter(claim["verdict"] for claim in claims if claim["paper"] == paper.key)
        lines.append(f"| {paper.name} | {' | '.join(str(own[verdict]) for verdict in shown)} |")
    return [*lines, f"| all | {' | '.join(str(found[verdict]) for verdict in shown)} |"]


def _origin(origin: dict[str, Any]) -> list[str]:
    """Where the results come from, as a list."""
    machines = [
        f"{(one.get('gpu') or {}).get('name') or (one.get('cpu') or {}).get('model') or 'unknown processor'}, "
        f"{(one.get('cpu') or {}).get('usable_cores')} cores"
        for one in origin["hardware"]
    ]
    commits = ", ".join(sha[:10] for sha in origin["commits"]) or "unknown"
    dirty = ", with uncommitted changes" if origin["uncommitted_changes"] else ""
    of_what = (
        "all trainings and notebooks" if any("/" in name for name in origin["seconds"]) else "all notebooks, without trainings"
    )
    return [
        f"- Hardware: {'; '.join(dict.fromkeys(machines)) or 'unknown'}; every task used one thread on a CPU.",
        f"- Time: {duration(origin['seconds_in_all'])} of {of_what}, one after the other; "
        f"peak memory {origin['peak_memory_mib']} MiB.",
        f"- Code: commit {commits}{dirty}; torch {origin['packages'].get('torch', 'unknown')}.",
        *(f"- Images: {credit.rstrip('.')}." for credit in origin["credits"]),
    ]
