"""Test sets: LR faces to super-resolve, with their HR originals where there are any.

The papers' own test sets come as LR files, made by nobody's named degradation. A prepared set (`facesr data prepare`) has them
as `real_lr/NAME.json`, and their originals, if they were published, as `reference/NAME.json`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from facesr_lib.data.faces import load_packed
from facesr_lib.data.images import ImageSet, PassedOver, spread


@dataclass(frozen=True)
class TestSet:
    """LR faces to score on.

    lr: what is super-resolved. hr: their originals, in the same order; None for real LR faces, which have none.
    others: HR faces of other people, which distances between sets (FID) then compare with.
    Raises ValueError if there are neither originals nor others, or not one original per LR face.
    """

    __test__ = False  # it is no test of pytest's
    lr: ImageSet
    hr: ImageSet | None = None
    others: ImageSet | None = None

    def __post_init__(self) -> None:
        if self.hr is None and self.others is None:
            raise ValueError(f"test set {self.lr.name!r}: give hr, the originals, or others, HR faces for distances between sets")
        if self.hr and len(self.hr) != len(self.lr):
            raise ValueError(f"test set {self.lr.name!r}: {len(self.lr)} LR faces, {len(self.hr)} originals; give one each")

    @property
    def images(self) -> ImageSet:
        """The set that scores are recorded of: the originals, else the LR faces."""
        return self.hr or self.lr

    @property
    def real(self) -> ImageSet:
        """The HR faces that distances between sets compare with."""
        return self.hr or self.others  # type: ignore[return-value]  # one of them is there

    def limit(self, n: int | None) -> "TestSet":
        """At most `n` faces (all, if None) spread over the people, and as many others."""
        if n is None or n >= len(self.lr):
            return self
        rows = spread(self.lr.groups, n)
        return TestSet(self.lr.subset(rows), self.hr and self.hr.subset(rows), self.others and self.others.limit(n))

    def batches(self, batch_size: int) -> Iterator[dict[str, Tensor]]:
        """Yield {"lr"} and, if there are originals, {"hr"}, over the whole set in order, as `eval_batches` does."""
        for start in range(0, len(self.lr), batch_size):
            rows = range(start, min(start + batch_size, len(self.lr)))
            yield {"lr": self.lr.take(rows)} | ({"hr": self.hr.take(rows)} if self.hr else {})


def prepared_test_sets(folder: Path, lr_size: int, hr_size: int, others: ImageSet) -> dict[str, TestSet]:
    """The test sets of the prepared set in `folder`, by their part's name ("test", ...), with LR and HR of these sizes.

    others: HR faces of the same release. Sets without originals are compared with as many of them [ours], or with the
    release's own pool (`reference/pool.json`). An original has the file name of its LR face; a face without one is left out.
    Raises ValueError if no name fits, and the errors of `load_packed`.
    """
    pool = folder / "reference/pool.json"
    own = load_packed(pool, hr_size) if pool.is_file() else None
    found = {}
    for path in sorted((folder / "real_lr").glob("*.json")):
        if path.stem != "train":
            lr, hr = load_packed(path, lr_size), folder / "reference" / path.name
            lr = lr.named(lr.name, "real LR faces")
            unpaired = TestSet(lr, None, own or others.limit(len(lr)))
            found[path.stem] = _paired(lr, load_packed(hr, hr_size)) if hr.is_file() else unpaired
    return found


def _paired(lr: ImageSet, hr: ImageSet) -> TestSet:
    """LR faces with the originals that have their file names."""
    names, others = ([group.rpartition("/")[2] for group in images.groups] for images in (lr, hr))
    place = {name: i for i, name in enumerate(others)}
    rows = [i for i, name in enumerate(names) if name in place]
    if not rows or len(place) < len(others) or len(set(names)) < len(names):
        none = "none of its faces has an original of its file name" if not rows else "a file name occurs twice, in it or"
        raise ValueError(f"{lr.name}: {none} in {hr.name} (there are {names[0]} and {others[0]}): rename, prepare the set again")
    passed = tuple(PassedOver(name, "no original has its file name") for name in names if name not in place)
    lr = replace(lr, passed_over=(*lr.passed_over, *passed))
    return TestSet(lr.subset(rows), hr.subset([place[names[i]] for i in rows]).named(lr.name, lr.role))
