from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from facesr_lib import __version__
from facesr_tools.cli import options
from facesr_tools.cli.main import app
from facesr_tools.runner import run as runner_run

PROFILES = {"smoke", "quick", "evening", "workshop", "paper"}


def write_notebook(folder: Path, name: str, source: str, **facts: Any) -> None:
    sources = ["PROFILE = SEED = DEVICE = DATA_ROOT = OUTPUT_DIR = None", source]
    tags = [{"tags": ["parameters"]}, {}]
    empty = {"cell_type": "code", "execution_count": None, "outputs": []}
    cells = [empty | {"id": f"c{i}", "source": sources[i], "metadata": tags[i]} for i in range(2)]
    metadata = {"facesr": {"title": f"Title of {name}", **facts}}
    folder.mkdir(exist_ok=True)
    text = json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})
    (folder / f"{name}.ipynb").write_text(text)


def facesr(*arguments: str, **env: str):
    return CliRunner().invoke(app, arguments, env=env)


@pytest.fixture
def notebooks(tmp_path: Path) -> Path:
    folder = tmp_path / "notebooks"
    facts = {"paper": "human_gan", "minutes": {"smoke": 0.2, "quick": 1.5}, "hardware": {"smoke": "CPU", "quick": "CPU"}}
    write_notebook(folder, "00_start_here", "print(PROFILE)")
    write_notebook(folder, "10_human_face_gan", "1 / 0", **facts)
    return folder


def test_version():
    assert facesr("--version").output == f"facesr {__version__}\n"


@pytest.mark.parametrize("command", ["list", "run", "report", "results", "models", "doctor", "rehearse", "demo"])
def test_every_command_has_help_with_an_example(command):
    result = facesr(command, "--help")
    assert result.exit_code == 0
    assert "Example" in result.output
    assert f"facesr {command}" in result.output


def test_help_and_list_do_not_load_torch_or_papermill(notebooks):
    code = (
        "import sys; sys.argv = ['facesr', 'list', '--notebooks', sys.argv[1]]\n"
        "from facesr_tools.cli import main\n"
        "try: main()\n"
        "finally: print({'torch', 'papermill', 'nbformat', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(notebooks)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"


def test_list_as_json(notebooks):
    result = facesr("list", "--json", "--notebooks", str(notebooks))
    first, second = json.loads(result.stdout)
    assert second == {
        "name": "10_human_face_gan",
        "path": str(notebooks / "10_human_face_gan.ipynb"),
        "title": "Title of 10_human_face_gan",
        "paper": "human_gan",
        "minutes": {"smoke": 0.2, "quick": 1.5},
        "hardware": {"smoke": "CPU", "quick": "CPU"},
        "study": 0,
        "always": False,
    }
    assert (first["name"], first["paper"], first["minutes"]) == ("00_start_here", None, {})


def test_list_as_table(notebooks):
    output = facesr("list", "--notebooks", str(notebooks)).output
    for part in ("10_human_face_gan", "human_gan", "1.5", "CPU (smoke, quick)"):
        assert part in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "10_human_gan"], "did you mean '10_human_face_gan'? Valid: 00_start_here, 10_human_face_gan, all"),
        (["run", "all", "--profile", "quik"], "profile 'quik': choose one of smoke, quick, evening, workshop, paper"),
        (["run", "all", "--data-root", "nowhere"], "--data-root nowhere: there is no such folder"),
        (["run", "all", "--out", __file__], "test_main.py: cannot write there (File exists)"),
        (["run", "all", "--seeds", "4-0"], "--seeds '4-0': a range goes from its smaller to its larger number"),
        (["run", "all", "--seed", "-1"], "--seed -1: choose 0 or more"),
        (["run", "all", "--device", "cuda"], "--device cuda: device 'cuda' was asked for, but torch finds no CUDA GPU"),
        (["run", "all", "--device", "tpu"], "'cuda'"),
        (["run"], "Missing argument"),
    ],
)
def test_wrong_use_says_what_is_right_and_exits_with_2(notebooks, monkeypatch, arguments, message):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    result = facesr(*arguments, "--notebooks", str(notebooks))
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("arguments", [["report", "--profile", "quik"], ["models", "--preset", "quik"]])
def test_every_command_refuses_an_unknown_profile(arguments):
    result = facesr(*arguments)
    assert result.exit_code == 2
    assert "profile 'quik': choose one of smoke, quick, evening, workshop, paper" in result.stderr


