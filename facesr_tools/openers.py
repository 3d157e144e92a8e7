"""Write what every notebook opens with: badges, a reader's time, two cells for Colab, parameters, the run's start.

`python -m facesr_tools.openers`, which `make sync` runs, writes notebooks/py/*.py, README.md and CITATION.cff. Each fact stands
in one place: the version in facesr_lib/__init__.py, the repository's address in pyproject.toml, title and paper in the metadata
of the notebook.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jupytext

from facesr_lib import __version__
from facesr_lib.config import PROFILES
from facesr_lib.files import checkout_root
from facesr_tools.launch import REPOSITORY, TAG, launch_links
from facesr_tools.ways import study_minutes

# JupyterLab and the site fold these cells, Colab does so through cellView and shows the @title.
FOLDED = '# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]'

INSTALL = f"""{FOLDED}
# @title Install facesr (only Colab needs this, for about a minute)
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("facesr_lib") is None:
    if "google.colab" not in sys.modules:
        raise ModuleNotFoundError("This kernel has no facesr: run `make setup`, then choose the project's kernel.")
    release, pip = "facesr[tools] @ git+{REPOSITORY}@{TAG}", f"{{sys.executable}} -m pip"
    keep = f"{{pip}} list --format=freeze | {{pip}} install --quiet --constraint /dev/stdin"  # Colab's own stay as they are
    subprocess.run(f"{{keep}} '{{release}}'", shell=True, check=True)
    subprocess.run("facesr weights fetch", shell=True)  # for LPIPS, FID and NIQE; what is missing is shown as n/a

"""

# Papermill finds this cell by its tag; Colab makes a form of the @param lines.
PARAMETERS = f"""{FOLDED.replace('tags=["hide-input"]', 'tags=["parameters", "hide-input"]')}
# @title Parameters: profile, seed, device, your own faces, where results go
PROFILE = "quick"  # @param {json.dumps(PROFILES)}
SEED = 0  # @param {{type: "integer"}}
DEVICE = "auto"  # @param ["auto", "cpu", "cuda", "mps"]
DATA_ROOT = ""  # @param {{type: "string"}}
# @markdown DATA_ROOT: a folder with your own faces; empty: the packaged Olivetti faces, grey ones of 40 people.
# @markdown Colour faces of 5,749 people (230 MB): `!facesr data prepare lfw --root faces` in a new cell, then say `faces`.
OUTPUT_DIR = ""  # @param {{type: "string"}}
# @markdown OUTPUT_DIR: where results go; empty: the project's runs/.

"""

# Every exception is caught: Colab raises its own kinds, and another one when the reader says no. The run then goes on.
DRIVE = f"""{FOLDED}
# @title Keep results on Google Drive (only in Colab, whose own disk is emptied after a session)
KEEP_ON_DRIVE = False  # @param {{type: "boolean"}}
# @markdown Tick it, run this cell and allow access: the next session finds what was trained. OUTPUT_DIR, if given, comes first.

if KEEP_ON_DRIVE and not OUTPUT_DIR and "google.colab" in sys.modules:
    try:
        from google.colab import drive

        drive.mount("/content/drive")
        OUTPUT_DIR = "/content/drive/MyDrive/facesr"
        print(f"Results go to {{OUTPUT_DIR}} and stay there when this session ends.")
    except Exception as error:
        print(f"Google Drive was not opened ({{type(error).__name__}}: {{error}}).")
        print("Results go to this session's disk and are lost when it ends. To be asked again, run this cell again.")

