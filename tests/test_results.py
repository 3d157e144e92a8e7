"""Several seeds taken together, what of them is committed, and what documents quote of that."""

from __future__ import annotations

import csv
import json
import lzma
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bs4 import BeautifulSoup
from typer.testing import CliRunner

from facesr_lib.data import ImageSet
from facesr_lib.evaluate import Run
from facesr_lib.metrics import PSNR, SSIM
from facesr_tools.cli.main import app
from facesr_tools.distil import distil
from facesr_tools.kept import beside_kept
from facesr_tools.pool import VARIES, pool, pooled_report, read_seeds
from facesr_tools.quote import documents, largest, quoted
from facesr_tools.report.result import BrokenResult, load_result
from facesr_tools.seed_files import ROWS, read_seed_files, read_training, rounded
from facesr_tools.seeds import parse_seeds, seed_folders, seeds_text

ROOT = Path(__file__).parents[1]
NAME = "10_human_face_gan"
FACES = ImageSet("faces/test", np.zeros((6, 8, 8, 3), np.uint8), ("a", "a", "b", "b", "c", "c"), "drawn here")
GAN = {0: 21.11, 1: 22.53, 2: 24.04}  # mean PSNR of the GAN by seed; that of bicubic is 20
MEAN, SPREAD = np.mean(list(GAN.values())), np.std(list(GAN.values()), ddof=1)
SHOWN = f"| GAN | {MEAN:.2f} ± {SPREAD:.2f} | 3 |"
CONTRACT = "notebook dataset method metric label convention family unit higher_is_better n people seed mean"


def rows(seed: int) -> list[dict[str, Any]]:
    found = [{"method": "bicubic", "PSNR (dB)": 20.0, "people": 3}, {"method": "GAN", "PSNR (dB)": GAN[seed], "people": 3}]
    return found if seed != 1 else found[::-1]  # sorted by something that differs between seeds


def make_run(out: Path, seed: int, code: str = "code", notebook: str = NAME, paper: str | None = "human_gan") -> Path:
    """A finished run as `facesr run` leaves it, without its pictures' content."""
    run = Run.start(notebook, title="GAN", paper=paper, profile="quick", seed=seed, device="cpu", output_dir=str(out))
    spread = np.linspace(-0.5, 0.5, len(FACES))
    run.score("bicubic", FACES, PSNR, 20.0 + 0 * spread)
    run.score("GAN", FACES, PSNR, GAN[seed] + spread)
    run.score("GAN", FACES, SSIM, 1 / 3 + 0 * spread)
    run.table("results", rows(seed), "What came out.")
    run.table("words", [{"method": "GAN", "layers": 12, "said": f"in seed {seed}", "same": "x", "always": math.inf}], "Words")
    run.table("chosen", [{"amount": f"unsharp {seed}", "PSNR (dB)": 20.0 + seed}], "Chosen by seed")
    run.config({"width": 8})
    run.note("The same in all.")
    run.note(f"Only in seed {seed}.")
    run.finish()
    (run.folder / "figures" / "f.png").write_bytes(b"a person's face")
    marker = {"code": code, "finished": 100.0 + (code != "old"), "seconds": 10.0 + seed, "peak_memory": 2**30, "device": "cpu"}
    (run.folder / "done.json").write_text(json.dumps({**marker, "data_root": ""}))
    return run.folder


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    for seed in GAN:
        make_run(tmp_path / f"seed-{seed}", seed)
    make_run(tmp_path / "seed-0", 0, notebook="05_data", paper=None)
    return tmp_path


