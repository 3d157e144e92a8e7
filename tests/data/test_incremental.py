"""Batches over several domains: who is in them, what the masks say, and that (seed, step) decides."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from facesr_lib.data import ImageSet, IncrementalBatches, increment, load_cartoons
from facesr_lib.image import average_pool


def halve(hr, generator):
    return average_pool(hr, 2)


def coded(name: str, n: int, red: int, people: int = 10, size: int = 4) -> ImageSet:
    """Image i of a domain: its red says which domain, its green says i."""
    pixels = np.zeros((n, size, size, 3), np.uint8)
    pixels[..., 0] = red
    pixels[..., 1] = np.arange(n, dtype=np.uint8)[:, None, None]
    return ImageSet(name, pixels, tuple(str(i % people) for i in range(n)), "made by a test")


def who(batch: dict[str, torch.Tensor]) -> list[tuple[int, int]]:
    red, green = (batch["hr"][:, channel, 0, 0].mul(255).round().int().tolist() for channel in (0, 1))
    return list(zip(red, green, strict=True))


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 12), st.integers(0, 12), st.integers(1, 9), st.integers(0, 2**40))
def test_every_image_once_an_epoch_and_the_masks_say_which(cartoons, faces, batch_size, seed):
    old = {"faces": coded("faces", 12, red=10)}
    domains = increment({"cartoons": coded("cartoons", cartoons, red=20)}, old, replay=faces / cartoons)
    batches = IncrementalBatches(domains, halve, batch_size, seed)
    total = cartoons + faces
    assert len(batches) == total
    assert batches.steps_per_epoch == -(-total // batch_size)
    seen = [batches(step) for step in range(2 * total)]  # 2 * batch_size epochs
    drawn = [image for batch in seen for image in who(batch)]
    for epoch in range(2 * batch_size):
        assert len(set(drawn[epoch * total : (epoch + 1) * total])) == total
    for batch in seen:
        assert batch["lr"].shape == (batch_size, 3, 2, 2)
        assert batch["new"].tolist() == [red == 20 for red, _ in who(batch)]
        assert batch["domain"].tolist() == [0 if red == 20 else 1 for red, _ in who(batch)]


def test_replay_is_a_share_of_the_new_images_spread_over_people_and_grows_by_adding():
    faces, cartoons = coded("faces", 40, red=10), coded("cartoons", 20, red=20)
    kept = {}
    for replay in (0.0, 0.5, 1.0, 2.0):
        found = {domain.name: domain for domain in increment({"cartoons": cartoons}, {"faces": faces}, replay)}
        assert len(found["cartoons"].images) == 20
        assert found["cartoons"].new
        assert ("faces" in found) == (replay > 0)
        if replay:
            replayed = found["faces"]
            assert not replayed.new
            assert len(replayed.images) == 20 * replay
            assert len(set(replayed.images.groups)) == 10
            kept[replay] = set(replayed.images.pixels[:, 0, 0, 1].tolist())
    assert kept[0.5] < kept[1.0] < kept[2.0]
    with pytest.raises(ValueError, match=r"asks for 60 images of .faces., which has 40"):
        increment({"cartoons": cartoons}, {"faces": faces}, 3.0)
    with pytest.raises(ValueError, match="new domain"):
        increment({}, {"faces": faces}, 1.0)


def test_a_third_domain_is_a_few_lines():
    faces, cartoons, sketches = coded("faces", 30, 10), coded("cartoons", 30, 20), coded("sketches", 10, 30)
    third = increment({"sketches": sketches}, {"faces": faces, "cartoons": cartoons}, replay=0.5)
    batch = IncrementalBatches(third, halve, batch_size=20, seed=1)(0)  # one epoch
    assert sorted(red for red, _ in who(batch)) == [10] * 5 + [20] * 5 + [30] * 10
    assert batch["new"].tolist() == [red == 30 for red, _ in who(batch)]


def test_a_batch_is_a_function_of_seed_and_step():
    domains = increment({"cartoons": coded("c", 9, 20)}, {"faces": coded("f", 9, 10)}, 0.5)

    def jitter(hr, generator):
        return hr + torch.rand(hr.shape, generator=generator)

    first = IncrementalBatches(domains, halve, 4, seed=3, augment=jitter)
    forward = [first(step) for step in range(6)]
    again = IncrementalBatches(domains, halve, 4, seed=3, augment=jitter)
    state = torch.get_rng_state()
    for step in reversed(range(6)):
        for key, value in again(step).items():
            assert torch.equal(value, forward[step][key]), key
    assert torch.equal(torch.get_rng_state(), state)
    other = IncrementalBatches(domains, halve, 4, seed=4, augment=jitter)
    assert not torch.equal(other(0)["hr"], forward[0]["hr"])
    assert torch.equal(forward[2]["lr"], average_pool(forward[2]["hr"], 2))  # LR is made from the augmented HR


def test_the_key_tells_domains_images_and_parts_apart():
    faces, cartoons = coded("f", 8, 10), coded("c", 8, 20)

    def key(domains):
        return str(IncrementalBatches(domains, halve, 2, seed=0).key)

    both = {key(increment({"a": faces}, {"b": cartoons}, replay)) for replay in (0.0, 0.5, 1.0)}
    assert len(both | {key(increment({"a": faces, "b": cartoons})), key(increment({"b": cartoons}))}) == 5


def test_impossible_requests_are_refused():
    domains = increment({"c": coded("c", 4, 20)})
    with pytest.raises(ValueError, match="batch_size"):
        IncrementalBatches(domains, halve, 0, seed=0)
    with pytest.raises(ValueError, match="count from 0"):
        IncrementalBatches(domains, halve, 1, seed=0)(-1)
    with pytest.raises(ValueError, match="a name of its own"):
        IncrementalBatches(domains + domains, halve, 1, seed=0)
    mixed = increment({"c": coded("c", 4, 20), "f": coded("f", 4, 10, size=6)})
    with pytest.raises(ValueError, match="equally large"):
        IncrementalBatches(mixed, halve, 1, seed=0)


def test_cartoons_come_from_the_data_folder_or_are_drawn(tmp_path):
    from facesr_lib.data import pack

    drawn = load_cartoons("", "val", 16, 3)
    assert len(drawn) == 3
    assert drawn.size == (16, 16)
    assert "DiceBear" in drawn.credit
    assert len(load_cartoons(tmp_path, "val", 16, 3)) == 3  # a folder without cartoons/
    (tmp_path / "cartoons").mkdir()
    own = coded("own", 6, red=77, people=3, size=16)
    for split, people in (("train", "0"), ("test", "1"), ("val", "2")):
        rows = [i for i, group in enumerate(own.groups) if group == people]
        pack(own.subset(rows), tmp_path / "cartoons" / f"{split}.json")
    found = load_cartoons(tmp_path, "val", 16, 10)
    assert set(found.groups) == {"2"}
    assert (found.pixels[..., 0] == 77).all()
