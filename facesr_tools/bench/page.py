"""Writes the tables of docs/performance.md from files of `facesr bench --json`: before a change, after it, and on a GPU.

python -m facesr_tools.bench.page results/bench_{before,after,cuda_h100}.json docs/performance.md
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]
ON_GPU = "benchmark | images | plain / here | ms | images/s | GFLOP/s | of the ceiling | memory"
SPEEDS = "benchmark | images | plain / before | plain / now | before, ms | now, ms | images/s | GFLOP/s | of the ceiling | memory"


def write_page(before: Path, after: Path, gpu: Path, page: Path) -> str:
    """The text of `page` with every table between `<!-- table: NAME -->` and `<!-- end -->` written anew.

    Raises ValueError for a table that there is not.
    """
    kept, kept_gpu = json.loads(after.read_text()), json.loads(gpu.read_text())
    old, new = ({row["name"]: row for row in json.loads(path.read_text())["benchmarks"]} for path in (before, after))
    tables: dict[str, Callable[[], str]] = {
        **{kind: lambda kind=kind: _trainings(kind, old, new) for kind in ("step", "inference")},  # type: ignore[misc]
        "peers": lambda: _peers(new),
        "times": lambda: _times(old, new),
        "machine": lambda: _machine(kept["machine"]),
        "gpu": lambda: _on_gpu(kept_gpu["benchmarks"]),
        "gpu_machine": lambda: _machine(kept_gpu["machine"]),
    }

    def table(match: re.Match[str]) -> str:
        if match[1] not in tables:
            raise ValueError(f"{page}: there is no table {match[1]!r}, only {', '.join(tables)}")
        return f"<!-- table: {match[1]} -->\n\n{tables[match[1]]()}\n\n<!-- end -->"

    return re.sub(r"<!-- table: (\w+) -->.*?<!-- end -->", table, page.read_text(), flags=re.DOTALL)


def _trainings(kind: str, old: Mapping[str, Row], new: Mapping[str, Row]) -> str:
    """Steps or enlargements: a row for each training of both files."""
    rows = []
    for name, row in new.items():
        if not name.startswith(f"{kind} ") or not row["forms"]:
            continue
        own, plain = row["forms"]["facesr"], row["forms"]["plain"]
        forms = old[name]["forms"] if name in old else {}
        was = forms["facesr"]["ms"] if forms else None
        speed = own["gflop"] / own["ms"] * 1000
        cells = [name.removeprefix(f"{kind} "), str(row["images"]), f"{forms['plain']['ms'] / was:.2f}" if was else ""]
        cells += [f"{plain['ms'] / own['ms']:.2f}", number(was), number(own["ms"]), number(1000 * row["images"] / own["ms"])]
        rows.append([*cells, number(speed), f"{speed / row['ceiling']:.0%}", f"{row['peak_memory'] / 2**20:,.0f} MiB"])
    return _table(SPEEDS, rows)


def _on_gpu(rows: Sequence[Row]) -> str:
    """Steps and enlargements of one file, as `_trainings` without a before."""
    found = []
    for row in rows:
        if row["forms"].keys() >= {"facesr", "plain"}:
            own, plain = row["forms"]["facesr"], row["forms"]["plain"]
            speed = own["gflop"] / own["ms"] * 1000
            cells = [row["name"], str(row["images"]), f"{plain['ms'] / own['ms']:.2f}", number(own["ms"])]
            cells += [number(1000 * row["images"] / own["ms"]), number(speed), f"{speed / row['ceiling']:.1%}"]
            found.append([*cells, f"{row['peak_memory'] / 2**20:,.0f} MiB"])
    return _table(ON_GPU, found)


def _peers(new: Mapping[str, Row]) -> str:
    rows = []
    for name, row in new.items():
        for other, form in row["forms"].items():
            if other not in ("facesr", "plain") and not name.startswith("explorer"):
                own = row["forms"]["facesr"]["ms"]
                rows.append([name, number(own), other, number(form["ms"]), f"{form['ms'] / own:.2f}"])
    return _table("benchmark | here, ms | package | it, ms | times its speed", rows)


def _times(old: Mapping[str, Row], new: Mapping[str, Row]) -> str:
    """What has no other form, or only matplotlib's: batches, start-up, explorers."""
    rows = []
    for name, row in new.items():
        if name.startswith(("data ", "start ", "explorer ")) or len(row["forms"]) == 1:
            was = old[name]["forms"]["facesr"]["ms"] if name in old else None
            rows.append([name, number(was), number(row["forms"]["facesr"]["ms"]), row["clock"]])
    return _table("benchmark | before, ms | now, ms | clock", rows)


def _machine(facts: Mapping[str, Any]) -> str:
    cpu, gpu, packages = facts["cpu"], facts["gpu"], facts["packages"]
    device = gpu["name"] if gpu else f"{cpu['model']}, {cpu['torch_threads']} of {cpu['usable_cores']} cores"
    return f"{device}; torch {packages['torch']}, Python {facts['python']}."


def number(value: float | None) -> str:
    """Three digits, never as a power of ten; empty for None."""
    return "" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _table(head: str, rows: list[list[str]]) -> str:
    first, *others = head.split(" | ")
    lines = [[first, *others], ["---", *("---:" for _ in others)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    paths = [Path(argument) for argument in sys.argv[1:]]
    if len(paths) != 4:
        sys.exit("usage: python -m facesr_tools.bench.page BEFORE.json AFTER.json GPU.json PAGE.md")
    paths[3].write_text(write_page(*paths))
