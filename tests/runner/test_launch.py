from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from facesr_lib.runner.launch import REPOSITORY, TAG, launch_links, source_link

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]


def test_links_open_the_notebook_of_this_version() -> None:
    tag = f"v{PROJECT['version']}"
    assert tag == TAG
    assert launch_links("02_edges") == {
        "binder": f"https://mybinder.org/v2/gh/facesr/facesr/{tag}?urlpath=lab/tree/notebooks/02_edges.ipynb",
        "colab": f"https://colab.research.google.com/github/facesr/facesr/blob/{tag}/notebooks/02_edges.ipynb",
    }


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("LICENSE", "/blob/{tag}/LICENSE"),
        ("notebooks/py/", "/tree/{tag}/notebooks/py"),
        ("a b.md", "/blob/{tag}/a%20b.md"),
    ],
)
def test_files_and_folders_have_public_addresses(path: str, address: str) -> None:
    assert source_link(path) == REPOSITORY + address.format(tag=TAG)
