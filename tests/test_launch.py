from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from facesr_lib import __version__
from facesr_tools.launch import REPOSITORY, TAG, hosted_links, source_link


@pytest.mark.parametrize(
    ("path", "address"),
    [("LICENSE", "/blob/{tag}/LICENSE"), ("notebooks/py/", "/tree/{tag}/notebooks/py"), ("a b.md", "/blob/{tag}/a%20b.md")],
)
def test_files_and_folders_have_public_addresses_at_this_version(path: str, address: str) -> None:
    assert source_link(path) == REPOSITORY + address.format(tag=f"v{__version__}")


@pytest.mark.parametrize(("given", "branch"), [("uni/faces-27", "main"), ("uni/faces-27@autumn/a", "autumn/a")])
def test_an_instructors_notebook_opens_from_the_instructors_repository_in_our_image(given: str, branch: str) -> None:
    links = hosted_links(given, "10_x")
    assert links["colab"] == f"https://colab.research.google.com/github/uni/faces-27/blob/{branch}/10_x.ipynb"
    binder = urlsplit(links["binder"])
    assert f"{binder.scheme}://{binder.netloc}{binder.path}".endswith(
        f"/v2/gh/{REPOSITORY.removeprefix('https://github.com/')}/{TAG}"
    )
    (pull,) = parse_qs(binder.query)["urlpath"]  # what Binder sends the browser to, once the image runs
    wanted = {"repo": ["https://github.com/uni/faces-27"], "branch": [branch], "urlpath": ["lab/tree/faces-27/10_x.ipynb"]}
    for address in (pull, links["hub"].removeprefix("/hub/user-redirect/")):
        assert address.startswith("git-pull?")
        assert parse_qs(urlsplit(address).query) == wanted


@pytest.mark.parametrize("given", ["faces", "https://github.com/uni/faces", "uni/faces@", "uni/faces/more", "uni/fa ces"])
def test_another_form_of_repository_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="expected OWNER/NAME or OWNER/NAME@BRANCH"):
        hosted_links(given, "10_x")
