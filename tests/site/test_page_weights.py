"""What a page weighs: its own bytes, and each file that it shows, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from facesr_tools.site.page_weights import main, page_weight


def write(path: Path, content: str) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return len(content)


def test_a_page_weighs_what_it_shows_once_without_the_theme(tmp_path: Path) -> None:
    shown = '<img src="../files/a%20b.png" alt="x"><img alt="y" src="../files/a%20b.png"><img src="data:image/png;base64,AA">'
    scripts = (
        '<script src="../_static/theme.js"></script><script src="../_static/seeds.js"></script><a href="../files/c.zip">z</a>'
    )
    own = write(tmp_path / "notebooks" / "00_start_here.html", shown + scripts)
    picture = write(tmp_path / "files" / "a b.png", "p" * 3000)
    script = write(tmp_path / "_static" / "seeds.js", "s" * 400)
    write(tmp_path / "_static" / "theme.js", "t" * 9000)
    write(tmp_path / "files" / "c.zip", "z" * 9000)
    assert page_weight(tmp_path / "notebooks" / "00_start_here.html") == (own, picture + script)


def test_the_table_goes_between_its_marks_and_nowhere_else(tmp_path: Path) -> None:
    site, document = tmp_path / "quick" / "site", tmp_path / "a.md"
    write(site / "index.html", "i" * 2000)
    write(site / "demo" / "index.html", "d" * 1000)
    write(site / "demo" / "a.onnx", "o" * 2_500_000)
    write(tmp_path / "quick" / "report.html", "r" * 1_200_000)
    document.write_text("Before\n<!-- page weights -->\nstale\n<!-- /page weights -->\nAfter\n")
    for _ in range(2):
        main(site, document)
        text = document.read_text()
        assert "| the first page | 2 kB |  |" in text
        assert "| the report, one file | 1.2 MB |  |" in text
        assert "| the demo, networks included | 1 kB | 2.5 MB |" in text
        assert ("stale" in text, text.startswith("Before\n"), text.endswith("After\n")) == (False, True, True)
    document.write_text("nothing")
    with pytest.raises(ValueError, match=r"a\.md: no lines"):
        main(site, document)
