"""`facesr data`: what it prints, asks and returns. The sets are made by the tests; nothing is downloaded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from facesr_tools import doctor
from facesr_tools.cli.main import app
from facesr_tools.doctor import Check
from facesr_tools.prepare import CATALOGUE

SCRIPTS = Path(__file__).parents[2] / "data_scripts"


def facesr(*arguments: str, keys: str | None = None) -> Result:
    return CliRunner().invoke(app, ["data", *arguments], input=keys)


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """CASIA-WebFace's layout with 80 people."""
    for person in range(80):
        path = tmp_path / "given/CASIA-WebFace" / f"{person:07d}" / "001.jpg"
        path.parent.mkdir(parents=True)
        Image.fromarray(np.full((20, 20, 3), person, np.uint8)).save(path)
    return tmp_path / "given"


def prepare(root: Path, faces: Path, *more: str, keys: str | None = None) -> Result:
    return facesr("prepare", "webface", "--root", str(root), "--archive", str(faces), "--workers", "1", *more, keys=keys)


def test_list_and_info_name_every_set(tmp_path: Path) -> None:
    rows = json.loads(facesr("list", "--json").stdout)
    assert [row["name"] for row in rows] == list(CATALOGUE)
    assert all(row["terms"].startswith("http") and row["licence"] and row["get it"] for row in rows)
    assert all(url.startswith("http") for row in rows for file in row["files"] for url in file["urls"])
    table = facesr("list", "--root", str(tmp_path)).stdout
    assert all(name in table for name in CATALOGUE)
    text = facesr("info", "celeba").stdout
    for part in ("00d2c5bc6d35e252742224ab0c1e8fcb", "non-commercial", "mmlab", "squashed to 128x128"):
        assert part in text


def test_terms_are_asked_for_once_and_refusing_stops(tmp_path: Path, faces: Path) -> None:
    root = tmp_path / "root"
    refused = prepare(root, faces, keys="n\n")
    assert refused.exit_code == 2
    assert "research, on request" in refused.stdout
    assert "nothing was downloaded or prepared" in refused.stderr
    assert not root.exists()
    accepted = prepare(root, faces, keys="y\n")
    assert accepted.exit_code == 0
    assert "Have you read the terms" in accepted.stdout
    again = prepare(root, faces)  # no answer is given, none is asked for
    assert again.exit_code == 0
    assert "Have you read" not in again.stdout


def test_prepare_verify_and_list_agree(tmp_path: Path, faces: Path) -> None:
    done = prepare(tmp_path / "root", faces, "--yes", "--limit", "5")
    assert done.exit_code == 0
    assert "pictures 64x64 px" in done.stdout
    assert f"--data-root {tmp_path / 'root'}" in done.stdout
    assert facesr("verify", "webface", "--root", str(tmp_path / "root")).exit_code == 0
    rows = json.loads(facesr("list", "--root", str(tmp_path / "root"), "--json").stdout)
    found = {row["name"]: row["prepared"] for row in rows if row["prepared"]}
    assert found["webface"]["parts"]["train"]["images"] == 5
    next((tmp_path / "root/webface").glob("train-*.npy")).unlink()
    broken = facesr("verify", "webface", "--root", str(tmp_path / "root"))
    assert broken.exit_code == 1
    assert "are missing: copy both files, or pack again" in broken.stderr


def test_errors_are_one_message_and_exit_codes_tell_them_apart(tmp_path: Path) -> None:
    wrong = facesr("prepare", "webfaces", "--root", str(tmp_path))
    assert wrong.exit_code == 2
    assert "no data set is called 'webfaces'; valid: ffhq-1024" in wrong.stderr
    missing = facesr("prepare", "webface", "--root", str(tmp_path), "--yes")
    assert missing.exit_code == 1
    assert "webface needs CASIA-WebFace" in missing.stderr
    assert "Traceback" not in missing.stderr
    assert facesr("verify", "webface", "--root", str(tmp_path)).exit_code == 1


@pytest.mark.parametrize("command", ["list", "info", "prepare", "verify"])
def test_help_has_an_example(command: str) -> None:
    result = facesr(command, "--help")
    assert result.exit_code == 0
    assert f"facesr data {command}" in result.output


def test_there_is_a_script_for_every_set(tmp_path: Path, faces: Path) -> None:
    names = {path.stem.replace("_", "-"): path for path in SCRIPTS.glob("*.py")}
    assert set(names) == set(CATALOGUE)
    for name, path in names.items():
        assert f'script("{name}")' in path.read_text()
    command = [sys.executable, str(SCRIPTS / "webface.py"), "--root", str(tmp_path / "root"), "--archive", str(faces), "--yes"]
    done = subprocess.run([*command, "--workers", "1"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "root/webface/prepared.json").is_file()


def test_the_doctor_says_which_papers_have_their_data(tmp_path: Path) -> None:
    def of(root: str) -> dict[str, Check]:
        return {check.name: check for check in doctor._paper_data(root)}

    assert {check.ok for check in of("").values()} == {None}
    facts = {"format": "facesr prepared set", "kind": "faces", "parts": {"train": {"size": 1024}}}
    (tmp_path / "root/ffhq-1024").mkdir(parents=True)
    (tmp_path / "root/ffhq-1024/prepared.json").write_text(json.dumps(facts))
    found = of(str(tmp_path / "root"))
    assert found["human_gan"] == Check("paper presets", "human_gan", "has ffhq-1024; can run on its own data", True, "")
    assert found["isr_kd"].ok is None
    assert found["isr_kd"].value == "lacks celeba, icartoonface"
    assert found["isr_kd"].fix == f"facesr data prepare celeba --root {tmp_path / 'root'}"
