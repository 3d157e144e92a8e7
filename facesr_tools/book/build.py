"""From a profile's results to a site in one folder. Nothing is executed, and nothing is written outside the results."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from facesr_lib.files import sync_folder
from facesr_tools.book.jupyter_book import BookError, check_tools, read_project
from facesr_tools.book.landing import TITLE, write_landing
from facesr_tools.book.site import write_site
from facesr_tools.book.stage import stage_documents, stage_model_cards, stage_notebooks, write_configuration
from facesr_tools.runner.notebooks import Notebook

FOLDER = "book"


def build_book(
    notebooks: Sequence[Notebook], out: Path, profile: str, *, root: Path | None, say: Callable[[str], None] = print
) -> Path:
    """Build the site of `notebooks` as executed in `out`/`profile`, and return its first page, `out`/`profile`/book/index.html.

    root: the repository, whose documents become pages too; None without one. say: takes one line of progress at a time. An
    earlier site is replaced at the end, so whoever reads it sees the old one or the new one, and after an error the old one.
    Raises BookError if no notebook was executed, or if Jupyter Book or Node are missing.
    """
    results = out / profile
    executed = [notebook for notebook in notebooks if (results / notebook.name / "notebook.ipynb").is_file()]
    if not executed:
        raise BookError(
            f"no executed notebook in {results}; first: make reproduce, or facesr run all --profile {profile}"
        )
    check_tools()
    say(f"{len(executed)} of {len(notebooks)} notebooks were executed in the {profile} profile")
    with tempfile.TemporaryDirectory(prefix=f".{FOLDER}-", dir=results) as scratch:
        staged, site = Path(scratch, "project"), Path(scratch, "site")
        staged.mkdir()
        site.mkdir()
        pages = stage_notebooks(staged, notebooks, results)
        pages += [*stage_model_cards(staged, results), *stage_documents(staged, root)]
        first, *others = write_landing(staged, pages, results, profile)
        place = next((n for n, page in enumerate(pages) if page.section == "Results"), len(pages))
        sources = [first, *pages[:place], *others, *pages[place:]]
        write_configuration(staged, TITLE, sources)
        say(f"Jupyter Book reads {len(sources)} pages")
        project = read_project(staged)
        for remark in project.remarks:
            say(f"  {remark}")
        say("writing the site")
        write_site(site, project, sources, profile)
        _replace(site, results / FOLDER)
    return results / FOLDER / "index.html"


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
