"""A project small enough to build its site in seconds, with everything on its pages that can go wrong."""

from __future__ import annotations

import io
import json
import math
from base64 import b64encode
from copy import deepcopy
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from facesr_tools.choices import FILE, Choices, Outcome, write_choices

WIDGET = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
PROFILE = "quick"
FACTS = {
    "minutes": {"smoke": 0.2, "quick": 0.5, "workshop": 10, "paper": 180},
    "hardware": {"smoke": "CPU", "quick": "CPU", "workshop": "GPU", "paper": "GPU"},
}


def png(color: str = "red", size: tuple[int, int] = (600, 40)) -> bytes:
    """A picture of one colour."""
    content = io.BytesIO()
    Image.new("RGB", size, color).save(content, "PNG")
    return content.getvalue()


def data_uri(content: bytes) -> str:
    """A PNG as it stands in a notebook's HTML."""
    return f"data:image/png;base64,{b64encode(content).decode()}"


def widget_state() -> dict[str, Any]:
    """A slider, a menu and the picture they make, as nbclient saves them."""

    def model(name: str, **state: Any) -> dict[str, Any]:
        return {"model_name": f"{name}Model", "model_module": "@jupyter-widgets/controls", "state": state}

    picture = model("Image", format="png", layout="IPY_MODEL_shown")
    picture["buffers"] = [{"path": ["value"], "encoding": "base64", "data": b64encode(png("blue")).decode()}]
    return {
        "box": model("VBox", children=[f"IPY_MODEL_{name}" for name in ("scale", "kind", "unused", "picture", "text")]),
        "scale": model("IntSlider", description="scale", value=4, min=2, max=8, readout_format="d"),
        "kind": model("Dropdown", description="kind", _options_labels=["nearest", "bicubic"], index=1),
        "unused": model("FloatSlider", description="unused", value=1.0, min=0.0, max=2.0, layout="IPY_MODEL_hidden"),
        "picture": picture,
        "text": model("HTML", value="24.9 <b>dB</b>"),
        "hidden": model("Layout", display="none"),
        "shown": model("Layout", display=None),
    }


def first() -> nbformat.NotebookNode:
    """An executed notebook with formulas, pictures, a widget, an exercise, and output that would load from the web."""
    picture = f'<img src="{data_uri(png())}" width="600" height="40" alt="A red bar.">'
    figure = f"<figure>{picture}<figcaption>Red</figcaption></figure>"
    hostile = '<script>fetch("https://evil.example")</script><img src="https://evil.example/a.png"><p id="x">kept</p>'
    out = {"PROFILE": PROFILE, "OUTPUT_DIR": "/home/someone/runs"}
    return new_notebook(
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "papermill": {"parameters": out},
            "widgets": {STATE: {"version_major": 2, "version_minor": 0, "state": widget_state()}},
        },
        cells=[
            new_markdown_cell(
                "# The first\n\n[![Open in Colab](https://badges.example/b.svg)](https://colab.example)\n\n"
                "**Aim:** see how *formulas* survive.\n\nWritten by npm @someone/package.\n\n"
                "Go on with [the second](10_second.ipynb), its [end](10_second.ipynb#the-end), or [below](#pictures)."
            ),
            new_code_cell("PROFILE = 'quick'", metadata={"tags": ["parameters"]}),
            new_code_cell(f"# Parameters\nOUTPUT_DIR = '{out['OUTPUT_DIR']}'", metadata={"tags": ["injected-parameters"]}),
            new_markdown_cell(
                "## Formulas\n\nInline $a_b$.\n\n$$\n\\frac{x^2}{y} \\tag{7}\n$$\n\n| a | b |\n|---|--:|\n| 1 | 2 |"
            ),
            new_code_cell(
                "print(run)",
                outputs=[new_output("stream", name="stdout", text="written to /home/someone/runs/quick\n  5%\r100%\n")],
            ),
            new_code_cell("long()", outputs=[new_output("stream", name="stdout", text="a line\n" * 9_000 + "the last line\n")]),
            new_markdown_cell("## Pictures\n\nA zebrafish looks at them."),
            new_code_cell(
                "figure",
                outputs=[
                    new_output("execute_result", data={"text/html": figure, "text/plain": "Figure"}),
                    new_output("display_data", data={"image/png": b64encode(png("green")).decode(), "text/plain": "<Figure>"}),
                    new_output(
                        "display_data",
                        data={"image/png": b64encode(png("black")).decode()},
                        metadata={"image/png": {"alt": "A black bar.", "width": 600}},
                    ),
                    new_output("display_data", data={"text/html": hostile}),
                ],
            ),
            new_code_cell(
                "explorer()", outputs=[new_output("display_data", data={WIDGET: {"model_id": "box"}, "text/plain": "VBox()"})]
            ),
            new_markdown_cell("## Exercises\n\n### One"),
            new_code_cell("def answer():\n    raise NotImplementedError", metadata={"tags": ["exercise"]}),
            new_code_cell("def answer():\n    return 42", metadata={"tags": ["solution"], "jupyter": {"source_hidden": True}}),
        ],
    )


