"""Verdicts on simulated runs whose truth is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from facesr_lib.evaluate.claims import Claim, Part, alike, better, ordered, reaches
from facesr_lib.metrics import PSNR, SSIM, Metric
from facesr_tools.judge import Judged, Measured, judge
from facesr_tools.verdicts import verdict_text

Result = dict[str, Any]
OWN = ("d", "e", "helen")  # the paper's data sets
LPIPS = Metric("lpips_hed_vgg", "LPIPS (HED-VGG)", family="LPIPS", higher_is_better=False)
FD = Metric("fd_mobilenetv2", "FD (MobileNetV2)", family="FID", higher_is_better=False)


def score(method: str, values: Any, **changes: Any) -> dict[str, Any]:
    values = np.asarray(values, float).tolist()
    metric = changes.pop("metric", PSNR)
    record = {"method": method, "dataset": "d", "metric": metric.label, "convention": "", "unit": metric.unit}
    record |= {"key": metric.key, "family": metric.family, "higher_is_better": metric.higher_is_better}
    record |= {"n": len(values), "mean": float(np.mean(values)), "values": values, "seed": 0, "replicates": None}
    return {**record, **changes}


def result(*scores: dict[str, Any], groups: list[int] | None = None, role: str = "faces", **changes: Any) -> Result:
    return {
        "notebook": "20_x",
        "profile": "paper",
        "paper": "p",
        "scores": list(scores),
        "data": [{"name": name, "role": role, "groups": groups} for name in ("d", "e")],
        **changes,
    }


def make_claims(*parts: tuple[Part, ...]) -> tuple[Claim, ...]:
    return tuple(Claim(f"p.{n}", "t", "w", "paper", one, data_sets=OWN) for n, one in enumerate(parts))


def verdicts(parts: tuple[Part, ...], *results: Result, **options: Any) -> str:
    (item,) = judge(make_claims(parts), results, resamples=500, **options)
    return item.verdict


RNG = np.random.default_rng(0)
BASE = RNG.normal(25, 3, 60)
NOISE = RNG.normal(0, 0.2, 60)
A_OVER_B = better("A", "B", "PSNR")


@pytest.mark.parametrize(
    ("gain", "verdict"),
    [(1.0, "reproduced"), (-1.0, "not reproduced"), (0.0, "too small to matter"), (0.1, "inconclusive"), (-0.1, "inconclusive")],
)
def test_the_zones_on_the_papers_own_data(gain: float, verdict: str) -> None:
    """0.1 dB counts: an interval over that line decides nothing."""
    assert verdicts(A_OVER_B, result(score("A", BASE + NOISE - NOISE.mean() + gain), score("B", BASE))) == verdict


def at(scale: str, gain: float, seeds: int, *, dataset: str = "d") -> Judged:
    """A over B by `gain`, of this many training seeds whose luck cancels out. Bicubic's score is the same in every run."""
    luck = np.linspace(-0.01, 0.01, seeds) if seeds > 1 else [0.0]
    runs = [
        result(
            score("A", BASE + NOISE - NOISE.mean() + gain + shift, seed=seed, dataset=dataset),
            score("B", BASE, seed=seed, dataset=dataset),
            profile=scale,
            data=[{"name": dataset, "role": "faces", "groups": None, "checksum": "c"}],
        )
        for seed, shift in enumerate(luck)
    ]
    (item,) = judge(make_claims(A_OVER_B), runs, resamples=500)
    return item


@pytest.mark.parametrize("profile", ["quick", "evening", "workshop"])
@pytest.mark.parametrize(
    ("gain", "one", "several"),
    [
        (1.0, "points for", "supported"),
        (-1.0, "points against", "contradicted"),
        (0.1, "undecided", "undecided"),
        (0.0, "too small to matter", "too small to matter"),
    ],
)
def test_below_the_papers_size_a_verdict_names_its_scale_or_its_seeds(gain: float, one: str, several: str, profile: str) -> None:
    assert [verdict_text(at(profile, gain, seeds), profile) for seeds in (1, 2)] == [f"{one} (1 seed)", f"{one} (2 seeds)"]
    for seeds in (3, 5):
        item = at(profile, gain, seeds)
        assert (item.verdict, verdict_text(item, profile)) == (several, f"{several} at this scale")
        assert item.measured[0].seeds == seeds


