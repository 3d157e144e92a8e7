"""What a student meets: every notebook with an explorer, run in JupyterLab, moved by keyboard, and read without network."""

from __future__ import annotations

import inspect
import io
import json
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import ipywidgets
import jupytext
import nbformat
import pytest
from lab import Lab
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook
from PIL import Image
from playwright.sync_api import Browser, Locator
from visit import Visit, pictures, visit

import facesr_lib.explore
from facesr_tools.report import build_report, load_result
from facesr_tools.site.export import export_notebook

FOLDER = Path(__file__).parents[2] / "notebooks"
# In every first cell; nothing else that a notebook shows is on the web.
BADGES = ("https://mybinder.org/badge_logo.svg", "https://colab.research.google.com/assets/colab-badge.svg")
ERROR = "[data-mime-type$='jupyter.error']"
RUN_SECONDS = 600  # a hang, not a budget
STEPS = 5  # of a slider: one step of a blur changes no 8-bit pixel
# What to choose in a menu ("" for nothing) -> the labels of all sliders that are new then.
EXPLORERS: dict[str, dict[str, tuple[str, ...]]] = {
    "01_degradation_and_upsampling": {
        "": ("scale", "line at %"),
        "blur, bilinear": ("kernel", "sigma"),
        "hidden": ("motion", "noise", "JPEG quality", "random draw"),
    },
    "02_edges": {"": ("blur first", "thresholds"), "DoG": ("sigmas",), "LoG": ("sigma",), "edge block": ("window",)},
    "04_losses": {"": ("shift (px)", "blur sigma (px)", "noise (grey levels)", "contrast (factor)", "warmth (colour cast)")},
    "20_selfsr_degradation": {"": ("strength (px)", "turned by (deg)")},
    # Their notebooks train networks for minutes in all; tests/notebooks runs those.
    "untrained_networks": {"": ("level", "face", "Canny", "DoG", "training %", "output KD", "bottleneck")},
}
OWN_PICTURE = {"01_degradation_and_upsampling", "02_edges", "04_losses"}  # where readers can bring one


@dataclass(frozen=True)
class Open:
    """A notebook that was run in JupyterLab and is still open."""

    name: str
    visit: Visit
    path: Path
    runs: Path  # where it wrote its results

    def all(self, selector: str) -> Locator:
        return self.visit.page.locator(".jp-Notebook").locator(selector)

    def screenshot(self, what: str) -> Path:
        """Where to keep one."""
        return self.visit.screenshots / f"{self.name} {re.sub('[^a-zA-Z]+', '_', what).strip('_')}.png"

    def save(self) -> None:
        """By the button, with outputs and widgets."""
        before = self.path.stat().st_mtime_ns

        def written() -> bool:
            try:
                json.loads(self.path.read_bytes())
            except ValueError:
                return False  # JupyterLab empties the file before it fills it
            return self.path.stat().st_mtime_ns > before

        self.visit.page.get_by_role("button", name="Save and create checkpoint").click()
        self.visit.until("the notebook to be saved", written)


def load(name: str) -> nbformat.NotebookNode:
    """A notebook of the project, or the one beside this test, as it is committed."""
    beside = Path(__file__).with_name(f"{name}.py")
    return jupytext.read(beside) if beside.exists() else nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


@pytest.fixture(scope="module", params=EXPLORERS)
def notebook(request: pytest.FixtureRequest, lab: Lab, browser: Browser, screenshots: Path) -> Iterator[Open]:
    """Opened and run by the menu, in the smoke profile."""
    name, path, runs = request.param, lab.folder / f"{request.param}.ipynb", lab.folder / "runs"
    nbformat.write(load(name), path)
    values = {"PROFILE": "smoke", "DEVICE": "cpu", "OUTPUT_DIR": str(runs)}
    source = parameterize_notebook(load_notebook_node(str(path)), values)
    nbformat.write(source, path)
    with visit(browser, lab.address(path.name), lab.url, screenshots, badges=BADGES) as opened:
        page, cells = opened.page, sum(cell.cell_type == "code" for cell in source.cells)
        page.get_by_text(re.compile(r"Python 3 .*\| Idle")).wait_for()  # sooner, Run asks which kernel to take
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        shown = Open(name, opened, path, runs)
        # The last cell is on the screen. Others may show no number: JupyterLab draws what is seen, and folded cells have none.
        last = shown.all(".jp-CodeCell .jp-InputArea-prompt").last

        def ended() -> bool:
            return last.inner_text() == f"[{cells}]:" or shown.all(ERROR).count() > 0

        opened.until(f"{cells} cells to have run", ended, RUN_SECONDS)
        shown.save()
        yield shown
    lab.end_kernels()


def test_every_explorer_is_visited() -> None:
    """Every function of facesr_lib.explore that gives a widget to show is called in a notebook of the table."""
    makers = {
        name
        for module in pkgutil.walk_packages(facesr_lib.explore.__path__, "facesr_lib.explore.")
        for name, function in inspect.getmembers(import_module(module.name), inspect.isfunction)
        if inspect.get_annotations(function, eval_str=True).get("return") is ipywidgets.VBox
    }
    sources = [cell.source for name in EXPLORERS for cell in load(name).cells if cell.cell_type == "code"]
    called = set(re.findall(r"\w+(?=\()", "\n".join(sources)))
    assert makers - {"explorer"} <= called  # which all others are built with
    assert len(makers) > 8


