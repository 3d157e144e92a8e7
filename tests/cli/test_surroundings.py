"""The command where text cannot be shown, streams are closed, and nobody has a home."""

from __future__ import annotations

import codecs
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from facesr_lib.data.cache import cache_dir
from facesr_lib.evaluate.result import without_home, write_json
from facesr_tools.cli.options import print_json
from facesr_tools.cli.surroundings import find_home, shown
from facesr_tools.runner.log import Log

UNDECODABLE = os.fsdecode(b"gr\xfc\xdfe")
NAMES = ["日本語", "Ωmega 𝄞", UNDECODABLE, "naïve ✓"]
NO_PASSWD = "import pwd\ndef none(*_):\n    raise KeyError('uid')\npwd.getpwuid = none\n"


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        ("✓ żółw", "latin-1", b"+ \\u017c\xf3\\u0142w"),
        ("✗ a → b…", "ascii", b"x a -> b..."),
        ("𝄞", "cp1252", b"\\U0001d11e"),
        (UNDECODABLE, "utf-8", b"gr\xfc\xdfe"),
        ("✓ Привет", "koi8-r", b"+ \xf0\xd2\xc9\xd7\xc5\xd4"),
    ],
)
def test_what_an_encoding_lacks_is_shown_in_characters_it_has(text: str, encoding: str, expected: bytes) -> None:
    codecs.register_error("facesr-test", shown)
    assert text.encode(encoding, "facesr-test") == expected


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "koi8-r", "utf-8"])
def test_json_is_read_back_as_it_was_whatever_the_encoding(monkeypatch, name: str, encoding: str) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    print_json({"file": name})
    sys.stdout.flush()
    assert json.loads(raw.getvalue().decode(encoding)) == {"file": name}


@pytest.mark.parametrize("name", NAMES)
def test_results_and_logs_keep_every_name(tmp_path: Path, name: str) -> None:
    write_json(tmp_path / "result.json", {"person": name})
    assert json.loads((tmp_path / "result.json").read_text(encoding="utf-8")) == {"person": name}
    with Log(tmp_path / "log.txt") as log:
        log.line(name)
    assert (tmp_path / "log.txt").read_text(encoding="utf-8") == name.encode(errors="backslashreplace").decode() + "\n"


def facesr(*words: str, closed: str = "", **env: str | None) -> subprocess.CompletedProcess[str]:
    """The command in a shell that closes some streams (">&-"); env: None takes a variable away."""
    merged = {key: value for key, value in {**os.environ, **env}.items() if value is not None}
    command = [sys.executable, "-c", "from facesr_tools.cli import main; main()", *words]
    shell = ["sh", "-c", f'exec "$@" {closed}', "sh", *command]
    return subprocess.run(shell, env=merged, capture_output=True, text=True, errors="replace", timeout=600)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "utf-8:strict"])
def test_a_message_with_any_name_is_shown_in_any_encoding(encoding: str) -> None:
    done = facesr("run", "żółw", PYTHONIOENCODING=encoding, LC_ALL="C", PYTHONUTF8="0")
    assert done.returncode == 2
    assert "unknown notebook" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_error(closed: str) -> None:
    done = facesr("list", closed=closed)
    assert done.returncode == 0
    assert done.stderr == ""


@pytest.mark.parametrize("words", [("run", "00", "--out", "~no-such-user/x"), ("report", "--out", "~no-such-user/x")])
def test_a_home_of_nobody_is_named(words: tuple[str, ...]) -> None:
    done = facesr(*words)
    assert done.returncode
    assert "~no-such-user/x: no user of this machine is called so" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_home_the_command_takes_one_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(NO_PASSWD)
    done = facesr("list", HOME=None, PYTHONPATH=str(tmp_path), TMPDIR=str(tmp_path))
    assert done.returncode == 0
    assert f"caches go to {tmp_path / f'facesr-home-{os.getuid()}'}" in done.stderr


@pytest.mark.parametrize("home", ["/dev/null/home", "missing"])
def test_a_home_that_cannot_be_written_is_replaced_by_a_private_one(tmp_path: Path, monkeypatch, capsys, home: str) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / home))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    find_home()
    assert Path.home().parent == tmp_path
    assert Path.home().stat().st_mode & 0o777 == 0o700
    assert str(Path.home()) in capsys.readouterr().err
    find_home()
    assert capsys.readouterr().err == ""


def test_a_home_among_the_temporary_files_is_never_someone_elses(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "missing"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    planted = tmp_path / f"facesr-home-{os.getuid()}"
    planted.mkdir(mode=0o777)
    planted.chmod(0o777)
    find_home()
    assert Path.home() != planted
    assert Path.home().stat().st_mode & 0o777 == 0o700


def test_the_library_needs_no_home(monkeypatch) -> None:
    for name in ("HOME", "FACESR_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def nobody(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr("pwd.getpwuid", nobody)
    assert cache_dir().is_absolute()
    assert without_home("/home/me/x") == "/home/me/x"


def test_a_question_to_closed_input_is_answered_no(tmp_path: Path) -> None:
    done = facesr("data", "prepare", "celeba", "--root", str(tmp_path), closed="<&-")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", [("run", "00"), ("stage", "human_gan/gan")])
def test_an_out_that_cannot_be_made_is_named(tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "file").touch()
    done = facesr(*command, "--profile", "smoke", "--out", str(tmp_path / "file" / "below"))
    assert done.returncode == 2
    assert f"--out {tmp_path / 'file' / 'below'}: cannot write there" in done.stderr