def test_other_data_than_the_papers_are_another_scale() -> None:
    assert at("paper", 1.0, 1, dataset="helen/test").verdict == "reproduced"
    for elsewhere in ("olivetti/test", "helene/test", "helen/test, hidden degradation /4"):
        assert at("paper", 1.0, 1, dataset=elsewhere).verdict == "points for"
        assert at("paper", -1.0, 3, dataset=elsewhere).verdict == "contradicted"


def test_runs_of_several_seeds_are_pooled() -> None:
    """Five runs hold bicubic five times; its score has no spread, and counts once per seed of the other method."""
    item = at("quick", 1.0, 5)
    (part,) = item.measured
    assert part.effects == pytest.approx((0.99, 0.995, 1.0, 1.005, 1.01))
    assert part.effect == pytest.approx(1.0)
    inside = result(*(score("A", BASE + NOISE - NOISE.mean() + g, seed=i) for i, g in enumerate(part.effects)), score("B", BASE))
    (once,) = judge(make_claims(A_OVER_B), [inside], resamples=500)[0].measured  # as if one notebook had trained all five
    assert (part.low, part.high) == pytest.approx((once.low, once.high))


def test_the_same_seed_of_two_runs_counts_once() -> None:
    runs = [result(score("A", BASE + 1 + NOISE), score("B", BASE), profile="quick")] * 3
    assert at("quick", 1.0, 1).seeds == judge(make_claims(A_OVER_B), runs, resamples=500)[0].seeds == 1


def test_seeds_that_were_scored_on_different_images_are_not_pooled() -> None:
    runs = [result(score("A", BASE + 1 + NOISE, seed=seed), score("B", BASE, seed=seed)) for seed in range(3)]
    runs[1]["data"][0]["groups"] = list(range(60))
    (item,) = judge(make_claims(A_OVER_B), runs, resamples=500)
    assert item.verdict == "inconclusive"
    assert "different images" in item.measured[0].problem


def test_the_smallest_effect_that_counts() -> None:
    run = result(score("A", BASE + 0.5 + NOISE - NOISE.mean()), score("B", BASE))
    for smallest, verdict in ((0.0, "reproduced"), (0.3, "reproduced"), (0.5, "inconclusive"), (0.7, "too small to matter")):
        assert verdicts(better("A", "B", "PSNR", smallest=smallest), run) == verdict
    worse = result(score("A", BASE), score("B", BASE + 0.5 + NOISE - NOISE.mean()))
    assert verdicts(better("A", "B", "PSNR", smallest=0.3), worse) == "not reproduced"
    assert verdicts(better("A", "B", "PSNR", smallest=0.7), worse) == "too small to matter"
    assert judge(make_claims(A_OVER_B), [run])[0].measured[0].smallest == 0.1


def test_an_interval_that_touches_a_line_lies_on_neither_side() -> None:
    """A difference without any spread has an interval of no width: on the line it is no more than the line."""
    exact = np.full(60, 25.0)
    for gain, verdict in ((0.25, "inconclusive"), (0.2500001, "reproduced"), (0.2499999, "too small to matter")):
        run = result(score("A", exact + gain), score("B", exact))
        assert verdicts(better("A", "B", "PSNR", smallest=0.25), run) == verdict
        assert verdicts(better("B", "A", "PSNR", smallest=0.25), run) == verdict.replace("rep", "not rep")


