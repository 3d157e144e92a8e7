from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from PIL import Image

import facesr_lib.evaluate.run as run_module
from facesr_lib.config import config_hash
from facesr_lib.data import ImageSet
from facesr_lib.data.images import PassedOver
from facesr_lib.evaluate import Run, default_output_dir
from facesr_lib.evaluate.result import pool_seeds
from facesr_lib.metrics import PSNR, SSIM, Metric, psnr_metric
from facesr_lib.papers import find_paper
from facesr_lib.training import resolve_device
from facesr_tools.report import load_result
from facesr_tools.runner.execute import write_fresh_since

StartRun = Callable[..., Run]


@dataclass(frozen=True)
class Config:
    width: int = 8
    rates: tuple[float, float] = (0.02, 0.005)


def image_set(name: str = "faces", groups: tuple[str, ...] = ("anna", "ben", "anna"), **changes: Any) -> ImageSet:
    pixels = np.zeros((len(groups), 32, 24, 3), np.uint8)
    return ImageSet(name, pixels, groups, "drawn for this test", sha256="ab" * 32, **changes)


FACES, PAIR, ONE = image_set(), image_set("d", ("anna", "ben")), image_set("d", ("anna",))
FID = Metric("fid", "FID", higher_is_better=False)


def record_everything(run: Run) -> None:
    run.config(Config())
    run.backend("PSNR", "facesr_lib.metrics")
    run.score("bicubic", FACES, PSNR, [20.0, 22.0, 24.0])
    run.score("GAN", FACES, PSNR, torch.tensor([21.0, 22.5, 25.0]))
    run.table("summary", [{"a": 1, "b": 0.25}], "A table")
    figure, axes = plt.subplots()
    axes.plot([1, 2])
    run.figure(figure, "curve", "A curve", "A rising line")
    run.note("It is only a test.")
    run.published(find_paper("human_gan").published()[0], method="GAN", images=FACES, metric=PSNR, differs="everything")


def test_a_finished_run_can_be_read_back_whole(start: StartRun) -> None:
    run = start(paper="human_gan")
    record_everything(run)
    result = load_result(run.finish())
    assert (result["notebook"], result["title"], result["paper"]) == ("10_demo", "A demo", "human_gan")
    assert (result["profile"], result["seed"], result["device"]) == ("smoke", 3, "cpu")
    assert result["config"]["config"] == {"type": "Config", "width": 8, "rates": [0.02, 0.005]}
    assert result["config_hash"]["config"] == config_hash(Config()) != config_hash(replace(Config(), width=9))
    bicubic, gan = result["scores"]
    assert (bicubic["n"], bicubic["mean"], bicubic["std"], bicubic["values"]) == (3, 22.0, 2.0, [20.0, 22.0, 24.0])
    assert gan["mean"] == pytest.approx(68.5 / 3)
    assert result["tables"] == [{"name": "summary", "caption": "A table", "columns": ["a", "b"], "rows": [[1, 0.25]]}]
    assert result["figures"] == [{"name": "curve", "caption": "A curve", "alt": "A rising line"}]
    assert (bicubic["key"], bicubic["metric"], bicubic["family"], bicubic["unit"]) == ("psnr", "PSNR (dB)", "PSNR", "dB")
    assert bicubic["convention"] == "RGB, 8-bit, no crop"
    faces = {"name": "faces", "checksum": "ab" * 32, "n": 3, "size": [32, 24], "credit": "drawn for this test"}
    assert result["data"] == [{**faces, "role": "faces", "groups": [0, 1, 0]}]  # scoring recorded it
    assert result["published"][0]["reference"]["value"] == 25.66
    with Image.open(run.folder / "figures" / "curve.png") as drawn:
        assert drawn.format == "PNG"
    assert (run.folder / "tables" / "summary.csv").read_text() == "a,b\n1,0.25\n"
    assert "| 1 | 0.25 |" in (run.folder / "tables" / "summary.md").read_text()
    origin = json.loads((run.folder / "provenance.json").read_text())
    assert origin["data"] == {"faces": "ab" * 32}
    assert origin["seeds"] == {"run": 3}
    assert origin["command"] == "facesr run 10_demo --profile smoke --seed 3 --device cpu"
    assert origin["metric_backends"] == {"PSNR": "facesr_lib.metrics"}


def test_infinite_and_single_scores(start: StartRun) -> None:
    run = start()
    run.score("HR", PAIR, PSNR, np.array([math.inf, 30.0]))
    run.score("one", ONE, PSNR, [7.0])
    path = run.finish()
    assert '"mean": "inf"' in path.read_text()
    perfect, single = load_result(path)["scores"]
    assert perfect["values"] == [math.inf, 30.0]
    assert perfect["mean"] == math.inf
    assert math.isnan(perfect["std"])
    assert single["std"] is None


@pytest.mark.parametrize("values", [[], [[1.0, 2.0]], torch.zeros(2, 1), [1.0], [1.0, 2.0, 3.0]])
def test_scores_are_one_per_image(start: StartRun, values: object) -> None:
    with pytest.raises(ValueError, match=r"one value per image of 'd', shape \(2,\)"):
        start().score("m", PAIR, PSNR, values)  # type: ignore[arg-type]


