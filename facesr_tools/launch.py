"""Public addresses: where a notebook opens without installing anything, and where the project's files are."""

from importlib.metadata import metadata
from urllib.parse import quote

from facesr_lib import __version__

# pyproject.toml's [project.urls], as the installed package states them
REPOSITORY = dict(entry.split(", ", 1) for entry in metadata("facesr").get_all("Project-URL") or [])["Repository"]
TAG = f"v{__version__}"  # links lead to the code that made a page, whatever the main line does later


def launch_links(notebook: str) -> dict[str, str]:
    """Addresses where the notebook `notebook` (its name without `.ipynb`) opens: keys "binder" and "colab"."""
    owner_and_name, path = REPOSITORY.removeprefix("https://github.com/"), quote(f"notebooks/{notebook}.ipynb")
    return {
        "binder": f"https://mybinder.org/v2/gh/{owner_and_name}/{TAG}?urlpath=lab/tree/{path}",
        "colab": f"https://colab.research.google.com/github/{owner_and_name}/blob/{TAG}/{path}",
    }


def source_link(path: str) -> str:
    """The public address of a file or folder of the repository, `path` relative to its root."""
    return f"{REPOSITORY}/{'tree' if path.endswith('/') else 'blob'}/{TAG}/{quote(path.rstrip('/'))}"