def test_the_smallest_effect_of_a_distance_is_a_share_of_what_is_subtracted() -> None:
    draws = RNG.normal(0, 0.1, 60)

    def fid(method: str, value: float) -> dict[str, Any]:
        return score(method, [value], metric=FD, n=60, replicates=(value + draws + RNG.normal(0, 0.03, 60)).tolist())

    run = result(fid("A", 180), fid("B", 200), fid("C", 199))
    assert judge(make_claims(better("A", "B", "FID")), [run])[0].measured[0].smallest == pytest.approx(6)
    assert verdicts(better("A", "B", "FID"), run) == "reproduced"
    assert verdicts(better("C", "B", "FID"), run) == "too small to matter"
    assert verdicts(better("A", "B", "FID", smallest=0.25), run) == "too small to matter"
    sum_of = Part("x", (("A", 1.0), ("B", -1.0), ("C", -3.0)), "FID")
    assert judge(make_claims((sum_of,)), [run])[0].measured[0].smallest == pytest.approx(0.03 * (200 + 3 * 199) / 4)


def test_a_margin_or_a_target_leaves_nothing_between() -> None:
    """ "More than 3 dB" and "alike within 0.1 dB" draw the line themselves."""
    run = result(score("A", BASE + 2.95 + NOISE - NOISE.mean()), score("B", BASE))
    assert verdicts(better("A", "B", "PSNR", by=2.85), run) == "reproduced"
    assert verdicts(better("A", "B", "PSNR", by=3.05), run) == "not reproduced"
    near = result(score("A", BASE + 0.2 + NOISE - NOISE.mean()), score("B", BASE))
    assert verdicts(alike("A", "B", "PSNR", within=0.3), near) == "reproduced"
    assert verdicts(alike("A", "B", "PSNR", within=0.1), near) == "not reproduced"


def test_one_part_that_is_too_small_is_enough_and_the_other_way_outweighs_it() -> None:
    base = [score(m, BASE + (m != "B") + NOISE * (m != "B")) for m in ("A", "B", "C")]
    ssim = [score(m, BASE + g, metric=SSIM) for m, g in (("A", 0.001), ("B", 0.0), ("C", -0.1))]
    run = result(*base, *ssim)
    assert verdicts(better("A", "B", "PSNR", "SSIM"), run) == "too small to matter"
    assert verdicts(better("C", "B", "PSNR", "SSIM") + better("A", "B", "SSIM"), run) == "not reproduced"


def test_a_published_number_is_comparable_on_its_own_data_only() -> None:
    claim = reaches("A", PSNR=(25.0, 3.0), on="d")
    mine = score("A", BASE)
    assert verdicts(claim, result(mine)) == "reproduced"
    assert verdicts(claim, result(mine, profile="quick")) == "not comparable here"
    assert verdicts(claim, result({**mine, "dataset": "e"})) == "not comparable here"
    (item,) = judge(make_claims(claim), [result(mine, profile="workshop")], resamples=500)
    assert item.measured[0].effect == pytest.approx(BASE.mean() - 25)  # it is shown beside it
    assert (item.p_for, item.p_against, item.decision) == (None, None, "")
    both = result(mine, score("A", BASE - 9, dataset="e"))  # the number says nothing of the other set
    assert verdicts(claim, both) == "reproduced"
    mixed = (*claim, *better("A", "B", "PSNR"))
    there = [mine, score("B", BASE + 5)]
    assert verdicts(mixed, result(*there, profile="quick")) == "points against"  # which no published number could mend
    assert verdicts(better("B", "A", "PSNR") + claim, result(*there, profile="quick")) == "not comparable here"


def test_what_is_counted_is_comparable_at_any_scale_and_with_one_seed() -> None:
    size = Metric("parameters_paper", "parameters", unit="M", higher_is_better=False)
    run = result(score("A", [17.79], metric=size, n=10, replicates=[17.79] * 50), profile="quick")
    part = Part("fewer", (("A", 1.0),), "parameters", target=21.80, counted=True)
    (item,) = judge(make_claims((part,)), [run])
    assert verdict_text(item, "quick") == "reproduced"


def requiring(*results: Result) -> Judged:
    """ "A stays under 28", which requires that A works: no more than 1 dB below bicubic."""
    stays = Part("stays under 28", (("A", -1.0),), "PSNR", target=-28.0)
    claim = Claim("p.0", "t", "w", "paper", (stays,), requires=better("A", "bicubic", "PSNR", by=-1.0), data_sets=OWN)
    (item,) = judge([claim], results, resamples=500)
    return item


