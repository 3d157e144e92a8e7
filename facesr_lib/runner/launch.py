"""Where a notebook can be opened without installing anything: Binder and Colab, at the tag of this release."""

from __future__ import annotations

from facesr_lib import __version__

REPOSITORY = "https://github.com/facesr/facesr"
TAG = f"v{__version__}"


def launch_links(notebook: str) -> dict[str, str]:
    """The addresses that open `notebook` (its name, without `.ipynb`) on "binder" and on "colab"."""
    place = REPOSITORY.removeprefix("https://github.com/")
    return {
        "binder": f"https://mybinder.org/v2/gh/{place}/{TAG}?urlpath=lab/tree/notebooks/{notebook}.ipynb",
        "colab": f"https://colab.research.google.com/github/{place}/blob/{TAG}/notebooks/{notebook}.ipynb",
    }
