"""Rivals that nobody can run here: the LR faces of a paper's test sets as files, and scores of what a rival made of them.

Wherever a notebook scores, its images stay in <out>/test_sets, with the conventions (`facesr_lib.evaluate.Scoring`). So a folder
of a rival's pictures is scored as the notebook's own methods were: same faces, same people, same metrics. The scores are a
result of their own, which the report sets beside the notebook's.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from facesr_lib.data import TestSet, open_packed
from facesr_lib.data.packed import read_manifest
from facesr_lib.evaluate import Backends, Run, Scoring
from facesr_lib.files import write_atomically
from facesr_lib.metrics import Metric, if_available, niqe_metric
from facesr_lib.papers import find_paper
from facesr_tools.report import collect
from facesr_tools.report.page import of_paper
from facesr_tools.report.rivals import RIVAL, is_rival
from facesr_tools.score import sr_batches


@dataclass(frozen=True)
class KeptSet:
    """A test set as a notebook of `paper` scored it. crop, y, extra: as in `Scoring`, extra by the metrics' keys."""

    test: TestSet
    paper: str
    crop: int
    y: bool
    extra: tuple[str, ...]

    @property
    def name(self) -> str:
        """What tables call it."""
        return self.test.images.name

    @property
    def folder(self) -> str:
        """The name as a folder's."""
        return plain(self.name)

    @property
    def files(self) -> list[str]:
        """The names of its faces' files, without suffix, in the set's order."""
        return [f"{i:05d}" for i in range(len(self.test.lr))]


def plain(name: str) -> str:
    """A name without what a file's name may not hold."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-.")


def kept_sets(out: Path, profile: str, paper: str, role: str = "", name: str = "") -> list[KeptSet]:
    """The test sets on which the paper's notebooks have results in this profile; of one role, or of one name.

    A set occurs once per convention that it was scored in. Raises ValueError, with what there is and what to run, if there is
    none.
    """
    scored = {(data["name"], data["checksum"]) for result in notebooks(out, profile, paper) for data in result["data"]}
    found = []
    for manifest in sorted((out / "test_sets").glob("*/lr.json")):
        facts = read_manifest(manifest)["source"]
        if facts["paper"] == paper and (facts["name"], facts["checksum"]) in scored:
            parts = {part: manifest.with_name(f"{part}.json") for part in ("lr", "hr", "others")}
            images = {part: open_packed(path) for part, path in parts.items() if path.is_file()}
            scored_part = "hr" if "hr" in images else "lr"
            images[scored_part] = images[scored_part].named(facts["name"], facts["role"])
            found.append(KeptSet(TestSet(**images), paper, facts["crop"], facts["y"], tuple(facts["extra"])))
    chosen = [kept for kept in found if role in ("", kept.test.images.role) and name in ("", kept.name)]
    if not chosen:
        there = "; ".join(dict.fromkeys(f"{kept.name} ({kept.test.images.role})" for kept in found))
        wanted = ", ".join(part for part in (role and f"role {role}", name) if part)
        raise ValueError(
            f"{out}: no test set of {paper} in the {profile} profile{f' for {wanted}' if wanted else ''}; there is: "
            f"{there or 'none'}. Run the paper's notebooks in this profile first (facesr run)"
        )
    return chosen


def notebooks(out: Path, profile: str, paper: str) -> list[dict[str, Any]]:
    """The results of a paper's notebooks; those of rivals left out."""
    results = [entry["result"] for entry in collect(out, profile) if entry["result"]]
    return [result for result in of_paper(results, paper) if not is_rival(result)]


def export_lr(kept: Iterable[KeptSet], folder: Path) -> list[Path]:
    """Write each set's LR faces as `folder`/SET/lr/00000.png, ...; return the folders of the sets.

    set.json beside them says what the pictures are, and the size and names that SR pictures must have.
    """
    places = []
    for one in kept:
        place = folder / one.folder
        if place not in places:
            (place / "lr").mkdir(parents=True, exist_ok=True)
            for i, name in enumerate(one.files):
                Image.fromarray(np.asarray(one.test.lr.pixels[i])).save(place / "lr" / f"{name}.png")
            facts: dict[str, Any] = {"test set": one.name, "paper": one.paper, "role": one.test.images.role}
            facts |= {"credit": one.test.lr.credit, "LR size": one.test.lr.size, "SR size": one.test.real.size}
            facts |= {"SR files": "8-bit PNG with the names of the files in lr"}
            write_atomically(place / "set.json", json.dumps(facts, indent=1).encode())
            places.append(place)
    return places


def score_rival(folder: Path, rival: str, kept: Sequence[KeptSet], out: Path, profile: str, device: str = "auto") -> Path:
    """Score a rival's pictures of one test set, in each of its conventions; return the path of the result.json.

    Sets them beside the rival's published numbers wherever a notebook set its own methods beside that column.
    Raises ValueError if `kept` holds several sets, and as `sr_batches` does.
    """
    if len(sets := {(one.name, one.test.images.checksum): one.name for one in kept}) > 1:
        raise ValueError(
            f"several test sets fit: {'; '.join(sets.values())}. Choose one by its name (--test-set) or its role (--role)"
        )
    first = kept[0]
    size, names = first.test.real.size, first.files
    sr_batches(folder, len(first.test.lr), size, names, note=lambda line: None)  # refuses before an older result is deleted
    run = Run.start(
        f"{RIVAL}{plain(rival)}_{first.folder}",
        title=f"{rival}: its pictures of {first.name}",
        paper=first.paper,
        profile=profile,
        seed=0,
        device=device,
        output_dir=str(out),
    )
    backends = Backends.find(run)
    niqe = if_available(lambda: niqe_metric(min(first.test.real.size)), run.note)
    metrics: dict[str, Metric] = {}
    for one in kept:
        made = sr_batches(folder, len(one.test.lr), one.test.real.size, one.files, batch_size=10, note=run.note)
        extra = [niqe] if "niqe" in one.extra else []
        scoring = Scoring(run, one.test, None, one.crop, backends, y=one.y, extra=extra, batch_size=10)
        scoring(rival, lambda lr, made=made: next(made).to(lr))  # type: ignore[misc]
        metrics |= {metric.label: metric for metric in scoring.columns().values()}
    cells = {(r.table, r.column): r for r in find_paper(first.paper).published() if r.row == rival}
    for line in (line for result in notebooks(out, profile, first.paper) for line in result["published"]):
        cell = cells.get((line["reference"]["table"], line["reference"]["column"]))
        if cell and line["dataset"] == first.name and line["metric"] in metrics:
            differs = f"pictures made elsewhere, of {first.name}"
            run.published(cell, method=rival, images=first.test.images, metric=metrics[line["metric"]], differs=differs)
    run.note(f"{rival} was not run here: its pictures came in a folder, {folder.name}.")
    return run.finish()
