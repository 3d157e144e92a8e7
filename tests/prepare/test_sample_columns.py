"""`Samples`: a list of samples, only smaller."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import Iterator

import pytest

from facesr_tools.prepare import PrepareError
from facesr_tools.prepare.description import Sample, Samples

LISTED = [
    Sample("b/1.jpg", "B"),
    Sample("a/é 1.jpg", "A", (-0.1, 2.0, 1e6 / 3, 4.0)),
    Sample("a/\udcff.jpg", "A", None, "no row for it"),  # how Python gives a file name that is not UTF-8
    Sample("", "B", (0.0, 0.0, 0.0, 0.0), ""),
]


def test_samples_are_a_list_of_them() -> None:
    samples = Samples(iter(LISTED))
    assert list(samples) == LISTED
    assert len(samples) == len(LISTED)
    for key in (slice(1, 3), slice(None), slice(3, 99), slice(None, None, -2), slice(-2, None)):
        assert samples[key] == LISTED[key]
    assert [samples[-1], samples[0]] == [LISTED[-1], LISTED[0]]
    with pytest.raises(IndexError):
        samples[len(LISTED)]
    assert samples.people() == ["B", "A", "A", "B"]
    assert json.dumps(list(samples)) == json.dumps(LISTED)  # what decides whether a packing goes on
    assert not Samples()


def test_a_box_is_of_numbers() -> None:
    with pytest.raises(PrepareError, match=r"a\.jpg: its box .*nan.* is not four finite numbers"):
        Samples([Sample("a.jpg", "A", (0.0, float("nan"), 1.0, 1.0))])


def test_samples_take_a_quarter_of_a_list() -> None:
    def made() -> Iterator[Sample]:
        for i in range(2000):
            yield Sample(f"train/n{i // 100:06d}/{i:04d}_01.jpg", f"n{i // 100}", (0.5, i + 0.5, i + 0.5, i + 0.5))

    def memory(kind: type[list[Sample]] | type[Samples]) -> int:
        gc.collect()  # empties Python's store of freed tuples, whose reuse nobody counts
        tracemalloc.start()
        kept = kind(made())
        size = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert len(kept) == 2000
        return size

    assert 4 * memory(Samples) < memory(list)