def test_all_cells_run_and_nothing_is_red(notebook: Open) -> None:
    cells = [cell for cell in nbformat.read(notebook.path, as_version=4).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"] == []
    assert notebook.all(ERROR).all_text_contents() == []
    assert notebook.all(":text('Error displaying widget')").count() == 0
    page = notebook.visit.page.locator(".jp-Notebook")
    notebook.visit.until("every picture to be drawn", lambda: all(pictures(page)))
    assert pictures(page)
    assert notebook.visit.errors == []
    assert notebook.visit.refused == []


def test_nothing_is_cut_or_stretched(notebook: Open) -> None:
    cut = "all => all.filter(label => label.scrollWidth > label.clientWidth).map(label => label.textContent)"
    assert notebook.all(".widget-label").filter(visible=True).evaluate_all(cut) == []
    stretched = "all => all.filter(img => img.clientWidth > img.naturalWidth).map(img => img.clientWidth)"
    assert notebook.all("img.widget-image").evaluate_all(stretched) == []


def move(notebook: Open, label: str) -> None:
    """Step the slider of a label by keys and wait until its read-out and the explorer's picture have followed."""
    page, until = notebook.visit.page, notebook.visit.until
    named = page.locator(".widget-slider").filter(has=page.get_by_text(label, exact=True))
    explorer = notebook.all(".jp-CodeCell").filter(has=named)
    thumb, readout = (explorer.locator(named).get_by_role("slider").first, explorer.locator(named).locator(".widget-readout"))
    until(f"{label!r} to have a picture", lambda: pictures(explorer) != [] and all(pictures(explorer)))  # it follows its cell
    number, drawn = readout.inner_text(), pictures(explorer)
    thumb.focus()
    at_end = thumb.get_attribute("aria-valuenow") == thumb.get_attribute("aria-valuemax")
    for _ in range(STEPS):
        page.keyboard.press("ArrowLeft" if at_end else "ArrowRight")
    until(f"{label!r} to say another number than {number}", lambda: readout.inner_text() != number)
    until(f"the picture to follow {label!r}", lambda: all(shown := pictures(explorer)) and shown != drawn)
    explorer.screenshot(path=notebook.screenshot(label))


def test_every_slider_moves_by_keyboard(notebook: Open) -> None:
    labels = notebook.all(".widget-slider").filter(visible=True).locator(".widget-label")
    assert sorted(labels.all_text_contents()) == sorted(EXPLORERS[notebook.name][""])
    for choice, sliders in EXPLORERS[notebook.name].items():
        if choice:
            menus = notebook.all("select").filter(has=notebook.visit.page.locator(f"option:text-is('{choice}')"))
            menus.select_option(choice)
        for label in sliders:
            move(notebook, label)


def test_readers_bring_their_own_picture(notebook: Open) -> None:
    page, until = notebook.visit.page, notebook.visit.until
    explorer = notebook.all(".jp-CodeCell").filter(has=page.locator(".widget-upload"))
    assert explorer.count() == (notebook.name in OWN_PICTURE)
    if not explorer.count():
        return
    until("the explorer to be drawn", lambda: all(pictures(explorer)))
    message, drawn = explorer.locator(".widget-upload + .widget-html"), pictures(explorer)
    content = io.BytesIO()
    Image.effect_mandelbrot((90, 100), (-2, -1.2, 0.8, 1.2), 50).save(content, "png")

    def bring(name: str, file: bytes, answer: str) -> None:
        with page.expect_file_chooser() as chooser:
            explorer.locator(".widget-upload").click()
        chooser.value.set_files({"name": name, "mimeType": "image/png", "buffer": file})
        until(f"{answer!r} about {name}", lambda: name in message.inner_text() and answer in message.inner_text())

    bring("broken.png", b"no picture", "cannot be used")
    explorer.screenshot(path=notebook.screenshot("broken.png"))
    assert pictures(explorer) == drawn
    bring("mine.png", content.getvalue(), "the centre 90x90 of 90x100 px")
    until("the new picture", lambda: all(shown := pictures(explorer)) and shown != drawn)
    explorer.screenshot(path=notebook.screenshot("mine.png"))


def test_the_saved_notebook_and_the_report_read_without_network(notebook: Open, browser: Browser) -> None:
    result = load_result(notebook.runs / "smoke" / notebook.name / "result.json")
    alts = {figure["alt"] for figure in result["figures"]}
    page = export_notebook(notebook.path, notebook.path.with_suffix(".html"))
    report = build_report(notebook.runs, "smoke")
    for html in (page, report):
        with visit(browser, html.as_uri(), html.as_uri(), notebook.visit.screenshots) as offline:
            found = offline.page.locator("img")
            described = found.evaluate_all("all => all.map(img => [img.alt.trim(), img.naturalWidth, img.height])")
            programs = offline.page.locator("pre").filter(visible=True)
            fonts = programs.evaluate_all("all => all.map(program => getComputedStyle(program).fontFamily)")
            offline.page.screenshot(path=notebook.screenshot(html.stem), full_page=True)
        assert offline.errors == []
        assert offline.refused == []
        assert alts <= {alt for alt, _, _ in described}
        assert not [alt for alt, _, height in described if "No description" in alt or not alt]
        assert all(width > 0 and height > 0 for _, width, height in described)
        assert all("mono" in font for font in fonts)
