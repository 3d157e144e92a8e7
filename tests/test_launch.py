from __future__ import annotations

import pytest

from facesr_lib import __version__
from facesr_tools.launch import REPOSITORY, source_link


@pytest.mark.parametrize(
    ("path", "address"),
    [("LICENSE", "/blob/{tag}/LICENSE"), ("notebooks/py/", "/tree/{tag}/notebooks/py"), ("a b.md", "/blob/{tag}/a%20b.md")],
)
def test_files_and_folders_have_public_addresses_at_this_version(path: str, address: str) -> None:
    assert source_link(path) == REPOSITORY + address.format(tag=f"v{__version__}")
