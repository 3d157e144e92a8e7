"""The downloader on loopback servers: what test_fetch.py does not have already (mirrors, unknown sizes, web pages, MD5)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback import Host, serving

from facesr_tools.download import DownloadFailed, RemoteFile, download

CONTENT = bytes(range(256)) * 2048  # 512 KiB
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving(Host(CONTENT, "set.zip")) as host:
        yield host


def test_a_cut_connection_is_gone_on_with_in_the_same_call(host: Host, tmp_path: Path) -> None:
    host.cut = 200_000
    steps: list[tuple[int, int | None]] = []
    path = download(RemoteFile("set.zip", (host.url,), md5=MD5), tmp_path, lambda done, total: steps.append((done, total)), 5)
    assert path.read_bytes() == CONTENT
    assert host.asked == [None, "bytes=200000-", "bytes=400000-"]
    assert steps[-1] == (len(CONTENT), len(CONTENT))  # the size was learned from the host


def test_a_host_that_sends_nothing_more_is_given_up(host: Host, tmp_path: Path) -> None:
    host.cut = 0
    with pytest.raises(DownloadFailed, match=r"ended after 0 of 524,288 bytes; run the command again"):
        download(RemoteFile("set.zip", (host.url,)), tmp_path, attempts=5)
    assert len(host.asked) == 1
    assert not (tmp_path / "set.zip").exists()


def test_the_second_mirror_takes_over_where_the_first_stopped(host: Host, tmp_path: Path) -> None:
    host.files["first"] = CONTENT
    host.cut = 300_000
    mirrors = (f"{host.root}/first", host.url)
    assert download(RemoteFile("set.zip", mirrors, md5=MD5), tmp_path).read_bytes() == CONTENT
    assert host.asked == [None, "bytes=300000-"]


def test_a_login_page_is_not_taken_for_an_archive(host: Host, tmp_path: Path) -> None:
    host.content = b"\n<!DOCTYPE html><html><body>Please log in</body></html>"
    with pytest.raises(DownloadFailed, match=r"sent a web page instead of set\.zip \(a login.*save the file as"):
        download(RemoteFile("set.zip", (host.url,)), tmp_path, attempts=3)
    assert os.listdir(tmp_path) == []


def test_a_wrong_checksum_is_named_and_nothing_is_kept(host: Host, tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match=rf"not the expected file \(MD5 {MD5}, not 0000"):
        download(RemoteFile("set.zip", (host.url,), md5="0000"), tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_file_that_is_there_is_checked_but_not_asked_for(host: Host, tmp_path: Path) -> None:
    (tmp_path / "set.zip").write_bytes(CONTENT)
    download(RemoteFile("set.zip", (host.url,), md5=MD5), tmp_path)
    assert host.asked == []
    (tmp_path / "set.zip").write_bytes(CONTENT[1:])
    assert download(RemoteFile("set.zip", (host.url,), md5=MD5), tmp_path).read_bytes() == CONTENT


def test_a_file_without_address(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match=r"set\.zip has no download address"):
        download(RemoteFile("set.zip"), tmp_path)
