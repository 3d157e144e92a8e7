"""Where the results of several training seeds lie: OUT/seed-S holds what one seed found, OUT/pooled what all found together."""

from __future__ import annotations

import re
from pathlib import Path


def seed_folder(out: Path, seed: int) -> Path:
    """The folder of one seed's results: stages, and a folder per profile."""
    return out / f"seed-{seed}"


def pooled_folder(out: Path) -> Path:
    """The folder of what the seeds found together; below it lies a folder per profile, as a run of one seed has it."""
    return out / "pooled"


def seed_folders(out: Path, profile: str) -> dict[int, Path]:
    """By seed, in order: the folder of all results, of those seeds that have some of `profile`; empty if there are none."""
    names = {path: re.fullmatch(r"seed-(\d+)", path.name) for path in out.glob("seed-*") if (path / profile).is_dir()}
    return dict(sorted((int(found[1]), path) for path, found in names.items() if found))


def parse_seeds(text: str) -> list[int]:
    """ "0-4" or "0,3,7" as numbers, none for "". Raises ValueError for anything else."""
    if not text:
        return []
    if not re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", text):
        raise ValueError(f"--seeds {text!r}: expected numbers or ranges, such as 0-4 or 0,3,7")
    found: dict[int, None] = {}
    for part in text.split(","):
        first, _, last = part.partition("-")
        found |= dict.fromkeys(range(int(first), int(last or first) + 1))
    if not found:
        raise ValueError(f"--seeds {text!r}: a range goes from its smaller to its larger number")
    return list(found)


def seeds_text(seeds: list[int]) -> str:
    """Seeds as `parse_seeds` reads them, ranges as ranges: "0-4", "0,3,7"."""
    runs: list[list[int]] = []
    for seed in seeds:
        if runs and seed == runs[-1][-1] + 1:
            runs[-1].append(seed)
        else:
            runs.append([seed])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
