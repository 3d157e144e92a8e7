"""The claims as data: sound, complete enough to be decided, and true to the published numbers they quote."""

from __future__ import annotations

from importlib import import_module
from inspect import signature
from itertools import product

import pytest

from facesr_lib.data.images import ROLES
from facesr_lib.evaluate.claims import SMALLEST, Claim, Part, alike, better, ordered, reaches, read_claims
from facesr_lib.papers import PAPERS, Paper, find_paper
from facesr_tools.judge import judge

LOWER = {"LPIPS", "FID", "FID of LR", "NIQE", "colour drift", "parameters"}
FAMILIES = LOWER | {"PSNR", "SSIM", "identity of LR", "identity to the input"}
CLAIMS = [claim for paper in PAPERS for claim in paper.claims]


def test_every_claim_is_whole() -> None:
    assert len({claim.id for claim in CLAIMS}) == len(CLAIMS)
    for paper in PAPERS:
        assert paper.published()
        for claim in paper.claims:
            assert claim.id.startswith(f"{paper.key}.")
            assert claim.text.endswith(".")
            assert claim.where
            assert claim.mark in ("paper", "ours")
            assert claim.parts
            assert len(set(claim.parts)) == len(claim.parts)
            for part in claim.parts:
                assert part.metric in FAMILIES
                assert part.role in ROLES
                weights = [weight for _, weight in part.terms]
                assert (sum(weights) == pytest.approx(0)) == (part.target == 0)  # a difference, or a mean against a value


def test_the_specified_claims_are_there() -> None:
    assert {paper.key: len(paper.claims) for paper in PAPERS} == {
        "human_gan": 8,
        "selfsr": 24,
        "teacher_student": 18,
        "isr_kd": 17,
    }
    assert sum(claim.mark == "ours" for claim in CLAIMS) == 9


# What the notebooks call a method, and where its published numbers stand.
ROWS = {
    "human_gan": {"GAN": ("section 6.1", "GAN")},
    "selfsr": {
        "SelfSR": ("Table IV", "paired 4: full model"),
        "SelfSR, all parts": ("Table IV", "paired 4: full model"),
        "SelfSR, concatenation": ("Table IV", "paired 1: concatenation"),
        "SelfSR, no growing": ("Table IV", "paired 2: no growing"),
        "SelfSR, no R1": ("Table IV", "paired 3: no R1"),
        "SelfSR (unpaired)": ("Table IV", "unpaired 4: full model"),
        "SelfSR (unpaired), all parts": ("Table IV", "unpaired 4: full model"),
        "SelfSR (unpaired), concatenation": ("Table IV", "unpaired 1: concatenation"),
        "SelfSR (unpaired), no growing": ("Table IV", "unpaired 2: no growing"),
        "SelfSR (unpaired), no R1": ("Table IV", "unpaired 3: no R1"),
        "flow field": ("Table III", "flow field + identity loss"),
        "CycleGAN adaptation": ("Table III", "CycleGAN-style adaptation"),
        "CycleGAN adaptation, identity loss": ("Table III", "CycleGAN-style adaptation + identity loss"),
        "no adaptation": ("Table III", "vanilla"),
    },
    "teacher_student": {
        **{name: ("Table 3", "SNet (ours)") for name in ("SNet", "SNet, all parts")},
        **{name: ("Table 3", "TNet") for name in ("TNet", "TNet, all parts")},
        "SNet, Canny only": ("Table 3", "+ Canny"),
        "SNet, no edges": ("Table 3", "baseline (no edges)"),
        "SNet, no cycle loss": ("Table 3", "without cycle"),
        "TNet, cycle only": ("Table 3", "cycle only"),
        "TNet, bicubic data": ("Table 3", "TNet on bicubic data"),
        "SNet, bicubic data": ("Table 3", "SNet on bicubic data"),
        "bicubic": ("Table 1", "Bicubic"),
        **{rival: ("Table 1", rival) for rival in ("SCGAN", "Real-ESRGAN", "GFPGAN", "LRGAN", "DASR")},
    },
    "isr_kd": {
        "face-only": ("result log", "face-only generator"),
        "replay 2:0": ("result log", "20k + 0"),
        "replay 2:1": ("result log", "20k + 10k"),
        "replay 2:2": ("result log", "20k + 20k"),
        "replay 5:1": ("result log", "50k + 10k"),
        "replay 2:2, extended": ("result log", "20k + 20k, extended"),
    },
}
# Where a part's numbers stand: a part is checked in each of these columns that has all of its rows.
COLUMNS = {
    "selfsr": {"faces": ["{}"], "real LR faces": ["{}"]},
    "teacher_student": {"real LR faces": ["FFHQ {}", "WIDER {}"]},
    "isr_kd": {"faces": ["face {}"], "cartoons": ["cartoon {}"]},
    "human_gan": {"faces": ["test {}"]},
}
SAME = {"Table 2": "Table 1"}  # one table in two parts: teacher_student's test sets with and without references


