"""The four papers as one picture: what each assumes about LR images, what it trains, what it adds."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.patches import FancyBboxPatch

from facesr_lib.plot.figures import PALETTE, Picture


@dataclass(frozen=True)
class _Paper:
    title: str
    question: str
    lr: str
    network: str
    signal: str


_PAPERS = (
    _Paper(
        "1  Human-face GAN",
        "How far does\nthe plainest GAN get?",
        "Gaussian blur,\nthen half the size",
        "Generator with a scaled\nbilinear shortcut, x2",
        "Nothing but\nthe cross-entropy game",
    ),
    _Paper(
        "2  SelfSR",
        "What if real LR\nis not bicubic?",
        "A network bends pixels\n(flow field) to match real LR",
        "Progressive x2 > x4 > x8,\nconditioned on the LR itself",
        "L1 (or a cycle),\nhinge GAN, R1",
    ),
    _Paper(
        "3  Teacher-student",
        "Who teaches\nwhen there is no HR?",
        "DeNet learns real LR;\nbicubic of HR is its anchor",
        "Recurrent TNet and SNet,\nfed Canny, then DoG edges",
        "Teacher's SR as pseudo-HR,\ncycle back to LR",
    ),
    _Paper(
        "4  ISR-KD",
        "Can it learn cartoons\nand keep faces?",
        "Average pooling\nto an eighth",
        "Face GAN with edge heads;\nfrozen copy as teacher",
        "Distil outputs and bottleneck\nof the old model",
    ),
)
_ROWS = (("lr", "where LR\ncomes from"), ("network", "what is\ntrained"), ("signal", "what it\nlearns from"))


def roadmap() -> Picture:
    """A card per paper: its question, where LR images come from, the network, the training signal."""
    figure = Picture(figsize=(12, 4.4))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-0.12, 4.35), ylim=(0, 1))
    axes.axis("off")
    heights = (0.54, 0.345, 0.15)
    for (_, label), y in zip(_ROWS, heights, strict=True):
        axes.text(0.3, y, label, ha="right", va="center", fontsize=10, color="#444444", style="italic")
    for column, (paper, color) in enumerate(zip(_PAPERS, PALETTE, strict=False)):
        left = 0.36 + column
        card = FancyBboxPatch(
            (left, 0.05), 0.92, 0.9, boxstyle="round,pad=0,rounding_size=0.03", fill=False, edgecolor=color, lw=2
        )
        axes.add_patch(card)
        middle = left + 0.46
        axes.text(middle, 0.87, paper.title, ha="center", va="center", fontsize=14, weight="bold", color=color)
        axes.text(middle, 0.735, paper.question, ha="center", va="center", fontsize=10.5, style="italic")
        for (name, _), y in zip(_ROWS, heights, strict=True):
            axes.text(middle, y, getattr(paper, name), ha="center", va="center", fontsize=10)
    return figure
