"""Find notebooks and read their facts: the "facesr" key of a notebook's own metadata."""

import difflib
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facesr_lib.config import PROFILES
from facesr_lib.files import checkout_root


class NotebookError(ValueError):
    """A notebook, folder or name cannot be used; the message says which, and what to do."""


@dataclass(frozen=True)
class Notebook:
    """One notebook and its facts. `minutes` and `hardware` are keyed by profile; study: minutes of a reader, 0 if unknown."""

    path: Path
    title: str
    paper: str | None = None
    minutes: dict[str, float] = field(default_factory=dict)
    hardware: dict[str, str] = field(default_factory=dict)
    study: int = 0
    always: bool = False  # runs even if it is done: the report collects what the others wrote

    @property
    def name(self) -> str:
        """The file name without `.ipynb`, which also names the folder of its results."""
        return self.path.stem

    @property
    def number(self) -> str:
        """What its name begins with: "10" of "10_human_face_gan"."""
        return self.name.partition("_")[0]

    def needs(self) -> str:
        """The hardware in words: "CPU", or "CPU (smoke, quick); GPU (workshop, paper)" where profiles differ."""
        profiles: dict[str, list[str]] = {}
        for profile in PROFILES:
            if profile in self.hardware:
                profiles.setdefault(self.hardware[profile], []).append(profile)
        everywhere = len(PROFILES)
        words = (kind if len(names) == everywhere else f"{kind} ({', '.join(names)})" for kind, names in profiles.items())
        return "; ".join(words)

    def cells(self) -> list[dict[str, Any]]:
        """Its cells, as the file has them."""
        cells: list[dict[str, Any]] = _read(self.path)["cells"]
        return cells

    def digest(self) -> str:
        """SHA-256 of the cells' kinds and sources, which saving the notebook with outputs does not change."""
        cells = [(cell["cell_type"], "".join(cell["source"])) for cell in self.cells()]
        return hashlib.sha256(json.dumps(cells).encode()).hexdigest()


def find_folder(folder: Path | None) -> Path:
    """The notebooks' folder: `folder` if given, else the checkout's `notebooks`, else `./notebooks`.

    Raises NotebookError if there is none.
    """
    if folder is not None:
        if not folder.is_dir():
            raise NotebookError(f"--notebooks {folder}: there is no such folder")
        return folder.resolve()
    root = checkout_root()
    candidates = {(root or Path.cwd()) / "notebooks": None, Path.cwd() / "notebooks": None}  # in this order, each once
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    places = " nor ".join(str(candidate) for candidate in candidates)
    raise NotebookError(f"no notebooks found: there is no {places}; name the folder with --notebooks DIR")


def read_notebooks(folder: Path) -> list[Notebook]:
    """The notebooks of `folder` that have facts, sorted by name, with those that always run at the end.

    Raises NotebookError if there are none, or, naming the file, if one is not JSON or its facts lack a title.
    """
    found = []
    for path in sorted(folder.glob("*.ipynb")):
        facts = _read(path).get("metadata", {}).get("facesr")
        if facts is None:
            continue
        if not isinstance(facts, dict) or not isinstance(facts.get("title"), str):
            raise NotebookError(f'{path}: its metadata "facesr" must be a table with at least a "title"')
        known = {key: facts[key] for key in ("title", "paper", "minutes", "hardware", "study", "always") if key in facts}
        found.append(Notebook(path=path, **known))
    if not found:
        raise NotebookError(f"{folder} has no facesr notebooks; name another folder with --notebooks DIR")
    return sorted(found, key=lambda notebook: (notebook.always, notebook.name))


def select(notebooks: Sequence[Notebook], names: Iterable[str]) -> list[Notebook]:
    """The notebooks called `names`, in running order, each once.

    A name is `all`, `10_human_face_gan`, `10_human_face_gan.ipynb` (also with its folder) or its number `10`.
    Raises NotebookError for a name that fits none, with the closest name and a list of all.
    """
    chosen: set[str] = set()
    for name in names:
        if name == "all":
            chosen.update(notebook.name for notebook in notebooks)
            continue
        stem = Path(name).stem if name.endswith(".ipynb") else name
        fitting = [n.name for n in notebooks if stem in (n.name, n.number)]
        if not fitting:
            valid = [*(n.name for n in notebooks), "all"]
            close = difflib.get_close_matches(name, valid, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else "."
            raise NotebookError(f"unknown notebook {name!r}{hint} Valid: {', '.join(valid)}")
        chosen.update(fitting)
    return [notebook for notebook in notebooks if notebook.name in chosen]


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NotebookError(f"{path}: not a readable notebook ({error}); restore or remove it") from error
    if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
        raise NotebookError(f"{path}: not a notebook (it has no list of cells); restore or remove it")
    return content
