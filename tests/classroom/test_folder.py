"""A classroom folder is whole or absent, and nobody's files are lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from facesr_tools.classroom import folder, replace_folder

FIRST, SECOND = {"README.md": b"one", "a/b.txt": b"two"}, {"README.md": b"three"}


def content(out: Path) -> dict[str, bytes]:
    files = {path.relative_to(out).as_posix(): path for path in out.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if name != folder.MARKER}


def test_writes_new_empty_and_own_folders(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "class"
    assert replace_folder(out, FIRST) is None
    assert content(out) == FIRST
    assert replace_folder(out, SECOND) is None
    assert content(out) == SECOND
    (tmp_path / "empty").mkdir()
    assert replace_folder(tmp_path / "empty", FIRST) is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep", "empty"]
    assert [path.name for path in out.parent.iterdir()] == ["class"]


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    for name, files in (("a", FIRST), ("b", dict(reversed(FIRST.items())))):
        replace_folder(tmp_path / name, files)
    assert (tmp_path / "a" / folder.MARKER).read_bytes() == (tmp_path / "b" / folder.MARKER).read_bytes()


@pytest.mark.parametrize("name", ["a/b.txt", "mine.txt", "a/more/handed-in.ipynb", folder.MARKER])
def test_what_was_changed_is_refused_and_kept_on_request(name: str, tmp_path: Path) -> None:
    out = tmp_path / "class"
    replace_folder(out, FIRST)
    (out / name).parent.mkdir(exist_ok=True)
    (out / name).write_bytes(b"mine")
    before = content(out)
    with pytest.raises(
        FileExistsError, match=rf"{out} holds files.*{'README.md' if name == folder.MARKER else name}.*--overwrite"
    ):
        replace_folder(out, SECOND)
    assert content(out) == before
    for kept in (tmp_path / "class.before", tmp_path / "class.before-2"):
        assert replace_folder(out, SECOND, overwrite=True) == kept
        assert content(out) == SECOND
        assert content(kept) == before
        for old, data in before.items():
            (out / old).parent.mkdir(parents=True, exist_ok=True)
            (out / old).write_bytes(data)
        (out / name).write_bytes(b"mine")


def test_a_link_is_not_ours(tmp_path: Path) -> None:
    out = tmp_path / "class"
    replace_folder(out, FIRST)
    (tmp_path / "elsewhere.txt").write_bytes(FIRST["a/b.txt"])
    (out / "a" / "b.txt").unlink()
    (out / "a" / "b.txt").symlink_to(tmp_path / "elsewhere.txt")
    with pytest.raises(FileExistsError, match=r"a/b\.txt"):
        replace_folder(out, SECOND)


def test_a_failure_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "class"
    replace_folder(out, FIRST)
    write, written = folder.write_atomically, []

    def full_disk(path: Path, data: bytes) -> None:
        if written:
            raise OSError("no space left")
        written.append(path)
        write(path, data)

    monkeypatch.setattr(folder, "write_atomically", full_disk)
    with pytest.raises(OSError, match="no space left"):
        replace_folder(out, SECOND)
    assert written
    assert content(out) == FIRST
    assert [path.name for path in tmp_path.iterdir()] == ["class"]


def test_a_failing_rename_puts_the_old_folder_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "class"
    replace_folder(out, FIRST)
    rename = Path.rename

    def broken(self: Path, target: Path) -> Path:
        if self.name.endswith(".tmp") and self.is_dir():
            raise OSError("busy")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", broken)
    with pytest.raises(OSError, match="busy"):
        replace_folder(out, SECOND)
    assert content(out) == FIRST
    assert [path.name for path in tmp_path.iterdir()] == ["class"]


def test_places_that_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ValueError, match="is a file"):
        replace_folder(tmp_path / "file", FIRST)
    (tmp_path / "here" / "below").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here" / "below")
    with pytest.raises(ValueError, match="contains the current folder"):
        replace_folder(tmp_path / "here", FIRST, overwrite=True)
