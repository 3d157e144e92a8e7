"""roc-validator, in an environment of its own, finds that what `facesr check --crate` packs follows its profile.

Of its own, since it wants an older rich than import-linter does. It would fetch the context of RO-Crate: it gets the copy
that the library rocrate carries, whose terms are those of 1.3. Anything else that it asks the network for would fail.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from facesr_lib.data import olivetti_faces
from facesr_lib.evaluate import Run
from facesr_lib.metrics import PSNR
from facesr_tools.check import read_run
from facesr_tools.check.crate import write_crate

VALIDATE = """
import json, sys
from importlib.resources import files

import requests
from rocrate_validator import models, services
from rocrate_validator.utils.http import HttpRequester

class Answer:
    status_code, ok, headers = 200, True, {"Content-Type": "application/ld+json"}
    text = files("rocrate").joinpath("data/ro-crate.jsonld").read_text(encoding="utf-8")
    json = lambda self: json.loads(self.text)
    raise_for_status = lambda self: None

def get(self, url, **options):
    if url == "https://w3id.org/ro/crate/1.1/context":
        return Answer()
    raise requests.ConnectionError(url)

HttpRequester.get = get
level = models.Severity["RECOMMENDED"]
settings = models.ValidationSettings(
    rocrate_uri=sys.argv[1], profile_identifier="process-run-crate-0.5", requirement_severity=level, no_cache=True
)
found = services.validate(settings)
print(json.dumps([[issue.severity.name, issue.check.identifier, issue.message] for issue in found.get_issues()]))
"""
NOT_MET = (
    "process-run-crate-0.5_5.1",  # asks for the absolute address of a program; the notebook is a file of the crate
    "ro-crate-1.1_30.2",
    "ro-crate-1.1_30.3",  # who checked has an affiliation, which we cannot know
)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("validator")
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    where = folder / "bin" / "python"
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--python", str(where), "roc-validator==0.13.0", "rocrate==0.16.0"], check=True
    )
    return where


@pytest.fixture
def crate(tmp_path: Path) -> Path:
    faces = olivetti_faces("test", 16).limit(4)
    for seed in (0, 1):
        out = str(tmp_path / "out" / f"seed-{seed}")
        run = Run.start("10_demo", title="A demo", paper=None, profile="smoke", seed=seed, device="cpu", output_dir=out)
        run.config({"weight": 1.0})
        run.score("bicubic", faces, PSNR, [25.0] * len(faces))
        run.finish()
        cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": "1 + 1", "outputs": [], "execution_count": 1}
        notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
        (run.folder / "notebook.ipynb").write_text(json.dumps(notebook))
    part = {"notebook": "10_demo", "statement": "reaches 24 dB", "metric": "PSNR (dB)", "effect": 1.0, "low": 0.5, "high": 1.5}
    claim = {"id": "demo.claim", "text": "It reaches 24 dB.", "verdict": "supported", "measured": [part]}
    (tmp_path / "out" / "smoke").mkdir()
    (tmp_path / "out" / "smoke" / "claims.json").write_text(json.dumps([claim]))
    return write_crate(read_run(tmp_path / "out"), tmp_path / "crate")


def issues(python: Path, crate: Path) -> list[tuple[str, str, str]]:
    done = subprocess.run([str(python), "-c", VALIDATE, str(crate)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [tuple(issue) for issue in json.loads(done.stdout.splitlines()[-1])]


def test_the_crate_follows_process_run_crate(python: Path, crate: Path) -> None:
    assert [issue for issue in issues(python, crate) if issue[1] not in NOT_MET] == []


def test_the_validator_sees_an_action_without_its_instrument(python: Path, crate: Path) -> None:
    path = crate / "ro-crate-metadata.json"
    content = json.loads(path.read_text())
    for entity in content["@graph"]:
        if entity["@type"] == "CreateAction":
            del entity["instrument"]
    path.write_text(json.dumps(content))
    assert any(kind == "REQUIRED" and "instrument" in message for kind, _, message in issues(python, crate))
