from __future__ import annotations

import math
import re
from typing import Any

import pytest

from facesr_tools.report.scores import headline, score_groups


def score(method: str, values: list[float], **changes: Any) -> dict[str, Any]:
    mean = sum(values) / len(values)
    usual = {"dataset": "d", "metric": "PSNR (dB)", "convention": "RGB", "higher_is_better": True}
    return {"method": method, **usual, "n": len(values), "mean": mean, "std": 1.0, "values": values, **changes}


REFERENCE = {"paper": "p", "table": "1", "row": "r", "column": "c", "value": 25.66, "unit": "dB", "conditions": "theirs"}


def test_only_comparable_scores_share_a_table() -> None:
    scores = [score("a", [1.0]), score("a", [2.0], convention="Y"), score("b", [3.0]), score("a", [4.0], dataset="e")]
    groups = score_groups(scores)
    assert [[row.method for row in group.rows] for group in groups] == [["a", "b"], ["a"], ["a"]]


@pytest.mark.parametrize(("higher", "best", "word"), [(True, "GAN", "better"), (False, "bicubic", "worse")])
def test_the_best_and_the_gain_follow_the_direction(higher: bool, best: str, word: str) -> None:
    (group,) = score_groups(
        [score("bicubic", [20.0, 21.0], higher_is_better=higher), score("GAN", [21.0, 22.36], higher_is_better=higher)]
    )
    assert [row.method for row in group.rows if row.best] == [best]
    assert [row.gain for row in group.rows] == ["", f"+1.18, {word}"]


def test_infinite_and_lonely_scores() -> None:
    (group,) = score_groups([score("bicubic", [20.0]), score("HR", [math.inf, math.inf], std=math.nan)])
    assert [(row.mean, row.std, row.gain) for row in group.rows][1] == ("∞", "n/a", "")
    assert group.rows[1].best
    (alone,) = score_groups([score("GAN", [20.0], std=None)])
    assert not alone.rows[0].best
    assert alone.rows[0].std == alone.rows[0].spread == ""


def test_the_drawing_puts_scores_where_they_belong() -> None:
    (group,) = score_groups([score("a", [0.0, 5.0], std=2.0), score("b", [10.0], std=None)])
    first, second = (row.spread for row in group.rows)
    assert [float(x) for x in re.findall(r'class="tick" x1="([\d.]+)"', first)] == [4.0, 85.0]
    assert re.findall(r'cx="([\d.]+)"', first + second) == ["44.5", "166.0"]
    assert re.findall(r'class="std" x="([\d.]+)" y="7.5" width="([\d.]+)"', first) == [("12.1", "64.8")]


def test_the_headline_is_the_comparison_or_the_first_score_that_is_not_bicubics() -> None:
    scores = [score("Bicubic", [20.0]), score("GAN", [21.5]), score("GAN + L1", [23.0])]
    result = {"scores": scores, "published": []}
    plain = headline(result)
    assert plain is not None
    assert (plain.method, plain.baseline, plain.gain, plain.published) == ("GAN", "20.0", "+1.5, better", "")
    comparison = {"method": "GAN + L1", "dataset": "d", "metric": "PSNR (dB)", "reference": REFERENCE, "differs": "all"}
    compared = headline({**result, "published": [comparison]})
    assert compared is not None
    assert (compared.method, compared.published, compared.differs) == ("GAN + L1", "25.66 dB", "all")
    count = {**score("GAN + L1", [3.0]), "metric": "parameters (M)"}
    several = [{**comparison, "method": "Bicubic"}, {**comparison, "metric": "parameters (M)"}, {**comparison, "method": "GAN"}]
    chosen = headline({"scores": [*scores, count], "published": several})
    assert chosen is not None
    assert (chosen.method, chosen.metric) == ("GAN", "PSNR (dB)")  # neither bicubic alone nor a count
    assert headline({"scores": scores[:1], "published": []}) is None
    assert headline({"scores": scores, "published": [{**comparison, "method": "gone"}]}) is None
