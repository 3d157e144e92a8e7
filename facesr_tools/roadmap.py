"""The four papers as one figure: what each assumes about LR images, what it trains, what it adds (roadmap.toml)."""

import tomllib
from importlib.resources import files

from matplotlib.patches import FancyBboxPatch

from facesr_lib.plot.figures import PALETTE, NotebookFigure

_ROWS = {0.54: "where LR\ncomes from", 0.345: "what is\ntrained", 0.15: "what it\nlearns from"}  # height -> label


def roadmap() -> NotebookFigure:
    """A card per paper: its question, where LR images come from, the network, the training signal."""
    cards = tomllib.loads(files("facesr_tools").joinpath("roadmap.toml").read_text(encoding="utf-8"))["card"]
    figure = NotebookFigure(figsize=(12, 4.4))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-0.12, 4.35), ylim=(0, 1))
    axes.axis("off")
    for y, label in _ROWS.items():
        axes.text(0.3, y, label, ha="right", va="center", fontsize=10, color="#444444", style="italic")
    for column, ((title, question, *texts), color) in enumerate(zip(map(dict.values, cards), PALETTE, strict=False)):
        left, middle = 0.36 + column, 0.36 + column + 0.46
        box = "round,pad=0,rounding_size=0.03"
        axes.add_patch(FancyBboxPatch((left, 0.05), 0.92, 0.9, boxstyle=box, fill=False, edgecolor=color, lw=2))
        axes.text(middle, 0.87, title, ha="center", va="center", fontsize=14, weight="bold", color=color)
        axes.text(middle, 0.735, question, ha="center", va="center", fontsize=10.5, style="italic")
        for y, text in zip(_ROWS, texts, strict=True):
            axes.text(middle, y, text, ha="center", va="center", fontsize=10)
    return figure
