"""What a run says in words: shown as text and as HTML, folded where the reader was asked first."""

from __future__ import annotations

from pathlib import Path

import pytest

from facesr_lib.evaluate import Run, answer
from facesr_lib.evaluate.reading import Reading
from facesr_tools.site.outputs import clean


def test_marks_become_html_and_everything_else_stays_text() -> None:
    html = Reading("A *clear* gain of `+1.0` dB,\n  if a < b.\n\n**Not** so <script>bad()</script>.")._repr_html_()
    assert html == (
        "<p>A <em>clear</em> gain of <code>+1.0</code> dB, if a &lt; b.</p>"
        "<p><b>Not</b> so &lt;script&gt;bad()&lt;/script&gt;.</p>"
    )


def test_an_answer_is_folded_under_its_question_and_stays_so_on_the_site() -> None:
    found = answer("PSNR fell by 2 * 3 = 6 dB.", "By how much?")
    assert repr(found) == "PSNR fell by 2 * 3 = 6 dB."
    html = str(clean(found._repr_html_()))
    assert html == "<details><summary>By how much?</summary><p>PSNR fell by 2 * 3 = 6 dB.</p></details>"


def test_a_note_is_shown_in_a_notebook_and_recorded_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run.start("00_x", title="X", paper=None, profile="smoke", seed=0, device="cpu", data_root="", output_dir=str(tmp_path))
    run.note("The gain is 1 dB.")
    assert capsys.readouterr().out == ""
    monkeypatch.setattr("facesr_lib.evaluate.run.get_ipython", lambda: "a notebook's shell")
    run.note("The gain is 1 dB.")
    assert run.result()["notes"] == ["The gain is 1 dB."]
    assert capsys.readouterr().out == "The gain is 1 dB.\n"