@pytest.mark.parametrize(
    ("loss", "verdict"), [(0.0, "reproduced"), (9.0, "not applicable"), (1.0, "inconclusive"), (-6.0, "not reproduced")]
)
def test_a_claim_that_a_failed_method_would_fulfil_needs_it_to_work(loss: float, verdict: str) -> None:
    found = requiring(result(score("A", BASE - loss + NOISE - NOISE.mean()), score("bicubic", BASE)))
    assert found.verdict == verdict
    assert found.required[0].effect == pytest.approx(-loss)


def test_a_requirement_must_hold_wherever_it_was_measured() -> None:
    well = [score("A", BASE + NOISE), score("bicubic", BASE)]
    other = [{**score("A", BASE - loss), "dataset": "e"} for loss in (0, 9)]
    held = result(*well, other[0], score("bicubic", BASE, dataset="e"))
    failed = result(*well, other[1], score("bicubic", BASE, dataset="e"))
    assert (requiring(held).verdict, requiring(failed).verdict) == ("reproduced", "not applicable")


def test_a_requirement_that_was_not_measured_decides_nothing() -> None:
    found = requiring(result(score("A", BASE)))
    assert (found.verdict, found.required) == ("inconclusive", ())
    assert requiring().verdict == "not run"
    assert requiring(result(score("A", BASE), score("bicubic", [*BASE[:-1], math.inf]))).verdict == "inconclusive"


def test_a_claim_rests_on_the_fewest_seeds_of_its_parts() -> None:
    a = [score("A", BASE + 1 + NOISE, seed=seed) for seed in range(5)]
    run = result(*a, score("B", BASE), score("C", BASE + 3 + NOISE), score("D", BASE), profile="quick")
    (item,) = judge(make_claims(A_OVER_B + better("C", "D", "PSNR")), [run], resamples=500)
    assert (item.seeds, item.verdict) == (1, "points for")


def test_lower_is_better_turns_the_sign() -> None:
    run = result(*(score(m, v, metric=LPIPS) for m, v in (("A", BASE - 1 + NOISE), ("B", BASE))))
    (item,) = judge(make_claims(better("A", "B", "LPIPS", by=0.5)), [run], resamples=500)
    (part,) = item.measured
    assert item.verdict == "reproduced"
    assert part.effect == pytest.approx(1 - NOISE.mean())
    assert part.metric == "LPIPS (HED-VGG)"  # the backend that was used, not the claim's family
    assert verdicts(better("A", "B", "LPIPS", by=2.0), run) == "not reproduced"


def test_margins_thresholds_orders_and_equivalence() -> None:
    runs = [result(score("A", BASE + 2 + NOISE), score("B", BASE + 1 - NOISE), score("C", BASE), score("D", BASE + 1 - NOISE))]
    mean = float((BASE + 2 + NOISE).mean())
    held = [
        better("A", "B", "PSNR", by=0.5),
        ordered("A", "B", "C", metrics=("PSNR",)),
        alike("B", "D", "PSNR", within=0.01),
        better("C", "B", "PSNR", by=-2.0),
        reaches("A", PSNR=mean - 2),
        reaches("A", PSNR=(mean + 1, 3.0)),
        (Part("most of it", (("B", 1.0), ("A", -0.25), ("C", -0.75)), "PSNR"),),
    ]
    broken = [
        better("A", "B", "PSNR", by=1.5),
        ordered("A", "C", "B", metrics=("PSNR",)),
        alike("B", "C", "PSNR", within=0.5),
        better("C", "B", "PSNR", by=-0.5),
        reaches("A", PSNR=mean + 2),
        (Part("most of it", (("B", 1.0), ("A", -0.75), ("C", -0.25)), "PSNR"),),
    ]
    assert [verdicts(parts, *runs) for parts in held] == ["reproduced"] * len(held)
    assert [verdicts(parts, *runs) for parts in broken] == ["not reproduced"] * len(broken)


