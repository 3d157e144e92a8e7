"""`facesr check`: what it prints, writes and packs, and its exit codes, on runs made by hand."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
import yaml
from typer.testing import CliRunner, Result

from facesr_lib.data import olivetti_faces
from facesr_lib.evaluate import Run
from facesr_lib.metrics import PSNR, SSIM
from facesr_tools.cli.main import app

FACES = olivetti_faces("test", 16).limit(6)
Make = Callable[..., Path]
SPREAD = (0.0, 0.2, -0.2, 0.1, -0.1)  # of the reference's five seeds


def facesr(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["check", *map(str, arguments)])


def scored(run: Run, gan: float) -> None:
    for method, db in (("bicubic", 25.0), ("GAN", gan)):
        run.score(method, FACES, PSNR, [db] * len(FACES))
        run.score(method, FACES, SSIM, [db / 100] * len(FACES))


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """make(27.1, 27.0) is the folder of a run with two seeds, with the GAN at these decibels."""

    def make_run(*gans: float, profile: str = "smoke", notebook: str = "10_demo") -> Path:
        out = tmp_path / "out"
        for seed, gan in enumerate(gans):
            where = out if len(gans) == 1 else out / f"seed-{seed}"
            run = Run.start(notebook, title="A demo", paper=None, profile=profile, seed=seed, device="cpu", output_dir=str(where))
            run.config({"weight": 1.0})
            scored(run, gan)
            run.table("results", [{"method": "GAN", "PSNR": gan}], "What it reached")
            run.finish()
        return out

    return make_run


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    """A reference of five seeds around 27 dB."""
    folder = tmp_path / "reference"
    folder.mkdir()
    rows = []
    for seed, off in enumerate(SPREAD):
        for method, db in (("bicubic", 25.0), ("GAN", 27 + off)):
            for metric, mean in ((PSNR, db), (SSIM, db / 100)):
                row = {"notebook": "10_demo", "dataset": FACES.name, "method": method, "metric": metric.key}
                row |= {"label": metric.label, "convention": metric.convention, "family": metric.family, "unit": metric.unit}
                row |= {"higher_is_better": True, "n": len(FACES), "people": len(set(FACES.groups)), "seed": seed, "mean": mean}
                rows.append(row)
    with open(folder / "scores.csv", "w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    (folder / "provenance.json").write_text(json.dumps({"profile": "smoke", "data": {FACES.name: FACES.checksum}}))
    return folder


@pytest.mark.parametrize(("gans", "code"), [((27.3,), 0), ((26.9, 27.2), 0), ((35.0,), 1), ((20.0, 19.0), 1)])
def test_the_exit_code_says_whether_it_drifted(make: Make, reference: Path, gans: tuple[float, ...], code: int) -> None:
    done = facesr(make(*gans), "--against", reference)
    assert done.exit_code == code, done.output
    assert ("no drift found" in done.output) == (code == 0)
    assert ("10_demo: GAN" in done.output) == (code == 1)


def test_json_holds_every_score(make: Make, reference: Path) -> None:
    out = make(35.0)
    done = facesr(out, "--against", reference, "--json")
    found = json.loads(done.stdout)
    assert found == json.loads((out / "codecheck" / "check.json").read_text())
    where = {(score["place"][2], score["label"]): score["where"] for score in found["scores"]}
    assert where == {("bicubic", PSNR.label): "inside", ("bicubic", SSIM.label): "inside"} | {
        ("GAN", PSNR.label): "outside",
        ("GAN", SSIM.label): "outside",
    }
    assert found["exit_code"] == done.exit_code == 1


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda run, reference: (reference / "scores.csv").unlink(), "scores.csv: no such file"),
        (lambda run, reference: (reference / "scores.csv").write_text("notebook\n10_demo\n"), "scores.csv: cannot be read"),
        (
            lambda run, reference: (reference / "provenance.json").write_text('{"profile": "quick"}'),
            "the run is of profile smoke",
        ),
        (lambda run, reference: (run / "smoke" / "10_demo" / "result.json").unlink(), "expected PROFILE/NOTEBOOK/result.json"),
        (lambda run, reference: (run / "smoke" / "10_demo" / "result.json").write_text("{"), "run this notebook again"),
        (lambda run, reference: (run / "codecheck.yml").write_text("- 1"), "codecheck.yml: expected fields"),
    ],
)
def test_what_cannot_be_compared_ends_with_2_and_says_why(
    make: Make, reference: Path, spoil: Callable[[Path, Path], object], words: str
) -> None:
    out = make(27.0)
    spoil(out, reference)
    done = facesr(out, "--against", reference)
    assert done.exit_code == 2
    assert words in " ".join(done.output.split())


def test_of_several_profiles_one_is_named(make: Make, reference: Path) -> None:
    make(27.0)
    out = make(27.0, profile="quick")
    assert "name one with --profile" in facesr(out, "--against", reference).output
    assert facesr(out, "--against", reference, "--profile", "smoke").exit_code == 0


def test_another_config_is_named_and_compared(make: Make, reference: Path) -> None:
    facts = {"profile": "smoke", "config_hash": {"10_demo": {"config": "0" * 12}}, "data": {}}
    (reference / "provenance.json").write_text(json.dumps(facts))
    done = facesr(make(27.0), "--against", reference)
    assert "10_demo: another config than the reference's" in done.output
    assert done.exit_code == 0


def test_a_missing_notebook_counts_only_with_all(make: Make, reference: Path) -> None:
    text = (reference / "scores.csv").read_text()
    (reference / "scores.csv").write_text(text + text[text.index("\n") + 1 :].replace("10_demo", "20_other"))
    out = make(27.0)
    done = facesr(out, "--against", reference)
    assert "20_other: not in the run" in done.output
    assert done.exit_code == 0
    assert facesr(out, "--against", reference, "--all").exit_code == 1


def test_the_manifest_follows_codecheck(make: Make, reference: Path) -> None:
    """The rules of specification 1.0 that a program can meet (codecheckers/register, rules-1.0.yml, CC-CFG and CC-BUN)."""
    out = make(27.1, 27.0)
    facesr(out, "--against", reference)
    path = out / "codecheck.yml"
    assert path.read_text().startswith("---\n")
    found = yaml.safe_load(path.read_text())
    assert found["version"] == "https://codecheck.org.uk/spec/config/1.0/"
    assert [item["file"] for item in found["manifest"]][1:] == [f"seed-{seed}/smoke/10_demo/result.json" for seed in (0, 1)]
    assert all((out / item["file"]).is_file() and item["comment"] for item in found["manifest"])
    assert found["paper"]["title"]
    assert found["paper"]["authors"][0]["name"]
    assert found["paper"]["reference"].startswith("https://")
    # What only a person can say is marked as CODECHECK's template marks it, which its rule CC-CFG-023 refuses.
    assert found["codechecker"][0]["name"].startswith("FIXME")
    assert found["report"].startswith("FIXME")


def test_what_the_codechecker_filled_in_is_kept(make: Make, reference: Path) -> None:
    out = make(27.0)
    facesr(out, "--against", reference)
    path = out / "codecheck.yml"
    path.write_text(path.read_text().replace("FIXME: who checked", "Ada Lovelace"))
    facesr(out, "--against", reference)
    assert yaml.safe_load(path.read_text())["codechecker"] == [{"name": "Ada Lovelace"}]


CLAIM = {"id": "demo.better", "text": "The GAN is better.", "verdict": "supported", "shown": "supported at this scale"}
MEASURED = {"notebook": "10_demo", "statement": "GAN better than bicubic", "metric": "PSNR (dB)", "effect": 2.0, "low": 1.0}


@pytest.fixture
def crate(make: Make, reference: Path, tmp_path: Path) -> Path:
    """The folder of a crate of two seeds, one of them run by papermill, with one verdict."""
    out = make(27.1, 27.0)
    (out / "pooled" / "smoke").mkdir(parents=True)
    (out / "pooled" / "smoke" / "claims.json").write_text(
        json.dumps({"papers": [{"claims": [{**CLAIM, "measured": [MEASURED]}]}]})
    )
    picture = nbformat.v4.new_output("display_data", data={"image/png": "AAAA"})
    parameters = nbformat.v4.new_code_cell("OUTPUT_DIR = '/private'", metadata={"tags": ["injected-parameters"]})
    notebook = nbformat.v4.new_notebook(cells=[parameters, nbformat.v4.new_code_cell("1 + 1", outputs=[picture])])
    for seed in (0, 1):
        nbformat.write(notebook, out / f"seed-{seed}" / "smoke" / "10_demo" / "notebook.ipynb")
    (out / "seed-0" / "smoke" / "10_demo" / "figures" / "face.png").write_bytes(b"a face")
    done = facesr(out, "--against", reference, "--crate", tmp_path / "crate")
    assert done.exit_code == 0, done.output
    return tmp_path / "crate"


def entities(crate: Path) -> dict[str, dict]:
    return {entity["@id"]: entity for entity in json.loads((crate / "ro-crate-metadata.json").read_text())["@graph"]}


def ids(value: object) -> list[str]:
    return [item["@id"] for item in (value if isinstance(value, list) else [value])]


def test_each_execution_is_an_action_with_its_notebook_data_seed_and_results(crate: Path) -> None:
    found = entities(crate)
    actions = [entity for entity in found.values() if entity["@type"] == "CreateAction"]
    assert len(actions) == 2
    assert ids(found["./"]["conformsTo"]) == ["https://w3id.org/ro/wfrun/process/0.5"]
    for seed, action in enumerate(sorted(actions, key=lambda action: action["@id"])):
        assert ids(action["instrument"]) == ["notebooks/10_demo.ipynb"]
        inputs = [found[key] for key in ids(action["object"])]
        assert {"name": FACES.name, "identifier": f"sha256:{FACES.checksum}"}.items() <= inputs[0].items()
        assert inputs[-1]["value"] == seed
        folder = f"seed-{seed}/smoke/10_demo"
        assert set(ids(action["result"])) == {
            f"{folder}/{name}" for name in ("result.json", "provenance.json", "tables/results.csv")
        }


def test_a_verdict_is_an_entity_about_the_actions_that_decided_it(crate: Path) -> None:
    found = entities(crate)
    review = found["#claim-demo.better"]
    assert review["@type"] == "ClaimReview"
    assert (review["claimReviewed"], review["reviewBody"]) == (CLAIM["text"], CLAIM["shown"])
    assert all(found[key]["@type"] == "CreateAction" for key in ids(review["about"]))
    assert len(ids(review["about"])) == 2
    (effect,) = (found[key] for key in ids(review["additionalProperty"]))
    assert (effect["value"], effect["minValue"]) == (2.0, 1.0)


def test_files_are_there_with_their_checksums_and_every_reference_has_its_entity(crate: Path) -> None:
    found = entities(crate)
    for entity in found.values():
        if "File" in entity["@type"]:
            content = (crate / entity["@id"]).read_bytes()
            assert entity["sha256"] == hashlib.sha256(content).hexdigest()
        for value in entity.values():
            for item in value if isinstance(value, list) else [value]:
                assert not isinstance(item, dict) or item["@id"] in found or item["@id"].startswith("https://w3id.org/ro/crate/")
    listed = {key for key, entity in found.items() if "File" in entity["@type"]} | {"ro-crate-metadata.json"}
    assert {path.relative_to(crate).as_posix() for path in crate.rglob("*") if path.is_file()} == listed


def test_no_picture_and_no_folder_of_this_machine_leaves_with_the_crate(crate: Path) -> None:
    assert {path.suffix for path in crate.rglob("*") if path.is_file()} == {".json", ".csv", ".ipynb", ".yml"}
    text = "".join(path.read_text() for path in crate.rglob("*") if path.is_file())
    assert "/private" not in text
    assert "image/png" not in text
    assert str(crate.parent) not in text


def test_a_crate_replaces_nothing(make: Make, reference: Path, tmp_path: Path) -> None:
    out, target = make(27.0), tmp_path / "crate.zip"
    assert facesr(out, "--against", reference, "--crate", target).exit_code == 0
    again = facesr(out, "--against", reference, "--crate", target)
    assert again.exit_code == 2
    assert "is there already" in again.output


def test_without_a_committed_reference_the_message_says_what_to_give(make: Make) -> None:
    done = facesr(make(27.0))
    assert done.exit_code == 2
    assert "--against" in done.output