def read(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def test_seeds_are_numbers_and_ranges_both_ways() -> None:
    for text, numbers in {"0-4": [0, 1, 2, 3, 4], "0,3,7": [0, 3, 7], "1-2,5": [1, 2, 5], "": []}.items():
        assert (parse_seeds(text), seeds_text(numbers)) == (numbers, text)
    for wrong in ("a", "3-1", "1-", ","):
        with pytest.raises(ValueError, match="--seeds"):
            parse_seeds(wrong)


# -- pooling --------------------------------------------------------------------------------------------------------------------


def test_a_pooled_result_follows_the_schema_and_has_the_scores_of_every_seed(seeds: Path) -> None:
    assert pool(seeds, "quick") == []
    folder = seeds / "pooled" / "quick" / NAME
    result = load_result(folder / "result.json")
    found = {(score["method"], score["key"], score["seed"]): score["mean"] for score in result["scores"]}
    assert len(found) == 9
    assert all(found["GAN", PSNR.key, seed] == pytest.approx(mean) for seed, mean in GAN.items())
    assert (result["seed"], result["notes"][1:]) == (0, ["The same in all.", "(seed 0) Only in seed 0."])
    assert (folder / "figures" / "f.png").read_bytes() == (seeds / "seed-0" / "quick" / NAME / "figures" / "f.png").read_bytes()
    origin = json.loads((folder / "provenance.json").read_text())
    assert origin["seeds"] == {"run": "0-2"}
    lesson = load_result(seeds / "pooled" / "quick" / "05_data" / "result.json")
    assert lesson == load_result(seeds / "seed-0" / "quick" / "05_data" / "result.json")


def test_pooled_tables_have_a_mean_and_its_spread_where_seeds_differ(seeds: Path) -> None:
    pool(seeds, "quick")
    folder = seeds / "pooled" / "quick" / NAME / "tables"
    bicubic, gan = read(folder / "results.csv")
    assert list(gan) == ["method", "PSNR (dB)", "PSNR (dB) sd", "people"]
    assert (bicubic["PSNR (dB)"], bicubic["PSNR (dB) sd"]) == ("20.0", "")
    assert float(gan["PSNR (dB)"]) == pytest.approx(MEAN)
    assert float(gan["PSNR (dB) sd"]) == pytest.approx(SPREAD)
    text = (folder / "results.md").read_text()
    assert SHOWN in text
    assert "| bicubic | 20.00 | 3 |" in text
    assert "What came out. Mean ± standard deviation over 3 training seeds (0-2)" in text
    (words,) = read(folder / "words.csv")
    assert words == {"method": "GAN", "layers": "12", "said": VARIES, "same": "x", "always": "inf"}
    assert "Chosen by seed. Seed 0 alone: the rows differ by seed" in (folder / "chosen.md").read_text()


def test_the_pooled_report_judges_all_seeds_together(seeds: Path) -> None:
    pooled_report(seeds, "quick")
    folder = seeds / "pooled" / "quick"
    papers = json.loads((folder / "claims.json").read_text())["papers"]
    (claim,) = [claim for claim in papers[0]["claims"] if claim["id"] == "human_gan.effective"]
    (measured,) = claim["measured"]
    assert (measured["metric"], measured["seeds"], measured["people"]) == (PSNR.label, 3, 3)
    assert measured["effect"] == pytest.approx(MEAN - 20)
    assert "Pooled over the training seeds 0-2" in (folder / "report.html").read_text()


def test_what_does_not_belong_together_is_left_out_and_named(seeds: Path) -> None:
    make_run(seeds / "seed-1", 1, code="old")
    (seeds / "seed-2" / "quick" / NAME / "result.json").write_text("{")
    found, remarks = read_seeds(seeds, "quick")
    assert [one.seed for one in found[NAME]] == [0]
    assert sorted(remark.split(":")[0] for remark in remarks) == [NAME, "left out"]
    assert any("seed 1 left out" in remark for remark in remarks)
    pool(seeds, "quick")
    (seeds / "seed-0" / "quick" / "05_data" / "result.json").unlink()
    (seeds / "pooled" / "quick" / "mine").mkdir()
    pool(seeds, "quick")
    assert sorted(path.name for path in (seeds / "pooled" / "quick").iterdir()) == [NAME, "mine"]


def test_folders_of_seeds_are_found_by_number_and_profile(tmp_path: Path) -> None:
    for name in ("seed-10/quick", "seed-2/quick", "seed-3/smoke", "seed-x/quick", "pooled/quick"):
        (tmp_path / name).mkdir(parents=True)
    assert list(seed_folders(tmp_path, "quick").items()) == [(2, tmp_path / "seed-2"), (10, tmp_path / "seed-10")]


def test_report_pools_anew_and_prints_the_page(seeds: Path) -> None:
    answer = CliRunner().invoke(app, ["report", "--out", str(seeds)])
    assert answer.exit_code == 0, answer.output
    assert answer.stdout.splitlines() == [str(seeds / "pooled" / "quick" / "report.html")]


# -- what is committed ----------------------------------------------------------------------------------------------------------


def log(folder: Path, steps: int, slope: float) -> Path:
    folder.mkdir(parents=True)
    lines = [f"{step},{slope * step}" for step in range(1, steps + 1)]
    (folder / "log.csv").write_text("\n".join(["step,loss", *lines, ""]))
    return folder


def test_a_distilled_run_has_numbers_and_their_origin_and_nothing_else(seeds: Path) -> None:
    trainings = [read_training("human_gan/gan", seed, log(seeds / f"log-{seed}", 990, seed + 1), 60.0) for seed in (1, 0)]
    target = seeds / "results" / "quick"
    assert distil(seeds, target, "quick", trainings) == []
    files = sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file())
    tables = [f"tables/{NAME}/{name}.{kind}" for name in ("chosen", "results", "words") for kind in ("csv", "md")]
    kept = ["README.md", "choices.json", "claims.json", "curves/human_gan-gan.csv", "provenance.json", "scores.csv"]
    assert files == [*kept, *(f"seeds/seed-{seed}.json.xz" for seed in GAN), *tables]
    scores = read(target / "scores.csv")
    assert list(scores[0]) == CONTRACT.split()
    assert [row["seed"] for row in scores if (row["notebook"], row["method"], row["metric"]) == (NAME, "GAN", "ssim")] == list(
        "012"
    )
    assert {row["mean"] for row in scores if row["metric"] == "ssim"} == {"0.333333"}
    assert {(row["n"], row["people"]) for row in scores} == {("6", "3")}
    curve = read(target / "curves" / "human_gan-gan.csv")
    assert len(curve) == ROWS
    assert [row["seed"] for row in curve] == ["0"] * 50 + ["1"] * 50
    assert (curve[0]["step"], float(curve[0]["loss"])) == ("20", pytest.approx(10.5))  # the mean of 1 to 20
    assert (curve[-1]["step"], float(curve[-1]["loss"])) == ("990", pytest.approx(2 * 985.5))
    origin = json.loads((target / "provenance.json").read_text())
    assert (origin["profile"], origin["seeds"], origin["code"]) == ("quick", [0, 1, 2], ["code"])
    assert origin["seconds"][NAME] == {"0": 10, "1": 11, "2": 12}
    assert origin["seconds_in_all"] == 10 + 11 + 12 + 10 + 2 * 60
    assert origin["data"][NAME] == {FACES.name: FACES.checksum}
    claims = json.loads((target / "claims.json").read_text())
    assert {"id", "paper", "text", "verdict", "p_for", "measured"} <= claims[0].keys()
    page = (target / "README.md").read_text()
    for part in ("3 training seeds (0-2)", SHOWN, "## Verdicts", "torch", f"(tables/{NAME}/results.csv)"):
        assert part in page