def test_a_claim_holds_only_if_all_its_parts_hold_everywhere() -> None:
    both = better("A", "B", "PSNR", "SSIM")
    good, bad = (score("A", BASE + d + NOISE) for d in (1, -1))
    ssim = [score(m, v, metric=SSIM) for m, v in (("A", BASE + 1 + NOISE), ("B", BASE))]
    assert verdicts(both, result(good, score("B", BASE), *ssim)) == "reproduced"
    assert verdicts(both, result(bad, score("B", BASE), *ssim)) == "not reproduced"
    assert verdicts(both, result(good, score("B", BASE))) == "inconclusive"  # SSIM is missing
    assert verdicts(both, result(bad, score("B", BASE))) == "not reproduced"  # which SSIM could not mend
    two_sets = result(good, score("B", BASE), *(score(m, v, dataset="e") for m, v in (("A", BASE), ("B", BASE + NOISE + 1))))
    assert verdicts(A_OVER_B, two_sets) == "not reproduced"
    same = result(good, score("B", BASE), *(score(m, BASE, convention="Y") for m in "AB"))
    assert verdicts(A_OVER_B, same) == "too small to matter"
    doubt = [score("A", BASE + 9 * (NOISE - NOISE.mean()), convention="Y"), score("B", BASE, convention="Y")]
    assert verdicts(A_OVER_B, result(good, score("B", BASE), *doubt)) == "inconclusive"


def test_a_claim_about_one_data_set_leaves_the_others_alone() -> None:
    scores = [score(m, BASE + gain * (m == "A") + NOISE, dataset=d) for d, gain in (("d", 1), ("helen/test", -1)) for m in "AB"]
    both = result(*scores)
    both["data"].append({"name": "helen/test", "role": "faces", "groups": None})
    assert verdicts(better("A", "B", "PSNR", data="Helen"), both) == "not reproduced"
    assert verdicts(better("B", "A", "PSNR", data="Helen"), both) == "reproduced"
    assert verdicts(better("A", "B", "PSNR", data="CelebA"), both) == "not run"
    assert verdicts(better("B", "A", "PSNR"), both) == "not reproduced"  # on d


def test_the_same_scores_from_two_notebooks_count_once() -> None:
    scores = score("A", BASE + 1 + NOISE), score("B", BASE)
    main, ablation = result(*scores), result(*scores, notebook="21_y")
    (item,) = judge(make_claims(A_OVER_B), [main, ablation], resamples=500)
    assert [m.notebook for m in item.measured] == ["20_x"]
    (item,) = judge(make_claims(A_OVER_B), [main, result(score("A", BASE + 2), scores[1], notebook="21_y")], resamples=500)
    assert [m.notebook for m in item.measured] == ["20_x", "21_y"]


def test_what_was_not_scored_is_not_run() -> None:
    good = (score("A", BASE + 1 + NOISE), score("B", BASE))
    assert verdicts(A_OVER_B) == "not run"
    assert verdicts(A_OVER_B, result(good[0])) == "not run"
    assert verdicts(A_OVER_B, result(*good, role="cartoons")) == "not run"
    assert verdicts(better("A", "B", "PSNR", role="cartoons"), result(*good, role="cartoons")) == "reproduced"
    assert verdicts(better("A", "B", "SSIM"), result(*good)) == "not run"
    elsewhere = result(good[0], score("B", BASE, dataset="e"))  # never compare over two data sets
    assert verdicts(A_OVER_B, elsewhere) == "not run"
    assert verdicts(A_OVER_B, result(good[0]), result(good[1], notebook="21_y")) == "not run"  # nor over two notebooks


