"""Pools what the seeds of one run found: OUT/seed-*/PROFILE becomes OUT/pooled/PROFILE, a folder of results like any other.

A pooled result holds the scores of all seeds, which `judge` takes together, and tables of means over the seeds. Figures, remarks
and the executed notebook are those of the first seed, and say so. Nothing is trained or scored here; what a seed left stays.
"""

from __future__ import annotations

import json
import math
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from facesr_lib.evaluate.result import write_json
from facesr_lib.evaluate.tables import Cell, Table, format_column
from facesr_lib.files import one_writer, write_atomically
from facesr_tools.report.result import BrokenResult, load_result
from facesr_tools.seeds import pooled_folder, seed_folders, seeds_text

VARIES = "(differs by seed)"


@dataclass(frozen=True)
class Found:
    """What one seed found in one notebook: its folder there, result, provenance, and the marker of the run that ended well."""

    seed: int
    folder: Path
    result: dict[str, Any]
    provenance: dict[str, Any]
    marker: dict[str, Any]


def pooled_report(out: Path, profile: str) -> list[str]:
    """Pool OUT/seed-*/PROFILE, write the report of all seeds in OUT/pooled/PROFILE, and return remarks for the reader."""
    from facesr_tools.report import build_report
    from facesr_tools.site.export import export_notebooks

    with one_writer(pooled_folder(out) / profile):
        remarks = _pool(out, profile)
        export_notebooks(pooled_folder(out) / profile)
        build_report(pooled_folder(out), profile)
    return remarks


def pool(out: Path, profile: str) -> list[str]:
    """Write OUT/pooled/PROFILE anew from OUT/seed-*/PROFILE; return remarks: what was left out, and why."""
    with one_writer(pooled_folder(out) / profile):
        return _pool(out, profile)


def _pool(out: Path, profile: str) -> list[str]:
    found, remarks = read_seeds(out, profile)
    target = pooled_folder(out) / profile
    if target.is_dir():  # what an earlier pool, of other notebooks, left there
        for old in target.iterdir():
            if old.is_dir() and old.name not in found and (old / "pooled.json").is_file():
                shutil.rmtree(old)
    for name, members in found.items():
        _write(target / name, members)
    return remarks


def read_seeds(out: Path, profile: str) -> tuple[dict[str, list[Found]], list[str]]:
    """By notebook, what each seed of OUT found, in the seeds' order; and remarks on what cannot be taken together."""
    every, broken = read_all(out, profile)
    found, remarks = together(every)
    return found, [*broken, *remarks]


def read_all(out: Path, profile: str) -> tuple[list[Found], list[str]]:
    """What each seed of OUT found in each notebook; and remarks on what cannot be read.

    One run without seeds (OUT/PROFILE) counts where there is no OUT/seed-S.
    """
    found, remarks = list[Found](), list[str]()
    for folder in seed_folders(out, profile).values() or [out]:
        for path in sorted((folder / profile).glob("*/result.json")):
            try:
                found.append(_read(path))
            except BrokenResult as error:
                remarks.append(f"left out: {error}")
    return found, remarks


def together(every: Sequence[Found]) -> tuple[dict[str, list[Found]], list[str]]:
    """By notebook, what belongs together, in the seeds' order; and remarks on what does not. Of one seed twice, the first counts.

    Results belong together if they come from the same library code, configs and images; of those that do not, the ones like the
    newest are kept.
    """
    notebooks = dict[str, dict[int, Found]]()
    for one in every:
        notebooks.setdefault(one.result["notebook"], {}).setdefault(one.seed, one)
    found, remarks = {}, list[str]()
    for name in sorted(notebooks):
        members = list(notebooks[name].values())
        newest = max(members, key=lambda one: one.marker.get("finished", 0.0))
        kept = [one for one in members if _conditions(one) == _conditions(newest)]
        others = sorted({one.seed for one in members} - {one.seed for one in kept})
        if others:
            remarks.append(
                f"{name}: seed {seeds_text(others)} left out: other code, config or images than the newest; run it again"
            )
        found[name] = sorted(kept, key=lambda one: one.seed)
    return found, remarks


