"""Networks that ship with the package: exported from a finished run, loaded without it, and what can be wrong with them."""

from __future__ import annotations

import json
import shutil
import subprocess
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file
from typer.testing import CliRunner

from facesr_lib import shipped
from facesr_lib.evaluate import Run
from facesr_lib.metrics import PSNR
from facesr_lib.papers.human_gan import HumanGAN
from facesr_lib.papers.human_gan.names import GAN
from facesr_lib.shipped import load_shipped
from facesr_lib.training import SuperResolver
from facesr_tools import shipping
from facesr_tools.cli.main import app
from facesr_tools.runner.execute import Settings
from facesr_tools.shipping import MAIN_NETWORKS, CannotShip, export
from facesr_tools.stages import experiments
from facesr_tools.upscale import find_upscaler, from_shipped
from facesr_tools.upscale.networks import NETWORKS

NAME = "human_gan-gan"
ROOT = Path(__file__).parents[1]
MEANS = {"bicubic": 21.5, GAN: 17.25}


def rebuilt_gan(config: Any) -> HumanGAN:
    return HumanGAN(config, 1)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A run in which the GAN of notebook 10 was trained and scored."""
    out = tmp_path_factory.mktemp("finished")
    settings = Settings("smoke", out, device="cpu")
    of = experiments("human_gan", settings)
    of.trained(GAN)
    options = {"paper": "human_gan", "profile": "smoke", "seed": 0, "device": "cpu", "output_dir": str(out)}
    run = Run.start("10_human_face_gan", title="GAN", **options)
    for method, mean in MEANS.items():
        run.score(method, of.test, PSNR, [mean] * len(of.test))
    run.finish()
    return settings


@pytest.fixture(autouse=True)
def only_the_gan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipping, "MAIN_NETWORKS", tuple(main for main in MAIN_NETWORKS if main.stage == GAN))


@pytest.fixture
def folder(finished: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The GAN, shipped."""
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "shipped")
    export(finished, shipped.FOLDER)
    return tmp_path / "shipped"


def trained(finished: Settings) -> SuperResolver:
    method: SuperResolver = experiments("human_gan", finished).trained(GAN).method
    return method