def test_distilling_again_changes_no_byte_and_replaces_what_is_gone(seeds: Path) -> None:
    target = seeds / "results" / "quick"
    distil(seeds, target, "quick")
    (target / "tables" / "99_gone").mkdir()
    (target / "mine.txt").write_text("kept")
    before = {path: path.read_bytes() for path in target.rglob("*") if path.is_file()}
    distil(seeds, target, "quick")
    assert {path: path.read_bytes() for path in target.rglob("*") if path.is_file()} == before
    assert not (target / "tables" / "99_gone").exists()


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_was_kept_gives_the_same_bytes_without_the_run(seeds: Path) -> None:
    trainings = [read_training("human_gan/gan", seed, log(seeds / f"log-{seed}", 990, seed + 1), 60.0) for seed in GAN]
    distil(seeds, seeds / "kept", "quick", trainings, "Noted.")
    assert distil(seeds / "kept", seeds / "again", "quick", note="Noted.") == []
    assert files_of(seeds / "again") == files_of(seeds / "kept")


def test_seeds_of_another_day_join_those_that_were_kept(seeds: Path) -> None:
    distil(seeds, seeds / "at once", "quick")
    make_run(seeds / "first day" / "seed-1", 1)
    distil(seeds / "first day", seeds / "kept", "quick")
    second = seeds / "second day"
    for seed in (0, 2):
        make_run(second / f"seed-{seed}", seed)
    make_run(second / "seed-0", 0, notebook="05_data", paper=None)
    command = ["results", str(second), str(seeds / "kept"), "--with", str(seeds / "kept")]
    answer = CliRunner().invoke(app, command)
    assert answer.exit_code == 0, answer.output
    assert set(files_of(seeds / "kept")) == set(files_of(seeds / "at once"))
    for name in ("scores.csv", "claims.json", "choices.json"):
        assert (seeds / "kept" / name).read_bytes() == (seeds / "at once" / name).read_bytes(), name
    make_run(second / "seed-0", 0, code="newer")
    for seed in (1, 2):
        make_run(second / f"seed-{seed}", seed, code="newer")
    answer = CliRunner().invoke(app, command)
    assert "seed" not in answer.stderr, "the run has every seed itself, so none of the kept ones counts"
    (second / "seed-1" / "quick" / NAME / "result.json").unlink()
    distil(seeds / "at once", seeds / "kept", "quick")
    answer = CliRunner().invoke(app, command)
    assert f"{NAME}: seed 1 left out: other code" in answer.stderr
    assert {row["seed"] for row in read(seeds / "kept" / "scores.csv") if row["notebook"] == NAME} == {"0", "2"}


