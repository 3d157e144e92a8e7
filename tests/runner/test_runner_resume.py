from __future__ import annotations

import dataclasses
import time

import pytest

from facesr_tools.runner.execute import Outcome, Settings
from facesr_tools.runner.notebooks import Notebook
from facesr_tools.runner.resume import read_marker, remove_marker, write_marker


@pytest.fixture
def done(tmp_path, make_notebook):
    notebook = Notebook(make_notebook("10_a", "x = 1"), "A")
    settings = Settings("quick", tmp_path / "out", data_root="faces")
    settings.folder(notebook).mkdir(parents=True)
    write_marker(notebook, settings, "code", Outcome("done", 12.5, 1000))
    return notebook, settings


def test_the_marker_keeps_time_and_memory(done):
    marker = read_marker(*done, "code")
    assert marker is not None
    assert (marker["notebook"], marker["seconds"], marker["peak_memory"]) == ("10_a", 12.5, 1000)
    assert abs(marker["finished"] - time.time()) < 60


@pytest.mark.parametrize("change", [{"seed": 1}, {"device": "cpu"}, {"data_root": ""}, {"profile": "smoke"}])
def test_other_settings_are_not_done(done, change):
    notebook, settings = done
    assert read_marker(notebook, dataclasses.replace(settings, **change), "code") is None


def test_other_code_or_another_source_is_not_done(done, make_notebook):
    notebook, settings = done
    assert read_marker(notebook, settings, "new code") is None
    make_notebook("10_a", "x = 2")
    assert read_marker(notebook, settings, "code") is None


def test_fresh_forgets_what_finished_before_it(done):
    notebook, settings = done
    now = time.time()
    assert read_marker(notebook, dataclasses.replace(settings, fresh_since=now + 60), "code") is None
    assert read_marker(notebook, dataclasses.replace(settings, fresh_since=now - 60), "code") is not None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"finished": "yesterday"}'])
def test_a_damaged_marker_counts_as_none(done, text):
    notebook, settings = done
    (settings.folder(notebook) / "done.json").write_text(text)
    assert read_marker(notebook, settings, "code") is None


def test_a_removed_marker_is_gone(done):
    remove_marker(*done)
    remove_marker(*done)
    assert read_marker(*done, "code") is None
