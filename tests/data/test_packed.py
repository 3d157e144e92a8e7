from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesr_lib.data import PackedError, PackedWriter, cache_dir, open_packed, pack
from facesr_lib.data.packed import cached_set


@pytest.fixture
def packed(make_set, tmp_path) -> Path:
    return pack(make_set(), tmp_path / "set.json", source={"made": "here"})


def array_of(manifest: Path) -> Path:
    return manifest.with_name(json.loads(manifest.read_text())["array"])


def edit(manifest: Path, **entries: object) -> None:
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | entries))


@pytest.mark.parametrize("count", [1, 6, 65, 150])
def test_round_trip(make_set, tmp_path, count):
    images = make_set(groups=[f"ä{i % 7}" for i in range(count)])
    manifest = pack(images, tmp_path / "a.b" / "set")
    again = open_packed(manifest, verify=True)
    assert manifest.name == "set.json"
    assert isinstance(again.pixels, np.memmap)
    np.testing.assert_array_equal(again.pixels, images.pixels)
    assert (again.name, again.groups, again.credit, again.checksum) == ("random", images.groups, images.credit, images.checksum)
    assert sorted(p.name for p in manifest.parent.iterdir()) == sorted(["set.json", array_of(manifest).name])


@given(st.lists(st.integers(0, 5), min_size=1, max_size=5).filter(any), st.integers(1, 40), st.integers(1, 40))
def test_streamed_file_is_a_plain_npy(tmp_path_factory, parts, height, width):
    images = np.random.default_rng(0).integers(0, 256, (sum(parts), height, width, 3), dtype=np.uint8)
    start = 0
    with PackedWriter(tmp_path_factory.mktemp("set") / "set", "set", (height, width), "") as writer:
        for n in parts:
            writer.append(images[start : start + n], ["x"] * n)
            start += n
    array = array_of(writer.path)
    np.testing.assert_array_equal(np.load(array, allow_pickle=False), images)
    assert array.stat().st_size == 128 + images.nbytes


def test_packing_a_subset_of_a_memory_map(packed, tmp_path):
    part = open_packed(packed).subset([4, 1])
    again = open_packed(pack(part, tmp_path / "part"), verify=True)
    np.testing.assert_array_equal(again.pixels, np.asarray(part.pixels))
    assert again.groups == part.groups


def test_an_exception_leaves_nothing(tmp_path, make_set):
    def interrupted():
        with PackedWriter(tmp_path / "set", "set", (6, 5), "") as writer:
            writer.append(make_set().pixels, "aabbbc")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_overwrite_leaves_the_old_set(packed, make_set, monkeypatch):
    before = open_packed(packed).checksum
    monkeypatch.setattr("facesr_lib.data.packed.write_atomically", lambda *_: (_ for _ in ()).throw(OSError("power cut")))
    with pytest.raises(OSError, match="power cut"):
        pack(make_set(seed=1), packed)
    assert open_packed(packed, verify=True).checksum == before


def test_overwriting_replaces_both_files(packed, make_set):
    other = make_set(seed=1)
    pack(other, packed)
    assert open_packed(packed, verify=True).checksum == other.checksum
    assert len(list(packed.parent.iterdir())) == 2


def test_overwriting_deletes_no_file_it_did_not_name(packed, make_set):
    precious = packed.with_name("precious.npy")
    precious.write_bytes(b"mine")
    edit(packed, array="precious.npy")
    pack(make_set(seed=1), packed)
    assert precious.read_bytes() == b"mine"


@pytest.mark.parametrize(
    "images", [np.zeros((2, 6, 4, 3), np.uint8), np.zeros((2, 6, 5, 3), np.float32), np.zeros((3, 6, 5, 3), np.uint8)]
)
def test_writer_refuses_images_that_do_not_fit(tmp_path, images):
    with pytest.raises(ValueError, match="takes uint8 images"), PackedWriter(tmp_path / "set", "set", (6, 5), "") as writer:
        writer.append(images, ["a", "b"])