# Claims whose published effects are, in some part, below the smallest that counts: reproduced to the digit, they are too small.
TOO_SMALL = {
    "teacher_student.edges",
    "teacher_student.edges_psnr",
    "teacher_student.cycle",
    "teacher_student.lpips",
    "isr_kd.more_cartoons_help_faces",
    "isr_kd.extended_everywhere",
}


def published_effect(paper: str, parts: tuple[Part, ...], *, beyond: bool = False) -> list[float]:
    """By how much each part's margin, or the line of what counts, is exceeded in the paper's own tables.

    Parts without published numbers are left out.
    """
    found = []
    for part in parts:
        places = [ROWS[paper].get(method) for method, _ in part.terms]
        for column in COLUMNS[paper].get(part.role, []):
            heading = column.format(part.metric.replace("FID of LR", "FID of translated LR"))
            cells = {(SAME.get(r.table, r.table), r.row): r.value for r in find_paper(paper).published() if r.column == heading}
            if all(place in cells for place in places):
                means = [cells[place] for place in places if place]
                total = sum(weight * mean for (_, weight), mean in zip(part.terms, means, strict=True))
                line = part.margin + (part.least(means) if beyond else 0)
                found.append((-1 if part.metric in LOWER else 1) * (total - part.target) - line)
    return found


def test_the_papers_own_numbers_bear_their_claims_out() -> None:
    """A claim turned the wrong way round, or a margin the paper does not meet itself, would show here."""
    checked, short = 0, set()
    for paper in PAPERS:
        for claim in paper.claims:
            if claim.mark == "paper":
                for excess in published_effect(paper.key, claim.parts):
                    checked += 1
                    assert excess >= 0, claim.id
                if any(excess < -1e-9 for excess in published_effect(paper.key, claim.parts, beyond=True)):
                    short.add(claim.id)
    assert checked > 80
    assert short == TOO_SMALL
    assert {claim.id for claim in CLAIMS if claim.reading.endswith("too small to matter.")} == short


def test_the_papers_own_numbers_meet_what_their_claims_require() -> None:
    checked = 0
    for paper in PAPERS:
        for claim in paper.claims:
            for excess in published_effect(paper.key, claim.requires, beyond=True):
                checked += 1
                assert excess > 0, claim.id
    assert checked >= 10


def test_claims_that_a_failed_method_fulfils_require_that_it_works() -> None:
    named = {claim.id for claim in CLAIMS if claim.requires}
    assert {"human_gan.below_best", "human_gan.colour", "human_gan.plateau"} <= named
    assert {"selfsr.colour", "selfsr.identity", "selfsr.unpaired_psnr"} <= named
    assert {"isr_kd.forgetting", "isr_kd.retains", "isr_kd.no_cost", "isr_kd.recovery"} <= named


def test_a_published_number_names_its_data_set() -> None:
    """Elsewhere it is not comparable; what is counted is comparable everywhere."""
    for paper in PAPERS:
        for claim in paper.claims:
            assert claim.data_sets == paper.data_sets
            for part in claim.parts:
                assert bool(part.target) == bool(part.on or part.counted), claim.id
                assert not part.on or part.on.partition("/")[0] in paper.data_sets
    assert [claim.id for claim in CLAIMS if any(part.counted for part in claim.parts)] == ["selfsr.parameters"]


