from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from rich.console import Console

from facesr_lib.config import read_fresh_since
from facesr_tools.runner.execute import Settings, find_failure
from facesr_tools.runner.notebooks import read_notebooks
from facesr_tools.runner.run import Outcomes, run_notebooks

BAR = "import time\nfrom tqdm.auto import tqdm\nfor _ in tqdm(range(5), desc='train'):\n    time.sleep(0.02)"
HUNGRY = "import time\nblock = b'x' * (200 * 1024**2)\ntime.sleep(0.5)"


class Folder:
    """One run of several notebooks, most of which fail."""

    def __init__(self, root: Path, write_notebook: Callable[..., Path]) -> None:
        notebooks = root / "notebooks"
        write_notebook(
            notebooks,
            "00_good",
            "# Hello",
            "import os, sys\nprint(PROFILE, SEED, DEVICE, DATA_ROOT, OUTPUT_DIR)\nprint(sys.executable, os.getcwd())",
            "print('one\\rtwo'); print('oops', file=sys.stderr)\nprint('hash seed', os.environ['PYTHONHASHSEED'])",
            BAR,
            "",
        )
        write_notebook(notebooks, "10_raises", "# Sums\n", "import json\n\njson.loads('nonsense')", "never = 1")
        write_notebook(notebooks, "20_exits", HUNGRY, "import os; os._exit(3)", "never = 1")
        write_notebook(notebooks, "30_killed", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
        write_notebook(notebooks, "40_syntax", "a = 1\nb = = 2")
        write_notebook(notebooks, "50_quits", "import sys; sys.exit(0)")
        write_notebook(notebooks, "90_report", "print('report')", always=True)
        self.notebooks = read_notebooks(notebooks)
        self.settings = Settings("smoke", root / "out", seed=3, device="cpu", data_root="/faces")
        for name in ("00_good", "10_raises"):
            (root / "out" / "smoke" / name).mkdir(parents=True)
            (root / "out" / "smoke" / name / "notebook.failed.ipynb").write_text("stale")
        (root / "out" / "smoke" / "report.html").write_text("<html>")
        self.ended, self.text = self.run()
        self.outcomes = self.ended.notebooks

    def run(self) -> tuple[Outcomes, str]:
        file = io.StringIO()
        console = Console(file=file, width=120)
        return run_notebooks(self.notebooks, self.settings, console, "code", "facesr run all"), file.getvalue()

    def path(self, name: str, file: str) -> Path:
        return self.settings.out / "smoke" / name / file


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, write_notebook) -> Folder:
    return Folder(tmp_path_factory.mktemp("run"), write_notebook)


def report(folder: Folder, name: str) -> str:
    failure = folder.outcomes[name].failure
    assert failure is not None
    return "\n".join(failure.lines())


def test_the_failures_do_not_stop_the_others_and_the_exit_code_says_it(folder):
    assert {name: outcome.status for name, outcome in folder.outcomes.items()} == {
        "00_good": "done",
        "10_raises": "failed",
        "20_exits": "failed",
        "30_killed": "failed",
        "40_syntax": "failed",
        "50_quits": "failed",
        "90_report": "done",
    }
    assert folder.ended.exit_code == 1


def test_a_good_run_leaves_the_executed_notebook_a_marker_and_nothing_else(folder):
    files = {path.name for path in folder.path("00_good", ".").iterdir()}
    assert files == {"notebook.ipynb", "done.json", "log.txt"}
    nb = nbformat.read(folder.path("00_good", "notebook.ipynb"), 4)
    nbformat.validate(nb)
    assert nb.metadata.papermill.exception is None


def test_the_executed_notebook_keeps_the_state_of_its_widgets(folder):
    """So that a page can show them without a kernel; a malformed state breaks the viewers of notebooks."""
    executed = nbformat.read(folder.path("00_good", "notebook.ipynb"), as_version=4)
    nbformat.validate(executed)
    assert list(executed.metadata.widgets) == ["application/vnd.jupyter.widget-state+json"]
    saved = executed.metadata.widgets["application/vnd.jupyter.widget-state+json"]
    assert (saved.version_major, saved.version_minor) == (2, 0)
    assert set(re.findall(r"IPY_MODEL_(\w+)", json.dumps(saved.state))) <= set(saved.state)
    (bar,) = [model.state for model in saved.state.values() if model.model_name == "FloatProgressModel"]
    assert (bar.value, bar.max) == (5, 5)
    shown = [output.data for cell in executed.cells for output in cell.get("outputs", []) if "data" in output]
    views = [data["application/vnd.jupyter.widget-view+json"] for data in shown if len(data) > 1]
    assert [saved.state[view.model_id].model_name for view in views] == ["HBoxModel"]


def test_the_log_has_parameters_output_and_reduced_bars(folder):
    log = folder.path("00_good", "log.txt").read_text()
    lines = log.splitlines()
    assert f"smoke 3 cpu /faces {folder.settings.out}" in lines
    assert f"{sys.executable} {folder.notebooks[0].path.parent}" in lines
    assert "[cell 3/5] Hello" in lines
    assert "two" in lines
    assert "oops" in lines
    assert "hash seed 0" in lines
    assert any(line.startswith("train: 100%") and "5/5" in line for line in lines)
    assert "one" not in lines
    assert "\r" not in log
    assert lines[-1].startswith("done in ")


