from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from facesr_tools.runner.notebooks import Notebook, NotebookError, find_folder, read_notebooks, select


@pytest.fixture
def three(tmp_path: Path, make_notebook) -> list[Notebook]:
    make_notebook("90_report", always=True)
    make_notebook("10_human_face_gan", paper="human_gan", minutes={"quick": 1.5}, hardware={"paper": "GPU 24 GB"})
    make_notebook("95_more")
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "notebooks" / "Untitled.ipynb")
    return read_notebooks(tmp_path / "notebooks")


def test_reads_facts_by_name_with_the_report_last_and_ignores_strangers(three):
    assert [notebook.name for notebook in three] == ["10_human_face_gan", "95_more", "90_report"]
    first = three[0]
    assert (first.title, first.paper, first.always) == ("Title of 10_human_face_gan", "human_gan", False)
    assert (first.minutes, first.hardware) == ({"quick": 1.5}, {"paper": "GPU 24 GB"})


@pytest.mark.parametrize("name", ["10", "10_human_face_gan", "10_human_face_gan.ipynb", "notebooks/10_human_face_gan.ipynb"])
def test_a_notebook_has_several_names(three, name):
    assert [notebook.name for notebook in select(three, [name])] == ["10_human_face_gan"]


def test_selection_keeps_the_running_order_and_each_once(three):
    assert select(three, ["90", "10", "90_report"]) == [three[0], three[2]]
    assert select(three, ["10", "all"]) == three


def test_an_unknown_name_lists_the_valid_ones_and_the_closest(three):
    with pytest.raises(NotebookError, match=r"did you mean '10_human_face_gan'\? Valid: .*95_more, 90_report, all"):
        select(three, ["10_human_gan"])
    with pytest.raises(NotebookError, match=r"unknown notebook '1'\. Valid: 10_human_face_gan"):
        select(three, ["1"])


def test_the_digest_follows_the_source_only(make_notebook):
    path = make_notebook("10_a", "x = 1")
    before = Notebook(path, "").digest()
    nb = nbformat.read(path, 4)
    nb.cells[1].outputs = [nbformat.v4.new_output("stream", text="hello")]
    nb.cells[1].execution_count = 7
    nbformat.write(nb, path)
    assert Notebook(path, "").digest() == before
    nb.cells[1].source = "x = 2"
    nbformat.write(nb, path)
    assert Notebook(path, "").digest() != before


@pytest.mark.parametrize("text", ["<<<<<<< ours\n{}", "[]", '{"cells": 3}'])
def test_a_broken_notebook_is_named(tmp_path, text):
    (tmp_path / "10_broken.ipynb").write_text(text)
    with pytest.raises(NotebookError, match=r"10_broken\.ipynb: not a"):
        read_notebooks(tmp_path)


def test_facts_without_a_title_are_named(tmp_path):
    (tmp_path / "10_a.ipynb").write_text('{"cells": [], "metadata": {"facesr": {"paper": "x"}}}')
    with pytest.raises(NotebookError, match=r'10_a\.ipynb.*"title"'):
        read_notebooks(tmp_path)


def test_a_folder_without_notebooks_or_no_folder_is_named(tmp_path):
    with pytest.raises(NotebookError, match="has no facesr notebooks"):
        read_notebooks(tmp_path)
    with pytest.raises(NotebookError, match="nowhere"):
        find_folder(tmp_path / "nowhere")
    assert find_folder(tmp_path) == tmp_path
