"""A set that is downloaded from a host on this machine, with everything that hosts do wrong."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import layouts
import numpy as np
import pytest
from layouts import made
from loopback import Host, serving
from PIL import Image

from facesr_lib.data import open_packed
from facesr_tools.download import RemoteFile
from facesr_tools.prepare import ArchiveError, DownloadFailed, PrepareError, described, listing, prepare


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving(Host(b"<!doctype html><title>Quota exceeded</title>")) as host:
        yield host


@pytest.fixture
def served(host: Host, tmp_path: Path) -> Any:
    """CelebA, small, on the host, with its own checksums."""
    folder = made("celeba", tmp_path / "upstream")
    pictures = tmp_path / "zipped"
    shutil.move(folder / "img_align_celeba", pictures / "img_align_celeba")
    layouts.archive(pictures, folder / "img_align_celeba.zip")
    files = []
    for file in described("celeba").files:
        content = host.files[file.name] = (folder / file.name).read_bytes()
        files.append(RemoteFile(file.name, (f"{host.root}/{file.name}",), md5=hashlib.md5(content).hexdigest()))
    return dataclasses.replace(described("celeba"), files=tuple(files))


def test_a_download_with_cut_connections_ends_well(host: Host, served: Any, tmp_path: Path) -> None:
    host.cut = 40_000
    facts = prepare(served, tmp_path / "root", workers=1)
    assert facts["parts"]["train"]["images"] == 12
    assert any(asked and asked.startswith("bytes=40000-") for asked in host.asked)
    asked = len(host.asked)
    (tmp_path / "root/celeba/prepared.json").unlink()
    prepare(served, tmp_path / "root", workers=1)
    assert len(host.asked) == asked  # nothing is downloaded twice
    assert sorted(facts["files"]) == sorted(file.name for file in served.files)


def left_in(root: Path) -> list[str]:
    return sorted(path.name for path in root.rglob("*") if path.is_file() and path.name != ".checked.json")


def test_a_wrong_checksum(host: Host, served: Any, tmp_path: Path) -> None:
    host.files["img_align_celeba.zip"] = host.files["img_align_celeba.zip"][::-1]
    with pytest.raises(DownloadFailed, match=r"img_align_celeba\.zip is not the expected file .*put it into .*sources/celeba"):
        prepare(served, tmp_path / "root", workers=1)
    assert left_in(tmp_path / "root") == []


def test_a_login_page_instead_of_the_archive(host: Host, served: Any, tmp_path: Path) -> None:
    del host.files["img_align_celeba.zip"]
    with pytest.raises(DownloadFailed, match=r"sent a web page instead of img_align_celeba\.zip .*mmlab"):
        prepare(served, tmp_path / "root", workers=1)
    assert left_in(tmp_path / "root") == []


def test_a_truncated_archive_that_was_placed(served: Any, host: Host, tmp_path: Path) -> None:
    place = tmp_path / "root/sources/celeba"
    place.mkdir(parents=True)
    content = host.files["img_align_celeba.zip"]
    (place / "img_align_celeba.zip").write_bytes(content[: len(content) // 2])
    with pytest.raises(PrepareError, match=r"img_align_celeba\.zip is not the published file \(MD5.*delete it"):
        prepare(served, tmp_path / "root", workers=1)
    unknown = dataclasses.replace(served, files=tuple(dataclasses.replace(file, md5="") for file in served.files))
    with pytest.raises(ArchiveError, match="is cut short"):
        prepare(unknown, tmp_path / "root", workers=1)
    assert os.listdir(place) == ["img_align_celeba.zip", ".checked.json"] or sorted(os.listdir(place)) == [
        ".checked.json",
        "img_align_celeba.zip",
    ]


def test_few_pictures_of_a_large_set_are_downloaded_one_by_one(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream = tmp_path / "upstream"
    layouts.ffhq(upstream, "images1024x1024", 64, "image")
    monkeypatch.setattr(listing, "google_drive", lambda identifier: f"{host.root}/{identifier}")
    for path in upstream.rglob("*.png"):
        host.files[f"drive{int(path.stem)}"] = path.read_bytes()
    host.files["list"] = (upstream / "ffhq-dataset-v2.json").read_bytes()
    description = dataclasses.replace(
        described("ffhq-1024"),
        files=(RemoteFile("ffhq-dataset-v2.json", (f"{host.root}/list",)),),
        limits={"train": 5, "val": 1, "test": 2},
        size=64,
    )
    facts = prepare(description, tmp_path / "root", workers=1)
    assert {part: found["images"] for part, found in facts["parts"].items()} == {"train": 5, "val": 1, "test": 2}
    assert len(host.asked) == 1 + 8
    drawn = listing.ffhq_draw([*range(12), *range(60_000, 60_009)])
    for part, count in description.limits.items():
        images = open_packed(tmp_path / f"root/ffhq-1024/{part}.json")
        expected = [number for number, its in drawn if its == part][:count]
        assert list(images.groups) == [f"ffhq-{number:05d}" for number in expected]
        for pixels, number in zip(images.pixels, expected, strict=True):
            path = upstream / f"images1024x1024/{number - number % 1000:05d}/{number:05d}.png"
            np.testing.assert_array_equal(pixels, np.asarray(Image.open(path)))


@pytest.fixture
def lfw(host: Host, tmp_path: Path) -> Any:
    """LFW, small, in one archive on the host, with its own checksum."""
    content = layouts.archive(made("lfw", tmp_path / "upstream"), tmp_path / "lfw-funneled.tgz").read_bytes()
    host.files["5976015"] = content
    file = dataclasses.replace(
        described("lfw").files[0], urls=(f"{host.root}/5976015",), sha256=hashlib.sha256(content).hexdigest()
    )
    return dataclasses.replace(described("lfw"), files=(file,))


def test_lfw_is_downloaded_cut_and_split_by_person(lfw: Any, tmp_path: Path) -> None:
    facts = prepare(lfw, tmp_path / "root", workers=1)
    assert facts["files"] == {"lfw-funneled.tgz": lfw.files[0].sha256}
    owner = {}
    for part in ("train", "val", "test"):
        images = open_packed(tmp_path / f"root/lfw/{part}.json")
        owner |= dict.fromkeys(images.groups, part)
        person = images.groups[0]  # its first picture is the middle of the file, pixel by pixel
        photo = np.asarray(Image.open(tmp_path / f"upstream/lfw_funneled/{person}/{person}_0001.jpg"))
        np.testing.assert_array_equal(images.pixels[0], photo[61:189, 61:189])
    assert len(owner) == layouts.PEOPLE
    for person, part in owner.items():  # as the name says, whoever else is there
        place = int.from_bytes(hashlib.sha256(person.encode()).digest()[:8], "big") / 2**64
        assert part == ("train" if place < 0.75 else "val" if place < 0.825 else "test")


def test_an_archive_of_lfw_that_is_not_the_published_one(lfw: Any, host: Host, tmp_path: Path) -> None:
    host.files["5976015"] += b"more"
    with pytest.raises(DownloadFailed, match=r"lfw-funneled\.tgz is not the expected file \(SHA-256 .*vis-www.*sources/lfw"):
        prepare(lfw, tmp_path / "root", workers=1)
    assert left_in(tmp_path / "root") == []


def test_lfw_without_a_network(lfw: Any, tmp_path: Path) -> None:
    file = dataclasses.replace(lfw.files[0], urls=("http://127.0.0.1:9/5976015",))  # nobody listens there
    with pytest.raises(DownloadFailed, match=r"cannot be reached.*To get it without this command: .*lfw-funneled.*put it into"):
        prepare(dataclasses.replace(lfw, files=(file,)), tmp_path / "root", workers=1)