def test_a_damaged_file_of_a_seed_or_one_of_another_profile_is_named_and_nothing_is_written(seeds: Path) -> None:
    distil(seeds, seeds / "kept", "quick")
    with pytest.raises(BrokenResult, match=r"seed-0\.json\.xz is of the profile quick, not evening: pass --profile"):
        read_seed_files(seeds / "kept", "evening")
    path = seeds / "kept" / "seeds" / "seed-1.json.xz"
    good, before = path.read_bytes(), files_of(seeds / "kept")
    for bad in (b"", good[:-40], b"x" * 60, lzma.compress(b"[" * 10_000), lzma.compress(b"{}"), lzma.compress(b'{"schema": 2}')):
        path.write_bytes(bad)
        answer = CliRunner().invoke(app, ["results", str(seeds / "kept"), str(seeds / "kept")])
        assert answer.exit_code == 2
        assert "seed-1.json.xz is not what facesr results wrote" in answer.stderr
        assert files_of(seeds / "kept") == {**before, "seeds/seed-1.json.xz": bad}


def test_a_run_of_one_seed_is_distilled_too(tmp_path: Path) -> None:
    make_run(tmp_path, 2)
    distil(tmp_path, tmp_path / "results", "quick")
    assert {row["seed"] for row in read(tmp_path / "results" / "scores.csv")} == {"2"}
    assert "one training seed (2)" in (tmp_path / "results" / "README.md").read_text()
    assert "±" not in (tmp_path / "results" / "tables" / NAME / "results.md").read_text()


def test_numbers_have_six_digits() -> None:
    assert rounded({"a": [1 / 3, 123456789.0, 7, "1/3", None, True]}) == {"a": [0.333333, 123457000.0, 7, "1/3", None, True]}
    assert math.isinf(rounded(math.inf))


