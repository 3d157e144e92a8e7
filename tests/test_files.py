"""Files written whole or not at all, by one at a time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from facesr_lib.files import make_folder, one_writer, remove, write_atomically


@pytest.mark.parametrize("name", ["x" * 255, "é" * 127, os.fsdecode(b"\xe9\xff.json"), "-", " "])
def test_any_legal_name_can_be_written(tmp_path: Path, name: str) -> None:
    write_atomically(tmp_path / name, name)
    assert (tmp_path / name).read_text(encoding="utf-8") == name.encode(errors="backslashreplace").decode()
    assert os.listdir(tmp_path) == [name]


def test_many_writers_of_one_file_leave_one_of_their_texts_and_nothing_else(tmp_path: Path) -> None:
    texts = [str(number) * 50_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: write_atomically(tmp_path / "x", text), texts))
    assert (tmp_path / "x").read_text() in texts
    assert os.listdir(tmp_path) == ["x"]


def test_what_cannot_be_replaced_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "x" / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="x"):
        write_atomically(tmp_path / "x", b"1")
    assert os.listdir(tmp_path) == ["x"]


def test_a_file_where_a_folder_has_to_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(FileExistsError, match="move or delete it") as caught:
            make_folder(path)
        assert str(path) in str(caught.value)
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_remove_takes_files_links_and_folders_and_not_what_a_link_leads_to(tmp_path: Path) -> None:
    (tmp_path / "kept" / "inside").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    (tmp_path / "folder" / "below").mkdir(parents=True)
    for name in ("link", "dangling", "file", "folder", "missing"):
        remove(tmp_path / name)
    assert os.listdir(tmp_path) == ["kept"]
    assert (tmp_path / "kept" / "inside").is_dir()


def test_only_one_is_inside(tmp_path: Path) -> None:
    inside: list[int] = []

    def write(number: int) -> int:
        with one_writer(tmp_path / "out"):
            inside.append(number)
            time.sleep(0.02)
            most = len(inside)
            inside.remove(number)
        return most

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(write, range(6))) == {1}


def test_the_lock_and_the_owner_of_a_killed_process_hold_nobody_up(tmp_path: Path, capsys) -> None:
    code = "import os, sys\nfrom pathlib import Path\nfrom facesr_lib.files import one_writer\n"
    code += "with one_writer(Path(sys.argv[1])):\n    os.kill(os.getpid(), 9)\n"
    subprocess.run([sys.executable, "-c", code, tmp_path / "out"], timeout=600)
    assert (tmp_path / ".out.owner").exists()
    with one_writer(tmp_path / "out"):
        assert (tmp_path / ".out.owner").read_text() == str(os.getpid())
    assert capsys.readouterr().out == ""


def test_an_owner_who_ends_while_he_is_asked_for_is_no_error(tmp_path: Path, monkeypatch) -> None:
    """The file with its name goes just before it is read."""
    with ThreadPoolExecutor(1) as pool:

        def wait() -> str:
            with one_writer(tmp_path / "out"):
                return "in"

        with one_writer(tmp_path / "out"):
            (tmp_path / ".out.owner").unlink()
            waiting = pool.submit(wait)
            time.sleep(1.2)
            assert not waiting.done()
        assert waiting.result(60) == "in"