def test_an_exception_names_cell_line_and_error(folder):
    text = report(folder, "10_raises")
    assert "cell 3 of 4 (In [3]) starting with: import json" in text
    assert "line 3 of that cell: json.loads('nonsense')" in text
    assert "JSONDecodeError: Expecting value: line 1 column 1 (char 0)" in text
    assert "decoder.py:" in text
    log = folder.path("10_raises", "log.txt").read_text()
    assert text in log
    assert "Traceback" in log
    assert "\x1b" not in log


def test_a_failed_run_keeps_its_notebook_and_gets_no_marker(folder):
    for name in ("10_raises", "20_exits", "30_killed"):
        assert {path.name for path in folder.path(name, ".").iterdir()} == {"notebook.failed.ipynb", "log.txt"}
    nb = nbformat.read(folder.path("10_raises", "notebook.failed.ipynb"), 4)
    assert "JSONDecodeError" in str(nb.cells)


def test_a_kernel_that_exits_is_reported(folder):
    text = report(folder, "20_exits")
    assert "cell 4 of 5 (In [4]) starting with: import os; os._exit(3)" in text
    assert "the kernel died (exit status 3)" in text
    assert folder.outcomes["20_exits"].peak_memory > 200 * 1024**2


def test_a_kernel_that_is_killed_is_reported(folder):
    text = report(folder, "30_killed")
    assert "cell 3 of 3" in text
    assert "the kernel died (signal SIGKILL, most likely out of memory)" in text
    assert "GiB; if memory is short, close other programs or use a smaller --profile" in text


def test_errors_that_are_no_exceptions_of_the_code(folder):
    assert "line 2 of that cell: b = = 2" in report(folder, "40_syntax")
    assert "SyntaxError" in report(folder, "40_syntax")
    assert "SystemExit: 0" in report(folder, "50_quits")


def test_plain_output_has_no_control_codes_and_ends_with_the_report(folder):
    assert "\x1b" not in folder.text
    assert "\r" not in folder.text
    assert folder.text.splitlines()[-1] == str(folder.settings.out / "smoke" / "report.html")
    assert "✓ 00_good  done" in folder.text
    assert "✗ 30_killed  failed" in folder.text


def test_the_next_run_skips_what_is_done_but_not_the_report(folder, monkeypatch):
    folder.notebooks = [n for n in folder.notebooks if n.name in ("00_good", "90_report")]
    ended, text = folder.run()
    outcomes = ended.notebooks
    assert [outcome.status for outcome in outcomes.values()] == ["already done", "done"]
    assert outcomes["00_good"].seconds == pytest.approx(folder.outcomes["00_good"].seconds, abs=0.01)
    assert "✓ 00_good  already done" in text
    assert ended.exit_code == 0


def answered(source: str, **extra) -> nbformat.NotebookNode:
    metadata = {"execution": {"shell.execute_reply": "2020-01-01"}, **extra.pop("metadata", {})}
    return new_code_cell(source, execution_count=1, metadata=metadata, **extra)


def test_cells_decide_even_when_papermill_saw_nothing():
    good = new_notebook(cells=[answered("a"), new_code_cell(""), new_code_cell("b", metadata={"tags": ["skip-execution"]})])
    assert find_failure(good, None, None, 0) is None

    numbered_only = new_notebook(cells=[answered("a"), new_code_cell("b", execution_count=2), answered("c")])
    failure = find_failure(numbered_only, None, None, 0)
    assert failure is not None
    assert (failure.cell, failure.cells, failure.reason) == (2, 3, "the notebook stopped before this cell")

    silent = new_notebook(cells=[answered("a", outputs=[new_output("error", ename="E", evalue="v", traceback=["E: v"])])])
    assert find_failure(silent, None, None, 0).reason == "E: v"


def test_a_kernel_that_dies_after_the_last_cell_is_a_failure():
    failure = find_failure(new_notebook(cells=[answered("a")]), None, -11, 0)
    assert failure is not None
    assert failure.cell is None
    assert "signal SIGSEGV)" in failure.reason


def test_running_out_of_memory_in_python_comes_with_advice():
    error = new_output("error", ename="MemoryError", evalue="", traceback=["MemoryError"])
    failure = find_failure(new_notebook(cells=[answered("a", outputs=[error])]), None, None, 2**30)
    assert "peak 1.0 GiB of" in failure.reason


def test_a_run_that_cannot_start_is_a_failure_with_its_reason():
    failure = find_failure(None, RuntimeError("Kernel died before replying to kernel_info"), None, 0)
    assert failure is not None
    assert failure.lines() == ["RuntimeError: Kernel died before replying to kernel_info"]


def test_a_fresh_run_tells_its_notebook_since_when_trainings_count_and_nobody_else(tmp_path: Path, write_notebook):
    asks = (
        "from facesr_lib.config import read_fresh_since\nfrom pathlib import Path\n"
        "print('since', read_fresh_since(Path(OUTPUT_DIR, PROFILE, '10_asks')))"
    )
    write_notebook(tmp_path / "notebooks", "10_asks", asks)
    settings = Settings("smoke", tmp_path / "out", fresh_since=12.5)
    console = Console(file=io.StringIO())
    outcomes = run_notebooks(read_notebooks(tmp_path / "notebooks"), settings, console, "code", "")
    assert outcomes.notebooks["10_asks"].status == "done"
    assert "since 12.5" in (tmp_path / "out" / "smoke" / "10_asks" / "log.txt").read_text()
    assert read_fresh_since(tmp_path / "out" / "smoke" / "10_asks") == 0
