from __future__ import annotations

import numpy as np
import pytest
import torch

from facesr_lib.data import (
    HiddenDegradation,
    ImageSet,
    UnpairedBatches,
    degrade_set,
    eval_batches,
    keyed_generator,
    load_real_faces,
)
from facesr_lib.image import Bicubic, to_uint8


@pytest.fixture
def faces() -> ImageSet:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
    return ImageSet("noise", pixels, ("a", "a", "b", "b", "c", "c"), "made up")


def test_each_image_draws_its_own_and_the_generator_decides_all() -> None:
    hr = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)).expand(2, -1, -1, -1)
    hidden = HiddenDegradation(4)
    once, again = (hidden(hr, keyed_generator(3, "x")) for _ in range(2))
    assert torch.equal(once, again)
    assert once.shape == (2, 3, 8, 8)
    assert not torch.equal(once[0], once[1])
    assert not torch.equal(once, hidden(hr, keyed_generator(4, "x")))
    assert torch.equal(once, to_uint8(once) / 255)
    with pytest.raises(ValueError, match="generator"):
        hidden(hr)


def test_a_degraded_set_holds_the_images_that_evaluation_sees(faces: ImageSet) -> None:
    hidden = HiddenDegradation(4)
    lr = degrade_set(faces, hidden, 5)
    seen = torch.cat([batch["lr"] for batch in eval_batches(faces, hidden, 4, 5)])
    assert torch.equal(lr.take(range(6)), seen)
    assert lr.groups == faces.groups
    assert hidden.name in lr.name


def test_real_faces_share_no_person_between_its_parts() -> None:
    real_faces = load_real_faces("", 32, 4)
    people = [set(part.groups) for part in (real_faces.hr, real_faces.real_lr, real_faces.val, real_faces.test)]
    assert sum(map(len, people)) == len(set.union(*people)) == 40
    assert real_faces.real_lr.size == (8, 8)
    assert real_faces.test.size == (32, 32)
    assert len({part.name for part in (real_faces.hr, real_faces.real_lr, real_faces.val, real_faces.test)}) == 4


def test_unpaired_batches_depend_on_seed_and_step_only(faces: ImageSet) -> None:
    lr = degrade_set(faces, HiddenDegradation(4))
    batches = UnpairedBatches(faces, lr, Bicubic(4), 4, seed=1)
    a, _, c = batches(3), batches(9), batches(3)
    assert all(torch.equal(a[name], c[name]) for name in ("hr", "lr", "real_lr"))
    assert a["real_lr"].shape == a["lr"].shape == (4, 3, 8, 8)
    known = {tuple(image.flatten().tolist()) for image in lr.take(range(6))}
    known |= {tuple(image.flip(-1).flatten().tolist()) for image in lr.take(range(6))}
    assert all(tuple(image.flatten().tolist()) in known for image in a["real_lr"])


def test_unpaired_batches_refuse_lr_of_another_size(faces: ImageSet) -> None:
    with pytest.raises(ValueError, match="so that they agree"):
        UnpairedBatches(faces, degrade_set(faces, HiddenDegradation(4)), Bicubic(2), 4, seed=1)


def test_real_lr_faces_say_so(faces: ImageSet) -> None:
    assert degrade_set(faces, HiddenDegradation(4), 1).role == "real LR faces"
    real_faces = load_real_faces("", 32, 4)
    assert real_faces.test.role == real_faces.real_lr.role == "real LR faces"
    assert real_faces.hr.role == "faces"