def test_a_claim_about_a_rival_needs_its_images() -> None:
    claim = Claim("p.0", "t", "w", "paper", better("A", "Rival", "PSNR", "SSIM"), rivals=("Rival",), data_sets=OWN)
    ours, theirs = score("A", BASE + 1 + NOISE), score("Rival", BASE)
    ssim = [score(method, values, metric=SSIM) for method, values in (("A", BASE + 1 + NOISE), ("Rival", BASE))]

    def verdict(*results: Result, **options: Any) -> str:
        return judge([claim], results, resamples=500, **options)[0].verdict

    assert verdict() == verdict(result(ours)) == verdict(result(ours), judged=False) == "needs their images"
    assert verdict(result(ours, theirs, *ssim)) == "reproduced"
    assert verdict(result(ours, theirs)) == "inconclusive"
    assert verdict(result(ours, theirs), judged=False) == "not judged"


def test_several_sets_of_a_role_of_which_some_have_no_originals() -> None:
    """PSNR is decided where there are originals, FID on every set; one set that speaks against it is enough."""
    left_out = RNG.normal(0, 0.1, 60)
    pairs = [score(m, v, dataset="e") for m, v in (("A", BASE + 1 + NOISE), ("B", BASE))]
    fids = [
        score(m, [v], metric=FD, n=60, dataset=name, replicates=(v + left_out + RNG.normal(0, 0.01, 60)).tolist())
        for name, gain in (("d", 5), ("e", 3))
        for m, v in (("A", 20 - gain), ("B", 20))
    ]
    run = result(*pairs, *fids, role="real LR faces")
    claim = make_claims(better("A", "B", "FID", "PSNR", role="real LR faces"))
    (item,) = judge(claim, [run], resamples=500)
    assert [(m.part.metric, m.dataset) for m in item.measured] == [("FID", "d"), ("FID", "e"), ("PSNR", "e")]
    assert (item.verdict, item.missing) == ("reproduced", ())
    worse = [{**fids[0], "mean": 30.0, "replicates": (30 + left_out).tolist()}, *fids[1:]]
    (item,) = judge(claim, [result(*pairs, *worse, role="real LR faces")], resamples=500)
    assert item.verdict == "not reproduced"


def test_a_smoke_run_is_not_judged() -> None:
    run = result(score("A", BASE + 1), score("B", BASE))
    assert verdicts(A_OVER_B, run, judged=False) == "not judged"
    assert verdicts(better("A", "C", "PSNR"), run, judged=False) == "not run"


