from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facesr_lib.data import ImageSet, open_packed, pack
from facesr_lib.data.images import square


def test_take_gives_planar_floats_of_the_asked_images(make_set):
    images = make_set()
    x = images.take([4, 0, 4])
    assert x.dtype == torch.float32
    assert x.shape == (3, 3, 6, 5)
    assert x.is_contiguous()
    for place, i in enumerate([4, 0, 4]):
        expected = images.pixels[i].astype(np.float32).transpose(2, 0, 1) / np.float32(255)
        np.testing.assert_array_equal(x[place].numpy(), expected)


def test_take_copies(make_set):
    images = make_set()
    before = images.pixels.copy()
    images.take(range(6)).zero_()
    np.testing.assert_array_equal(images.pixels, before)


@pytest.mark.parametrize("indices", [[0, 6], [-1], torch.tensor([7])])
def test_take_refuses_images_that_do_not_exist(make_set, indices):
    with pytest.raises(IndexError, match="images 0 to 5"):
        make_set().take(indices)


@pytest.mark.parametrize("indices", [[True, False, True, False, True, False], [0.0, 1.0], [[0], [1]]])
def test_take_refuses_masks_fractions_and_nested_indices(make_set, indices):
    with pytest.raises(TypeError, match="whole numbers"):
        make_set().take(indices)


def test_checksum_is_the_digest_of_the_pixel_bytes(make_set):
    images = make_set(groups="a" * 130)  # more than one read
    assert images.checksum == hashlib.sha256(images.pixels.tobytes()).hexdigest()
    assert images.subset([3, 1]).checksum == hashlib.sha256(images.pixels[[3, 1]].tobytes()).hexdigest()


@pytest.mark.parametrize("lazy", [False, True])
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])  # make_set has no state
@given(data=st.data())
def test_subset_of_subset_is_the_composition(lazy, data, tmp_path_factory, make_set):
    images = make_set(groups="aabbccddee")
    if lazy:
        images = open_packed(pack(images, tmp_path_factory.mktemp("set") / "set"))
    first = data.draw(st.lists(st.integers(0, 9), min_size=1, max_size=12))
    second = data.draw(st.lists(st.integers(0, len(first) - 1), min_size=1, max_size=12))
    part = images.subset(first).subset(second)
    rows = [first[i] for i in second]
    assert part.groups == tuple(images.groups[i] for i in rows)
    np.testing.assert_array_equal(np.asarray(part.pixels), np.asarray(images.pixels)[rows])
    assert torch.equal(part.take(range(len(part))), images.take(rows))


def test_subset_of_a_memory_map_keeps_the_images_on_disk(make_set, tmp_path):
    images = open_packed(pack(make_set(), tmp_path / "set"))
    part = images.subset([5, 0, 2])
    assert isinstance(part.pixels.source, np.memmap)
    assert part.pixels.shape == (3, 6, 5, 3)
    assert part.size == (6, 5)


@given(st.lists(st.sampled_from("abcde"), min_size=1, max_size=30), st.integers(1, 35))
def test_limit_spreads_over_the_groups(groups, n):
    pixels = np.arange(len(groups), dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    limited = ImageSet("set", pixels, tuple(groups), "").limit(n)
    rows = np.asarray(limited.pixels)[:, 0, 0, 0].tolist()
    assert len(limited) == min(n, len(groups))
    assert rows == sorted(set(rows))
    assert limited.groups == tuple(groups[i] for i in rows)
    # Even: a group has fewer images than another only if it has no more to give.
    kept = {group: limited.groups.count(group) for group in groups}
    assert all(kept[group] >= max(kept.values()) - 1 or kept[group] == groups.count(group) for group in kept)


@pytest.mark.parametrize(
    ("pixels", "groups"),
    [
        (np.zeros((2, 4, 4, 3), np.float32), ("a", "b")),
        (np.zeros((2, 3, 4, 4), np.uint8), ("a", "b")),
        (np.zeros((0, 4, 4, 3), np.uint8), ()),
        (np.zeros((2, 4, 4, 3), np.uint8), ("a",)),
    ],
)
def test_image_set_refuses_what_is_no_image_set(pixels, groups):
    with pytest.raises(ValueError, match="image set 'wrong'"):
        ImageSet("wrong", pixels, groups, "")


def test_square_cuts_the_centre():
    wide = np.random.default_rng(1).integers(0, 256, (2, 8, 13, 3), dtype=np.uint8)
    np.testing.assert_array_equal(square(wide, 8), wide[:, :, 2:10])
    np.testing.assert_array_equal(square(wide.transpose(0, 2, 1, 3), 8), wide.transpose(0, 2, 1, 3)[:, 2:10])


@pytest.mark.parametrize("size", [1, 7, 23, 64, 70])
def test_square_keeps_a_plain_colour_and_hits_every_size(size):
    plain = np.full((1, 70, 90, 3), (10, 200, 77), np.uint8)
    assert (square(plain, size) == np.full((1, size, size, 3), (10, 200, 77))).all()


def test_square_is_matlabs_bicubic(shared):
    with np.load(shared / "oracles" / "bicubic" / "01.npz", allow_pickle=False) as oracle:
        picture, expected = oracle["input"], oracle["down2"]
    eight_bit = np.rint(picture * 255).astype(np.uint8)
    np.testing.assert_allclose(eight_bit / 255, picture, atol=1e-12)  # the oracle's input is an 8-bit picture
    difference = square(eight_bit[None], 56)[0] - np.clip(expected, 0, 1) * 255
    assert np.abs(difference).max() <= 0.5 + 1e-6


def test_the_role_travels_with_every_part_of_a_set() -> None:
    pixels = np.zeros((4, 2, 2, 3), np.uint8)
    images = ImageSet("drawn", pixels, tuple("aabb"), "", role="cartoons")
    assert ImageSet("drawn", pixels, tuple("aabb"), "").role == "faces"
    assert images.subset([1, 2]).role == images.limit(2).role == "cartoons"
    other = images.named("drawn, in the rain", role="real LR faces")
    assert (other.name, other.role, other.groups) == ("drawn, in the rain", "real LR faces", images.groups)
    assert images.named("again").role == "cartoons"
    assert other.sha256 == images.checksum  # the same pixels: not hashed again


@pytest.mark.parametrize(
    ("changes", "message"), [({"role": "dogs"}, "unknown role 'dogs'.*real LR faces"), ({"name": ""}, "name is empty")]
)
def test_a_set_without_name_or_with_an_unknown_role_is_refused(changes: dict[str, str], message: str) -> None:
    facts = {"name": "drawn", "role": "faces", **changes}
    with pytest.raises(ValueError, match=message):
        ImageSet(pixels=np.zeros((1, 2, 2, 3), np.uint8), groups=("a",), credit="", **facts)