def test_what_is_loaded_is_the_trained_network_in_half_precision(finished: Settings, folder: Path) -> None:
    found = load_shipped(NAME, rebuilt_gan)
    assert found is not None
    method, facts = found
    own = trained(finished)
    assert method.config == own.config
    expected = {key: value.half().float() for key, value in own.inference_network("generator").state_dict().items()}
    state = method.inference_network("generator").state_dict()
    for key, value in expected.items():
        torch.testing.assert_close(state[key], value, rtol=0, atol=0)
    assert {tensor.dtype for tensor in load_file(folder / NAME / "model.safetensors").values()} == {torch.float16}
    assert facts["about"] == "GAN, trained in the profile smoke on olivetti (8 steps at 32 px)"
    lr = torch.rand(1, 3, 12, 16, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(method.super_resolve(lr), own.super_resolve(lr), rtol=0, atol=0.01)


def test_full_precision_where_half_would_cost_a_score(
    finished: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipping, "SAME", 0.0)
    (one,) = export(finished, tmp_path)
    assert one.facts["dtype"] == "float32"
    own = trained(finished).inference_network("generator").state_dict()
    for key, value in load_file(tmp_path / NAME / "model.safetensors").items():
        torch.testing.assert_close(value, own[key], rtol=0, atol=0)
    assert "so it is kept in full" in (tmp_path / NAME / "README.md").read_text()


def test_the_card_has_the_hubs_fields_and_the_runs_scores(folder: Path) -> None:
    _, front, body = (folder / NAME / "README.md").read_text().split("---\n", 2)
    fields = yaml.safe_load(front)
    assert (fields["license"], fields["pipeline_tag"], fields["datasets"], fields["metrics"]) == (
        "other", "image-to-image", ["olivetti"], ["psnr"],
    )  # fmt: skip
    (model,) = fields["model-index"]
    (result,) = model["results"]
    assert result["dataset"]["name"] == "olivetti/test"
    (metric,) = result["metrics"]
    assert (metric["type"], metric["value"]) == ("psnr", MEANS[GAN])
    for text in (
        "| bicubic | 21.50 |",
        "| GAN | 17.25 |",
        "misuse",
        "Samaria and Harter",
        "Nothing in the paper's loss compares",
    ):
        assert text in body


def test_nothing_is_written_where_something_is_missing(
    finished: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "to"
    with pytest.raises(CannotShip, match=r"human_gan/GAN was not trained .*seed 1 .*facesr run 10 20 21 30 40 --profile smoke"):
        export(replace(finished, seed=1), place)
    monkeypatch.setattr(shipping, "LARGEST", 1000)
    with pytest.raises(CannotShip, match=r"MB of weights, more than 0: human_gan-gan 0\.0; train narrower"):
        export(finished, place)
    copy = replace(finished, out=tmp_path / "copy")
    shutil.copytree(finished.out, copy.out)
    scores = copy.out / "smoke/10_human_face_gan/result.json"
    result = json.loads(scores.read_text())
    result["scores"] = [score for score in result["scores"] if score["method"] != GAN]
    scores.write_text(json.dumps(result))
    with pytest.raises(CannotShip, match=r"result\.json has no score of 'GAN' with seed 0: facesr run 10"):
        export(copy, place)
    scores.unlink()
    with pytest.raises(CannotShip, match=r"10_human_face_gan has no result\.json"):
        export(copy, place)
    assert not place.exists()


def test_a_training_on_other_data_is_not_shipped(finished: Settings, tmp_path: Path) -> None:
    """Its terms may forbid it: the data's checksums must be those of the packaged images."""
    copy = replace(finished, out=tmp_path / "copy")
    shutil.copytree(finished.out, copy.out)
    (marker,) = copy.out.glob("stages/human_gan-gan-*/done.json")
    facts = json.loads(marker.read_text())
    facts["code"] = "older"  # of code that was changed since: allowed
    marker.write_text(json.dumps(facts))
    assert len(export(copy, tmp_path / "to")) == 1
    facts["key"]["train"] = "of other faces"
    marker.write_text(json.dumps(facts))
    with pytest.raises(CannotShip, match="packaged images"):
        export(copy, tmp_path / "to")


def test_a_damaged_or_outdated_network_is_refused(folder: Path) -> None:
    assert load_shipped("human_gan-other", rebuilt_gan) is None
    config = folder / NAME / "config.json"
    facts = json.loads(config.read_text())
    config.write_text(json.dumps(facts | {"config": facts["config"] | {"depth": 3}}))
    with pytest.raises(ValueError, match="'Config' is unknown or has other fields"):
        load_shipped(NAME, rebuilt_gan)
    config.write_text(json.dumps(facts))
    weights = folder / NAME / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x00")
    with pytest.raises(ValueError, match=r"model\.safetensors does not match the checksum .*install facesr again"):
        load_shipped(NAME, rebuilt_gan)


def test_upscale_takes_what_ships_only_where_nothing_that_fits_was_trained(
    finished: Settings, folder: Path, tmp_path: Path
) -> None:
    stages = finished.out / "stages"
    fresh = find_upscaler("", "", tmp_path / "no stages", "cpu")
    assert fresh.name == f"{NAME}, shipped: GAN, trained in the profile smoke on olivetti (8 steps at 32 px)"
    assert fresh.scale == 2
    assert "shipped" not in find_upscaler("", "human_gan", stages, "cpu").name
    assert find_upscaler("", "human_gan", stages, "cpu", shipped=True).name == fresh.name
    assert find_upscaler(NAME, "", tmp_path, "cpu").name == fresh.name
    with pytest.raises(ValueError, match="found no checkpoint of selfsr"):
        find_upscaler("", "selfsr", stages, "cpu")
    with pytest.raises(ValueError, match="comes with no selfsr; there are: human_gan-gan"):
        find_upscaler("", "selfsr", stages, "cpu", shipped=True)


def test_the_list_of_weights_names_what_ships(folder: Path) -> None:
    assert f"come with facesr: {NAME}" in CliRunner().invoke(app, ["weights", "list"]).stdout
    shutil.rmtree(folder)
    assert "come with facesr: none yet" in CliRunner().invoke(app, ["weights", "list"]).stdout


def test_the_command_says_what_it_wrote(finished: Settings, tmp_path: Path) -> None:
    arguments = ["weights", "export", str(finished.out), "--profile", "smoke", "--to", str(tmp_path / "to")]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "human_gan-gan" in done.stdout
    assert "float16" in done.stdout
    failed = CliRunner().invoke(app, [*arguments, "--seed", "5"])
    assert failed.exit_code == 2
    assert "seed 5" in failed.output


def test_every_main_network_is_a_stage_of_the_notebook_that_scores_it() -> None:
    settings = Settings("smoke", Path("nowhere"), device="cpu")
    for main in MAIN_NETWORKS:
        of = experiments(main.paper.key, settings)
        stage = of.stage(main.stage)
        assert main.notebook[:2] in stage.used_by
        assert (ROOT / "notebooks" / f"{main.notebook}.ipynb").is_file()
        config = stage.key["config"]
        method = NETWORKS[main.paper.key].rebuild(config)
        method.build()
        assert main.network in method.networks
        learned, scored = main.images(of)
        trained_people = {person for images in learned for person in images.groups}
        assert not trained_people & {person for images, _ in scored for person in images.groups}


def test_what_ships_loads_and_is_small() -> None:
    """All main networks, whole, small, listed on the folder's page, and not left out of the wheel."""
    weights = list(shipped.FOLDER.glob("*/model.safetensors"))
    assert {path.parent.name for path in weights} == {main.slug for main in MAIN_NETWORKS}
    page = (shipped.FOLDER / "README.md").read_text()
    assert all(f"({main.slug}/README.md) | {main.scored}, trained for an evening on " in page for main in MAIN_NETWORKS)
    assert sum(path.stat().st_size for path in weights) <= 12_000_000
    for path in weights:
        assert from_shipped(path.parent.name, "cpu").scale in (2, 4, 8)
        assert yaml.safe_load((path.parent / "README.md").read_text().split("---\n")[1])["pipeline_tag"] == "image-to-image"
    hatch = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert hatch == {"packages": ["facesr_lib", "facesr_tools"]}  # whole folders, but for what git ignores
    ignored = subprocess.run(["git", "check-ignore", "-q", "facesr_lib/shipped/x/model.safetensors"], cwd=ROOT, check=False)
    assert ignored.returncode == 1
