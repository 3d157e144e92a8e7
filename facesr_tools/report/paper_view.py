"""A paper's part of the report: verdicts on its claims, and our numbers beside its published ones, ready to print."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from facesr_lib.evaluate.result import pool_seeds
from facesr_lib.evaluate.tables import column_decimals, format_number
from facesr_lib.papers import Paper
from facesr_tools.judge import NOT_SCORED, Judged, Measured
from facesr_tools.report.departures import OTHERWISE, departures
from facesr_tools.report.exhibits import exhibits
from facesr_tools.report.intervals import draw_interval, reach
from facesr_tools.report.reasons import counts_text, need, reason, seeds_text
from facesr_tools.verdicts import interval_text, summary, verdict_text

_PLACE = ("method", "dataset", "metric", "convention")
_MARKS = {"paper": "claimed by the paper", "ours": "added by us"}


def paper_view(
    paper: Paper, judged: Sequence[Judged], results: Sequence[dict[str, Any]], profile: str, places: Mapping[tuple[str, str], str]
) -> dict[str, Any]:
    """What the template needs of one paper. results: all of the profile; judged: from `judge`.

    places: by notebook and name of a figure or table, where it stands on the page.
    """
    compared = comparisons(paper.key, results)
    ours = {tuple(one[key] for key in _PLACE): one for result in results for one in pool_seeds(result["scores"])}
    lines = [_claim(item, profile, ours) for item in judged]
    return {
        "id": f"paper-{paper.key}",
        "paper": paper,
        "summary": summary(judged, profile),
        "counts": Counter(item.verdict for item in judged),
        "claims": [line for line in lines if line["verdict"] not in NOT_SCORED],
        "not_run": [line for line in lines if line["verdict"] == "not run"],
        "needs_images": [line for line in lines if line["verdict"] == "needs their images"],
        "compared": compared,
        "tables": _tables(paper, compared),
        "exhibits": [(exhibit, places.get((exhibit.notebook, exhibit.cell), "")) for exhibit in exhibits(paper)],
        "departures": departures(paper),
        "otherwise": OTHERWISE,
    }


def comparisons(paper: str, results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every published number that a result was set beside: reference, our mean, their difference, and what differs."""
    found = []
    for result in results:
        pooled = pool_seeds(result["scores"])
        for line in result["published"]:
            names = ("method", "dataset", "metric")
            ours = next((score for score in pooled if all(score[name] == line[name] for name in names)), None)
            if line["reference"]["paper"] == paper and ours is not None:
                reference = line["reference"]
                decimals = column_decimals([ours["mean"], reference["value"]])
                spread = "" if ours["std"] is None else f" ± {format_number(ours['std'], decimals)}"
                difference = ours["mean"] - reference["value"]
                sign = "+" if difference > 0 else ""
                found.append(
                    {**line, "notebook": result["notebook"], "n": ours["n"], "mean": ours["mean"], "std": ours["std"]}
                    | {"convention": ours["convention"], "difference": difference, "seeds": ours["seeds"]}
                    | {"ours": format_number(ours["mean"], decimals) + spread}
                    | {"difference_text": sign + format_number(difference, decimals)}
                )
    return found


def _claim(item: Judged, profile: str, ours: Mapping[tuple[str, ...], dict[str, Any]]) -> dict[str, Any]:
    claim = item.claim
    scale = {m.metric: max(reach(other) for other in item.measured if other.metric == m.metric) for m in item.measured}
    view: dict[str, Any] = {"claim": claim, "verdict": item.verdict, "shown": verdict_text(item, profile)}
    view["mark"] = _MARKS[claim.mark]
    view["slug"] = item.verdict.replace(" ", "-")
    view["p"] = _p_text(item)
    view["why"] = reason(item)
    view["requires"] = [f"{m.part.text} ({m.metric} {interval_text(m)})" for m in item.required]
    view["missing"] = [need(part) for part in item.missing]
    view["places"] = [  # effects measured on the same images stand together
        {"where": where, "statements": [_statement(text, list(parts), scale, ours) for text, parts in groupby(found, _text)]}
        for where, found in ((where, list(found)) for where, found in groupby(item.measured, _where))
    ]
    return view


def _statement(
    text: str, parts: list[Measured], scale: dict[str, float], ours: Mapping[tuple[str, ...], dict[str, Any]]
) -> dict[str, Any]:
    effects = [
        {"metric": m.metric, "effect": interval_text(m), "plot": draw_interval(m, scale[m.metric]), "problem": m.problem}
        | {"facts": ", ".join(filter(None, (_ours(m, ours), counts_text(m), seeds_text(m))))}
        for m in parts
    ]
    return {"text": text, "effects": effects}


def _ours(measured: Measured, ours: Mapping[tuple[str, ...], dict[str, Any]]) -> str:
    """Our number beside the published one that a part is about; empty for a comparison of methods."""
    part = measured.part
    score = ours.get((part.terms[0][0], measured.dataset, measured.metric, measured.convention))
    if not part.target or score is None:
        return ""
    decimals = column_decimals([score["mean"], part.target])
    return f"ours {format_number(score['mean'], decimals)}, published {format_number(abs(part.target), decimals)}"


def _text(measured: Measured) -> str:
    return measured.part.text


def _where(measured: Measured) -> str:
    people = f" of {measured.people} people" if measured.people else ", taken as independent"
    seeds = "" if not measured.seeds else ", one seed" if measured.seeds == 1 else f", {measured.seeds} seeds"
    return f"{measured.dataset}, N = {measured.n} images{people}{seeds}"


def _p_text(item: Judged) -> str:
    """The smaller of the corrected p-values, with its side; empty where nothing was tested."""
    sides = ((item.p_against, "against it"), (item.p_small, "that it is too small"), (item.p_for, "for it"))
    found = [(p, side) for p, side in sides if p is not None]
    if not found or not item.decision:
        return ""
    p, side = min(found)
    return f"p {'< 0.001' if p < 0.001 else f'= {p:.2g}'} {side}"


def _tables(paper: Paper, compared: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The paper's tables, whole, each cell with ours below it where there is one."""
    ours = {tuple(line["reference"][key] for key in ("table", "row", "column")): line["ours"] for line in compared}
    found = []
    references = paper.published()
    for name in dict.fromkeys(reference.table for reference in references):
        cells = {(r.row, r.column): r for r in references if r.table == name}
        columns = list(dict.fromkeys(column for _, column in cells))
        rows = []
        for row in dict.fromkeys(row for row, _ in cells):
            line = [(cells.get((row, column)), ours.get((name, row, column), "")) for column in columns]
            rows.append((row, [("" if cell is None else f"{cell.value:g} {cell.unit}".strip(), own) for cell, own in line]))
        conditions = list(dict.fromkeys(reference.conditions for reference in cells.values()))
        found.append({"name": name, "columns": columns, "rows": rows, "conditions": conditions})
    return found