def test_people_and_seeds_widen_the_interval() -> None:
    people = [i // 6 for i in range(60)]
    per_person = np.repeat(RNG.normal(0.2, 0.5, 10), 6)
    one = [score("A", BASE + per_person + NOISE), score("B", BASE)]
    (free,), (grouped,) = (judge(make_claims(A_OVER_B), [result(*one, groups=g)])[0].measured for g in (None, people))
    assert (free.people, grouped.people) == (None, 10)
    assert grouped.high - grouped.low > 1.5 * (free.high - free.low)
    seeds = [score("A", BASE + NOISE + shift, seed=seed) for seed, shift in enumerate((-0.5, 0.2, 1.2))]
    (pooled,) = judge(make_claims(A_OVER_B), [result(*seeds, score("B", BASE))])[0].measured
    (single,) = judge(make_claims(A_OVER_B), [result(seeds[1], score("B", BASE))])[0].measured
    assert (pooled.seeds, single.seeds) == (3, 1)
    assert pooled.effect == pytest.approx(0.3 + NOISE.mean())
    assert pooled.low < 0 < single.low


def test_seeds_are_paired_where_both_methods_have_them() -> None:
    luck = (0.0, 5.0, -4.0)
    ours = [score("A", BASE + 1 + NOISE + shift, seed=seed) for seed, shift in enumerate(luck)]
    other = [score("B", BASE + shift, seed=seed) for seed, shift in enumerate(luck[:2])]
    (item,) = judge(make_claims(A_OVER_B), [result(*ours, *other)], resamples=500)
    assert item.verdict == "reproduced"
    assert item.measured[0].seeds == 2
    apart = [score("B", BASE, seed=seed) for seed in (7, 8)]
    (item,) = judge(make_claims(A_OVER_B), [result(*ours, *apart)], resamples=500)
    assert item.verdict == "inconclusive"
    assert "different seeds" in item.measured[0].problem


@pytest.mark.parametrize(
    ("spoil", "words"),
    [(lambda: score("A", [*BASE[:-1], math.inf]), "infinite"), (lambda: score("A", BASE[:-1]), "different numbers")],
)
def test_scores_that_cannot_be_compared_decide_nothing(spoil: Callable[[], dict[str, Any]], words: str) -> None:
    (item,) = judge(make_claims(A_OVER_B), [result(spoil(), score("B", BASE))], resamples=500)
    assert item.verdict == "inconclusive"
    assert words in item.measured[0].problem


def test_people_who_do_not_fit_the_scores_decide_nothing() -> None:
    """Taking the images as independent instead would make an interval that is too short."""
    run = result(score("A", BASE + 1), score("B", BASE), groups=[0, 1])
    (item,) = judge(make_claims(A_OVER_B), [run], resamples=500)
    assert item.verdict == "inconclusive"
    assert "number of images" in item.measured[0].problem


def test_images_that_were_not_recorded_serve_no_claim() -> None:
    run = {**result(score("A", BASE + 1), score("B", BASE)), "data": []}
    assert verdicts(A_OVER_B, run) == "not run"


def test_one_person_decides_nothing() -> None:
    (item,) = judge(make_claims(A_OVER_B), [result(score("A", BASE + 9), score("B", BASE), groups=[0] * 60)], resamples=500)
    assert item.verdict == "inconclusive"
    assert item.measured[0].effect == pytest.approx(9)
    assert "one person" in item.measured[0].problem


def test_set_scores_are_decided_by_their_replicates() -> None:
    """Whoever is left out moves both methods' distances alike: the difference moves less, by (n - 1) / n sum of squares."""

    def fid(method: str, value: float, replicates: Any, seed: int = 0) -> dict[str, Any]:
        return score(method, [value], metric=FD, n=60, replicates=list(replicates), seed=seed)

    def measured(*scores: dict[str, Any]) -> Measured:
        (item,) = judge(make_claims(better("A", "B", "FID")), [result(*scores, groups=[i // 6 for i in range(60)])])
        return item.measured[0]

    people, own = RNG.normal(0, 2, 10), RNG.normal(0, 0.1, 10)
    near, far = fid("A", 10, 12 + people + own), fid("B", 14, 16 + people)  # the fewer the images, the larger the distance
    part = measured(near, far)
    error = math.sqrt(9 / 10 * np.square(own - own.mean()).sum())
    assert part.effect == pytest.approx(4)
    assert (part.low, part.high) == pytest.approx(stats.t.interval(0.95, 9, 4, error))
    assert part.p_for == pytest.approx(stats.t.sf((4 - part.smallest) / error, 9))
    seeds = [fid("A", 10 + luck, 12 + luck + people + own, seed) for seed, luck in enumerate((-0.5, 0.1, 0.4))]
    wider = measured(*seeds, far)
    assert (wider.effect, wider.seeds) == (pytest.approx(4), 3)
    assert part.high - part.low < wider.high - wider.low < 10 * (part.high - part.low)
    for none in ([], people[:9], [*people[:9], math.nan]):
        worthless = measured(near, fid("B", 14, none))
        assert (worthless.p_for, worthless.p_against) == (1, 1)
        assert ("run the notebook again" in worthless.problem) != (len(none) == 10)
        assert ("infinite or undefined" in worthless.problem) == (len(none) == 10)


def test_a_count_that_hangs_on_nobody_decides_at_once() -> None:
    size = Metric("parameters_paper", "parameters", unit="M", higher_is_better=False)
    run = result(score("A", [17.79], metric=size, n=10, replicates=[17.79] * 50), groups=list(range(10)))
    (part,) = judge(make_claims((Part("fewer", (("A", 1.0),), "parameters", target=21.80),)), [run])[0].measured
    assert (part.low, part.effect, part.high) == pytest.approx((4.01, 4.01, 4.01))
    for limit, verdict in ((21.80, "reproduced"), (17.0, "not reproduced")):
        assert verdicts((Part("fewer", (("A", 1.0),), "parameters", target=limit),), run) == verdict


def by_any(winner: str, loser: str) -> tuple[Part, ...]:
    """Better by whatever little."""
    return better(winner, loser, "PSNR", smallest=0.0)


def test_holm_counts_the_decided_claims_only() -> None:
    a_over_b, c_over_b = by_any("A", "B"), by_any("C", "B")
    weak = BASE + NOISE - NOISE.mean() + 2.2 * NOISE.std(ddof=1) / math.sqrt(60)  # t = 2.2, p = 0.016
    run = result(score("A", weak), score("B", BASE), score("C", BASE + NOISE - NOISE.mean()))
    assert verdicts(a_over_b, run) == "reproduced"
    pair = judge(make_claims(a_over_b, c_over_b, better("A", "nobody", "PSNR")), [run])
    assert [item.verdict for item in pair] == ["inconclusive", "inconclusive", "not run"]
    alone = judge(make_claims(a_over_b), [run])[0]
    assert alone.p_for is not None
    assert pair[0].p_for == pytest.approx(2 * alone.p_for)
    assert (pair[2].p_for, pair[2].p_against) == (None, None)
    turned = judge(make_claims(by_any("B", "A"), by_any("B", "C")), [run])
    assert verdicts(by_any("B", "A"), run) == "not reproduced"
    assert [item.verdict for item in turned] == ["inconclusive", "inconclusive"]


def upper(rate: float, trials: int) -> float:
    return float(stats.binom.ppf(0.999, trials, rate)) / trials


@pytest.mark.parametrize("smallest", [0.0, 0.1])
@pytest.mark.parametrize("claims", [1, 5])
def test_effects_on_the_line_are_decided_in_at_most_five_percent(claims: int, smallest: float) -> None:
    """1000 simulated papers whose true effects are the smallest that counts: how often is one of their claims decided wrongly?

    With 0 these are papers without any true effect, of which nothing can be too small.
    """
    rng, trials = np.random.default_rng(1), 1000
    people = [i // 4 for i in range(40)]
    null = make_claims(*(better(f"A{n}", "B", "PSNR", smallest=smallest) for n in range(claims)))
    false = against = small = 0
    for seed in range(trials):
        base = rng.normal(25, 3, 40)
        methods = [score(f"A{n}", base + rng.normal(smallest, 0.1, 10).repeat(4) + rng.normal(0, 0.1, 40)) for n in range(claims)]
        found = judge(null, [result(*methods, score("B", base), groups=people)], resamples=500, seed=seed)
        false += any(item.verdict == "reproduced" for item in found)
        against += any(item.verdict == "not reproduced" for item in found)
        small += any(item.verdict == "too small to matter" for item in found)
    assert false / trials <= upper(0.025, trials) <= 0.05
    assert against / trials <= upper(0.025, trials)
    assert small / trials <= upper(0.025, trials)
    assert (small == 0) == (smallest == 0)


def test_true_effects_are_reproduced_at_the_promised_rate() -> None:
    """Five claims, each with the size that a t-test at Holm's strictest level (0.025 / 5) finds nine times in ten."""
    rng, trials, n, claims = np.random.default_rng(2), 300, 40, 5
    sizes = np.linspace(0, 2, 4001)
    promised = stats.nct.sf(stats.t.isf(0.025 / claims, n - 1), n - 1, sizes * math.sqrt(n))
    effect = sizes[np.searchsorted(promised, 0.9)]
    subject = make_claims(*(by_any(f"A{k}", "B") for k in range(claims)))
    found = 0
    for seed in range(trials):
        base = rng.normal(25, 3, n)
        methods = [score(f"A{k}", base + rng.normal(effect, 1, n)) for k in range(claims)]
        judged = judge(subject, [result(*methods, score("B", base))], resamples=1000, seed=seed)
        found += sum(item.verdict == "reproduced" for item in judged)
    assert found / trials / claims >= float(stats.binom.ppf(0.001, trials * claims, 0.9)) / trials / claims