def test_the_command_finds_the_trainings_and_says_what_is_missing(tmp_path: Path) -> None:
    runner, target = CliRunner(), tmp_path / "kept"
    answer = runner.invoke(app, ["results", str(tmp_path), str(target)])
    assert (answer.exit_code, "no results of the profile quick" in answer.output) == (2, True)
    answer = runner.invoke(app, ["results", str(tmp_path), str(tmp_path / "smoke")])
    assert (answer.exit_code, "named after another profile" in answer.output) == (2, True)
    make_run(tmp_path, 0)
    answer = runner.invoke(app, ["results", str(tmp_path), str(target)])
    assert answer.exit_code == 0, answer.output
    assert answer.stdout.splitlines()[-1] == str(target / "README.md")
    assert "2 trainings of other code, or not finished" in answer.output


def test_a_run_from_elsewhere_has_no_curves_and_may_have_a_note(tmp_path: Path) -> None:
    """Its GPU, or its images, are not on this machine."""
    folder = make_run(tmp_path, 0)
    facts = json.loads((folder / "done.json").read_text())
    (folder / "done.json").write_text(json.dumps({**facts, "data_root": str(tmp_path / "not here")}))
    answer = CliRunner().invoke(app, ["results", str(tmp_path), str(tmp_path / "kept"), "--note", "Faces of nobody."])
    assert answer.exit_code == 0, answer.output
    assert "no curves of seed 0: " in answer.output
    page = (tmp_path / "kept" / "README.md").read_text()
    assert "\nFaces of nobody.\n" in page
    assert "of all notebooks, without trainings, one after the other" in page


def test_what_was_left_out_is_said_where_nothing_is_left(tmp_path: Path) -> None:
    folder = make_run(tmp_path, 0)
    (folder / "result.json").write_text("{")
    answer = CliRunner().invoke(app, ["results", str(tmp_path), str(tmp_path / "kept")])
    assert answer.exit_code == 2
    assert "left out: " in answer.output


# -- what documents quote -------------------------------------------------------------------------------------------------------

BLOCK = "Before.\n\n<!-- results:quick {} -->\nstale\n<!-- /results -->\n\nAfter.\n"