def test_writer_refuses_an_empty_set(tmp_path):
    with pytest.raises(ValueError, match="nothing was added"), PackedWriter(tmp_path / "set", "set", (6, 5), ""):
        pass
    assert list(tmp_path.iterdir()) == []


def test_missing_images(packed):
    array_of(packed).unlink()
    with pytest.raises(PackedError, match=r"set-\w{12}\.npy are missing"):
        open_packed(packed)


def test_missing_manifest(packed):
    packed.unlink()
    with pytest.raises(PackedError, match=r"set\.json is missing, only its images set-\w{12}\.npy"):
        open_packed(packed)


def test_nothing_there(tmp_path):
    with pytest.raises(PackedError, match="no such file"):
        open_packed(tmp_path / "none")


def test_truncated_array(packed):
    array = array_of(packed)
    array.write_bytes(array.read_bytes()[:-1])
    with pytest.raises(PackedError, match="damaged or cut short"):
        open_packed(packed)


@pytest.mark.parametrize("content", [b"", b"not numpy at all"])
def test_array_that_is_no_npy(packed, content):
    array_of(packed).write_bytes(content)
    with pytest.raises(PackedError, match="damaged or cut short"):
        open_packed(packed)


def test_pickled_array_is_not_loaded(packed):
    np.save(array_of(packed), np.array([{"an": "object"}]), allow_pickle=True)
    with pytest.raises(PackedError, match="damaged or cut short"):
        open_packed(packed)


@pytest.mark.parametrize("entries", [{"shape": [6, 5, 6, 3]}, {"groups": ["a"]}])
def test_manifest_and_array_disagree(packed, entries):
    edit(packed, **entries)
    with pytest.raises(PackedError, match="not from the same packing"):
        open_packed(packed)


def test_array_of_another_type(packed):
    np.save(array_of(packed), np.zeros((6, 6, 5, 3), np.int8))
    with pytest.raises(PackedError, match="holds int8"):
        open_packed(packed)


def test_one_flipped_bit_is_found_on_verify(packed):
    array = array_of(packed)
    content = bytearray(array.read_bytes())
    content[-7] ^= 1
    array.write_bytes(content)
    open_packed(packed)
    with pytest.raises(PackedError, match="has changed since it was packed"):
        open_packed(packed, verify=True)


def test_newer_format(packed):
    edit(packed, version=2)
    with pytest.raises(PackedError, match="packed format 2, this facesr reads up to 1: update facesr"):
        open_packed(packed)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": "facesr packed images", "version": 1}'])
def test_manifest_that_is_none(packed, text):
    packed.write_text(text)
    with pytest.raises(PackedError, match=r"set\.json"):
        open_packed(packed)


@pytest.mark.parametrize("name", ["../set.npy", "/etc/passwd", "folder/set.npy"])
def test_manifest_cannot_point_outside_its_folder(packed, name):
    edit(packed, array=name)
    with pytest.raises(PackedError, match=r"wrong entry \(array\)"):
        open_packed(packed)


def test_cached_set_builds_once_and_again_when_damaged(make_set):
    built = []

    def build(path: Path) -> None:
        built.append(path)
        pack(make_set(), path)

    manifest = cached_set("kind", {"a": 1}, build)
    assert cached_set("kind", {"a": 1}, build) == manifest
    assert cached_set("kind", {"a": 2}, build) != manifest
    assert len(built) == 2
    array_of(manifest).unlink()
    with pytest.warns(UserWarning, match="made again"):
        cached_set("kind", {"a": 1}, build)
    open_packed(manifest, verify=True)


def test_cache_that_cannot_be_written_says_what_to_do(make_set, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("FACESR_CACHE", str(tmp_path / "file"))
    with pytest.raises(OSError, match="set FACESR_CACHE"):
        cached_set("kind", {}, lambda path: pack(make_set(), path))


def test_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FACESR_CACHE", "~/own")
    assert cache_dir() == tmp_path / "own"
    monkeypatch.delenv("FACESR_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_dir() == tmp_path / "xdg" / "facesr"
    for other in ("relative", ""):
        monkeypatch.setenv("XDG_CACHE_HOME", other)
        assert cache_dir() == tmp_path / ".cache" / "facesr"