def test_a_wrong_fresh_moment_is_named(notebooks):
    result = facesr("run", "all", "--notebooks", str(notebooks), "--fresh-since", "yes")
    assert result.exit_code == 2
    assert "--fresh-since" in result.stderr
    assert "valid number" in result.stderr


def test_run_writes_plain_text_and_its_exit_code_says_whether_all_ran(notebooks, tmp_path):
    options = ["--profile", "smoke", "--out", str(tmp_path / "out"), "--notebooks", str(notebooks)]
    result = facesr("run", "all", *options, FORCE_COLOR="1")
    assert result.exit_code == 1
    assert "\x1b" not in result.output
    assert "ZeroDivisionError: division by zero" in result.output
    again = facesr("run", "00", *options)
    assert again.exit_code == 0
    assert "✓ 00_start_here  already done" in again.output
    fresh = facesr("run", "00", "--fresh", *options)
    assert "✓ 00_start_here  done" in fresh.output
    gone_on = facesr("run", "00", "--fresh-since", "1.0", *options)
    assert "✓ 00_start_here  already done" in gone_on.output


def test_several_seeds_are_handed_on_and_stand_in_the_command_that_resumes(notebooks, tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(runner_run, "run_notebooks", lambda *args: told.append(args) or runner_run.Outcomes())
    options = ["--notebooks", str(notebooks), "--out", str(tmp_path / "out"), "--profile", "smoke"]
    assert facesr("run", "00", "--seeds", "0-2", *options).exit_code == 0
    ((_, settings, _, _, resume, _, seeds),) = told
    assert seeds == [0, 1, 2]
    assert settings.out == tmp_path / "out"
    assert "--seeds 0-2 " in resume
    assert "--seed " not in resume


def test_tensorboard_is_asked_for_in_what_a_run_starts_and_in_the_command_that_resumes(notebooks, tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(
        runner_run, "run_notebooks", lambda *args: told.append(os.environ["FACESR_TENSORBOARD"]) or told.append(args)
    )
    monkeypatch.setattr(options, "find_spec", lambda name: name)
    monkeypatch.setenv("FACESR_TENSORBOARD", "")  # which puts it back after the test
    given = ["run", "00", "--notebooks", str(notebooks), "--out", str(tmp_path / "out"), "--profile", "smoke", "--tensorboard"]
    facesr(*given)
    assert told[0] == "1"
    assert told[1][4].endswith(" --tensorboard")
    monkeypatch.setenv("FACESR_TENSORBOARD", "")
    monkeypatch.setattr(options, "find_spec", lambda name: None)
    without = facesr(*given)
    assert without.exit_code == 2
    assert "facesr[tensorboard]" in without.output
    assert os.environ["FACESR_TENSORBOARD"] == ""


def test_report_without_results_says_what_to_run_first(tmp_path):
    result = facesr("report", "--profile", "smoke", "--out", str(tmp_path))
    assert result.exit_code == 2
    assert "facesr run all --profile smoke" in result.stderr


def test_models_as_json_and_table():
    networks = json.loads(facesr("models", "--preset", "smoke", "--json").stdout)
    assert {"paper", "network", "parameters", "flops", "input", "outputs"} == set(networks[0])
    output = facesr("models", "--preset", "smoke").output
    assert f"{networks[0]['parameters']:,}" in output
    assert "multiply-add = 2 FLOPs" in output
    assert facesr("models", "--preset", "papr").exit_code == 2


def test_doctor_as_json(tmp_path):
    result = facesr("doctor", "--json", "--out", str(tmp_path))
    found = json.loads(result.stdout)
    assert set(found) == {"checks", "profiles"}
    assert {"section", "name", "value", "ok", "fix"} == set(found["checks"][0])
    assert {check["section"] for check in found["checks"]} == {
        "versions",
        "torch",
        "machine",
        "data",
        "paper presets",
        "weights",
        "kernel",
    }
    names = {check["name"] for check in found["checks"]}
    assert {"python", "facesr", "torch", "numpy", "papermill", "jupyterlab", "memory", "disk", "cpu", "gpu"} <= names
    assert set(found["profiles"]) == PROFILES
    assert all(profile["ok"] == (not profile["missing"]) for profile in found["profiles"].values())
    assert result.exit_code == (0 if found["profiles"]["quick"]["ok"] else 1)
    assert next(check for check in found["checks"] if check["section"] == "kernel")["ok"] is True
