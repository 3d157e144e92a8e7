"""What the report shows, for machines: claims.json and CSV tables beside report.html."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from facesr_lib.evaluate.bootstrap import RESAMPLES
from facesr_lib.evaluate.result import pool_seeds, write_json
from facesr_lib.evaluate.tables import Table
from facesr_lib.files import write_atomically
from facesr_lib.papers import PAPERS
from facesr_tools.judge import LEVEL, Judged, Measured
from facesr_tools.report.departures import departures
from facesr_tools.report.exhibits import exhibits
from facesr_tools.report.paper_view import comparisons
from facesr_tools.report.reasons import agreeing, reason
from facesr_tools.verdicts import summary, verdict_text

Verdicts = Mapping[str, Sequence[Judged]]  # by paper


def write_claims(path: Path, verdicts: Verdicts, profile: str) -> None:
    """Write claims.json: per paper the counts and every claim with its verdict, its reason, p-values and measured effects.

    Effects count so that positive speaks for the claim, as in the report; an interval's missing end is "inf" or "-inf".
    `smallest` is the smallest effect that counts, in the metric's unit; `effects` are those of the single training seeds, and
    `seeds_agree` is how many of them lie where their mean does. Schema 2 added these, and the verdicts by scale.
    """
    method: dict[str, Any] = {"test": "paired, over people (images where people are unknown) and, from three on, training seeds"}
    method |= {"interval": "95 %: Student's t, for means at least the expanded percentiles of a bootstrap; sets: jackknife"}
    method |= {"resamples": RESAMPLES, "one_sided_level": LEVEL}
    method |= {"correction": "Holm, over the decided claims of a paper, alike for, against and too small to matter"}
    papers = [
        {"paper": paper.key, "title": paper.title, "summary": summary(verdicts[paper.key], profile)}
        | {"counts": Counter(item.verdict for item in verdicts[paper.key])}
        | {"claims": [_claim(item, profile) for item in verdicts[paper.key]]}
        for paper in PAPERS
    ]
    write_json(path, {"schema": 2, "profile": profile, "method": method, "papers": papers})


def write_tables(folder: Path, verdicts: Verdicts, results: Sequence[dict[str, Any]]) -> None:
    """Write scores.csv, published.csv and claims.csv, every digit, departures.csv and exhibits.csv.

    A table without rows is removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    keys = ("method", "dataset", "metric", "convention", "mean", "std", "n", "seeds")
    pooled = [(result, score) for result in results for score in pool_seeds(result["scores"])]
    names = ("paper", "notebook")
    _write(folder / "scores.csv", [{k: r[k] for k in names} | {k: score[k] for k in keys} for r, score in pooled])
    compared = ("notebook", "method", "dataset", "metric", "convention", "mean", "std", "n", "difference", "differs")
    found = [line for paper in PAPERS for line in comparisons(paper.key, results)]
    _write(folder / "published.csv", [line["reference"] | {key: line[key] for key in compared} for line in found])
    rows = []
    for key, items in verdicts.items():
        for item in items:
            head = {
                "paper": key,
                "claim": item.claim.id,
                "verdict": item.verdict,
                "p_for": item.p_for,
                "p_against": item.p_against,
                "p_small": item.p_small,
            }
            parts = [_part(m) | {"effects": " ".join(f"{effect:g}" for effect in m.effects)} for m in item.measured]
            rows += [head | part for part in parts] or [head]
    _write(folder / "claims.csv", rows)
    _write(folder / "departures.csv", [asdict(one) for paper in (*PAPERS, None) for one in departures(paper)])
    _write(folder / "exhibits.csv", [{"paper": paper.key} | asdict(one) for paper in PAPERS for one in exhibits(paper)])


def _claim(item: Judged, profile: str) -> dict[str, Any]:
    claim = {key: value for key, value in asdict(item.claim).items() if key not in ("parts", "requires")}
    claim |= {"verdict": item.verdict, "shown": verdict_text(item, profile), "why": reason(item), "seeds": item.seeds}
    claim |= {"p_for": item.p_for, "p_against": item.p_against, "p_small": item.p_small}
    claim |= {"measured": [_part(part) for part in item.measured], "required": [_part(part) for part in item.required]}
    return claim | {"not_measured": [asdict(part) for part in item.missing]}


def _part(measured: Measured) -> dict[str, Any]:
    fields = {key: value for key, value in asdict(measured).items() if key != "part"}
    fields |= {f"{p}_part": fields.pop(p) for p in ("p_for", "p_against", "p_small")}  # not corrected
    return {"statement": measured.part.text, "margin": measured.part.margin, "seeds_agree": agreeing(measured)} | fields


def _write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    path.unlink(missing_ok=True)
    if rows:
        write_atomically(path, Table.from_records(path.stem, rows, path.stem).csv())
