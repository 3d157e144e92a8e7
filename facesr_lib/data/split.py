"""Splits by person: nobody is in both the training and the test images."""

import hashlib
import math
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Literal

from facesr_lib.data.images import ImageSet

Split = Literal["train", "val", "test"]
Parts = Mapping[str, int] | Mapping[str, float]  # of groups: how many each part has, or which fraction


def split_by_group(images: ImageSet, parts: Parts, seed: int) -> dict[str, ImageSet]:
    """Divide a set into named parts that share no group.

    `parts` gives each part's number of groups (ints, e.g. {"train": 25, "test": 10}) or its fraction of the groups
    (floats, e.g. {"train": 0.75, "test": 0.25}). The rest belongs to no part. The numbers count groups, not images: if some
    people have many more pictures, the parts' image counts follow the people. Every part gets at least one group.
    The draw depends on (seed, group ids) only. A new person does not change the order of the others.
    Raises ValueError if there are too few groups, or the numbers are not positive or of mixed types.
    """
    result = {}
    for part, chosen in divide_groups(images.name, set(images.groups), parts, seed).items():
        rows = [i for i, group in enumerate(images.groups) if group in chosen]
        result[part] = images.subset(rows, name=f"{images.name}/{part}")
    return result


def same_person(name: str) -> str:
    """What all spellings of a name share: composed or decomposed accents (NFC, NFD), upper or lower case (Unicode 3.13, D145)."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())


def divide_groups(name: str, groups: Iterable[str], parts: Parts, seed: int) -> dict[str, set[str]]:
    """Which groups each part of `split_by_group` has; `name` is the set's name in messages. Spellings of a name stay together."""
    spelled: dict[str, list[str]] = {}
    for group in sorted(set(groups)):
        spelled.setdefault(same_person(group), []).append(group)
    order = sorted(spelled.values(), key=lambda names: hashlib.sha256(f"{seed}/{names[0]}".encode()).digest())
    chosen, start = {}, 0
    for part, count in _group_counts(name, parts, len(order)).items():
        chosen[part] = set().union(*order[start : start + count])
        start += count
    return chosen


def refuse_shared_groups(parts: Mapping[str, Iterable[str]]) -> None:
    """Raise ValueError, naming them, if a group (person), however spelled, is in two parts: {a part's name: its groups}."""
    owner: dict[str, str] = {}
    shared: dict[str, tuple[str, str]] = {}
    for part, groups in parts.items():
        for group in set(groups):
            first = owner.setdefault(same_person(group), part)
            if first != part:
                shared[group] = (first, part)
    if shared:
        names = sorted(shared)
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        first, second = shared[names[0]]
        raise ValueError(
            f"{', '.join(names[:5])}{more}: in both {first} and {second}. A person may be in one split only, or the scores "
            "on held-out people mean nothing. Move these images to one split, or rename them if they are different people; "
            "the content of a folder that is no person's, one level up."
        )


def _group_counts(name: str, parts: Parts, total: int) -> dict[str, int]:
    values = list(parts.values())
    by_count = all(isinstance(v, int) for v in values)
    if not values or not (by_count or all(isinstance(v, float) for v in values)):
        raise ValueError(f"parts must be all group counts (int) or all fractions (float), got {dict(parts)}")
    if min(values) <= 0 or (not by_count and sum(values) > 1 + 1e-9):
        raise ValueError(f"parts must be positive, and fractions must not add up to more than 1, got {dict(parts)}")
    needed = int(sum(values)) if by_count else len(values)
    if needed > total:
        few = f"{name!r} has {total} different people (groups), but the split {dict(parts)} needs at least {needed}"
        raise ValueError(f"{few}. Put each person's images in a folder of their own, or give ready-made splits.")
    if by_count:
        return {part: int(value) for part, value in parts.items()}

    # Largest remainder, with at least one group each.
    exact = [value * total for value in values]
    counts = [max(1, math.floor(e + 1e-9)) for e in exact]
    target = max(len(values), min(total, round(sum(exact))))
    while sum(counts) < target:
        counts[max(range(len(counts)), key=lambda i: exact[i] - counts[i])] += 1
    while sum(counts) > target:
        counts[max((i for i in range(len(counts)) if counts[i] > 1), key=lambda i: counts[i] - exact[i])] -= 1
    return dict(zip(parts, counts, strict=True))
