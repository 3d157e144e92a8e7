"""Data sets made by `facesr data prepare`: how to recognise them, and which of them a DATA_ROOT names."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PREPARED = "prepared.json"  # written last, in the set's own folder
FORMAT = "facesr prepared set"


def prepared_facts(folder: Path) -> dict[str, Any] | None:
    """The description of a prepared set (name, kind, licence, protocol, parts, ...); None if the folder is none."""
    try:
        facts = json.loads((folder / PREPARED).read_bytes())
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) and facts.get("format") == FORMAT and "parts" in facts else None


def prepared_sets(root: Path) -> dict[str, dict[str, Any]]:
    """The prepared sets directly below a folder, by the name of their folder."""
    if not root.is_dir():
        return {}
    facts = {entry.name: prepared_facts(entry) for entry in sorted(root.iterdir()) if entry.is_dir()}
    return {name: found for name, found in facts.items() if found}


def face_set(root: Path, size: int | None, preferred: Sequence[str] = ()) -> Path:
    """The folder whose faces a DATA_ROOT names: `root` itself, or one of the prepared sets below it.

    Of several sets with HR faces of at least `size` px, the first of `preferred`, else the first by name. Raises
    FileNotFoundError, which names the sets found and what to prepare, if there are prepared sets but none with such faces.
    """
    sets = {} if prepared_facts(root) else prepared_sets(root)
    if not sets:
        return root
    sizes = {name: facts["parts"].get("train", {}).get("size", 0) for name, facts in sets.items()}
    for name in (*preferred, *sets):
        if name in sets and sets[name]["kind"] == "faces" and sizes[name] >= (size or 1):
            return root / name
    there = ", ".join(f"{name} ({facts['kind']}, {sizes[name] or 'no'} px HR)" for name, facts in sets.items())
    wanted = f"facesr data prepare {preferred[0]}" if preferred else "facesr data list"
    raise FileNotFoundError(
        f"DATA_ROOT {root} holds prepared sets, but none with faces of {size or 1} px or more: {there}. See: {wanted}"
    )


def real_lr_folder(root: Path, preferred: Sequence[str] = ()) -> Path | None:
    """The folder with packed real LR faces (train.json, test.json) that belongs to a DATA_ROOT; None if it has none.

    `root`/real_lr if `root` itself is such a set; else that of a prepared set below `root`: the first of `preferred`, else the
    first by name.
    """
    names = [".", *preferred, *prepared_sets(root)]
    folders = [root / name / "real_lr" for name in names]
    return next((folder for folder in folders if (folder / "train.json").is_file()), None)
