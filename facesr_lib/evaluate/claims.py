"""A claim and its parts, short ways to write the usual ones, and their reader: each paper's folder has a `claims.toml`."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

# The smallest effect that counts [ours], by a metric's family. 0.1 dB, 0.005 of SSIM and LPIPS and 0.1 of NIQE are what a border,
# a rounding or another library changes: nobody sees them. One grey level is the least that an 8-bit picture can show. 0.01 of a
# cosine is a quarter of what separates two photographs of one person from those of two (0.95, 0.91). FID and KID have a scale for
# each network: theirs is a share, 3 %, of the baseline's distance (of what the part subtracts): another resize moves it as much.
SHARES = ("FID", "FID of LR", "KID", "KID of LR")
SMALLEST = {"PSNR": 0.1, "SSIM": 0.005, "LPIPS": 0.005, "NIQE": 0.1, "colour drift": 1.0, **dict.fromkeys(SHARES, 0.03)}
SMALLEST |= dict.fromkeys(("identity", "identity of LR", "identity to the input"), 0.01)


@dataclass(frozen=True)
class Part:
    """One statement about means: sum(weight * method) - target, counted so that better is more, exceeds `margin`.

    text: the statement in words. metric: a family (see `facesr_lib.metrics.Metric`), so that a named substitute decides
    a claim too, under its own label. role: of the data set (`facesr_lib.data.images.ROLES`).
    data: a word in the data set's name, for a claim about one set, such as "Helen"; empty: about every set of the role.
    margin: in the metric's unit; negative for "not worse by more than". For FID and LPIPS, where lower is better, the sum's sign
    turns, so that a positive effect always speaks for the claim.
    smallest: the effect that counts, in the metric's unit (of SHARES: a share); None: SMALLEST's, or 0 with a margin or target.
    on: the data set that a published `target` is of. counted: not measured, so that neither scale nor seed changes it.
    """

    text: str
    terms: tuple[tuple[str, float], ...]
    metric: str
    role: str = "faces"
    margin: float = 0.0
    target: float = 0.0
    data: str = ""
    smallest: float | None = None
    on: str = ""
    counted: bool = False

    def least(self, means: Sequence[float]) -> float:
        """The smallest effect that counts in the metric's unit, given the means of `terms`."""
        usual = 0.0 if self.margin or self.target else SMALLEST.get(self.metric, 0.0)
        subtracted = [(weight, mean) for (_, weight), mean in zip(self.terms, means, strict=True) if weight < 0]
        scale = sum(w * mean for w, mean in subtracted) / sum(w for w, _ in subtracted) if subtracted else 1.0
        return (usual if self.smallest is None else self.smallest) * (scale if self.metric in SHARES else 1.0)


@dataclass(frozen=True)
class Claim:
    """A paper's claim; it holds if all its parts hold.

    id: unique over all papers. where: section, table or figure of the paper. mark: "paper" where the paper says it, in words or
    by its numbers; "ours" where we add it. reading: how we made it testable (margin, yardstick), where the paper leaves it open.
    rivals: methods in it that nobody can run here; folders of their images decide it (`facesr score --as`).
    requires: what must hold first, where a method that failed would fulfil the claim. data_sets: the paper's own.
    """

    id: str
    text: str
    where: str
    mark: Literal["paper", "ours"]
    parts: tuple[Part, ...]
    reading: str = ""
    rivals: tuple[str, ...] = ()
    requires: tuple[Part, ...] = ()
    data_sets: tuple[str, ...] = ()


def better(winner: str, loser: str, *metrics: str, by: float = 0.0, **fields: Any) -> tuple[Part, ...]:
    """`winner` has the better mean in each metric, by more than `by`. fields: further ones of the Part, here and below."""
    how = f" by more than {by:g}" if by > 0 else f", or worse by less than {-by:g}" if by < 0 else ""
    text = f"{winner} better than {loser}{how}{' on ' + fields['data'] if 'data' in fields else ''}"
    return tuple(Part(text, ((winner, 1.0), (loser, -1.0)), metric, margin=by, **fields) for metric in metrics)


def ordered(*best_first: str, metrics: tuple[str, ...], **fields: Any) -> tuple[Part, ...]:
    """Each method is better than the next one, in each metric."""
    return tuple(part for a, b in pairwise(best_first) for part in better(a, b, *metrics, **fields))


def alike(one: str, other: str, metric: str, *, within: float, **fields: Any) -> tuple[Part, ...]:
    """The means differ by less than `within`, either way."""
    return better(one, other, metric, by=-within, **fields) + better(other, one, metric, by=-within, **fields)


def reaches(method: str, role: str = "faces", on: str = "", **values: float | tuple[float, float]) -> tuple[Part, ...]:
    """The method's mean is as good as a value, or (value, tolerance): not worse by more than the tolerance."""
    found = []
    for metric, given in values.items():
        value, within = given if isinstance(given, tuple) else (given, 0.0)
        how = f", within {within:g}" if within else ""
        found.append(Part(f"{method} reaches {value:g}{how}", ((method, 1.0),), metric, role, -within, value, on=on))
    return tuple(found)


def read_claims(text: str, data_sets: tuple[str, ...] = ()) -> tuple[Claim, ...]:
    """The claims in a TOML text: tables `[[claim]]` with the fields of Claim, `mark` being "paper" unless said, and `rivals`,
    a list of the methods that nobody can run here. data_sets: the paper's own.

    Each of `parts` and `requires` is a table in one of these forms, all with an optional `role`: {better, than, metrics, by},
    {ordered, metrics}, {alike, metric, within}, {reaches = {METRIC = [value, tolerance]}, method, on}, as the functions above;
    or the fields of a Part. Raises ValueError that names the claim for anything else.
    """
    claims = []
    content = tomllib.loads(text)
    for record in content["claim"]:
        try:
            parts = tuple(part for spec in record.pop("parts") for part in _parts(dict(spec)))
            needs = tuple(part for spec in record.pop("requires", ()) for part in _parts(dict(spec)))
            named = {method for part in parts for method, _ in part.terms}
            rivals = tuple(rival for rival in content.get("rivals", ()) if rival in named)
            claims.append(Claim(parts=parts, rivals=rivals, requires=needs, data_sets=data_sets, **{"mark": "paper", **record}))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"claim {record.get('id', len(claims) + 1)!r}: cannot be read ({error})") from error
    return tuple(claims)


def _parts(spec: dict[str, Any]) -> tuple[Part, ...]:
    if "better" in spec:
        return better(spec.pop("better"), spec.pop("than"), *spec.pop("metrics"), **spec)
    if "ordered" in spec:
        return ordered(*spec.pop("ordered"), metrics=spec.pop("metrics"), **spec)
    if "alike" in spec:
        one, other = spec.pop("alike")
        return alike(one, other, spec.pop("metric"), **spec)
    if "reaches" in spec:
        values = {m: tuple(given) if isinstance(given, list) else given for m, given in spec.pop("reaches").items()}
        return reaches(spec.pop("method"), spec.pop("role", "faces"), spec.pop("on", ""), **values, **spec)
    terms: Mapping[str, float] = spec.pop("terms")
    return (Part(terms=tuple((method, float(weight)) for method, weight in terms.items()), **spec),)
