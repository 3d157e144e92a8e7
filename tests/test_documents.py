"""What the repository says of itself beside its code: it must not go stale."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml

from facesr_lib import __version__
from facesr_lib.metrics.weights import WEIGHTS
from facesr_tools.prepare.catalogue import CATALOGUE

ROOT = Path(__file__).parents[1]
TEXTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("notebooks/*.ipynb")]
THIRD_PARTY = (ROOT / "THIRD_PARTY.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=lambda weights: weights.name)
def test_licences_of_weights_are_stated(weights) -> None:
    (row,) = [row for row in THIRD_PARTY.splitlines() if row.startswith(f"| {weights.name} |")]
    assert weights.licence in row


@pytest.mark.parametrize("description", CATALOGUE.values(), ids=lambda description: description.name)
def test_terms_of_data_sets_are_stated(description) -> None:
    (row,) = [row for row in THIRD_PARTY.splitlines() if row.startswith(f"| {description.name} |")]
    assert description.origin.licence in row
    assert description.origin.terms in row


def test_every_package_has_its_licence() -> None:
    needed = PROJECT["dependencies"] + [name for extra in PROJECT["optional-dependencies"].values() for name in extra]
    names = {re.match(r"[\w.-]+", requirement)[0] for requirement in needed}
    table = THIRD_PARTY[THIRD_PARTY.index("## Python packages") :]
    assert {name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", table)} == set()


def test_citation_names_this_version_and_the_four_papers() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == __version__
    assert len(citation["references"]) == 4
    for work in (citation, *citation["references"]):
        assert work["title"]
        assert all("name" in author or "family-names" in author for author in work["authors"])


def test_the_changelog_speaks_of_this_version() -> None:
    parts = re.split(r"^## \[(.+)\].*$", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    versions = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert next(iter(versions)) == "Unreleased"
    assert __version__ in versions or f", {__version__}, " in versions["Unreleased"]


def markdown(path: Path) -> str:
    """A document's text, or all that of a notebook, without code."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = nbformat.reads(text, as_version=4).cells
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(path: Path) -> set[str]:
    """The names that GitHub gives to a document's headings."""
    text = path.read_text(encoding="utf-8") if path.suffix == ".md" else markdown(path)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    wrong = []
    for target in re.findall(r"\]\(([^)\s]+)", markdown(path)):
        if re.match(r"https?:|mailto:", target):
            wrong += [target] if target.startswith("http:") else []
            continue
        file, _, part = target.partition("#")
        found = (path.parent / file).resolve() if file else path
        inside = found.is_relative_to(ROOT) and found.exists()
        if not inside or (part and part not in anchors(found)):
            wrong.append(target)
    assert wrong == []


def test_the_table_of_rehearsals_is_that_of_the_kept_figures() -> None:
    """docs/rehearsing.md prints results/rehearsal_paper_cpu.json, row by row; no loss term was infinite or undefined."""

    def number(value: float) -> str:
        return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"

    rows = json.loads((ROOT / "results" / "rehearsal_paper_cpu.json").read_text())["rehearsals"]
    text = (ROOT / "docs" / "rehearsing.md").read_text()
    for row in rows:
        assert not row["wrong"]
        assert not row["failure"]
        cells = [
            f"{row['paper']}: {row['training']}",
            row["level"],
            f"{row['batch']} of {row['preset_batch']}",
            str(row["steps"]),
        ]
        cells += [number(row["seconds"]), f"{row['peak_memory'] / 2**30:.1f} GiB", f"{row['schedule']:,}", number(row["hours"])]
        assert f"| {' | '.join(cells)} |" in text
    assert text.count(" GiB | ") == len(rows) == 20


def test_the_readmes_command_trains_the_seeds_of_its_table() -> None:
    readme = (ROOT / "README.md").read_text()
    table = re.search(r"over \d+ training seeds \((\d+-\d+)\)", readme)
    command = re.search(r"SEEDS=(\d+-\d+)` makes this table", readme)
    assert table
    assert command
    assert table[1] == command[1]