@pytest.mark.parametrize("path", documents(ROOT), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_documents_of_this_repository_quote_what_is_committed(path: Path) -> None:
    """To bring them up to date: make sync."""
    assert quoted(path, ROOT) == path.read_text(encoding="utf-8")


def test_a_block_is_filled_from_the_committed_table_and_stays(seeds: Path) -> None:
    distil(seeds, seeds / "results" / "quick", "quick")
    document = seeds / "docs" / "a.md"
    document.parent.mkdir()
    document.write_text(BLOCK.format(f"{NAME}/results") + BLOCK.format("verdicts"))
    text = quoted(document, seeds)
    assert SHOWN in text
    assert "From [results/quick](../results/quick/README.md)." in text
    assert "| all |" in text
    assert "stale" not in text
    assert text.startswith("Before.\n")
    document.write_text(text)
    assert quoted(document, seeds) == text


def test_a_blind_test_is_quoted_as_it_is_counted(seeds: Path) -> None:
    folder = seeds / "results" / "quick"
    distil(seeds, folder, "quick")
    (folder / "blind").mkdir()
    rows = ["1", "2", "3"]
    question = {"asked": "GAN", "other": "bicubic", "rows": rows}
    key = {"sheet": "s", "questions": [question], "key": {"1": "A", "2": "B", "3": "A"}}
    (folder / "blind" / "key.json").write_text(json.dumps(key))
    for number, given in enumerate(("ABA", "AAA"), 1):
        answers = {"sheet": "s", "answers": dict(zip(rows, given, strict=True))}
        (folder / "blind" / f"answers-{number}.json").write_text(json.dumps(answers))
    document = seeds / "a.md"
    document.write_text(BLOCK.format("blind"))
    text = quoted(document, seeds)
    assert "| told apart without labels | reader 1 | reader 2 |\n|---|---:|---:|\n| GAN, or bicubic | 3 of 3 | 2 of 3 |\n" in text


def test_results_of_other_images_are_quoted_by_their_folder(seeds: Path) -> None:
    distil(seeds, seeds / "results" / "quick-colour", "quick")
    document = seeds / "a.md"
    document.write_text(BLOCK.replace("quick", "quick-colour").format(f"{NAME}/results"))
    assert "From [results/quick-colour](results/quick-colour/README.md)." in quoted(document, seeds)


def test_without_results_a_block_says_so_and_mistakes_are_named(tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    document.write_text(BLOCK.format(f"{NAME}/results"))
    assert "No results of `quick` are committed yet" in quoted(document, tmp_path)
    for text, expected in {
        "<!-- results:quick x/y -->\n": "not closed",
        BLOCK.replace("quick", "fast").format("x/y"): "expected a profile",
    }.items():
        document.write_text(text)
        with pytest.raises(ValueError, match=rf"^a\.md: .*{expected}"):
            quoted(document, tmp_path)
    (tmp_path / "results" / "quick").mkdir(parents=True)
    (tmp_path / "results" / "quick" / "README.md").touch()
    document.write_text(BLOCK.format("x/y"))
    with pytest.raises(ValueError, match="has no table 'x/y'"):
        quoted(document, tmp_path)


def test_the_largest_profile_with_results_is_found(tmp_path: Path) -> None:
    assert largest(tmp_path) is None
    for profile in ("workshop", "quick"):
        (tmp_path / "results" / profile).mkdir(parents=True)
        (tmp_path / "results" / profile / "README.md").touch()
    assert largest(tmp_path) == tmp_path / "results" / "workshop"
    for profile, count in (("quick", 3), ("workshop", 2)):
        (tmp_path / "results" / profile / "provenance.json").write_text(json.dumps({"seeds": list(range(count))}))
    assert largest(tmp_path) == tmp_path / "results" / "quick", "verdicts of two seeds decide nothing"
    (tmp_path / "results" / "workshop" / "provenance.json").write_text(json.dumps({"seeds": [0, 1, 2]}))
    assert largest(tmp_path) == tmp_path / "results" / "workshop"
    (tmp_path / "results" / "workshop" / "claims.json").write_text(json.dumps([{"verdict": "not run"}]))
    assert largest(tmp_path) == tmp_path / "results" / "quick", "the other has left claims out"


# -- what notebooks show --------------------------------------------------------------------------------------------------------


def test_a_notebook_shows_its_table_beside_the_kept_one(seeds: Path) -> None:
    run = Run.start(NAME, title="GAN", paper=None, profile="quick", seed=9, device="cpu", output_dir=str(seeds / "mine"))
    mine = run.table("results", [{"method": "GAN", "PSNR (dB)": 99.5}], "Mine")
    assert "keeps such tables in results/quick" in beside_kept(run, mine, seeds).data
    distil(seeds, seeds / "results" / "quick", "quick")
    shown = BeautifulSoup(beside_kept(run, mine, seeds).data, "html.parser")
    own, kept = shown.find_all("table")
    assert "99.5" in own.get_text()
    assert kept.caption is not None
    assert kept.caption.get_text() == "Kept in results/quick: mean and standard deviation (sd) over seeds 0-2"
    assert [cell.get_text() for cell in kept.find_all("tr")[2].find_all(["th", "td"])] == [
        "GAN",
        f"{MEAN:.2f}",
        f"{SPREAD:.3f}",
        "3",
    ]
    unknown = run.table("other", [{"a": 1}], "Mine")
    assert len(BeautifulSoup(beside_kept(run, unknown, seeds).data, "html.parser").find_all("table")) == 1


def test_a_profile_without_results_is_shown_beside_the_largest_one_that_has_some(seeds: Path) -> None:
    distil(seeds, seeds / "results" / "quick", "quick")
    run = Run.start(NAME, title="GAN", paper=None, profile="smoke", seed=9, device="cpu", output_dir=str(seeds / "mine"))
    mine = run.table("results", [{"method": "GAN", "PSNR (dB)": 99.5}], "Mine")
    assert "Kept in results/quick" in beside_kept(run, mine, seeds).data
