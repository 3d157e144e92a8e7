"""The container file and the dev container, read as text: no container is built here. Their lock agrees with constraints.txt."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from test_binder import pins

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
CONTAINERFILE = (ROOT / "Containerfile").read_text(encoding="utf-8")


def test_the_lock_has_the_tested_versions_of_all_that_the_notebooks_need() -> None:
    locked: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", LOCK, flags=re.MULTILINE):
        locked.setdefault(name, set()).add(version)
    tested = pins(ROOT / "constraints.txt")
    assert {name: versions for name, versions in locked.items() if not versions <= tested.get(name, set())} == {}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(one for extra in ("lab", "tools") for one in project["optional-dependencies"][extra])]
    assert {re.match(r"[\w-]+", one)[0].lower() for one in wanted} <= locked.keys()


def test_every_locked_package_has_checksums_and_no_address() -> None:
    entries = re.split(r"^(?=[\w.-]+==)", LOCK, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in LOCK  # whoever installs it chooses the index


def test_the_container_installs_the_lock_and_then_the_package_alone() -> None:
    image = re.search(r"^FROM python:(\d+\.\d+)-", CONTAINERFILE, flags=re.MULTILINE)
    assert image
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["classifiers"]
    assert f"Programming Language :: Python :: {image[1]}" in classifiers
    locked = ["COPY requirements.lock", "--require-hashes --requirement requirements.lock"]
    steps = [*locked, "COPY . ./", "--no-deps --editable .", "USER"]
    places = [CONTAINERFILE.find(step) for step in steps]
    assert -1 not in places
    assert places == sorted(places)
    assert {".venv", "runs"} <= set((ROOT / ".dockerignore").read_text(encoding="utf-8").split())
    command = json.loads(re.search(r"^CMD (\[.*\])$", CONTAINERFILE, flags=re.MULTILINE)[1])
    assert (ROOT / command[-1]).is_file()


def test_the_dev_container_is_made_from_it() -> None:
    settings = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    folder = ROOT / ".devcontainer"
    assert (folder / settings["build"]["dockerfile"]).resolve() == ROOT / "Containerfile"
    assert (folder / settings["build"]["context"]).resolve() == ROOT
    assert f"USER {settings['remoteUser']}\n" in CONTAINERFILE
