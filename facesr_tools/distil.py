"""Distils a finished run, of one or several seeds, into what may be committed: numbers and their origin, no pictures, no weights.

The folder has a file per question. scores.csv: what did every method score, with every seed? claims.json: what follows for the
papers' claims? choices.json: what from other choices of the seeds? tables/: the notebooks' tables over all seeds. curves/: how
did the trainings go? provenance.json: what produced it? README.md: all of it on a page. seeds/: what each seed found, from which
all the rest follows. Numbers have six digits and a fixed order, so that a diff shows what has changed.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from facesr_lib.evaluate.result import write_json
from facesr_lib.evaluate.tables import Cell, Table
from facesr_lib.files import write_atomically
from facesr_lib.papers import PAPERS
from facesr_tools.choices import FILE, MOST, judge_choices, write_choices
from facesr_tools.distilled_page import write_page
from facesr_tools.judge import judge
from facesr_tools.pool import Found, numeric_tables, pooled_result, pooled_tables, read_all, together
from facesr_tools.report.exports import write_claims
from facesr_tools.report.page import of_paper
from facesr_tools.report.rivals import is_rival, with_rivals
from facesr_tools.seed_files import ROWS, Training, kept_form, read_seed_files, rounded, thinned, write_seeds

OWN = ("scores.csv", "claims.json", FILE, "tables", "curves", "provenance.json", "README.md")


def distil(
    out: Path, target: Path, profile: str, trainings: Sequence[Training] = (), note: str = "", *, more: Sequence[Path] = ()
) -> list[str]:
    """Write what OUT (one seed, OUT/seed-S, or a folder that this wrote) holds of a profile to `target`; return remarks.

    trainings: of a run, whose logs become curves; note: what a reader of the page should know about the run; more: other such
    folders, whose seeds come in addition (of a seed that is in several, the first counts). Replaces what an earlier call wrote.
    Raises ValueError if there is no result, or one of the files cannot be read.
    """
    own, broken = read_all(out, profile)
    kept = [read_seed_files(folder, profile) for folder in (out, *more)]
    found, unlike = together([*own, *(one for members, _ in kept for one in members)])
    remarks = [*broken, *unlike]
    found = {name: [kept_form(one) for one in members] for name, members in found.items() if not is_rival(members[0].result)}
    if not found:
        why = "".join(f"\n  {remark}" for remark in remarks)
        command = f"facesr run all --profile {profile} --seeds 0-4"
        raise ValueError(f"no results of the profile {profile} in {out}; first: {command}{why}")
    seeds = {one.seed for members in found.values() for one in members}
    several = [*trainings, *(one for _, logs in kept for one in logs if one.seed in seeds)]
    trainings = list({(one.name, one.seed): one for one in reversed(several)}.values())
    write_seeds(target, found, trainings)  # first: what else is here follows from them
    for name in OWN:
        shutil.rmtree(target / name) if (target / name).is_dir() else (target / name).unlink(missing_ok=True)
    scores = [row for name, members in found.items() for row in _scores(name, members)]
    _write_table(target / "scores.csv", Table.from_records("scores", scores, "scores") if scores else None)
    _write_claims(target / "claims.json", found, profile)
    if choices := judge_choices(found, profile):
        write_choices(target / FILE, profile, choices)
    elif len({one.seed for members in found.values() for one in members}) > MOST:
        remarks.append(f"no {FILE}: it is for at most {MOST} seeds")
    for name, members in found.items():
        if members[0].result["paper"]:  # those of lessons do not depend on a seed, and some describe the machine
            folder = target / "tables" / name
            for numbers, read in zip(numeric_tables(members), pooled_tables(members), strict=True):
                folder.mkdir(parents=True, exist_ok=True)
                _write_table(folder / f"{read.name}.csv", numbers)
                write_atomically(folder / f"{read.name}.md", read.markdown())
    for name in sorted({training.name for training in trainings}):
        of_name = sorted((one for one in trainings if one.name == name), key=lambda one: one.seed)
        (target / "curves").mkdir(exist_ok=True)
        _write_table(target / "curves" / f"{name.replace('/', '-')}.csv", _curve(of_name))
    write_json(target / "provenance.json", rounded({**_provenance(found, profile, trainings), "note": note}))
    write_page(target)
    return remarks


def _scores(name: str, members: Sequence[Found]) -> Iterator[dict[str, Any]]:
    result = pooled_result(members)
    people = {data["name"]: len(set(data["groups"])) if data["groups"] else None for data in result["data"]}
    order = ("dataset", "key", "convention", "method", "seed")
    for score in sorted(result["scores"], key=lambda score: [score[name] for name in order]):
        yield {
            "notebook": name,
            "dataset": score["dataset"],
            "method": score["method"],
            "metric": score["key"],
            "label": score["metric"],
            **{column: score[column] for column in ("convention", "family", "unit", "higher_is_better", "n")},
            "people": people[score["dataset"]],
            "seed": score["seed"],
            "mean": score["mean"],
        }


def _write_claims(path: Path, found: Mapping[str, Sequence[Found]], profile: str) -> None:
    """Write every claim of every paper with its verdict, as the report's claims.json has it, in one list."""
    results = [pooled_result(members) for members in found.values()]
    judged = profile != "smoke"
    verdicts = {one.key: judge(one.claims, with_rivals(of_paper(results, one.key)), judged=judged) for one in PAPERS}
    write_claims(path, verdicts, profile)
    papers = json.loads(path.read_bytes())["papers"]
    write_json(path, rounded([{"paper": paper["paper"], **claim} for paper in papers for claim in paper["claims"]]))


