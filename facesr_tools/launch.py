"""Public addresses: where a notebook opens without installing anything, and where the project's files are."""

import re
from importlib.metadata import metadata
from urllib.parse import quote, urlencode

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


def hosted_links(repository: str, notebook: str) -> dict[str, str]:
    """Addresses where a notebook of an instructor's public GitHub repository opens: keys "binder", "colab" and "hub".

    repository: "OWNER/NAME" or "OWNER/NAME@BRANCH" (default: main), with the notebook in its root. Binder takes the image of this
    release of facesr, and nbgitpuller in it fetches the repository. "hub": what to append to the address of a JupyterHub that has
    facesr and nbgitpuller. Raises ValueError for another form of `repository`.
    """
    found = re.fullmatch(r"([\w.-]+/([\w.-]+))(?:@([\w./-]+))?", repository, flags=re.ASCII)
    if not found:
        raise ValueError(f"repository {repository!r}: expected OWNER/NAME or OWNER/NAME@BRANCH, as GitHub spells them")
    owner_and_name, name, branch = found[1], found[2], found[3] or "main"
    file = f"{notebook}.ipynb"
    wanted = {"repo": f"https://github.com/{owner_and_name}", "branch": branch, "urlpath": f"lab/tree/{name}/{file}"}
    pull = f"git-pull?{urlencode(wanted)}"
    environment = REPOSITORY.removeprefix("https://github.com/")
    return {
        "binder": f"https://mybinder.org/v2/gh/{environment}/{TAG}?urlpath={quote(pull, safe='')}",
        "colab": f"https://colab.research.google.com/github/{owner_and_name}/blob/{quote(branch)}/{quote(file)}",
        "hub": f"/hub/user-redirect/{pull}",
    }


def source_link(path: str) -> str:
    """The public address of a file or folder of the repository, `path` relative to its root."""
    return f"{REPOSITORY}/{'tree' if path.endswith('/') else 'blob'}/{TAG}/{quote(path.rstrip('/'))}"