def test_recording_twice_replaces(start: StartRun) -> None:
    run = start()
    record_everything(run)
    once = run.finish().read_bytes()
    record_everything(run)
    assert run.finish().read_bytes() == once


def test_two_conventions_are_two_scores_and_a_comparison_must_choose(start: StartRun) -> None:
    run = start()
    run.score("m", ONE, PSNR, [1.0])
    run.score("m", ONE, psnr_metric(crop=4), [2.0])
    assert [score["mean"] for score in run.result()["scores"]] == [1.0, 2.0]
    with pytest.raises(ValueError, match="more than one convention"):
        run.published(find_paper("human_gan").published()[0], method="m", images=ONE, metric=PSNR, differs="all")


def test_a_comparison_needs_a_recorded_score_and_words(start: StartRun) -> None:
    run, reference = start(), find_paper("human_gan").published()[0]
    with pytest.raises(ValueError, match="none yet"):
        run.published(reference, method="m", images=ONE, metric=SSIM, differs="all")
    run.score("m", ONE, SSIM, [1.0])
    with pytest.raises(ValueError, match="differs"):
        run.published(reference, method="m", images=ONE, metric=SSIM, differs=" ")


def test_several_seeds_are_several_scores_and_are_shown_as_one(start: StartRun) -> None:
    run = start()
    run.score("m", PAIR, PSNR, [1.0, 3.0])
    run.score("m", PAIR, PSNR, [3.0, 7.0], seed=8)
    run.score("bicubic", PAIR, PSNR, [0.0, 2.0])
    pooled = [[score[key] for key in ("method", "mean", "std", "n", "seeds")] for score in pool_seeds(run.result()["scores"])]
    assert pooled == [["m", 3.5, pytest.approx(4.5**0.5), 2, 2], ["bicubic", 1.0, 2**0.5, 2, 1]]
    run.published(find_paper("human_gan").published()[0], method="m", images=PAIR, metric=PSNR, differs="everything")
    scores = load_result(run.finish())["scores"]
    assert [(score["seed"], score["mean"]) for score in scores] == [(3, 2.0), (8, 5.0), (3, 1.0)]


def test_a_set_has_one_score_and_its_resamples(start: StartRun) -> None:
    run = start()
    record = run.set_score("m", FACES, FID, 12.5, replicates=np.array([12.0, 13.0]))
    assert (record["n"], record["mean"], record["std"], record["higher_is_better"]) == (3, 12.5, None, False)
    (score,) = load_result(run.finish())["scores"]
    assert (score["n"], score["values"], score["replicates"]) == (3, [12.5], [12.0, 13.0])


def test_the_role_of_a_set_is_recorded_with_its_scores(start: StartRun) -> None:
    run = start()
    run.score("m", image_set("d", ("anna",), role="cartoons"), PSNR, [1.0])
    run.data(image_set("trained on"))
    records = [(data["name"], data["role"]) for data in load_result(run.finish())["data"]]
    assert records == [("d", "cartoons"), ("trained on", "faces")]


def test_what_was_passed_over_when_a_set_was_read_is_recorded(start: StartRun) -> None:
    run = start()
    passed = tuple(PassedOver(f"ann/{i}.heic", "HEIC <needs> more") for i in range(3))
    run.data(image_set("album", passed_over=passed))
    run.score("m", image_set("d", ("anna",), passed_over=(PassedOver("\udce9.png", "empty file"),)), PSNR, [1.0])
    run.data(image_set("whole"))
    found = {data["name"]: data.get("passed_over") for data in load_result(run.finish())["data"]}
    assert found["album"] == [f"ann/{i}.heic: HEIC <needs> more" for i in range(3)]
    assert found["d"] == ["\\udce9.png: empty file"]
    assert found["whole"] is None


def test_recorded_scores_are_found_by_set_and_metric(start: StartRun) -> None:
    run = start()
    run.score("m", PAIR, PSNR, [1.0, 2.0])
    run.score("m", PAIR, psnr_metric(crop=4), [3.0, 4.0])
    run.score("m", PAIR, PSNR, [5.0, 6.0], seed=9)
    assert run.values("m", PAIR, PSNR).tolist() == [1.0, 2.0]
    assert run.values("m", PAIR, psnr_metric(crop=4)).tolist() == [3.0, 4.0]
    assert run.values("m", PAIR, PSNR, seed=9).tolist() == [5.0, 6.0]
    with pytest.raises(KeyError, match="no score of m, d, SSIM"):
        run.values("m", PAIR, SSIM)


def test_an_unfinished_run_leaves_no_result(start: StartRun) -> None:
    run = start()
    record_everything(run)
    assert not (run.folder / "result.json").exists()
    run = start()
    run.note("done")
    assert load_result(run.finish())["notes"] == ["done"]


