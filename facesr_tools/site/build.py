"""From a profile's results to a site in one folder. Nothing is executed, and nothing is written outside the results."""

import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib.resources import as_file, files
from pathlib import Path

from facesr_lib.files import one_writer, sync_folder
from facesr_tools.runner.execute import Settings
from facesr_tools.runner.log import ANSI
from facesr_tools.runner.notebooks import Notebook, NotebookError
from facesr_tools.site.api import write_api
from facesr_tools.site.headlines import headlines
from facesr_tools.site.landing import read_claims, write_departures, write_exhibits, write_landing
from facesr_tools.site.seed_page import write_seed_page
from facesr_tools.site.stage import Source, stage_documents, stage_model_cards, stage_notebooks, stage_results

FOLDER, DEMO = "site", "demo"
_NEEDED = ("sphinx", "myst_nb", "sphinx_book_theme", "sphinx_design", "sphinxcontrib.bibtex")
_FOOTER = (
    "MIT licence. Built from executed notebooks ({profile} profile) with Sphinx. Super-resolved faces contain invented detail: "
    "never use them to identify anyone."
)


class SiteError(NotebookError):
    """The site cannot be built; the message says why and what to do."""


def build_site(
    notebooks: Sequence[Notebook], out: Path, profile: str, *, root: Path | None, say: Callable[[str], None] = print
) -> Path:
    """Build the site of `notebooks` as executed in `out`/`profile`, and return its first page, `out`/`profile`/site/index.html.

    root: the repository, whose documents become pages too; None without one. say: takes one line of progress at a time, and,
    indented, what Sphinx warns of. An earlier site is replaced at the end, so whoever reads it sees the old one or the new
    one, and after an error the old one. Raises SiteError if no notebook was executed, or if Sphinx is missing or fails.
    """
    results = out / profile
    executed = [notebook for notebook in notebooks if (results / notebook.name / "notebook.ipynb").is_file()]
    if not executed:
        raise SiteError(f"no executed notebook in {results}; first: make reproduce, or facesr run all --profile {profile}")
    check_tools()
    say(f"{len(executed)} of {len(notebooks)} notebooks were executed in the {profile} profile")
    with one_writer(results / FOLDER), tempfile.TemporaryDirectory(prefix=f".{FOLDER}-", dir=results) as scratch:
        project, site = Path(scratch, "project"), Path(scratch, "site")
        demo = make_demo(Path(scratch, DEMO), Settings(profile, out, device="cpu"), say)
        sources = stage(project, notebooks, results, profile, root, demo)
        say(f"Sphinx reads {len(sources) + 1} pages")
        for remark in run_sphinx(project, site, profile):
            say(f"  {remark}")
        if demo:
            Path(scratch, DEMO).rename(site / DEMO)
        _replace(site, results / FOLDER)
    return results / FOLDER / "index.html"


def check_tools() -> None:
    """Raise SiteError if a package of the extra "site" is missing."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name.partition(".")[0]) is None]
    if missing:
        raise SiteError(f"{', '.join(missing)}: not installed; pip install 'facesr[site]', or in the repository: make site")


def make_demo(folder: Path, settings: Settings, say: Callable[[str], None]) -> bool:
    """Write the page that runs networks in the browser into `folder`; False, and say why, if it cannot be made.

    Networks that ship with the package, else the run's on packaged images: what learned from a user's own is not for a site.
    """
    from facesr_tools.demo import DemoError, find_networks, write_demo  # brings torch

    try:
        networks, missing = find_networks(settings)
        if not networks:
            raise DemoError(missing[0])
        write_demo(folder, networks, say)
    except (DemoError, OSError, ValueError) as error:
        say(f"No demo in the browser: {error}")
        return False
    return True


def stage(
    project: Path, notebooks: Sequence[Notebook], results: Path, profile: str, root: Path | None, demo: bool = False
) -> list[Source]:
    """Write all that Sphinx reads into the new folder `project`; return the pages in the site's order, without the first.

    demo: whether the site will have one, to which the first page then leads.
    """
    with as_file(files("facesr_tools.site")) as own:
        shutil.copytree(own / "pages", project)
        shutil.copyfile(own / "conf.py", project / "conf.py")
    judged = read_claims(results)
    sources = stage_notebooks(project, notebooks, results, profile, root)
    sources += [Source("claims", "Results", "Verdict per claim")] if judged else []
    sources += [Source("seeds", "Results", "Flip the seeds")] if write_seed_page(project, root) else []
    sources += stage_results(project, root)
    sources += stage_model_cards(project, results)
    write_departures(project)
    sources.append(Source("departures", "Reference", "Departures from the papers"))
    if write_exhibits(project, sources):
        sources.append(Source("exhibits", "Reference", "Every figure and table"))
    write_api(project)
    reference = {"glossary": "Glossary", "bibliography": "Bibliography", "api/index": "API"}
    sources += [Source(page, "Reference", label) for page, label in reference.items()]
    sources += stage_documents(project, root)
    write_landing(project, sources, judged, profile, demo, headlines(root))
    return sources


def run_sphinx(project: Path, site: Path, profile: str) -> list[str]:
    """Build the pages of `project` into the new folder `site`; return Sphinx's warnings. Raises SiteError if it fails."""
    footer = _FOOTER.format(profile=profile)
    command = [sys.executable, "-m", "sphinx", "--builder", "html", "--jobs", "auto", "--quiet", "--keep-going"]
    command += [
        "--doctree-dir",
        str(site.with_name("doctrees")),
        "--define",
        f"html_theme_options.extra_footer={footer}",
        str(project),
        str(site),
    ]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace")
    said = [line.replace(f"{project}/", "") for line in ANSI.sub("", done.stderr).splitlines() if line.strip()]
    if done.returncode or not (site / "index.html").is_file():
        raise SiteError("\n".join(["Sphinx failed. Its last words:", *said[-15:]]))
    for useless in (site / ".buildinfo", *site.glob("_static/**/*.map"), *site.glob("_static/*.html")):
        useless.unlink(missing_ok=True)
    return [line for line in said if re.search(r"WARNING|ERROR", line)]


def _replace(new: Path, target: Path) -> None:
    """Rename `new` to `target`. What was there moves into the scratch folder, to be deleted with it, or back if that fails."""
    old = new.with_name("old")
    if target.exists():
        target.rename(old)
    try:
        new.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
    sync_folder(target.parent)
