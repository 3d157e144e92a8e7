"""The pictures that need no data set."""

from __future__ import annotations

import math

import pytest
import torch

from facesr_lib.data import astronaut_face, zone_plate


def test_the_portrait_is_a_face_in_colour() -> None:
    from skimage.data import astronaut

    face = astronaut_face(256)
    assert torch.equal((255 * face[0]).round().byte().permute(1, 2, 0), torch.from_numpy(astronaut()[:256, 96:352]))
    assert astronaut_face(64).shape == (1, 3, 64, 64)
    with pytest.raises(ValueError, match="256"):
        astronaut_face(257)


@pytest.mark.parametrize("highest", [0.1, 0.5])
def test_rings_have_the_frequency_that_the_distance_promises(highest: float) -> None:
    size = 512
    plate = zone_plate(size, highest)
    assert plate.shape == (1, 3, size, size)
    assert (plate.amin(), plate.amax()) == (pytest.approx(0, abs=1e-3), pytest.approx(1, abs=1e-3))
    # Along a line through the middle, where the local frequency is f, cos'' = -(2 pi f)^2 cos: the signal's own turning.
    middle = size // 2
    line = plate[0, 0, middle].double() - 0.5
    for share in (0.25, 0.75):
        start = middle + round(share * middle) - 16
        window = line[start : start + 32]
        neighbours = line[start - 1 : start + 31] + line[start + 1 : start + 33]
        cosine = (window @ neighbours) / (2 * window @ window)  # of 2 pi f, exact for a steady wave
        assert math.acos(cosine) / (2 * math.pi) == pytest.approx(share * highest, rel=0.05)


def test_impossible_frequencies_are_refused() -> None:
    for wrong in (0.0, 0.6):
        with pytest.raises(ValueError, match="highest"):
            zone_plate(8, wrong)