def pooled_result(members: Sequence[Found]) -> dict[str, Any]:
    """One result of several seeds, by the schema of every result. members: of one notebook, by seed."""
    if len(members) == 1:
        return members[0].result
    first, seeds = members[0], [one.seed for one in members]
    scores: dict[tuple[Any, ...], dict[str, Any]] = {}
    for one in members:
        for score in one.result["scores"]:  # a notebook that trains several seeds itself may share some with another
            key = tuple(score[name] for name in ("dataset", "metric", "convention", "method", "seed"))
            scores.setdefault(key, score)
    counts = Counter(note for one in members for note in set(one.result["notes"]))
    notes = [text if counts[text] == len(members) else f"(seed {first.seed}) {text}" for text in first.result["notes"]]
    figures = [{**figure, "caption": f"{figure['caption']} (seed {first.seed})"} for figure in first.result["figures"]]
    tables = [asdict(table) for table in pooled_tables(members)]
    pooled = f"Pooled over the training seeds {seeds_text(seeds)}; figures are those of seed {first.seed}."
    return {**first.result, "scores": list(scores.values()), "tables": tables, "figures": figures, "notes": [pooled, *notes]}


def pooled_tables(members: Sequence[Found]) -> list[Table]:
    """The first seed's tables with "mean ± sd" over the seeds in place of every number that differs between them."""
    found = []
    for table, same in _same_tables(members):
        rows = [list(row) for row in same[0]]
        for index in range(len(table.columns)):
            _pool_column(rows, [[row[index] for row in one] for one in same], index)
        found.append(Table(table.name, _caption(table.caption, len(same), members), table.columns, tuple(map(tuple, rows))))
    return found


def numeric_tables(members: Sequence[Found]) -> list[Table]:
    """The same for machines: a column with the mean and, where seeds differ, one more with the standard deviation ("... sd")."""
    found = []
    for table, same in _same_tables(members):
        columns, cells = list[str](), list[list[Cell]]()
        for index, name in enumerate(table.columns):
            values = [[row[index] for row in one] for one in same]
            lines = list(zip(*values, strict=True))
            columns.append(name)
            cells.append([_mean(line) for line in lines])
            if any(spread := [_spread(line) for line in lines]):
                columns.append(f"{name} sd")
                cells.append([*spread])
        rows = tuple(zip(*cells, strict=True))
        found.append(Table(table.name, _caption(table.caption, len(same), members), tuple(columns), rows))
    return found


def _read(path: Path) -> Found:
    result = load_result(path)
    return Found(
        result["seed"], path.parent, result, _json(path.with_name("provenance.json")), _json(path.with_name("done.json"))
    )


def _conditions(one: Found) -> tuple[Any, ...]:
    return one.marker.get("code"), one.result["config_hash"], {data["name"]: data["checksum"] for data in one.result["data"]}


def _write(folder: Path, members: Sequence[Found]) -> None:
    """Write one notebook's pooled folder: the first seed's notebook and figures, the pooled result, tables and provenance."""
    first = members[0]
    if folder.is_dir():
        shutil.rmtree(folder)
    (folder / "tables").mkdir(parents=True)
    if (first.folder / "figures").is_dir():
        shutil.copytree(first.folder / "figures", folder / "figures")
    if (first.folder / "notebook.ipynb").is_file():
        shutil.copyfile(first.folder / "notebook.ipynb", folder / "notebook.ipynb")
    for written, read in zip(numeric_tables(members), pooled_tables(members), strict=True):
        write_atomically(folder / "tables" / f"{read.name}.csv", written.csv())
        write_atomically(folder / "tables" / f"{read.name}.md", read.markdown())
    write_json(folder / "provenance.json", _pooled_provenance(members))
    write_json(folder / "result.json", pooled_result(members))
    write_json(folder / "pooled.json", {"seeds": [one.seed for one in members]})


