"""Test sets whose LR faces are given. How they are prepared and found: tests/prepare/test_prepared_sets.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from facesr_lib.data import ImageSet, TestSet, degrade_set, eval_batches, pack
from facesr_lib.data.test_sets import prepared_test_sets
from facesr_lib.image import Bicubic

Make = Callable[..., ImageSet]


def test_its_batches_are_those_of_the_degradation_that_made_it(make_set: Make) -> None:
    hr = make_set("aabbbc", 8, 8)
    test = TestSet(degrade_set(hr, Bicubic(4), 5), hr)
    for ours, theirs in zip(test.batches(4), eval_batches(hr, Bicubic(4), 4, 5), strict=True):
        assert torch.equal(ours["lr"], theirs["lr"])
        assert torch.equal(ours["hr"], theirs["hr"])
    assert test.images is test.real is hr


def test_without_originals_it_has_others_to_compare_with(make_set: Make) -> None:
    lr, others = make_set("abcdef", 2, 2), make_set("uvwxyz", 8, 8, seed=1)
    test = TestSet(lr, others=others)
    assert test.images is lr
    assert test.real is others
    assert [set(batch) for batch in test.batches(4)] == [{"lr"}, {"lr"}]
    few = test.limit(2)
    assert (len(few.lr), len(few.real)) == (2, 2)
    assert test.limit(None) is test.limit(6) is test


def test_a_part_of_it_keeps_pairs_together(make_set: Make) -> None:
    hr = make_set("aabbbc", 8, 8)
    few = TestSet(degrade_set(hr, Bicubic(4), 0), hr).limit(3)
    assert few.hr is not None
    assert few.hr.groups == ("a", "b", "c")
    assert torch.equal(few.lr.take([0, 1, 2]), Bicubic(4)(few.hr.take([0, 1, 2])))


def test_what_is_no_test_set_is_refused(make_set: Make) -> None:
    with pytest.raises(ValueError, match="give hr, the originals, or others"):
        TestSet(make_set())
    with pytest.raises(ValueError, match="6 LR faces, 5 originals"):
        TestSet(make_set(), make_set("aabbb"))


def test_originals_are_matched_by_file_name_not_by_place(make_set: Make, tmp_path: Path) -> None:
    """The originals lie in another order, and one face (of a picture that could not be read, say) has none."""
    lr = make_set(["imgs_test/FFHQ/2", "imgs_test/FFHQ/10", "imgs_test/FFHQ/x"], 2, 2)
    hr = make_set(["reference/FFHQ/10", "reference/FFHQ/2", "reference/FFHQ/y"], 8, 8)
    pack(lr, tmp_path / "real_lr/ffhq")
    pack(hr, tmp_path / "reference/ffhq")
    found = prepared_test_sets(tmp_path, 2, 8, make_set("uvw", 8, 8))["ffhq"]
    assert found.lr.groups == ("imgs_test/FFHQ/2", "imgs_test/FFHQ/10")
    assert found.hr is not None
    assert torch.equal(found.hr.take([0, 1]), hr.take([1, 0]))
    assert [one.what for one in found.lr.passed_over] == ["x"]
    pack(make_set(["reference/FFHQ/2", "reference/more/2"], 8, 8), tmp_path / "reference/ffhq")
    with pytest.raises(ValueError, match="a file name occurs twice"):
        prepared_test_sets(tmp_path, 2, 8, hr)
    pack(make_set(["reference/FFHQ/a"], 8, 8), tmp_path / "reference/ffhq")
    with pytest.raises(ValueError, match=r"none of its faces has an original of its file name .*there are 2 and a.*rename"):
        prepared_test_sets(tmp_path, 2, 8, hr)