def test_every_part_has_a_smallest_effect_or_draws_the_line_itself() -> None:
    """`smallest = 0` is for weights that hold the yardstick ("less than a tenth of")."""
    for claim in CLAIMS:
        for part in claim.parts:
            assert part.metric in SMALLEST or part.counted
            assert not ((part.margin or part.target) and part.smallest)
            assert part.smallest != 0 or len(part.terms) > 2, claim.id


def test_dramatically_is_more_than_an_improvement() -> None:
    (claim,) = (claim for claim in CLAIMS if claim.id == "selfsr.adaptation")
    cells = {r.row: r.value for r in find_paper("selfsr").published(table="Table III", column="FID")}
    gains = []
    for part in claim.parts:
        winner = ROWS["selfsr"][part.terms[0][0]][1]
        gains.append(f"{100 * (1 - cells[winner] / cells['vanilla']):.0f}")
        assert part.least([0.0, 400.0]) == 100
    assert "published: {}, {} and {} %".format(*gains) in claim.reading


def test_the_yardstick_of_slightly_worse_fits_the_published_table() -> None:
    (claim,) = (claim for claim in CLAIMS if claim.id == "selfsr.unpaired_perception")
    rows = {"SelfSR": "SelfSR paired", "SelfSR (unpaired)": "SelfSR unpaired", "bicubic": "Bicubic"}
    cells = {(r.row, r.column): r.value for r in find_paper("selfsr").published(table="Table I")}
    assert {part.metric for part in claim.parts} == {"LPIPS", "FID"}
    for part in claim.parts:
        total = {method: cells[rows[method], f"CelebA {part.metric}"] for method, _ in part.terms}
        assert sum(weight * total[method] for method, weight in part.terms) < 0  # both: lower is better
        worse = (total["SelfSR (unpaired)"] - total["SelfSR"]) / (total["bicubic"] - total["SelfSR"])
        assert f"{100 * worse:.1f} % in {part.metric}" in claim.reading


def test_growing_without_pairs_quotes_table_iv() -> None:
    (claim,) = (claim for claim in CLAIMS if claim.id == "selfsr.growing_unpaired")
    cells = {(r.row, r.column): r.value for r in find_paper("selfsr").published(table="Table IV")}

    def worth(setting: str, metric: str) -> float:
        return abs(cells[f"{setting} 4: full model", metric] - cells[f"{setting} 2: no growing", metric])

    for metric, digits in (("SSIM", 4), ("FID", 2), ("PSNR", 2), ("LPIPS", 4)):
        quote = f"{worth('unpaired', metric):.{digits}f} less {worth('paired', metric):.{digits}f}"
        assert quote in claim.reading, metric
        assert (worth("unpaired", metric) > worth("paired", metric)) == (metric in ("SSIM", "FID"))


def test_claims_about_ffhq_belong_to_degraded_lr() -> None:
    """Its bicubic row on FFHQ (20.68 dB) lies about 3 dB under that of faces reduced by bicubic: its test LR is degraded."""
    paper = find_paper("teacher_student")
    assert {part.role for claim in paper.claims for part in claim.parts} == {"real LR faces"}


def test_every_published_rival_is_in_the_claim_that_nobody_has_a_lower_lpips() -> None:
    paper = find_paper("teacher_student")
    (claim,) = (claim for claim in paper.claims if claim.id == "teacher_student.lpips")
    rows = {r.row for r in paper.published(table="Table 1", column="FFHQ LPIPS")} - {"ours"}
    assert methods_of(claim) - {"SNet"} == {row.replace("Bicubic", "bicubic") for row in rows}
    assert len(published_effect("teacher_student", claim.parts)) == len(rows)


def test_thresholds_quote_the_published_numbers() -> None:
    quoted = {"human_gan.psnr", "selfsr.numbers", "selfsr.parameters", "teacher_student.numbers", "isr_kd.numbers"}
    for paper in PAPERS:
        for claim in paper.claims:
            if claim.id in quoted:
                values = {reference.value for reference in paper.published()}
                assert {part.target for part in claim.parts} <= values


def test_without_results_nothing_was_run() -> None:
    for paper in PAPERS:
        for item in judge(paper.claims, []):
            assert item.verdict == ("needs their images" if item.claim.rivals else "not run")
        assert all(item.missing == item.claim.parts for item in judge(paper.claims, []))


