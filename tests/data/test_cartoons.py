from __future__ import annotations

import multiprocessing
import shutil
import sys
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest

from facesr_lib.data import FREE_STYLES, cartoons, dicebear_cartoons, load_cartoons, refuse_shared_groups


def test_same_seed_same_bytes_from_the_cache_and_without_it(cache, monkeypatch, tmp_path):
    first = dicebear_cartoons(10, 24, seed=3)
    monkeypatch.setenv("FACESR_CACHE", str(tmp_path))
    again = dicebear_cartoons(10, 24, seed=3)
    np.testing.assert_array_equal(first.pixels, again.pixels)
    assert first.checksum == again.checksum
    assert dicebear_cartoons(10, 24, seed=4).checksum != first.checksum


def test_second_call_draws_nothing(monkeypatch):
    first = dicebear_cartoons(6, 24)
    monkeypatch.setattr(cartoons, "_draw", None)
    assert dicebear_cartoons(6, 24).checksum == first.checksum
    with pytest.raises(TypeError):
        dicebear_cartoons(7, 24)


def draw(start, results):
    start.wait()
    results.put(dicebear_cartoons(60, 24, seed=3, style="pixel-art").checksum)


@pytest.mark.skipif(sys.platform != "linux", reason="forks, which elsewhere is missing, or unsafe once torch is loaded")
def test_two_processes_at_once_leave_one_good_set(cache):
    fork = multiprocessing.get_context("fork")
    start, results = fork.Barrier(2), fork.Queue()
    processes = [fork.Process(target=draw, args=(start, results)) for _ in range(2)]
    for process in processes:
        process.start()
    found = {results.get(timeout=60) for _ in processes}
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert len([path for path in cache.rglob("*") if path.is_file()]) == 2
    assert found == {draw_afresh(cache)}


def draw_afresh(cache):
    shutil.rmtree(cache)
    return dicebear_cartoons(60, 24, seed=3, style="pixel-art").checksum


def test_a_damaged_cache_is_drawn_again(cache):
    first = dicebear_cartoons(5, 24)
    before = first.checksum
    array = next(cache.rglob("*.npy"))
    content = bytearray(array.read_bytes())
    content[-1] ^= 1
    array.unlink()  # not in place: `first` still maps the old file
    array.write_bytes(content)
    with pytest.warns(UserWarning, match="made again"):
        again = dicebear_cartoons(5, 24)
    np.testing.assert_array_equal(again.pixels, first.pixels)
    assert again.checksum == before


def test_splits_and_seeds_share_no_avatar():
    parts = {
        f"{split}{seed}": dicebear_cartoons(8, 16, seed, split=split).groups
        for split in ("train", "val", "test")
        for seed in (1, 11)
    }
    refuse_shared_groups(parts)
    assert all(len(set(groups)) == 8 for groups in parts.values())


def test_a_larger_count_begins_with_the_same_avatars():
    np.testing.assert_array_equal(dicebear_cartoons(11, 16).pixels[:7], dicebear_cartoons(7, 16).pixels)


@pytest.mark.parametrize("style", FREE_STYLES)
def test_every_free_style_draws_varied_opaque_colour_faces(style):
    faces = dicebear_cartoons(6, 32, style=style)
    assert faces.size == (32, 32)
    assert len({face.tobytes() for face in faces.pixels}) == 6
    assert faces.pixels.reshape(6, -1).std(axis=1).min() > 10
    assert not (faces.pixels[..., 0] == faces.pixels[..., 2]).all()
    # The top left corner is paper: pastel, thus light, and not the black of forgotten transparency.
    assert (faces.pixels[:, 0, 0].max(axis=1) >= 240).all()
    assert "DiceBear" in faces.credit
    assert "CC0" in faces.credit or "Free for personal and commercial use" in faces.credit


def test_styles_take_turns():
    mixed = dicebear_cartoons(4, 16, style=("lorelei", "avataaars"))
    np.testing.assert_array_equal(mixed.pixels[0], dicebear_cartoons(1, 16, style="lorelei").pixels[0])
    np.testing.assert_array_equal(mixed.pixels[3], dicebear_cartoons(4, 16, style="avataaars").pixels[3])


def test_a_cc_by_style_is_credited():
    assert "CC BY 4.0" in dicebear_cartoons(1, 16, style="adventurer").credit


def test_unknown_styles_and_splits_are_refused():
    with pytest.raises(ValueError, match=r"unknown DiceBear style 'lorelai'.*lorelei"):
        dicebear_cartoons(1, 16, style="lorelai")
    with pytest.raises(ValueError, match="train, val, test"):
        dicebear_cartoons(1, 16, split="all")
    with pytest.raises(ValueError, match="at least 1"):
        dicebear_cartoons(0, 16)


def test_missing_package_names_the_command(monkeypatch):
    def absent(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(cartoons, "version", absent)
    with pytest.raises(ModuleNotFoundError, match="pip install dicebear-core dicebear-styles resvg-py"):
        dicebear_cartoons(1, 16)


def test_cartoons_say_so() -> None:
    assert dicebear_cartoons(2, 32).role == load_cartoons("", "test", 32, 2).role == "cartoons"