def _curve(trainings: Sequence[Training]) -> Table | None:
    """The logs of one training with all its seeds, `ROWS` rows in all."""
    rows = [{"seed": one.seed, **row} for one in trainings for row in thinned(one.log, ROWS // len(trainings))]
    return Table.from_records("curve", rows, "curve") if rows else None


def _provenance(found: Mapping[str, Sequence[Found]], profile: str, trainings: Sequence[Training]) -> dict[str, Any]:
    members = [one for several in found.values() for one in several]
    made = [one.provenance for one in members if one.provenance]
    states = [one.get("git") or {} for one in made]
    seconds: dict[str, dict[str, float]] = {}
    for training in sorted(trainings, key=lambda one: (one.name, one.seed)):
        seconds.setdefault(training.name, {})[str(training.seed)] = training.seconds
    for name, several in found.items():
        seconds |= {name: {str(one.seed): one.marker["seconds"] for one in several if "seconds" in one.marker}}
    images = {name: several[0].result["data"] for name, several in found.items()}
    return {
        "schema": 1,
        "profile": profile,
        "seeds": sorted({one.seed for one in members}),
        "commits": sorted({state["sha"] for state in states if state.get("sha")}),
        "uncommitted_changes": any(state.get("dirty") for state in states),
        "code": sorted({one.marker["code"] for one in members if "code" in one.marker}),
        "config_hash": {name: several[0].result["config_hash"] for name, several in found.items()},
        "data": {name: {data["name"]: data["checksum"] for data in sets} for name, sets in images.items()},
        "credits": sorted({data["credit"] for sets in images.values() for data in sets}),
        "metric_backends": {key: text for one in made for key, text in sorted(one.get("metric_backends", {}).items())},
        "python": sorted({one["python"] for one in made}),
        "packages": made[0]["packages"] if made else {},
        "hardware": _distinct([{key: one.get(key) for key in ("platform", "cpu", "gpu", "ram_mib")} for one in made]),
        "devices": sorted({one.result["device"] for one in members}),
        "seconds": seconds,
        "seconds_in_all": sum(sum(by_seed.values()) for by_seed in seconds.values()),
        "peak_memory_mib": max((one.marker.get("peak_memory", 0) for one in members), default=0) // 2**20,
        "started": min((one["started"] for one in made), default=None),
        "finished": max((one["finished"] for one in made), default=None),
    }


def _distinct(items: Sequence[Any]) -> list[Any]:
    return [item for index, item in enumerate(items) if item not in items[:index]]


def _write_table(path: Path, table: Table | None) -> None:
    if table is not None:
        cells: list[tuple[Cell, ...]] = [tuple(rounded(list(row))) for row in table.rows]
        write_atomically(path, replace(table, rows=tuple(cells)).csv())
