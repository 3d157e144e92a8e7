"""The demo as a page of the site. Sphinx is left out: it makes nothing of the demo but the link."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_site
from shaken_networks import shaken

from facesr_tools import demo
from facesr_tools.runner.notebooks import read_notebooks
from facesr_tools.site import build


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What a build says that copies the first page where Sphinx would make one of it."""

    def copy(project: Path, site: Path, profile: str) -> list[str]:
        site.mkdir()
        (site / "index.html").write_text((project / "index.md").read_text())
        return []

    monkeypatch.setattr(build, "check_tools", lambda: None)
    monkeypatch.setattr(build, "run_sphinx", copy)
    return []


def built(root: Path, lines: list[str]) -> Path:
    notebooks = read_notebooks(tiny_site.write_project(root))
    return build.build_site(notebooks, root / "runs", tiny_site.PROFILE, root=root, say=lines.append).parent


@pytest.mark.usefixtures("demo_tools")
def test_the_first_page_leads_to_it(tmp_path: Path, lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "find_networks", lambda settings: ([shaken("isr_kd")], []))
    site = built(tmp_path, lines)
    assert 'href="demo/index.html"' in (site / "index.html").read_text()
    assert (site / "demo" / "isr_kd.onnx").is_file()


def test_without_networks_the_site_says_why_and_has_no_link(
    tmp_path: Path, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "find_networks", lambda settings: ([], ["nothing was trained"]))
    site = built(tmp_path, lines)
    assert "No demo in the browser: nothing was trained" in lines
    assert "demo/" not in (site / "index.html").read_text()
    assert not (site / "demo").exists()