def _pooled_provenance(members: Sequence[Found]) -> dict[str, Any]:
    """The first seed's, with all seeds; times are summed, of memory the largest counts."""
    made = [one.provenance for one in members if one.provenance]
    if not made:
        return {}

    def largest(name: str) -> Any:
        return max((one[name] for one in made if one.get(name) is not None), default=None)

    facts = {**made[0], "seeds": {"run": seeds_text([one.seed for one in members])}}
    facts |= {"started": min(one["started"] for one in made), "finished": max(one["finished"] for one in made)}
    facts |= {"wall_seconds": round(sum(one["wall_seconds"] for one in made), 1)}
    return facts | {name: largest(name) for name in ("peak_memory_mib", "peak_gpu_memory_mib")}


def _same_tables(members: Sequence[Found]) -> list[tuple[Table, list[list[list[Cell]]]]]:
    """The first seed's tables, each with its rows by seed, in the same order; the first seed's alone where rows differ."""
    found = []
    for record in members[0].result["tables"]:
        table = Table(record["name"], record["caption"], tuple(record["columns"]), tuple(map(tuple, record["rows"])))
        others = [next((t for t in one.result["tables"] if t["name"] == table.name), None) for one in members]
        rows = [_in_order(other, table) if other else None for other in others]
        same = [one for one in rows if one is not None]
        found.append((table, same if len(same) == len(members) else [[list(row) for row in table.rows]]))
    return found


def _in_order(record: Mapping[str, Any], table: Table) -> list[list[Cell]] | None:
    """The rows of one seed's table in the order of the first seed's, found by their first cells; None if they are others."""
    if tuple(record["columns"]) != table.columns or len(record["rows"]) != len(table.rows):
        return None
    names, own = [row[0] for row in table.rows], [row[0] for row in record["rows"]]
    if own == names or not all(isinstance(name, str) for name in own):  # a column of numbers: the order must do
        return [list(row) for row in record["rows"]]
    if sorted(map(str, own)) != sorted(map(str, names)) or len(set(names)) < len(names):
        return None
    by_name = {row[0]: list(row) for row in record["rows"]}
    return [by_name[name] for name in names]


def _pool_column(rows: list[list[Cell]], values: list[list[Cell]], index: int) -> None:
    """Replace a column's numbers by texts "mean ± sd" where a seed changes one of them; the others stay as they are."""
    lines = list(zip(*values, strict=True))
    means, spreads = [_mean(line) for line in lines], [_spread(line) for line in lines]
    shown = format_column(means)
    decimals = next((len(text.partition(".")[2]) for text in shown if text.partition(".")[2].isdigit()), 0)
    for row, mean, spread, text in zip(rows, means, spreads, shown, strict=True):
        row[index] = f"{text} ± {spread:,.{decimals}f}" if spread else text if any(spreads) else mean


def _mean(cells: Sequence[Cell]) -> Cell:
    """The mean of numbers that differ; what is the same everywhere; `VARIES` for texts that differ."""
    if len(set(map(str, cells))) == 1:
        return cells[0]
    numbers = _numbers(cells)
    return fmean(numbers) if numbers else VARIES


def _spread(cells: Sequence[Cell]) -> float | None:
    """The sample standard deviation over seeds; None for one seed, for what is the same in all, or for no finite number."""
    numbers = _numbers(cells)
    if len(numbers) < 2 or len(set(numbers)) == 1 or not all(map(math.isfinite, numbers)):
        return None
    return stdev(numbers)


def _numbers(cells: Sequence[Cell]) -> list[float]:
    """The cells as numbers; none if one of them is anything else."""
    numbers = [float(cell) for cell in cells if isinstance(cell, int | float) and not isinstance(cell, bool)]
    return numbers if len(numbers) == len(cells) else []


def _caption(text: str, pooled: int, members: Sequence[Found]) -> str:
    """A table's caption that says which seeds it is about."""
    seeds = [one.seed for one in members]
    if len(seeds) == 1:
        return text
    over = f"Mean ± standard deviation over {pooled} training seeds ({seeds_text(seeds)})"
    return f"{text.rstrip('.')}. {over if pooled > 1 else f'Seed {seeds[0]} alone: the rows differ by seed'}"


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