def test_rivals_are_rows_of_the_papers_tables_and_none_of_its_methods() -> None:
    """A claim that names one needs its images: these and no others (a rival without a row would never be set beside one)."""
    named = {}
    for paper in PAPERS:
        rows = {reference.row for reference in paper.published()}
        listed = {rival for claim in paper.claims for rival in claim.rivals}
        assert listed <= rows - methods_named(paper)
        named[paper.key] = {claim.id.partition(".")[2] for claim in paper.claims if claim.rivals}
    assert {"dicgan", "real_rivals"} <= named["selfsr"]
    assert {"scgan", "scgan_fid", "niqe"} <= named["teacher_student"]
    assert not named["human_gan"] | named["isr_kd"]


def methods_of(claim: Claim) -> set[str]:
    """The methods that must be scored to decide a claim."""
    return {method for part in (*claim.parts, *claim.requires) for method, _ in part.terms}


def methods_named(paper: Paper) -> set[str]:
    """Every method name that the constants of a paper's names.py make."""
    names = vars(import_module(f"facesr_lib.papers.{paper.key}.names"))
    plain = {value for name, value in names.items() if name.isupper() and isinstance(value, str)}
    make = names.get("ablated")
    if make is None:
        return plain
    places = len(signature(make).parameters)
    return plain | {make(*words) for words in product(plain, repeat=places)}


def test_claims_name_methods_as_the_notebooks_do() -> None:
    for paper in PAPERS:
        named = methods_named(paper) | {"bicubic"}
        for claim in paper.claims:
            assert methods_of(claim) <= named | set(claim.rivals), claim.id


def test_each_form_of_a_part_is_read() -> None:
    text = """
    rivals = ["C", "D"]
    [[claim]]
    id = "p.a"
    text = "A."
    where = "Table 1"
    parts = [
      { better = "A", than = "B", metrics = ["PSNR", "SSIM"], by = 0.5, role = "cartoons" },
      { better = "A", than = "B", metrics = ["FID"], smallest = 0.25 },
      { ordered = ["A", "B", "C"], metrics = ["FID"] },
      { alike = ["A", "B"], metric = "PSNR", within = 0.1 },
      { reaches = { PSNR = [25.66, 0.1], SSIM = 0.7 }, method = "A", on = "celeba" },
      { text = "A above the middle", terms = { A = 1, B = -0.5, C = -0.5 }, metric = "PSNR", margin = 0.2 },
      { text = "A is smaller", terms = { A = 1 }, metric = "parameters", target = 3, counted = true },
    ]
    requires = [{ better = "A", than = "B", metrics = ["PSNR"], by = -1.0 }]
    """
    (claim,) = read_claims(text, ("celeba",))
    assert (claim.id, claim.text, claim.where, claim.mark, claim.reading) == ("p.a", "A.", "Table 1", "paper", "")
    assert claim.rivals == ("C",)
    assert claim.parts == (
        *better("A", "B", "PSNR", "SSIM", by=0.5, role="cartoons"),
        *better("A", "B", "FID", smallest=0.25),
        *ordered("A", "B", "C", metrics=("FID",)),
        *alike("A", "B", "PSNR", within=0.1),
        *reaches("A", on="celeba", PSNR=(25.66, 0.1), SSIM=0.7),
        Part("A above the middle", (("A", 1.0), ("B", -0.5), ("C", -0.5)), "PSNR", margin=0.2),
        Part("A is smaller", (("A", 1.0),), "parameters", target=3, counted=True),
    )
    assert (claim.requires, claim.data_sets) == (better("A", "B", "PSNR", by=-1.0), ("celeba",))


@pytest.mark.parametrize(
    "fault",
    [
        'parts = [{ better = "A", metrics = ["PSNR"] }]',
        'parts = [{ better = "A", than = "B", metrics = ["PSNR"], more = 1 }]',
        'parts = [{ worse = "A" }]',
        'note = "x"\nparts = []',
        "",
    ],
)
def test_a_claim_that_cannot_be_read_is_named(fault: str) -> None:
    with pytest.raises(ValueError, match=r"claim 'p\.a': cannot be read"):
        read_claims(f'[[claim]]\nid = "p.a"\ntext = "A."\nwhere = "w"\n{fault}\n')
