"""Binder's configuration, as repo2docker reads it, and the versions that it pins."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
BINDER = ROOT / "binder"


def pins(path: Path) -> dict[str, set[str]]:
    """Package name -> the versions that a constraints file names for it (one for each kind of machine)."""
    found: dict[str, set[str]] = {}
    for line in path.read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, version = line.partition(";")[0].strip().partition("==")
            found.setdefault(name, set()).add(version)
    return found


def test_repo2docker_makes_the_image_from_these_files_in_this_order() -> None:
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--user-id", "1000", "--user-name", "jovyan", "."]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)  # needs no Docker
    assert done.returncode == 0, done.stderr
    assert "Building conda environment for python=3.12" in done.stderr
    dockerfile = done.stdout
    steps = [
        "COPY --chown=1000:1000 src/ ${REPO_DIR}/",  # before the installation, which needs the package and the constraints
        '--file "binder/environment.yml"',
        "RUN ./binder/postBuild",
        'ENV R2D_ENTRYPOINT="${REPO_DIR}/binder/start"',
    ]
    places = [dockerfile.find(step) for step in steps]
    assert -1 not in places, [step for step, place in zip(steps, places, strict=True) if place < 0]
    assert places == sorted(places)
    assert '--file "environment.yml"' not in dockerfile  # the root's, for laptops, brings PyPI's torch


def test_scripts_are_executable() -> None:
    assert all(os.access(BINDER / name, os.X_OK) for name in ("postBuild", "start"))


def test_start_hands_over_to_the_command_with_one_thread() -> None:
    show = "import os; print(os.getppid(), os.environ['OMP_NUM_THREADS'], os.environ['MALLOC_ARENA_MAX'])"
    done = subprocess.run([BINDER / "start", sys.executable, "-c", show], capture_output=True, text=True)
    assert done.stdout.split() == [str(os.getpid()), "1", "2"]  # exec: the command is our own child


def test_pip_installs_tested_versions_and_leaves_condas_packages_alone() -> None:
    conda, pip = [], []
    for entry in yaml.safe_load((BINDER / "environment.yml").read_text())["dependencies"]:
        conda, pip = (conda, entry["pip"]) if isinstance(entry, dict) else ([*conda, entry], pip)
    assert pip == ["--constraint constraints.txt", "--editable ..[tools]"]
    assert all("=" in entry for entry in conda if entry != "pip")
    ours, tested = pins(BINDER / "constraints.txt"), pins(ROOT / "constraints.txt")
    assert {name: versions for name, versions in ours.items() if not versions <= tested[name]} == {}
    # A pin here that is not conda's version would make pip replace conda's build, of torch with gigabytes of CUDA.
    assert not ours.keys() & {"torch", "torchvision", "numpy", "pillow", "jupyterlab", "ipykernel", "ipython"}


def test_a_class_reads_the_same_limits_as_the_document() -> None:
    template = ROOT / "facesr_tools" / "classroom" / "templates" / "limits.md.j2"
    table, sources = template.read_text(encoding="utf-8").split("\n\n")[:2]
    document = (ROOT / "docs" / "binder.md").read_text(encoding="utf-8")
    assert f"\n\n{table}\n\n" in document
    addresses = re.findall(r"\]\((https://[^)]+)\)", sources)
    assert len(addresses) == 2
    assert all(address in document for address in addresses)