def write_seeds(kept: Path) -> None:
    """Committed verdicts of two seeds: a claim that holds with one of them only, one of both, and one that nobody can judge."""
    part = {"statement": "GAN better than bicubic", "notebook": "10_second", "dataset": "faces", "metric": "PSNR (dB)"}
    part |= {"convention": "RGB", "unit": "dB", "n": 6, "people": 3}
    alone = {
        (0,): Outcome("points for", "points for (1 seed)", "for", ((0, 2.0, 1.0, 3.0),)),
        (1,): Outcome("points against", "points against (1 seed)", "against", ((0, -1.0, -2.0, -0.5),)),
        (0, 1): Outcome("undecided", "undecided (2 seeds)", "open", ((0, 0.5, -1.0, 2.0),)),
    }
    always = {chosen: Outcome("points for", "points for", "for", ((0, 1.0, -math.inf, math.inf),)) for chosen in alone}
    never = {chosen: Outcome("not run", "not run", "not run", ()) for chosen in alone}
    listed = {"human_gan.effective": alone, "human_gan.pixel_term": always, "human_gan.speed": never}
    write_choices(kept / FILE, PROFILE, [Choices(key, "human_gan", (part,), outcomes) for key, outcomes in listed.items()])
    claims = []
    for key, outcomes in listed.items():
        whole = outcomes[0, 1]
        ends = [{"effect": effect, "low": str(low), "high": str(high)} for _, effect, low, high in whole.measured]
        claim = {"id": key, "paper": "human_gan", "text": f"<{key}> is so.", "where": "Table 1", "mark": "paper"}
        claim |= {"verdict": whole.verdict, "shown": whole.shown, "why": "", "seeds": 2}
        claims.append({**claim, "measured": [{**part, "margin": 0.0, "smallest": 0.1, **end} for end in ends]})
    (kept / "claims.json").write_text(json.dumps(claims))


def write_project(root: Path) -> Path:
    """A repository with three notebooks, of which two were executed, below `root`/runs; return the notebooks' folder."""
    folder, results = root / "notebooks", root / "runs" / PROFILE
    second = new_notebook(
        cells=[
            new_markdown_cell("# The second\n\n**Aim:** be short.\n\n## The end"),
            new_code_cell("1 / 0", outputs=[new_output("error", ename="E", evalue="bad", traceback=["\x1b[31mE: bad\x1b[0m"])]),
        ]
    )
    marker = root / "executed"
    third = new_notebook(cells=[new_markdown_cell("# The third"), new_code_cell(f"open({str(marker)!r}, 'w').close()")])
    for name, title, paper, notebook in (
        ("00_first", "The first", None, first()),
        ("10_second", "The second", "human_gan", second),
        ("90_third", "The third", None, third),
    ):
        source = new_notebook(cells=deepcopy(notebook.cells))
        for cell in source.cells:
            if cell.cell_type == "code":
                cell.outputs = []
        source.metadata["facesr"] = {"title": title, "paper": paper, "always": name == "90_third", **FACTS}
        for target, content in ((folder / f"{name}.ipynb", source), (results / name / "notebook.ipynb", notebook)):
            if notebook is not third or target.parent == folder:
                target.parent.mkdir(parents=True, exist_ok=True)
                nbformat.write(content, target)
    claims = [{"text": "It | works *well*.", "where": "Table 1", "mark": "seed", "verdict": "reproduced", "measured": []}]
    end = {"metric": "PSNR (dB)", "unit": "dB", "effect": 0.3, "low": -0.3, "high": 0.9}
    two = [end, {**end, "metric": "SSIM", "unit": ""}]
    measured = [{"statement": f"A better than {name}", **part} for name in "BCDEF" for part in two]
    claims += [{**claims[0], "text": "It is so.", "verdict": "points for", "shown": "points for (1 seed)", "measured": measured}]
    claims += [{**claims[1], "verdict": "undecided", "shown": "undecided (1 seed)", "why": "PSNR [−0.3, +0.9] is wide."}]
    counts = {"reproduced": 1, "points for": 1, "undecided": 1}
    paper = {"paper": "human_gan", "title": "A paper", "counts": counts, "claims": claims}
    (results / "claims.json").write_text(json.dumps({"papers": [paper]}))
    (results / "model_cards").mkdir()
    (results / "model_cards" / "human_gan.md").write_text("---\nlicense: other\n---\n# A card\n\n## Limits\n\nMany.\n")
    kept = root / "results" / PROFILE
    (kept / "tables" / "10_second").mkdir(parents=True)
    (kept / "README.md").write_text("# Kept\n\n[scores](scores.csv), 5 seeds\n")
    write_seeds(kept)
    (kept.with_name(f"{PROFILE}-colour")).mkdir()
    (kept.with_name(f"{PROFILE}-colour") / "README.md").write_text("# Results of other images\n\nIn colour.\n")
    (kept / "tables" / "10_second" / "results.md").write_text("| method | PSNR |\n|---|---|\n| GAN | 22.56 ± 1.47 |\n")
    (kept / "tables" / "10_second" / "networks.md").write_text("| layers |\n|---|\n| 12 |\n")
    (root / "docs").mkdir()
    (root / "docs" / "metrics.md").write_text(
        "# Metrics\n\nSee [the first](../notebooks/00_first.ipynb) and [code](../facesr_lib).\n"
    )
    (root / "README.md").write_text("# readme\n\n[metrics](docs/metrics.md), [licence](LICENSE), [build](pyproject.toml).\n")
    (root / "LICENSE").write_text("MIT\n")
    return folder
