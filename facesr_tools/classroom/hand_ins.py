"""What was handed in: which files of a folder are notebooks of students, and who they are of."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from facesr_lib.data.images import PassedOver, listed

# Written by systems and programs beside the files of people: Finder, Explorer, editors, Jupyter.
_JUNK = re.compile(
    r"\..*|~\$.*|.*~|#.*#|.*\.(tmp|bak|swp|part|crdownload)|thumbs\.db|desktop\.ini|ehthumbs\.db|icon\r", re.IGNORECASE
)
_JUNK_FOLDERS = re.compile(r"\..*|__MACOSX|__pycache__|\$RECYCLE\.BIN|System Volume Information", re.IGNORECASE)
_PACKED = (".zip", ".gz", ".tgz", ".7z", ".rar", ".tar", ".xz", ".bz2")


@dataclass(frozen=True)
class HandIn:
    """One notebook. place: its path below the folder that was given, or its file's name."""

    file: Path
    place: Path

    def student(self, lesson: str) -> str:
        """Who handed it in: its place, without the lesson's name; for nothing but that name, the folder it is in."""
        name = self.place.stem.replace(lesson, "").strip(" -_.") if lesson else self.place.stem
        parts = [*self.place.parent.parts, *([name] if name else [])]
        return "/".join(parts) or self.file.resolve().parent.name


def hand_ins(given: Iterable[Path]) -> tuple[list[HandIn], list[PassedOver]]:
    """The notebooks among files and in folders, each once, and what was passed over.

    Ignores hidden files and folders and what systems and editors leave behind. Names everything else that is no notebook.
    Raises ValueError for a path that is not there, and if there is no notebook at all.
    """
    found: dict[Path, HandIn] = {}
    passed_over: list[PassedOver] = []
    given = list(given)
    for path in given:
        if not path.exists():
            raise ValueError(f"{path}: there is no such file or folder")
        for file, place in _files(path) if path.is_dir() else [(path, Path(path.name))]:
            if _JUNK.fullmatch(file.name):
                continue
            if reason := _no_notebook(file):
                passed_over.append(PassedOver(str(file), reason))
            else:
                found.setdefault(file.resolve(), HandIn(file, place))
    if not found:
        named = "".join(f"\n{line}" for line in listed(passed_over))
        raise ValueError(f"{', '.join(map(str, given))}: there is no notebook (.ipynb) to grade{named}")
    return list(found.values()), passed_over


def _files(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Everything below a folder that is no folder, sorted, and folders that look like a notebook or cannot be read."""
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        if any(map(_JUNK_FOLDERS.fullmatch, place.parent.parts)):
            continue
        if not path.is_dir() or path.suffix == ".ipynb":
            yield path, place


def _no_notebook(file: Path) -> str:
    """Why a path is no notebook, or ""."""
    if file.suffix.lower() in _PACKED:
        return "packed: unpack it first"
    if file.suffix.lower() != ".ipynb":
        return "no notebook (.ipynb)"
    if file.is_dir():
        return "a folder"
    if not file.is_file():
        return "no regular file, or a link to nothing"
    return "" if file.stat().st_size else "an empty file: ask for it again"
