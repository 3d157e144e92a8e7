"""The graph of a run: what is needed, in which order, what is done, and how long the rest takes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from facesr_lib.evaluate import Run
from facesr_lib.papers import PAPERS, find_paper
from facesr_lib.training import StageCache
from facesr_lib.training.stages import slug
from facesr_tools.cli.main import app
from facesr_tools.durations import duration
from facesr_tools.plan import Task, estimates, plan, remaining
from facesr_tools.runner.execute import Outcome, Settings
from facesr_tools.runner.notebooks import Notebook, find_folder, read_notebooks, select
from facesr_tools.runner.resume import write_marker
from facesr_tools.stages import find_stage, make_stage, training_ahead


def notebooks(*names: str) -> list[Notebook]:
    return select(read_notebooks(find_folder(None)), names or ["all"])


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings("smoke", tmp_path, device="cpu")


@pytest.mark.parametrize("profile", ["smoke", "quick", "evening", "workshop"])
def test_every_task_comes_after_what_it_needs_and_has_a_place_of_its_own(settings: Settings, profile: str) -> None:
    tasks = plan(notebooks(), replace(settings, profile=profile))
    seen: set[str] = set()
    for task in tasks:
        assert seen.issuperset(task.needs), task.name
        seen.add(task.name)
    assert len(seen) == len({task.output for task in tasks}) == len(tasks)
    assert [task.name for task in tasks if task.kind == "notebook"] == [notebook.name for notebook in notebooks()]


def test_notebooks_share_stages_and_the_report_needs_everything(settings: Settings) -> None:
    tasks = {task.name: task for task in plan(notebooks(), settings)}
    assert tasks["00_start_here"].needs == ()
    assert tasks["10_human_face_gan"].needs == ("human_gan/gan", "human_gan/gan-pixel-term")
    both = set(tasks["40_isr_kd"].needs) & set(tasks["41_isr_kd_ablations"].needs)
    assert {"isr_kd/face-only", "isr_kd/replay-2-1"} <= both
    assert tasks["isr_kd/replay-2-1-no-edge-block"].needs == ("isr_kd/face-only-no-edge-block",)
    assert tasks["teacher_student/tnet-and-snet"].needs == ("teacher_student/denet",)
    assert set(tasks["90_report"].needs) == set(tasks) - {"90_report"}


def test_a_stage_that_only_another_one_needs_is_planned_too(settings: Settings) -> None:
    """22 scores the networks that learnt from adaptations; only 20 shows the adaptations."""
    tasks = {task.name: task for task in plan(notebooks("22"), settings)}
    assert tasks["selfsr/flow-field-real-faces"].needs == ("selfsr/flow-field",)
    assert "selfsr/flow-field" not in tasks["22_selfsr_ablations"].needs


def test_what_is_made_is_done(settings: Settings) -> None:
    told: list[tuple[int, int]] = []
    make_stage("isr_kd/face-only", settings, lambda done, steps: told.append((done, steps)))
    assert told == [(step + 1, told[-1][1]) for step in range(told[-1][1])]
    (notebook,) = notebooks("40")
    settings.folder(notebook).mkdir(parents=True)
    write_marker(notebook, settings, code="another version", outcome=Outcome("done", 5.0))
    tasks = {task.name: task for task in plan([notebook], settings)}
    done = {name for name, task in tasks.items() if task.done}
    assert done == {"isr_kd/face-only"}
    assert tasks["isr_kd/face-only"].output.is_file()
    assert tasks["isr_kd/face-only"].seconds == json.loads(tasks["isr_kd/face-only"].output.read_text())["seconds"]
    assert not any(task.done for task in plan([notebook], replace(settings, fresh_since=1e12)))


def test_several_seeds_are_runs_in_folders_of_their_own(settings: Settings) -> None:
    alone = plan(notebooks("40"), settings)
    assert {(task.seed, task.out) for task in alone} == {(settings.seed, settings.out)}
    one = plan(notebooks("40"), settings, [3])
    assert {(task.seed, task.out) for task in one} == {(3, settings.out / "seed-3")}, "where other seeds may join it later"
    tasks = plan(notebooks("40"), settings, [0, 2])
    assert [task.target for task in tasks] == [task.name for task in alone] * 2
    assert {(task.seed, task.out) for task in tasks} == {(seed, settings.out / f"seed-{seed}") for seed in (0, 2)}
    assert {name.partition("@")[2] for task in tasks if task.seed == 2 for name in (task.name, *task.needs)} == {"2"}
    assert all(settings.out / f"seed-{task.seed}" in task.output.parents for task in tasks)


def test_several_seeds_share_the_lessons_and_the_report(settings: Settings) -> None:
    tasks = {task.name: task for task in plan(notebooks("00", "10", "90"), settings, [2, 0])}
    lessons = [name for name in tasks if name.startswith("00_")]
    assert lessons == ["00_start_here@2"]
    assert {name for name in tasks if "10_" in name} == {"10_human_face_gan@2", "10_human_face_gan@0"}
    report = tasks["90_report"]
    assert set(report.needs) == set(tasks) - {"90_report"}
    assert (report.out, report.seed) == (settings.out / "pooled", 2)


def test_a_stage_is_found_by_its_name_in_any_spelling(settings: Settings) -> None:
    stage = find_stage("isr_kd/replay 2:1, no KD", settings)
    assert stage.name == find_stage("isr_kd/replay-2-1-no-kd", settings).name == "replay 2:1, no KD"
    with pytest.raises(ValueError, match=r"unknown stage 'isr_kd/pupil': choose one of isr_kd/face-only, "):
        find_stage("isr_kd/pupil", settings)
    with pytest.raises(ValueError, match="unknown paper 'pupil': choose one of human_gan, "):
        find_stage("pupil", settings)


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.key)
def test_stages_have_names_of_their_own_needs_among_them_and_notebooks_that_exist(paper: object, settings: Settings) -> None:
    config = paper.package.Config.preset("workshop")  # type: ignore[attr-defined]
    cache = StageCache(settings.out)
    stages = list(paper.experiments(config, "", cache, 0, "cpu").stages())  # type: ignore[attr-defined]
    assert len({stage.slug for stage in stages}) == len(stages)
    places = {stage.name: stage.folder(cache) for stage in stages}
    assert all(need.folder(cache) == places[need.name] for stage in stages for need in stage.needs)
    numbers = {notebook.number for notebook in notebooks() if notebook.paper == paper.key}  # type: ignore[attr-defined]
    assert {number for stage in stages for number in stage.used_by} == numbers


def test_the_rest_is_a_sum_and_its_longest_chain() -> None:
    def task(name: str, seconds: float | None, *needs: str, done: bool = False) -> Task:
        return Task(name, "stage", 0, Path(), needs, Path(name), done, seconds)

    tasks = [
        task("a", 10),
        task("b", 5, "a"),
        task("c", 12),
        task("d", 100, done=True),
        task("e", None, "d", "b"),
        task("f", 1, "e"),
    ]
    assert remaining(tasks) == (28, 16)
    assert remaining([]) == (0, 0)


def test_estimates_of_quick_are_of_its_tasks(settings: Settings) -> None:
    kept = estimates("quick")
    assert set(kept) == {task.target for task in plan(notebooks(), replace(settings, profile="quick"))} - {"90_report"}
    assert all(seconds > 0 for seconds in kept.values())
    assert estimates("paper") == {}


# -- the commands ---------------------------------------------------------------------------------------------------------------


def test_plan_prints_the_graph_and_what_is_left(settings: Settings) -> None:
    make_stage("isr_kd/face-only", settings)
    answer = CliRunner().invoke(app, ["plan", "40", "--profile", "smoke", "--out", str(settings.out), "--device", "cpu"])
    assert answer.exit_code == 0, answer.output
    (face_only,) = (line for line in answer.output.splitlines() if " isr_kd/face-only  " in line)
    assert "✓ done" in face_only
    (student,) = (line for line in answer.output.splitlines() if " isr_kd/replay-2-1 " in line)
    assert "to do" in student
    assert "waits" in next(line for line in answer.output.splitlines() if " 40_isr_kd " in line)


def test_plan_as_json_and_for_seeds(settings: Settings) -> None:
    command = ["plan", "10", "--profile", "smoke", "--out", str(settings.out), "--device", "cpu", "--json"]
    found = json.loads(CliRunner().invoke(app, [*command, "--seeds", "1-2,5"]).stdout)
    assert [task["name"] for task in found["tasks"] if task["kind"] == "notebook"] == [
        f"10_human_face_gan@{seed}" for seed in (1, 2, 5)
    ]
    for wrong in ("a", "3-1", "1-", ","):
        answer = CliRunner().invoke(app, [*command, "--seeds", wrong])
        assert (answer.exit_code, f"--seeds {wrong!r}" in answer.output) == (2, True)


def test_stage_trains_once_and_prints_its_folder(settings: Settings) -> None:
    command = ["stage", "isr_kd/replay-2-0", "--profile", "smoke", "--out", str(settings.out), "--device", "cpu"]
    first, second = CliRunner().invoke(app, command), CliRunner().invoke(app, command)
    assert (first.exit_code, second.exit_code) == (0, 0), first.output
    folder = Path(first.stdout.strip().splitlines()[-1])
    assert (folder / "done.json").is_file()
    assert second.stdout.strip() == str(folder)
    assert len(list((settings.out / "stages").glob("isr_kd-*"))) == 2  # and the teacher that it needs
    wrong = CliRunner().invoke(app, ["stage", "isr_kd/pupil", *command[2:]])
    assert wrong.exit_code == 2
    assert "choose one of isr_kd/face-only" in wrong.output


def test_a_notebook_opened_alone_says_what_it_will_train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run.start("10_a", title="A", paper="human_gan", profile="quick", seed=0, device="cpu", output_dir=str(tmp_path))
    paper = find_paper("human_gan")
    setting = paper.experiments(paper.package.Config.preset("quick"), "", run.stages, 0, "cpu")
    names = [stage.name for stage in setting.stages()]
    seconds = sum(estimates("quick")[f"human_gan/{slug(name)}"] for name in names)
    found, ahead, took, shipped = training_ahead(setting, run).splitlines()
    assert found == f"0 of the {len(names)} trainings that this notebook needs are in {tmp_path / 'stages'}."
    assert ahead == f"It trains {len(names)} before it can show them: {', '.join(names)}."
    assert took.startswith(f"About {duration(seconds)} on one core")
    assert shipped.startswith("Trained networks that come with facesr for this paper: ")
    monkeypatch.setattr(StageCache, "is_done", lambda *_: True)
    found, shipped = training_ahead(setting, run).splitlines()  # nothing ahead, so nothing to wait for
    assert found.startswith(f"{len(names)} of the {len(names)} trainings")
