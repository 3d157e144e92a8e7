from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesr_lib.data import ImageSet, refuse_shared_groups, split_by_group


def people(groups):
    return ImageSet("people", np.zeros((len(groups), 2, 2, 3), np.uint8), tuple(groups), "")


@given(
    st.lists(st.integers(0, 30).map(str), min_size=1, max_size=80),
    st.sampled_from([(0.625, 0.125, 0.25), (0.5, 0.25, 0.25), (0.9, 0.05, 0.05), (0.2, 0.1, 0.1)]),
    st.integers(0, 3),
)
def test_fractions_keep_people_apart_and_near_their_share(groups, fractions, seed):
    total = len(set(groups))
    wanted = dict(zip(("train", "val", "test"), fractions, strict=True))
    if total < 3:
        with pytest.raises(ValueError, match="needs at least 3"):
            split_by_group(people(groups), wanted, seed)
        return
    parts = split_by_group(people(groups), wanted, seed)
    sets = [set(part.groups) for part in parts.values()]
    assert sum(map(len, sets)) == len(set.union(*sets))  # disjoint
    for name, part in parts.items():
        assert sorted(part.groups) == sorted(group for group in groups if group in set(part.groups))  # whole people
        assert abs(len(set(part.groups)) - wanted[name] * total) < 1 or total < 20
    if sum(fractions) == 1:
        assert sum(map(len, sets)) == total


def test_counts_count_people():
    parts = split_by_group(people([str(i // 10) for i in range(400)]), {"train": 25, "val": 5, "test": 10}, seed=0)
    assert {name: (len(part), len(set(part.groups))) for name, part in parts.items()} == {
        "train": (250, 25), "val": (50, 5), "test": (100, 10)
    }  # fmt: skip


def test_split_depends_on_the_seed_and_the_people_only():
    groups = [str(i) for i in range(40)]
    first = split_by_group(people(groups), {"train": 20, "test": 20}, seed=0)["train"]
    shuffled = split_by_group(people(groups[::-1] * 2), {"train": 20, "test": 20}, seed=0)["train"]
    assert set(first.groups) == set(shuffled.groups)
    assert set(first.groups) != set(split_by_group(people(groups), {"train": 20, "test": 20}, seed=1)["train"].groups)


def test_another_person_moves_nobody_else_but_the_last():
    groups = [str(i) for i in range(40)]
    before = set(split_by_group(people(groups), {"train": 20}, seed=0)["train"].groups)
    after = set(split_by_group(people([*groups, "new"]), {"train": 20}, seed=0)["train"].groups)
    assert len(before & after) >= 19


@pytest.mark.parametrize("parts", [{}, {"a": 1, "b": 0.5}, {"a": 0.8, "b": 0.4}, {"a": -1}, {"a": 0.0}, {"a": 4}])
def test_senseless_parts_are_refused(parts):
    with pytest.raises(ValueError, match=r"parts must be|needs at least 4"):
        split_by_group(people("abc"), parts, seed=0)


def test_shared_groups_are_refused_by_name():
    refuse_shared_groups({"train": ["ann", "ann", "bo"], "test": ["cy"]})
    with pytest.raises(ValueError, match="bo: in both train and test"):
        refuse_shared_groups({"train": ["ann", "bo"], "val": [], "test": ["cy", "bo"]})
