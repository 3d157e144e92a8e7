"""Checks for 05_data."""

from collections.abc import Callable, Collection, Sequence

import numpy as np
import torch
from torch import Tensor

from facesr_lib.data.boxes import Points, landmark_box
from facesr_lib.exercises.feedback import check, expect_numbers, expect_positions


@check("Two lengths, so that neither a turned head nor an open mouth makes the box too small.")
def check_face_box(answer: Callable[[Points], Sequence[float]]) -> None:
    """`answer(points)`: five landmarks (5, 2), x and y -> (left, top, right, bottom) as `landmark_box(points, "five")`."""
    rng = np.random.default_rng(0)
    face = np.array([[70.0, 110], [108, 110], [89, 133], [73, 152], [105, 152]])
    wide, tall = face * (1.4, 1.0), face * (1.0, 1.4)
    for points in (face, wide, tall, face + rng.normal(0, 3, face.shape)):
        hint = "Left, top, right, bottom of a square of side 1.46 l around e + 0.63 (m - e); l is the larger of the two lengths."
        expect_numbers(answer(points), landmark_box(points, "five"), hint)


@check("Right. Shares of people and of images differ a little now; that is the price, and it is small.")
def check_split(answer: Callable[[Sequence[str], float, int], Collection[int]]) -> None:
    """`answer(groups, share, seed)`: the person of every image -> positions of the test images: `share` of the people, whole."""
    groups = [f"p{number % (20 if number < 60 else 10):02d}" for number in range(90)]  # of three or six images each
    draws = set()
    for share, seed in ((0.25, 0), (0.25, 1), (0.25, 2), (0.1, 0), (0.5, 3)):
        chosen = expect_positions(answer(groups, share, seed), "Was a person drawn twice?")
        assert chosen <= set(range(90)), "Return positions in `groups`, from 0 on."
        test, train = {groups[i] for i in chosen}, {groups[i] for i in range(90) if i not in chosen}
        leaked = sorted(test & train)
        assert not leaked, f"{leaked[0]} is on both sides. Draw people first, then take all their images."
        hint = "Draw people, each once, not images."
        assert len(test) == share * 20, f"{len(test)} people are test people, expected {share:.0%} of 20. {hint}"
        assert expect_positions(answer(groups, share, seed)) == chosen, "The same seed must give the same split: seed what draws."
        draws |= {frozenset(chosen)} if share == 0.25 else set()
    assert len(draws) > 1, "Another seed should give another split."


@check("Such a check is worth its minutes on any set whose pictures were collected from the web.")
def check_near_duplicates(answer: Callable[[Tensor, Tensor], Collection[int]]) -> None:
    """`answer(train, test)`: images (n, 3, H, W) and (m, 3, H, W) -> positions of the test images within 30 dB of one."""
    train, test = (torch.rand(n, 3, 12, 12) for n in (7, 9))
    noise = torch.randn(3, 12, 12)
    for position, twin, error in ((2, 5, 0.0), (6, 0, 0.028), (8, 6, 0.036)):  # infinite, 31 and 29 dB
        test[position] = train[twin] + error * noise / noise.square().mean().sqrt()
    found = expect_positions(answer(train, test))
    assert 2 in found, "Test image 2 is in the training images, pixel for pixel."
    assert 6 in found, "Test image 6 is a training image with a little noise (31 dB): its mean squared error is below 0.001."
    assert 8 not in found, "Test image 8 is only 29 dB from its nearest training image."
    assert found == {2, 6}, f"{sorted(found - {2, 6})} are strangers to the training images."