"""

START = """run = Run.start(
    "{name}",
    title={title},
    paper={paper},
    profile=PROFILE,
    seed=SEED,
    device=DEVICE,
    data_root=DATA_ROOT,
    output_dir=OUTPUT_DIR,
)
"""

_BADGES = re.compile(r"^(?P<prefix>(?:# )?)\[!\[Open in Binder\].*\n.*\[!\[Open in Colab\].*$", flags=re.MULTILINE)


def with_opener(script: str, name: str) -> str:
    """The notebook `name` (py:percent text) with its first five cells as this project writes them; the rest is unchanged.

    The fifth cell keeps its imports; where it starts no run (the report's), it stays as it is.
    Raises ValueError if the script does not begin with a text cell that has both badges and at least three code cells.
    """
    header, *cells = re.split(r"^(?=# %%)", script, flags=re.MULTILINE)
    cells = [cell for cell in cells if "\nKEEP_ON_DRIVE = " not in cell]
    kinds = ["text" if cell.startswith("# %% [markdown]") else "code" for cell in cells[:4]]
    if kinds != ["text", "code", "code", "code"] or not _BADGES.search(cells[0]):
        raise ValueError(
            f"{name}: expected a title cell with the two badges, then three code cells (install, parameters, start), "
            "besides the one for Google Drive; copy the first five cells of another notebook"
        )
    notebook = jupytext.reads(script, fmt="py:percent")
    facts: dict[str, Any] = notebook.metadata["facesr"]
    header, opening = _with_study(header, with_badges(cells[0], launch_links(name)), study_minutes(notebook.cells))
    return "".join([header, opening, INSTALL, PARAMETERS, DRIVE, _start(cells[3], name, facts), *cells[4:]])


def _with_study(header: str, opening: str, minutes: int) -> tuple[str, str]:
    """The metadata and the first cell with the minutes of a reader, before those of the machine."""
    header = re.sub(r"#     study: .*\n", "", header)
    header = re.sub(r"^#     title: ", f"#     study: {minutes}\n#     title: ", header, flags=re.MULTILINE)
    opening = re.sub(r"\*\*Time:\*\* (about \d+ minutes of yours; )?", f"**Time:** about {minutes} minutes of yours; ", opening)
    return header, opening


def with_badges(text: str, links: Mapping[str, str]) -> str:
    """A Markdown text, or a cell of a script, whose two badges lead to `links`, such as those of `launch_links`."""
    return _BADGES.sub(lambda found: "\n".join(found["prefix"] + badge for badge in badges(links)), text)


def badges(links: Mapping[str, str]) -> tuple[str, str]:
    """Two pictures in Markdown that lead to `links["binder"]` and `links["colab"]`."""
    return (
        f"[![Open in Binder](https://mybinder.org/badge_logo.svg)]({links['binder']})",
        f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({links['colab']})",
    )


def written(root: Path) -> dict[Path, str]:
    """Every file of the checkout `root` that names the release, with the text that it should have."""
    scripts = sorted((root / "notebooks" / "py").glob("*.py"))
    texts = {path: with_opener(path.read_text(encoding="utf-8"), path.stem) for path in scripts}
    readme, citation = root / "README.md", root / "CITATION.cff"
    texts[readme] = with_badges(readme.read_text(encoding="utf-8"), launch_links(scripts[0].stem))
    for path in scripts:  # the last column of the table of notebooks
        (minutes,) = re.findall(r"^#     study: (\d+)$", texts[path], flags=re.MULTILINE)
        row = rf"^(\| \[{path.stem}\](?:[^|\n]*\|){{4}}).*$"
        texts[readme] = re.sub(row, rf"\g<1> {minutes} min |", texts[readme], flags=re.MULTILINE)
    texts[citation] = re.sub(
        r"^version: .*$", f"version: {__version__}", citation.read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    return texts


def _start(cell: str, name: str, facts: dict[str, Any]) -> str:
    title, paper = (json.dumps(facts[key], ensure_ascii=False) if facts[key] else None for key in ("title", "paper"))
    call = START.format(name=name, title=title, paper=paper)
    imports, begins, rest = cell.partition("run = Run.start(")
    if not begins:
        return cell
    imports = re.sub(r"^# %%.*\n(# @title .*\n)?\s*", "", imports)
    after = rest.partition("\n)\n")[2]
    return f"{FOLDED}\n# @title Imports, and the run that records the results\n{imports}{call}{after}"


def main() -> None:
    """Write what differs, and say which files."""
    root = checkout_root()
    if root is None:
        raise SystemExit("facesr_tools.openers writes a checkout of the repository, and this is an installed copy")
    for path, text in written(root).items():
        if path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(path.relative_to(root))


if __name__ == "__main__":
    main()
