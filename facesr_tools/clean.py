"""`make clean`: delete the environment and all results, and nothing that facesr did not make.

Runs with any Python, since the environment is what goes: `python facesr_tools/clean.py VENV OUT`.
"""

import os
import re
import shutil
import sys
from pathlib import Path

CACHES = (".coverage", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis")  # of this checkout
_OURS = re.compile(r"stages|test_sets|pooled|seed-\d+|smoke|quick|evening|workshop|paper|\..*\.(lock|owner|tmp)")
_MARKS = ("stages/*/checkpoints", "stages/*/done.json", "*/*/log.txt", "*/*/result.json", "*/report.html", "*/*/*/log.txt")


def why_not(folder: Path, kind: str, checkout: Path) -> str:
    """Why `folder` must stay that is said to hold results or be the environment (kind: "OUT" or "VENV"); "" if it may go."""
    place = folder.resolve()
    if Path(os.path.expanduser("~")).resolve().is_relative_to(place) or checkout.resolve().is_relative_to(place):
        return "it holds more than that"
    if not folder.is_dir():
        return "it is no folder"
    if kind == "VENV":
        ours = place.parent == checkout.resolve() or (folder / ".facesr-ready").is_file()
        return "" if ours and (folder / "pyvenv.cfg").is_file() else "facesr did not make it"
    names = sorted(path.name for path in folder.iterdir())
    if foreign := [name for name in names if not _OURS.fullmatch(name)]:
        return f"it holds what facesr did not write there: {', '.join(foreign[:3])}"
    return "" if not names or any(next(folder.glob(mark), None) for mark in _MARKS) else "facesr has left no results in it"


def clean(venv: Path, out: Path, checkout: Path) -> list[str]:
    """Delete what may go. Returns a line about each thing that stays, with the reason."""
    stays = []
    for kind, folder in (("VENV", checkout / venv), ("OUT", checkout / out)):
        if not folder.exists() and not folder.is_symlink():
            continue
        if reason := why_not(folder, kind, checkout):
            stays.append(f"{kind} {folder} stays, since {reason}; delete it yourself if you mean it")
        elif folder.is_symlink():
            folder.unlink()
            stays.append(f"{kind} {folder} was a link and is gone; what it led to stays")
        else:
            shutil.rmtree(folder)
    for name in CACHES:
        shutil.rmtree(checkout / name, ignore_errors=True)
        (checkout / name).unlink(missing_ok=True)
    return stays


if __name__ == "__main__":
    found = clean(Path(sys.argv[1]), Path(sys.argv[2]), Path(__file__).resolve().parents[1])
    print("\n".join(f"make clean: {line}" for line in found), end="\n" if found else "", file=sys.stderr)
    sys.exit(1 if found else 0)