def test_a_failing_write_leaves_the_old_result_or_none(start: StartRun, monkeypatch: pytest.MonkeyPatch) -> None:
    run = start()
    old = run.finish().read_bytes()
    run.note("new")

    def no_rename(self: Path, target: Path) -> Path:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", no_rename)
        with pytest.raises(OSError, match="disk full"):
            run.finish()
    assert (run.folder / "result.json").read_bytes() == old
    assert not list(run.folder.glob("**/*.tmp"))


def test_starting_again_clears_what_the_last_run_wrote_and_nothing_else(start: StartRun) -> None:
    run = start()
    record_everything(run)
    run.finish()
    for name in ("log.txt", "notebook.ipynb"):
        (run.folder / name).write_text("kept")
    other = start("20_other")
    other.finish()
    again = start()
    files = sorted(path.relative_to(again.folder).as_posix() for path in again.folder.rglob("*"))
    assert files == ["figures", "log.txt", "notebook.ipynb", "tables"]
    assert (other.folder / "result.json").exists()


def test_start_makes_every_generator_repeatable(start: StartRun) -> None:
    def draw(seed: int) -> tuple[float, float, float]:
        start(seed=seed)
        return random.random(), float(np.random.rand()), float(torch.rand(()))  # noqa: NPY002

    assert draw(5) == draw(5)
    assert all(a != b for a, b in zip(draw(5), draw(6), strict=True))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"profile": "fast"}, "smoke, quick, evening, workshop, paper"),
        ({"device": "tpu"}, "auto, cpu, cuda or mps"),
        ({"seed": -1}, "seed"),
        ({"title": ""}, "title"),
        ({"notebook": "../escape"}, "file name"),
        ({"notebook": ""}, "file name"),
    ],
)
def test_bad_parameters_are_refused_before_anything_is_written(
    start: StartRun, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        start(**changes)
    assert not list(tmp_path.iterdir())


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == resolve_device("cpu") == torch.device("cpu")
    with pytest.raises(ValueError, match="no CUDA GPU"):
        resolve_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto") == resolve_device("cuda") == torch.device("cuda")
    assert resolve_device("cpu") == torch.device("cpu")


def test_stages_of_before_the_moment_handed_over_do_not_count(start: StartRun) -> None:
    run = start()
    with run.stages.stage("train", {}):
        pass
    assert start().stages.is_done("train", {})
    write_fresh_since(run.folder, time.time() + 60)
    assert not start().stages.is_done("train", {})
    write_fresh_since(run.folder, 0)
    assert start().stages.is_done("train", {})


def test_folders(start: StartRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = start(data_root=str(tmp_path / "faces"))
    assert run.folder == tmp_path.resolve() / "smoke" / "10_demo"
    assert run.stages.root == tmp_path.resolve() / "stages"
    assert run.data_root == tmp_path.resolve() / "faces"
    assert start().data_root is None
    root = Path(__file__).parents[2]
    assert default_output_dir() == root / "runs"
    monkeypatch.setattr(run_module, "checkout_root", lambda: None)
    monkeypatch.chdir(tmp_path)
    assert default_output_dir() == tmp_path / "runs"


def test_the_provenance_line_is_one_line_that_names_what_matters(start: StartRun) -> None:
    line = repr(start())
    assert "\n" not in line
    for part in ("facesr", f"torch {torch.__version__}", "profile smoke", "seed 3", "CPU"):
        assert part in line


def test_pictures_need_words_and_show_them_once(start: StartRun) -> None:
    run = start()
    figure, _ = plt.subplots()
    with pytest.raises(ValueError, match="alt text"):
        run.figure(figure, "x", "caption", "")
    saved = run.figure(figure, "x", "a < b", 'say "hi"')
    assert not plt.fignum_exists(figure.number)
    page = saved._repr_html_()
    assert "a &lt; b" in page
    assert 'alt="say &quot;hi&quot;"' in page
    assert str(run.folder) not in page + repr(saved)


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a b"])
def test_names_that_are_no_file_names_are_refused(start: StartRun, name: str) -> None:
    run = start()
    with pytest.raises(ValueError, match="file name"):
        run.table(name, [{"a": 1}], "c")
    figure, _ = plt.subplots()
    with pytest.raises(ValueError, match="file name"):
        run.figure(figure, name, "c", "a")
    plt.close(figure)


def test_published_numbers_are_listed_and_unknown_papers_named() -> None:
    assert [(r.column, r.value, r.unit) for r in find_paper("human_gan").published()] == [("test PSNR", 25.66, "dB")]
    (cell,) = find_paper("selfsr").published(table="Table I", row="DIC", column="Helen PSNR")
    assert cell.value == 26.69
    assert len(find_paper("selfsr").published(row="DIC")) == 9
    with pytest.raises(ValueError, match="Table II;"):
        find_paper("selfsr").published(table="Table V")
    with pytest.raises(ValueError, match="no column 'FID'"):
        find_paper("selfsr").published(table="Table I", column="FID")
    with pytest.raises(ValueError, match="human_gan"):
        find_paper("nobody").published()
