from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from bs4 import BeautifulSoup

from facesr_lib.data import ImageSet
from facesr_lib.evaluate import Run
from facesr_lib.metrics import PSNR
from facesr_lib.papers import PAPERS, human_gan
from facesr_lib.training import StageCache, save_checkpoint
from facesr_tools.report import build_report

StartRun = Callable[..., Run]
CONFIG = human_gan.Config.preset("smoke")


FACES = ImageSet("faces|test", np.zeros((2, 8, 8, 3), np.uint8), ("a", "b"), "drawn for <b>this</b> test")


def train(out: Path, config: human_gan.Config, seed: int) -> human_gan.HumanGAN:
    """A finished stage below out, as `train_stage` leaves it."""
    method = human_gan.HumanGAN(config, 3)
    method.build()
    key = {"config": config, "seed": seed}
    with StageCache(out / "stages").stage("human-gan", key) as folder:
        save_checkpoint(folder / "checkpoints", method, 7, "identity")
    return method


def record(run: Run) -> None:
    run.config(CONFIG)
    for method, values in (("bicubic", [20.0, 21.0]), ("GAN", [22.25, 23.0])):
        run.score(method, FACES, PSNR, values)
    run.finish()


@pytest.fixture
def card(start: StartRun, tmp_path: Path) -> str:
    record(start("10_human", paper="human_gan"))
    train(tmp_path, CONFIG, seed=4)  # another seed than the run's
    train(tmp_path, replace(CONFIG, pixel_weight=1.0), seed=3)  # a config that no notebook recorded
    build_report(tmp_path, "smoke")
    return (tmp_path / "smoke" / "model_cards" / "human_gan.md").read_text()


def test_front_matter_is_what_hubs_read(card: str) -> None:
    _, front, body = card.split("---\n", 2)
    facts = yaml.safe_load(front)
    assert facts["pipeline_tag"] == "image-to-image"
    assert facts["license"] == "other"  # the training data decides
    assert body.lstrip().startswith("# ")


def test_scores_and_origin_are_the_runs(card: str) -> None:
    assert "| GAN | 22.62 |" in card
    assert "| bicubic | 20.50 |" in card
    assert "seed 3" in card
    assert "means anything" in card  # smoke numbers do not
    assert r"faces\|test" in card
    assert r"\<b>" in card  # no markup from a data set's credit
    assert card.count("<b>") == card.count(r"\<b>")


def test_only_trainings_of_the_recorded_config_and_seed_are_listed(card: str, tmp_path: Path) -> None:
    assert "No weights of these trainings" in card
    method = train(tmp_path, CONFIG, seed=3)
    build_report(tmp_path, "smoke")
    card = (tmp_path / "smoke" / "model_cards" / "human_gan.md").read_text()
    (line,) = [line for line in card.splitlines() if line.startswith("| human-gan-")]
    assert StageCache(tmp_path / "stages").folder("human-gan", {"config": CONFIG, "seed": 3}).name in line
    for name, network in method.networks.items():
        count = sum(value.numel() for value in network.state_dict().values())
        assert f"{name} {count:,}" in line


def test_every_paper_has_a_card_and_old_ones_go(start: StartRun, tmp_path: Path) -> None:
    folder = tmp_path / "smoke" / "model_cards"
    for number, paper in enumerate(PAPERS):
        record(start(f"{number}_paper", paper=paper.key))
    build_report(tmp_path, "smoke")
    assert {path.stem for path in folder.iterdir()} == {paper.key for paper in PAPERS}
    for path in folder.iterdir():
        assert "misuse" in path.read_text()
    (tmp_path / "smoke" / "0_paper" / "result.json").unlink()
    build_report(tmp_path, "smoke")
    assert {path.stem for path in folder.iterdir()} == {paper.key for paper in PAPERS[1:]}


def test_the_report_links_to_the_card(card: str, tmp_path: Path) -> None:
    page = BeautifulSoup((tmp_path / "smoke" / "report.html").read_text(), "html.parser")
    links = [link["href"] for link in page.find_all("a", href=True) if "model card" in link.get_text()]
    assert links == ["model_cards/human_gan.md"]
    assert (tmp_path / "smoke" / links[0]).read_text() == card
