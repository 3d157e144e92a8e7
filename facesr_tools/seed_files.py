"""What one training seed found, as a file that may be committed: every score of every image, and how its trainings went.

FOLDER/seeds/seed-S.json.xz holds all that `facesr results` works with, so that claims can be judged again without training, and
seeds of other machines, or of later days, can join those that are there. Numbers have `DIGITS` digits; there are no pictures.
"""

from __future__ import annotations

import csv
import json
import lzma
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facesr_lib.evaluate.result import jsonable
from facesr_lib.files import write_atomically
from facesr_tools.pool import Found
from facesr_tools.report.result import BrokenResult, checked_result, numbers_back

FOLDER = "seeds"
PATTERN = "seed-*.json.xz"
DIGITS = 6
ROWS = 100  # that are kept of a training's log
_LARGEST = 2**28  # bytes of a file once unpacked; a seed of `evening`, on 100 test images, has less than one of these 256 MB
_MARKER = ("code", "finished", "seconds", "peak_memory")  # of done.json; what else it says is about a folder that stays behind


@dataclass(frozen=True)
class Training:
    """A finished training of one seed: its name as `facesr plan` has it, the seconds that it took, and its thinned log."""

    name: str
    seed: int
    seconds: float
    log: tuple[Mapping[str, float], ...]


def read_training(name: str, seed: int, folder: Path, seconds: float) -> Training:
    """A training from its folder. Learning rates, which follow from the config, are left out of its log."""
    with open(folder / "log.csv", newline="", encoding="utf-8") as file:
        rows = [{key: float(text or "nan") for key, text in row.items() if key[:3] != "lr_"} for row in csv.DictReader(file)]
    return Training(name, seed, seconds, tuple(thinned(rows, ROWS)))


def thinned(log: Sequence[Mapping[str, float]], rows: int) -> list[dict[str, float]]:
    """At most so many rows: each is the mean of a block of steps, and its step the block's last.

    Four digits are more than a noisy loss has.
    """
    size = max(1, math.ceil(len(log) / max(1, rows)))
    found = []
    for start in range(0, len(log), size):
        block = log[start : start + size]
        means = {name: sum(row[name] for row in block) / len(block) for name in block[0]}
        found.append({**rounded(means, 4), "step": int(block[-1]["step"])})
    return found


def rounded(value: Any, digits: int = DIGITS) -> Any:
    """The same data with every float at so many significant digits."""
    if isinstance(value, Mapping):
        return {key: rounded(item, digits) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item, digits) for item in value]
    return float(f"{value:.{digits}g}") if isinstance(value, float) and math.isfinite(value) else value


def kept_form(one: Found) -> Found:
    """What a seed found in one notebook, as its file keeps it: numbers rounded, no figures, no tables of lessons.

    Some of these describe the machine.
    """
    result = {**rounded(one.result), "figures": [], **({} if one.result["paper"] else {"tables": []})}
    return Found(one.seed, one.folder, result, one.provenance, {key: one.marker[key] for key in _MARKER if key in one.marker})


def write_seeds(folder: Path, found: Mapping[str, Sequence[Found]], trainings: Iterable[Training]) -> None:
    """Write `folder`/seeds/seed-S.json.xz of each seed in `found`, which is by notebook and holds what `kept_form` gives.

    Files of other seeds are removed, after the new ones are there.
    """
    logs, written = list(trainings), set[Path]()
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    for seed in sorted({one.seed for members in found.values() for one in members}):
        own = {name: one for name, members in found.items() for one in members if one.seed == seed}
        record = {
            "schema": 1,
            "seed": seed,
            "notebooks": {
                name: {"result": one.result, "provenance": one.provenance, "marker": one.marker} for name, one in own.items()
            },
            "trainings": [
                {"name": one.name, "seconds": one.seconds, "log": {key: [row[key] for row in one.log] for key in one.log[0]}}
                for one in sorted(logs, key=lambda one: one.name)
                if one.seed == seed and one.log
            ],
        }
        text = json.dumps(jsonable(record), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        path = folder / FOLDER / f"seed-{seed}.json.xz"
        write_atomically(path, lzma.compress(text.encode(), preset=9))
        written.add(path)
    for path in set((folder / FOLDER).glob(PATTERN)) - written:
        path.unlink()


def read_seed_files(folder: Path, profile: str) -> tuple[list[Found], list[Training]]:
    """What `write_seeds` wrote in `folder`, in the seeds' order; nothing where there is none.

    Raises BrokenResult for a file that is damaged, or of another profile.
    """
    found, trainings = list[Found](), list[Training]()
    for path in sorted((folder / FOLDER).glob(PATTERN), key=lambda path: int(re.sub(r"\D", "", path.name) or 0)):
        record = _unpacked(path)
        for name, one in record["notebooks"].items():
            result = checked_result(one["result"], f"{path.name}/{name}")
            if result["profile"] != profile:
                raise BrokenResult(f"{path} is of the profile {result['profile']}, not {profile}: pass --profile or another")
            found.append(Found(result["seed"], path.parent, result, one["provenance"], one["marker"]))
        for one in record["trainings"]:
            rows = zip(*(numbers_back(column) for column in one["log"].values()), strict=True)
            log = [dict(zip(one["log"], row, strict=True)) for row in rows]
            trainings.append(Training(one["name"], record["seed"], one["seconds"], tuple(log)))
    return found, trainings


def _unpacked(path: Path) -> dict[str, Any]:
    try:
        unpacker = lzma.LZMADecompressor()
        data = unpacker.decompress(path.read_bytes(), max_length=_LARGEST)
        if not unpacker.eof:
            raise ValueError("it ends too early, or unpacks to more than 256 MB")
        record = json.loads(data)
        if record["schema"] != 1:
            raise ValueError(f"schema {record['schema']}: a newer version of this package wrote it")
        return dict(record)
    except (OSError, ValueError, KeyError, TypeError, RecursionError, lzma.LZMAError) as error:
        raise BrokenResult(f"{path} is not what facesr results wrote: {error}; restore it, or remove it") from error
