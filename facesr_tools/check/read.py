"""The scores of a run and of a reference, in one form."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from facesr_lib.files import checkout_root
from facesr_tools.report.result import BrokenResult, load_result

_SHA256 = re.compile(r"[0-9a-f]{64}")


class CannotCompare(ValueError):
    """A run and a reference that cannot be compared; the message says why, and what to do."""


class Place(NamedTuple):
    """What a score is of. metric: its key. convention: how it was taken."""

    notebook: str
    dataset: str
    method: str
    metric: str
    convention: str


@dataclass
class Score:
    """One score over training seeds. means: by seed, the mean over images. n: images; people: None where nobody knows them."""

    label: str
    n: int
    people: int | None
    means: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """One notebook's result with one seed. folder: where its result.json lies, below the run's folder."""

    folder: Path
    result: dict[str, Any]


@dataclass
class Side:
    """A run or a reference. data: the checksums of each image set, by its name. verdicts: by claim, where they are known.

    configs: the hashes of each notebook's configs, by their name.
    """

    folder: Path
    profile: str
    scores: dict[Place, Score] = field(default_factory=dict)
    data: dict[str, set[str]] = field(default_factory=dict)
    verdicts: dict[str, str] = field(default_factory=dict)
    configs: dict[str, dict[str, str]] = field(default_factory=dict)
    results: list[Found] = field(default_factory=list)  # of a run

    @property
    def notebooks(self) -> set[str]:
        """Those with a score."""
        return {place.notebook for place in self.scores}

    def add(self, place: Place, label: str, n: int, people: int | None, seed: int, mean: float) -> None:
        """Record the score of one seed."""
        self.scores.setdefault(place, Score(label, n, people)).means[seed] = mean


def read_run(folder: Path, profile: str = "") -> Side:
    """What `facesr run --out FOLDER` left: FOLDER/PROFILE/NOTEBOOK/result.json, or FOLDER/seed-S/PROFILE/NOTEBOOK/result.json.

    profile: needed where the folder holds several. Raises CannotCompare if there is no result, one is damaged, or several
    profiles lie there and none was named.
    """
    paths = sorted([*folder.glob("*/*/result.json"), *folder.glob("seed-*/*/*/result.json")])
    try:
        results = [Found(path.parent, load_result(path)) for path in paths]
    except BrokenResult as error:
        raise CannotCompare(f"{error}; run this notebook again: facesr run") from error
    profiles = sorted({found.result["profile"] for found in results})
    chosen = profile or (profiles[0] if len(profiles) == 1 else "")
    if chosen not in profiles:
        there = (
            f"it holds {', '.join(profiles)}; name one with --profile" if profiles else "expected PROFILE/NOTEBOOK/result.json"
        )
        raise CannotCompare(f"{folder}: no results{f' of profile {chosen}' if chosen else ' to choose'}; {there}")
    side = Side(folder, chosen, results=[found for found in results if found.result["profile"] == chosen])
    for found in side.results:
        side.configs[found.result["notebook"]] = found.result["config_hash"]
        people = {data["name"]: len(set(data["groups"])) if data["groups"] else None for data in found.result["data"]}
        for data in found.result["data"]:
            side.data.setdefault(data["name"], set()).add(data["checksum"])
        for score in found.result["scores"]:
            place = Place(found.result["notebook"], score["dataset"], score["method"], score["key"], score["convention"])
            side.add(place, score["metric"], score["n"], people.get(score["dataset"]), score["seed"], score["mean"])
    side.verdicts = {claim["id"]: claim["verdict"] for claim in run_claims(folder, chosen)}
    return side


def run_claims(folder: Path, profile: str) -> list[dict[str, Any]]:
    """The claims of a run's claims.json, pooled over seeds where there are several; none where no report was written."""
    single = list(folder.glob(f"seed-*/{profile}/claims.json"))
    paths = [folder / "pooled" / profile / "claims.json", folder / profile / "claims.json", *(single if len(single) == 1 else [])]
    path = next((path for path in paths if path.is_file()), None)
    return list(_claims(_json(path))) if path else []


def default_reference(profile: str) -> Path:
    """The committed results of a profile. Raises CannotCompare outside a checkout, or where none are committed."""
    root = checkout_root()
    folder = root / "results" / profile if root else None
    if folder is None or not (folder / "scores.csv").is_file():
        raise CannotCompare(f"no reference is committed for profile {profile}: name a folder with scores.csv by --against")
    return folder


def read_reference(folder: Path) -> Side:
    """What was committed: scores.csv, provenance.json and, where it is there, claims.json.

    Raises CannotCompare for a missing or damaged file; the message names it.
    """
    path, source = folder / "scores.csv", folder / "provenance.json"
    for needed in (path, source):
        if not needed.is_file():
            raise CannotCompare(f"{needed}: no such file; a reference is a folder with scores.csv and provenance.json")
    provenance = _json(source)
    if not isinstance(provenance, dict):
        raise CannotCompare(f"{source}: expected an object with profile and data")
    side = Side(folder, str(provenance.get("profile") or folder.name))
    try:
        with open(path, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                place = Place(row["notebook"], row["dataset"], row["method"], row["metric"], row["convention"])
                people = int(row["people"]) if row.get("people") else None
                side.add(place, row["label"], int(row["n"]), people, int(row["seed"]), float(row["mean"]))
    except (KeyError, TypeError, ValueError) as error:
        raise CannotCompare(f"{path}: cannot be read ({type(error).__name__}: {error})") from error
    for name, checksum in _checksums(provenance):
        side.data.setdefault(name, set()).add(checksum)
    side.configs = {name: hashes for name, hashes in provenance.get("config_hash", {}).items() if isinstance(hashes, dict)}
    claims = folder / "claims.json"
    side.verdicts = {claim["id"]: claim["verdict"] for claim in _claims(_json(claims))} if claims.is_file() else {}
    return side


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise CannotCompare(f"{path}: cannot be read as JSON ({error}); run again, or copy it again") from error


def _claims(value: Any) -> Iterator[dict[str, Any]]:
    """Every object with an id and a verdict, however deep: the report groups them by paper, a reference may list them."""
    if isinstance(value, dict) and isinstance(value.get("id"), str) and isinstance(value.get("verdict"), str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _claims(item)


def _checksums(value: Any) -> Iterator[tuple[str, str]]:
    """(image set, SHA-256), from objects {name: checksum} or {name: ..., checksum: ...}, however deep."""
    if isinstance(value, dict):
        if isinstance(value.get("name"), str) and isinstance(value.get("checksum"), str):
            yield value["name"], value["checksum"]
        for name, item in value.items():
            for text in item if isinstance(item, list) else [item]:
                if isinstance(text, str) and _SHA256.fullmatch(text) and name != "checksum":
                    yield name, text
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _checksums(item)
