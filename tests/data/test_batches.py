from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from facesr_lib.data import ImageSet, PairedBatches, eval_batches, keyed_generator
from facesr_lib.image import add_gaussian_noise, average_pool


def noisy(hr, generator):
    return add_gaussian_noise(average_pool(hr, 2), 0.1, generator)


def numbered(n: int) -> ImageSet:
    """Image i has the value i, but for a bright first column that shows a flip."""
    pixels = np.arange(n, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)
    pixels[:, :, 0] = 255
    return ImageSet("numbered", pixels, tuple(map(str, range(n))), "")


def digest(batch: dict[str, torch.Tensor]) -> str:
    return hashlib.sha256(batch["lr"].numpy().tobytes() + batch["hr"].numpy().tobytes()).hexdigest()


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 40), st.integers(1, 50), st.integers(0, 2**40), st.integers(1, 4))
def test_every_image_once_an_epoch(n, batch_size, seed, epochs):
    batches = PairedBatches(numbered(n), noisy, batch_size, seed)
    steps = -(-n * epochs // batch_size)
    order = [i for step in range(steps) for i in batches.indices(step)]
    for epoch in range(epochs):
        assert sorted(order[epoch * n : (epoch + 1) * n]) == list(range(n))
    assert batches.steps_per_epoch == -(-n // batch_size)
    assert all(len(batches.indices(step)) == batch_size for step in range(steps))


def test_epochs_and_seeds_have_orders_of_their_own():
    first = PairedBatches(numbered(50), noisy, 50, seed=0)
    orders = [first.indices(0), first.indices(1), PairedBatches(numbered(50), noisy, 50, seed=1).indices(0)]
    assert len(set(map(tuple, orders))) == 3
    assert all(order != sorted(order) for order in orders)


def test_hr_holds_the_images_of_the_step_some_of_them_mirrored():
    batches = PairedBatches(numbered(100), noisy, 100, seed=3)
    batch = batches(0)
    assert batch["hr"].shape == (100, 3, 4, 4)
    assert batch["lr"].shape == (100, 3, 2, 2)
    values = (batch["hr"][:, 0, 0, 1] * 255).round().int().tolist()
    assert values == batches.indices(0)
    mirrored = batch["hr"][:, 0, 0, 3] == 1
    assert torch.equal(mirrored, ~(batch["hr"][:, 0, 0, 0] == 1))
    assert 25 <= int(mirrored.sum()) <= 75  # 50 +- 5 standard deviations


def test_lr_is_made_from_the_mirrored_images():
    batch = PairedBatches(numbered(20), lambda hr, generator: average_pool(hr, 2), 20, seed=3)(0)
    assert torch.equal(batch["lr"], average_pool(batch["hr"], 2))


def test_noise_and_flips_are_new_in_every_step():
    same = ImageSet("same", numbered(1).pixels.repeat(4, axis=0), tuple("abcd"), "")
    batches = PairedBatches(same, noisy, 4, seed=0)
    steps = [batches(step) for step in range(12)]
    assert len({tuple(one.flatten().tolist()) for batch in steps for one in batch["lr"]}) == 48
    assert len({tuple(batch["hr"][:, 0, 0, 3].tolist()) for batch in steps}) > 3  # which of the four are mirrored


def test_without_flip_nothing_is_mirrored():
    batches = PairedBatches(numbered(10), noisy, 10, seed=3, flip=False)
    assert (batches(0)["hr"][:, :, :, 0] == 1).all()


def test_a_batch_does_not_depend_on_what_was_asked_before():
    def batches():
        return PairedBatches(numbered(7), noisy, 3, seed=5)

    forward = batches()
    wanted = {step: digest(forward(step)) for step in range(8)}
    assert len(set(wanted.values())) == 8
    backward = batches()
    assert {step: digest(backward(step)) for step in reversed(range(8))} == dict(reversed(wanted.items()))
    torch.manual_seed(1)
    torch.rand(10)
    assert digest(batches()(6)) == wanted[6]


def test_a_batch_leaves_the_global_generators_alone():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    PairedBatches(numbered(7), noisy, 3, seed=5)(2)
    list(eval_batches(numbered(5), noisy, 2, seed=0))
    assert torch.equal(torch.get_rng_state(), before)


PROCESS = """
import hashlib, numpy as np
from facesr_lib.data import ImageSet, PairedBatches
from facesr_lib.image import add_gaussian_noise, average_pool
pixels = np.arange(9, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)
pixels[:, :, 0] = 255
images = ImageSet("numbered", pixels, tuple(map(str, range(9))), "")
batch = PairedBatches(images, lambda hr, g: add_gaussian_noise(average_pool(hr, 2), 0.1, g), 4, seed=11)(123)
print(hashlib.sha256(batch["lr"].numpy().tobytes() + batch["hr"].numpy().tobytes()).hexdigest())
"""


def test_another_process_makes_the_same_batch():
    found = subprocess.run([sys.executable, "-c", PROCESS], capture_output=True, text=True, check=True).stdout.strip()
    assert found == digest(PairedBatches(numbered(9), noisy, 4, seed=11)(123))


def test_keyed_generator_tells_keys_apart():
    keys = [(0,), (1,), (-1,), (0, 0), (0, "0"), (0, "a", "b"), (0, "ab"), (0, "a"), (0, "a", 0), (0, 0, "a"), (2**70,)]
    streams = {tuple(torch.rand(4, generator=keyed_generator(*key)).tolist()) for key in keys}
    assert len(streams) == len(keys)


def test_keyed_generator_is_stable_and_takes_numpy_numbers():
    # SHA-256 of "[7, 'step', 3]", first 8 bytes, halved: fixed for good, since resumed runs and published scores lean on it.
    seed = int(hashlib.sha256(b"[7, 'step', 3]").hexdigest()[:16], 16) // 2
    assert keyed_generator(7, "step", 3).initial_seed() == seed
    assert keyed_generator(np.int64(7), "step", np.int32(3)).initial_seed() == seed


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 12), st.integers(1, 15))
def test_evaluation_does_not_depend_on_the_batch_size(n, batch_size):
    images = numbered(n)
    one_by_one = list(eval_batches(images, noisy, 1, seed=4))
    batches = list(eval_batches(images, noisy, batch_size, seed=4))
    assert [len(batch["hr"]) for batch in batches[:-1]] == [batch_size] * (len(batches) - 1)
    for key in ("lr", "hr"):
        assert torch.equal(torch.cat([b[key] for b in batches]), torch.cat([b[key] for b in one_by_one]))
    assert torch.equal(torch.cat([b["hr"] for b in batches]), images.take(range(n)))


def test_evaluation_noise_differs_between_images_and_seeds():
    same = ImageSet("same", np.full((4, 4, 4, 3), 99, np.uint8), tuple("abcd"), "")
    lr = torch.cat([next(eval_batches(same, noisy, 4, seed=seed))["lr"] for seed in (0, 1)])
    assert len({tuple(one.flatten().tolist()) for one in lr}) == 8


def test_impossible_requests_are_refused():
    with pytest.raises(ValueError, match="batch_size"):
        PairedBatches(numbered(3), noisy, 0, seed=0)
    with pytest.raises(ValueError, match="batch_size"):
        next(eval_batches(numbered(3), noisy, 0, seed=0))
    with pytest.raises(ValueError, match="count from 0"):
        PairedBatches(numbered(3), noisy, 1, seed=0)(-1)
