"""The Makefile with values that a shell would take apart, and what `make clean` may delete. No test runs a notebook."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from facesr_tools.clean import clean

ROOT = Path(__file__).resolve().parents[1]
AWKWARD = [
    "my runs",
    "it's",
    'say "runs"',
    "-rf",
    "läufe 模型",
    "a;touch hurt",
    "a&b|c",
    "`touch hurt`",
    "*",
    "(x) [y] {z}",
    "#1",
]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what make needs, with an environment whose programs write down how they were called."""
    folder = tmp_path / "check out"
    (folder / "facesr_tools").mkdir(parents=True)
    for name in ("pyproject.toml", "constraints.txt", "Makefile", "facesr_tools/clean.py"):
        shutil.copyfile(ROOT / name, folder / name)
    return folder


def environment(folder: Path) -> None:
    (folder / "bin").mkdir(parents=True)
    for name in ("facesr", "python"):
        (folder / "bin" / name).write_text('#!/bin/sh\nfor word in "$@"; do printf "%s\\n" "$word"; done > called\n')
        (folder / "bin" / name).chmod(0o755)
    (folder / "pyvenv.cfg").touch()
    (folder / ".facesr-ready").touch()


def make(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    # Nothing of a make around this one: its VENV= and OUT= stand in the environment, and `clean` would take them at their word.
    env = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR") if key in os.environ}
    return subprocess.run(["make", *words], cwd=checkout, env=env, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("name", AWKWARD)
def test_a_value_reaches_the_command_as_it_is(checkout: Path, name: str) -> None:
    environment(checkout / name)
    done = make(checkout, "reproduce", f"VENV={name}", f"OUT={name}", f"DATA_ROOT={name}", "SEEDS=0-4", "PROFILE=smoke")
    assert done.returncode == 0, done.stderr
    called = (checkout / "called").read_text().splitlines()
    assert called == ["run", "all", "--profile=smoke", f"--out={name}", "--seeds=0-4", "--device=auto", f"--data-root={name}"]
    assert not (checkout / "hurt").exists()


@pytest.mark.parametrize("name", ["my pythons/python3", "it's/python3", "ü/python3"])
def test_the_python_may_lie_anywhere(checkout: Path, name: str) -> None:
    (checkout / name).parent.mkdir()
    (checkout / name).write_text("#!/bin/sh\nexit 1\n")
    (checkout / name).chmod(0o755)
    done = make(checkout, "setup", f"PYTHON={checkout / name}", "VENV=new one")
    assert done.returncode
    assert f"facesr needs Python 3.11 or newer; '{checkout / name}' is" in done.stderr


@pytest.mark.parametrize(
    ("words", "installs"),
    [
        ([], ["--constraint constraints.txt --editable .[tools]"]),
        (["LOCKED=1"], ["--require-hashes --requirement requirements.lock", "--no-deps --editable ."]),
    ],
)
def test_hashes_are_asked_for_by_locked(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], installs: list[str]
) -> None:
    environment(checkout / ".venv")
    (checkout / "programs").mkdir()
    (checkout / "programs" / "uv").write_text('#!/bin/sh\necho "$@" >> installed\n')
    (checkout / "programs" / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", f"{checkout / 'programs'}{os.pathsep}{os.environ['PATH']}")
    done = make(checkout, "environment", "EXTRAS=tools", *words)
    assert done.returncode == 0, done.stderr
    said = (checkout / "installed").read_text().splitlines()
    assert [line.partition(".venv/bin/python ")[2] for line in said] == installs


def results(folder: Path) -> Path:
    """A folder of results, as a run leaves it."""
    (folder / "stages" / "isr_kd-x-0123" / "checkpoints").mkdir(parents=True)
    (folder / "smoke" / "10_human_face_gan").mkdir(parents=True)
    (folder / "smoke" / "10_human_face_gan" / "log.txt").touch()
    (folder / "stages" / ".isr_kd-x-0123.lock").touch()
    return folder


@pytest.mark.parametrize("name", AWKWARD)
def test_clean_deletes_the_results_and_nothing_beside_them(checkout: Path, name: str) -> None:
    out = results(checkout.parent / "x" / name)
    beside = [checkout.parent / "x" / word for word in ("my", "runs", "it", "thesis.txt", "a")]
    for path in beside:
        path.mkdir(exist_ok=True)
    done = make(checkout, "clean", f"OUT={out}", "PYTHON=python3")
    assert (done.returncode, done.stderr) == (0, "")
    assert not out.exists()
    assert all(path.exists() for path in beside)
    assert not (checkout / "hurt").exists()


def foreign(folder: Path) -> Path:
    (results(folder) / "thesis.tex").touch()
    return folder


def article(folder: Path) -> Path:
    """Of names that a run has, too."""
    (folder / "paper" / "figures").mkdir(parents=True)
    (folder / "paper" / "figures" / "one.png").touch()
    return folder


@pytest.mark.parametrize("make_it", [foreign, article])
def test_clean_leaves_what_facesr_did_not_make(tmp_path: Path, make_it) -> None:
    folder = make_it(tmp_path / "documents")
    before = sorted(folder.rglob("*"))
    (said,) = clean(tmp_path / "no venv", folder, tmp_path / "checkout")
    assert f"OUT {folder} stays, since" in said
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("where", ["/", "~", ".", "..", "link home"])
def test_clean_never_deletes_a_home_a_checkout_or_what_they_lie_in(tmp_path: Path, monkeypatch, where: str) -> None:
    home, checkout = results(tmp_path / "me"), results(tmp_path / "me" / "src" / "facesr")
    monkeypatch.setenv("HOME", str(home))
    (tmp_path / "link home").symlink_to(home)
    named = {"/": Path("/"), "~": home, ".": Path(), "..": Path(".."), "link home": tmp_path / "link home"}[where]
    deleted: list[object] = []
    monkeypatch.setattr(shutil, "rmtree", lambda path, **_: deleted.append(path) if path.parent != checkout else None)
    (said,) = clean(Path("no venv"), named, checkout)
    assert "it holds more than that" in said
    assert not deleted


def test_clean_unlinks_a_link_and_leaves_what_it_leads_to(tmp_path: Path) -> None:
    disk = results(tmp_path / "big disk")
    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout" / "runs").symlink_to(disk)
    (said,) = clean(Path(".venv"), Path("runs"), tmp_path / "checkout")
    assert "what it led to stays" in said
    assert not (tmp_path / "checkout" / "runs").is_symlink()
    assert (disk / "stages").is_dir()


def test_clean_takes_only_an_environment_that_setup_made(tmp_path: Path) -> None:
    theirs, ours, checkout = tmp_path / "theirs", tmp_path / "ours", tmp_path / "checkout"
    for folder in (theirs, ours, checkout / ".venv"):
        folder.mkdir(parents=True)
        (folder / "pyvenv.cfg").touch()
    (ours / ".facesr-ready").touch()
    assert "facesr did not make it" in clean(theirs, Path("runs"), checkout)[0]
    assert not clean(ours, Path("runs"), checkout)
    assert not clean(Path(".venv"), Path("runs"), checkout)
    assert (theirs.exists(), ours.exists(), (checkout / ".venv").exists()) == (True, False, False)
