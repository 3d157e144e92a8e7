"""Every choice of seeds is judged as if no other seed had been run."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest
from test_results import GAN, NAME, make_run

from facesr_tools.choices import FILE, MOST, Choices, Outcome, every_choice, judge_choices, read_choices, write_choices
from facesr_tools.distil import distil
from facesr_tools.pool import read_seeds

ROOT = Path(__file__).parents[1]


def judged_alone(tmp_path: Path, chosen: tuple[int, ...]) -> dict[str, tuple[str, list[list[float]]]]:
    """By claim: what `facesr results` says of a run that has the chosen seeds only."""
    out = tmp_path / "-".join(map(str, chosen))
    for seed in chosen:
        make_run(out / f"seed-{seed}", seed)
    distil(out, out / "results", "quick")
    claims = json.loads((out / "results" / "claims.json").read_text())
    return {c["id"]: (c["shown"], [[float(m[k]) for k in ("effect", "low", "high")] for m in c["measured"]]) for c in claims}


def test_a_choice_of_seeds_says_what_a_run_of_these_seeds_says(tmp_path: Path) -> None:
    for seed in GAN:
        make_run(tmp_path / "all" / f"seed-{seed}", seed)
    distil(tmp_path / "all", tmp_path / "kept", "quick")
    kept = {one.claim: one for one in read_choices(tmp_path / "kept")}
    assert set(kept["human_gan.effective"].outcomes) == {(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)}
    seen = set()
    for chosen in ((1,), (0, 2), (0, 1, 2)):
        alone = judged_alone(tmp_path, chosen)
        assert set(alone) == set(kept)
        for claim, (shown, measured) in alone.items():
            outcome = kept[claim].outcomes[chosen]
            assert (outcome.shown, [list(values) for _, *values in outcome.measured]) == (shown, measured), claim
        seen.add(tuple(alone["human_gan.effective"][1][0]))
    assert len(seen) == 3


def test_a_seed_that_ran_no_such_notebook_leaves_its_claims_not_run(tmp_path: Path) -> None:
    for seed in (0, 1):
        make_run(tmp_path / f"seed-{seed}", seed)
    make_run(tmp_path / "seed-2", 2, notebook="40_isr_kd", paper="isr_kd")
    judged = {one.claim: one for one in judge_choices(read_seeds(tmp_path, "quick")[0], "quick")}
    one = judged["human_gan.effective"]
    assert one.outcomes[2,].verdict == "not run"
    assert len(one.scored) == 6
    assert one.outcomes[0, 1].measured == one.outcomes[0, 1, 2].measured


def test_words_for_few_seeds_agree_with_those_for_many(tmp_path: Path) -> None:
    words: dict[tuple[int, ...], tuple[str, str]]
    words = {(0,): ("points for", "for"), (1,): ("undecided", "open"), (2,): ("not run", "not run")}
    words[0, 1, 2] = ("supported", "for")
    outcomes = {
        chosen: Outcome(verdict, f"{verdict} <here>", kind, ((0, 1 / 3, -math.inf, math.inf),))
        for chosen, (verdict, kind) in words.items()
    }
    one = Choices("a.b", "a", ({"statement": "x", "people": None},), outcomes)
    assert (one.agreeing(), len(one.scored)) == (2, 3)
    write_choices(tmp_path / FILE, "quick", [one])
    (back,) = read_choices(tmp_path)
    assert (back.claim, back.paper, back.parts) == (one.claim, one.paper, one.parts)
    assert back.whole == Outcome("supported", "supported <here>", "for", ((0, 0.333333, -math.inf, math.inf),))
    assert read_choices(tmp_path / "nowhere") == []


def test_one_seed_leaves_no_choice_and_too_many_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(tmp_path / "seed-0", 0)
    assert distil(tmp_path, tmp_path / "kept", "quick") == []
    assert not (tmp_path / "kept" / FILE).exists()
    for seed in range(1, MOST + 1):
        shutil.copytree(tmp_path / "seed-0", tmp_path / f"seed-{seed}")
        path = tmp_path / f"seed-{seed}" / "quick" / NAME / "result.json"
        path.write_text(path.read_text().replace('"seed": 0', f'"seed": {seed}'))
    (remark,) = distil(tmp_path, tmp_path / "kept", "quick")
    assert remark == f"no {FILE}: it is for at most {MOST} seeds"
    assert len(every_choice(range(4))) == 15


@pytest.mark.parametrize("folder", sorted((ROOT / "results").glob(f"*/{FILE}")), ids=lambda path: path.parent.name)
def test_all_seeds_together_say_what_is_committed(folder: Path) -> None:
    claims = {claim["id"]: claim for claim in json.loads(folder.with_name("claims.json").read_text())}
    every = read_choices(folder.parent)
    assert {one.claim for one in every} == set(claims)
    for one in every:
        claim = claims[one.claim]
        ends = [tuple(float(m[name]) for name in ("effect", "low", "high")) for m in claim["measured"]]
        assert (one.whole.verdict, one.whole.shown) == (claim["verdict"], claim["shown"])
        assert [tuple(values) for _, *values in one.whole.measured] == ends
