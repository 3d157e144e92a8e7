"""Archives with everything that could be wrong in them, made by the tests."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from facesr_tools.prepare.archives import ArchiveError, is_archive, stem, unpack

FILES = {"set/a.txt": b"a" * 1000, "set/deep/b.bin": bytes(range(256)) * 40, "c": b""}


def make(path: Path, files: dict[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    else:
        with tarfile.open(path, f"w:{path.suffix[1:].replace('tar', '').replace('tgz', 'gz')}") as archive:
            for name, content in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return path


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz", "x.tgz", "x.tar.xz", "x.tar.bz2"])
def test_every_format_gives_the_files_back_once(tmp_path: Path, name: str) -> None:
    archive = make(tmp_path / name, FILES)
    assert is_archive(archive)
    assert stem(archive) == "x"
    folder = unpack(archive, tmp_path / "out")
    assert content_of(folder) == FILES
    (folder / "c").write_bytes(b"mine")
    unpack(archive, folder)
    assert (folder / "c").read_bytes() == b"mine"
    assert sorted(os.listdir(tmp_path)) == sorted([name, "out"])


@pytest.mark.parametrize("suffix", ["zip", "tar"])
@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "a/../../evil", "..\\evil", "C:/evil"])
def test_paths_that_lead_outside_are_refused(tmp_path: Path, name: str, suffix: str) -> None:
    archive = make(tmp_path / f"x.{suffix}", {"good": b"1", name: b"2"})
    with pytest.raises(ArchiveError, match=r"x\.(zip|tar) is refused: .*evil.*outside its folder"):
        unpack(archive, tmp_path / "out")
    assert os.listdir(tmp_path) == [archive.name]


def test_links_and_devices_are_refused(tmp_path: Path) -> None:
    linked = zipfile.ZipInfo("link")
    linked.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(linked, "/etc/passwd")
    with pytest.raises(ArchiveError, match="'link' in it is a link"):
        unpack(tmp_path / "x.zip", tmp_path / "out")
    for kind, word in ((tarfile.SYMTYPE, "link"), (tarfile.LNKTYPE, "link"), (tarfile.CHRTYPE, "device")):
        with tarfile.open(tmp_path / "x.tar", "w") as tar:
            info = tarfile.TarInfo("thing")
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
        with pytest.raises(ArchiveError, match=f"'thing' in it is a {word}"):
            unpack(tmp_path / "x.tar", tmp_path / "out")
    assert sorted(os.listdir(tmp_path)) == ["x.tar", "x.zip"]


@pytest.mark.parametrize("name", ["bomb.zip", "bomb.tar.gz"])
def test_a_bomb_is_refused(tmp_path: Path, name: str) -> None:
    archive = make(tmp_path / name, {f"{i}": bytes(40 << 20) for i in range(3)})  # 120 MiB of zeros in 120 kB
    assert archive.stat().st_size < 1 << 20
    with pytest.raises(ArchiveError, match=r"is refused: .* bytes would become .* over 50 times its size"):
        unpack(archive, tmp_path / "out")
    assert os.listdir(tmp_path) == [name]


def test_a_size_that_the_header_hides_is_not_written(tmp_path: Path) -> None:
    """A zip member whose header promises 10 bytes and whose content is a mebibyte."""
    archive = make(tmp_path / "x.zip", {"a": bytes(1 << 20)})
    content = bytearray(archive.read_bytes())
    at = content.rindex(b"PK\x01\x02") + 24
    content[at : at + 4] = (10).to_bytes(4, "little")
    archive.write_bytes(content)
    with pytest.raises(ArchiveError, match="is damaged"):
        unpack(archive, tmp_path / "out")
    assert os.listdir(tmp_path) == ["x.zip"]


@pytest.mark.parametrize("name", ["x.zip", "x.tar.gz", "x.tar"])
def test_a_truncated_archive_is_named_and_nothing_is_left(tmp_path: Path, name: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, 100_000, dtype=np.uint8).tobytes()
    archive = make(tmp_path / name, {"a": noise, "b": noise})
    archive.write_bytes(archive.read_bytes()[:120_000])
    with pytest.raises(ArchiveError, match=rf"{name} is (damaged or )?cut short.*download it again"):
        unpack(archive, tmp_path / "out")
    assert os.listdir(tmp_path) == [name]


def test_a_login_page_is_named(tmp_path: Path) -> None:
    archive = tmp_path / "x.zip"
    archive.write_bytes(b"<!doctype html><title>Sign in</title>")
    with pytest.raises(ArchiveError, match=r"is a web page, not an archive .*login"):
        unpack(archive, tmp_path / "out")


def test_something_else_is_named(tmp_path: Path) -> None:
    archive = tmp_path / "x.tar"
    archive.write_bytes(b"7z\xbc\xaf" + bytes(600))
    with pytest.raises(ArchiveError, match="not a zip or tar archive; unpack it yourself"):
        unpack(archive, tmp_path / "out")


def test_an_interrupted_unpacking_goes_on(tmp_path: Path) -> None:
    archive = make(tmp_path / "x.zip", FILES | {f"{i}": b"x" for i in range(2000)})

    def stop(files: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        unpack(archive, tmp_path / "out", stop)
    (partial,) = tmp_path.glob(".out-*.unpacking")
    assert not (tmp_path / "out").exists()
    before = (partial / "set/a.txt").stat().st_mtime_ns
    (partial / "set/deep/b.bin").write_bytes(b"half")
    folder = unpack(archive, tmp_path / "out")
    assert content_of(folder).items() >= FILES.items()
    assert (folder / "set/a.txt").stat().st_mtime_ns == before  # not written again


def test_an_unpacked_size_over_the_free_space_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    monkeypatch.setattr(shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(10, 5, 5000))
    with pytest.raises(ArchiveError, match="free space"):
        unpack(make(tmp_path / "x.tar", FILES), tmp_path / "out")
