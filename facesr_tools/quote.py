"""Documents quote committed results by command: a marked block is filled from results/PROFILE, and a test says when it is stale.

    <!-- results:quick 10_human_face_gan/results -->
    ... the table tables/10_human_face_gan/results.md of results/quick ...
    <!-- /results -->

A run of other images stands beside its profile's, as results/evening-colour-faces does, and is quoted by that name. In place of a
table, `verdicts`: how many claims got which verdict; `blind`: what the readers of its blind test told apart.
`python -m facesr_tools.quote` (part of `make sync`) fills all.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

from facesr_lib.config import PROFILES
from facesr_lib.files import checkout_root, write_atomically

_BLOCK = re.compile(r"(?P<head>^<!-- results:(?P<name>\S+) (?P<what>\S+) -->\n)(?P<body>.*?)^<!-- /results -->$", re.S | re.M)


def documents(root: Path) -> list[Path]:
    """The documents of the repository `root` that may quote results."""
    return [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md"))]


def quoted(path: Path, root: Path) -> str:
    """The text of a document with every block filled from `root`/results, or with a line that says that there is nothing yet.

    Raises ValueError, naming the document, for an unclosed block, or a profile or table that does not exist.
    """
    text = path.read_text(encoding="utf-8")

    def fill(block: re.Match[str]) -> str:
        name, what = block["name"], block["what"]
        if name.split("-")[0] not in PROFILES:
            raise ValueError(f"{path.name}: results:{name}: expected a profile, one of {', '.join(PROFILES)}")
        return f"{block['head']}\n{_content(path, root / 'results' / name, what)}\n\n<!-- /results -->"

    found, count = _BLOCK.subn(fill, text)
    if count != len(re.findall(r"^<!-- results:", text, re.M)):
        raise ValueError(f"{path.name}: a block of results is not closed: write <!-- /results --> on a line below it")
    return found


def largest(root: Path, file: str = "README.md") -> Path | None:
    """The folder of committed results of the largest profile that has this file; None if none has.

    Results of three seeds or more, from which verdicts decide, come first; then those that leave fewer claims out.
    """
    from facesr_lib.evaluate.bootstrap import SEEDS  # brings torch

    found = [root / "results" / profile for profile in PROFILES if (root / "results" / profile / file).is_file()]
    return max(found, key=lambda one: (_seeds(one) >= SEEDS, -_not_run(one), found.index(one)), default=None)


def _seeds(folder: Path) -> int:
    """How many training seeds are in committed results; 0 where nothing says so."""
    path = folder / "provenance.json"
    return len(json.loads(path.read_bytes())["seeds"]) if path.is_file() else 0


def _not_run(folder: Path) -> int:
    """How many claims nothing was run for."""
    path = folder / "claims.json"
    return sum(claim["verdict"] == "not run" for claim in json.loads(path.read_bytes())) if path.is_file() else 0


def _content(path: Path, folder: Path, what: str) -> str:
    if not (folder / "README.md").is_file():
        return f"*No results of `{folder.name}` are committed yet: `facesr results` writes them, `make sync` brings them here.*"
    if what == "verdicts":
        from facesr_tools.distilled_page import verdict_counts  # brings torch

        text = "\n".join(verdict_counts(folder))
    elif what == "blind":
        text = "\n".join(_blind(folder / "blind"))
    else:
        table = folder / "tables" / f"{what}.md"
        if not table.is_file():
            known = ", ".join(f"{one.parent.name}/{one.stem}" for one in sorted((folder / "tables").glob("*/*.md")))
            raise ValueError(f"{path.name}: results/{folder.name} has no table {what!r}; there are: {known or 'none'}")
        text = table.read_text(encoding="utf-8").strip()
    link = Path(os.path.relpath(folder / "README.md", path.parent)).as_posix()
    return f"{text}\n\nFrom [results/{folder.name}]({link})."


def _blind(folder: Path) -> list[str]:
    """A Markdown table of the blind test in `folder`: key.json, and answers-N.json of each reader."""
    from facesr_tools.blind import score_answers  # brings torch

    readers = [score_answers(path, folder / "key.json") for path in sorted(folder.glob("answers-*.json"))]
    names = " | ".join(f"reader {number}" for number in range(1, len(readers) + 1))
    lines = [f"| told apart without labels | {names} |", "|---|" + "---:|" * len(readers)]
    for question in zip(*readers, strict=True):
        counts = " | ".join(f"{one['right']} of {one['n']}" for one in question)
        lines.append(f"| {question[0]['asked']}, or {question[0]['other']} | {counts} |")
    return lines


def main(root: Path) -> None:
    """Fill the blocks of all documents; write only what changes."""
    for path in documents(root):
        if (text := quoted(path, root)) != path.read_text(encoding="utf-8"):
            write_atomically(path, text.encode())
            print(f"{path.relative_to(root)}: results brought up to date")


if __name__ == "__main__":
    try:
        main(checkout_root() or Path.cwd())
    except ValueError as error:
        sys.exit(f"facesr: {error}")
